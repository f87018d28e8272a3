"""Chance of staying free of the event, given what is known of a patient at one time.

The history up to `known_at` and the fact of no event until then give a posterior of the patient's
course; the chance beyond is averaged over it (Rizopoulos 2011,
doi:10.1111/j.1541-0420.2010.01546.x). Intervals by Monte Carlo over the parameters and the
patient's own effects, from a seed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from analysis.compute.confidence_level import require_level
from analysis.engine.structure import Array
from analysis.errors import UserError
from analysis.fits.joint.history import Histories, histories
from analysis.fits.joint.likelihood import posterior_center
from analysis.fits.joint.quadrature import hermite_grid
from analysis.fits.joint.reported import FittedJoint
from analysis.frames import takes_frames
from analysis.number_words import count
from analysis.results import Fit, Status, finite

if TYPE_CHECKING:
    import polars as pl

DRAWS = 200
CANDIDATES = 32
"""Candidates of a patient's effects per draw of the parameters; one is kept by its weight."""
TAILS = 5.0
"""Degrees of freedom of the candidates: wider than the posterior, as importance weights need."""
POINT_NODES = 9


class PredictionPoint(NamedTuple):
    """Chance of no event until `time`, given no event until `known_at`."""

    time: float
    event_free: float
    conf_low: float
    conf_high: float


@dataclass(frozen=True)
class DynamicPrediction:
    """One patient's prediction with what it was made from. No number where not estimable.

    known_at: measurements after this time were not used; n_measurements: those before.
    """

    usubjid: str
    known_at: float
    status: Status
    reason: str | None
    sentence: str
    advice: str = ""
    n_measurements: int = 0
    conf_level: float = 0.95
    points: tuple[PredictionPoint, ...] = ()


@takes_frames
def predict_event_free(
    fit: Fit,
    known_at: float,
    times: Sequence[float],
    longitudinal: "pl.DataFrame | None" = None,
    events: "pl.DataFrame | None" = None,
    *,
    level: float = 0.95,
    draws: int = DRAWS,
    seed: int = 1,
) -> tuple[DynamicPrediction, ...]:
    """Predictions of every patient at risk, in the order of their names.

    times: after known_at and not after the last follow-up of the fit. longitudinal: measurements
    of the patients (new ones too), by default those of the fit. events: one row per patient with
    the covariates of the hazard, by default the fit's; a patient there with an end of follow-up
    before known_at is not at risk. All causes of an event count.
    Raises UserError for times that cannot be predicted or a fit without its data.
    """
    require_level(level)
    fitted = fit.design
    if not isinstance(fitted, FittedJoint) or fitted.outcome_part != "event":
        raise UserError(
            "predict_event_free needs a joint model of an event as fitted in this session; one "
            "read from a file does not hold its data: fit it again"
        )
    wanted = np.asarray(sorted(float(t) for t in times))
    _check_times(fitted, known_at, wanted)
    known = histories(fitted, known_at, wanted, longitudinal, events)
    found = list(known.refused(known_at))
    if len(known.labels):
        points, low, high = _predicted(fitted, known, level, draws, seed)
        for number, label in enumerate(known.labels):
            rows = zip(wanted, points[number], low[number], high[number], strict=True)
            found.append(
                _said(
                    label,
                    known_at,
                    int(known.counts[number]),
                    level,
                    tuple(PredictionPoint(*map(float, row)) for row in rows),
                )
            )
    return tuple(sorted(found, key=lambda item: item.usubjid))


def _predicted(
    fitted: FittedJoint, known: Histories, level: float, draws: int, seed: int
) -> tuple[Array, Array, Array]:
    """Chance at the estimates, and the quantiles of the draws: (patients, times) each."""
    rng = np.random.default_rng(seed)
    q = fitted.problem.layout.n_random
    n = len(known.labels)
    center = posterior_center(known.parts, fitted.theta, np.zeros((n, q)))
    grid = hermite_grid(q, POINT_NODES if q <= 2 else 5)
    u = center.mode[:, None, :] + grid.nodes @ center.root.transpose(0, 2, 1)
    weight = _normalized(_log_joint(known, fitted.theta, u) + grid.log_weight)
    free = known.event_free(fitted.theta, u)
    point = np.einsum("ij,ijt->it", weight, free)
    assert fitted.covariance is not None
    values, vectors = np.linalg.eigh(fitted.covariance)
    root = vectors * np.sqrt(np.maximum(values, 0.0))
    sampled = np.empty((draws, *point.shape))
    for draw in range(draws):
        theta = fitted.theta + root @ rng.standard_normal(len(values))
        own = posterior_center(known.parts, theta, center.mode, steps=1)
        noise = rng.standard_normal((n, CANDIDATES, q))
        stretch = np.sqrt(TAILS / rng.chisquare(TAILS, (n, CANDIDATES, 1)))
        step = noise * stretch
        u = own.mode[:, None, :] + step @ own.root.transpose(0, 2, 1)
        proposal = -0.5 * (TAILS + q) * np.log1p((step**2).sum(axis=2) / TAILS)
        chance = _normalized(_log_joint(known, theta, u) - proposal)
        pick = (np.cumsum(chance, axis=1) < rng.uniform(size=(n, 1))).sum(axis=1)
        chosen = u[np.arange(n), np.minimum(pick, CANDIDATES - 1)][:, None, :]
        sampled[draw] = known.event_free(theta, chosen)[:, 0]
    tail = (1 - level) / 2
    return point, *np.quantile(sampled, [tail, 1 - tail], axis=0)


def _log_joint(known: Histories, theta: Array, u: Array) -> Array:
    value = sum(part.at(theta, u).value for part in known.parts)
    return np.asarray(value - 0.5 * (u**2).sum(axis=2))


def _normalized(log_weight: Array) -> Array:
    weight = np.exp(log_weight - log_weight.max(axis=1, keepdims=True))
    return np.asarray(weight / weight.sum(axis=1, keepdims=True))


def _check_times(fitted: FittedJoint, known_at: float, times: Array) -> None:
    end = fitted.problem.trajectory.end
    if not len(times) or not np.isfinite(times).all() or finite(known_at) is None:
        raise UserError("times must be one or more numbers, and known_at a number")
    if known_at < 0 or times[0] <= known_at:
        raise UserError(f"times must lie after known_at ({known_at:g}), which is not before 0")
    if times[-1] > end:
        raise UserError(
            f"times: {times[-1]:g} lies after the last follow-up of the fit ({end:g}), beyond "
            "which nothing is known of the hazard; ask for an earlier time"
        )


def _said(
    label: str, known_at: float, n: int, level: float, points: tuple[PredictionPoint, ...]
) -> DynamicPrediction:
    last = points[-1]
    sentence = (
        f"Known at {known_at:g} ({count(n, 'measurement')}, no event yet): a chance of "
        f"{last.event_free:.2f} ({100 * level:g} % interval {last.conf_low:.2f} to "
        f"{last.conf_high:.2f}) to stay free of the event until {last.time:g}."
    )
    return DynamicPrediction(
        label, known_at, "ok", None, sentence, n_measurements=n, conf_level=level, points=points
    )
