"""Profile-likelihood intervals: for fixed effects, standard deviations and correlations.

One parameter is held at a value and everything else is fitted again; the interval holds the values
whose likelihood ratio against the best stays below the chi-square quantile. By maximum likelihood,
as lme4's confint does. A standard deviation whose likelihood does not fall that far down to zero
has zero as its limit. Bates D et al. 2015, doi:10.18637/jss.v067.i01, section 5.1.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, NamedTuple

import numpy as np

from analysis.compute.confidence_level import require_level
from analysis.errors import UserError
from analysis.fits.fitted import FittedMixed
from analysis.fits.inference_sentences import profile_sentence
from analysis.fits.maximum_likelihood import by_maximum_likelihood
from analysis.fits.profile_fixed import fixed_deviance
from analysis.fits.profile_variance import Held, Variances, held_parameters
from analysis.fits.restored import fitted_of
from analysis.fits.structured import FittedStructured, profiled
from analysis.fits.structured import held as structured
from analysis.frames import takes_frames
from analysis.results import Fit, finite
from analysis.serialized import Serialized

if TYPE_CHECKING:
    import polars as pl

PARTS = ("fixed effect", "standard deviation", "correlation")
ROOT = 1e-6
"""Precision of the signed root at a limit, in standard errors."""
STEPS = 60


class ProfileInterval(NamedTuple):
    """One parameter. estimate: by maximum likelihood. A limit is None where none was found."""

    part: str
    term: str
    estimate: float | None
    conf_low: float | None
    conf_high: float | None


@dataclass(frozen=True)
class ProfileIntervals(Serialized):
    """Result of `profile_intervals`. sentence: the intervals with the patients and the method."""

    ROWS: ClassVar = {"intervals": ProfileInterval}

    conf_level: float
    intervals: tuple[ProfileInterval, ...]
    note: str
    n_subjects: int = 0
    n_observations: int = 0
    sentence: str = ""

    def table(self) -> "pl.DataFrame":
        """part, term, estimate, conf_low, conf_high."""
        return self.rows_table("intervals")


NOTE = (
    "Profile likelihood (ML): everything else is fitted again at each value of a parameter. For "
    "fixed effects of few patients Satterthwaite's interval holds its level better."
)


@takes_frames
def profile_intervals(
    fit: Fit,
    parts: Sequence[str] = PARTS,
    level: float = 0.95,
    *,
    frame: "pl.DataFrame | None" = None,
) -> ProfileIntervals:
    """Intervals of every parameter of the named parts.

    frame: the data, for a fit restored from JSON. Raises UserError for a part that does not exist.
    """
    require_level(level)
    for part in parts:
        if part not in PARTS:
            raise UserError(f"profile: there is no part {part!r}; use {', '.join(PARTS)}")
    fitted = by_maximum_likelihood(fitted_of(fit, frame, "profile"))
    found = [*_fixed(fitted, level)] if "fixed effect" in parts else []
    found += _variances(fitted, level, parts)
    n, values = fitted.design.n_subjects, fitted.design.n_observations
    sentence = profile_sentence(found, level, n, values)
    return ProfileIntervals(level, tuple(found), NOTE, n, values, sentence)


def _fixed(fitted: FittedMixed | FittedStructured, level: float) -> list[ProfileInterval]:
    errors = np.sqrt(np.diag(fitted.covariance))
    names = fitted.design.matrices.x_names
    rows = []
    for index, name in enumerate(names):
        estimate, error = float(fitted.beta[index]), float(errors[index])
        deviance = (
            profiled.fixed_deviance(fitted, index)
            if isinstance(fitted, FittedStructured)
            else fixed_deviance(fitted, index)
        )
        low, high = (limit(deviance, estimate, sign * error, level, None) for sign in (-1, 1))
        rows.append(ProfileInterval("fixed effect", name, estimate, finite(low), finite(high)))
    return rows


def _variances(
    fitted: FittedMixed | FittedStructured, level: float, parts: Sequence[str]
) -> list[ProfileInterval]:
    if isinstance(fitted, FittedStructured):
        held_ones = structured.held_parameters(fitted)
        return [_interval(fitted, one, level) for one in held_ones if one.part in parts]
    problem = Variances(fitted)
    rows = []
    for held in held_parameters(fitted):
        if held.part not in parts:
            continue
        low, high = (_held_limit(problem, held, sign, level) for sign in (-1, 1))
        rows.append(
            ProfileInterval(held.part, held.term, finite(held.estimate), finite(low), finite(high))
        )
    return rows


def _interval(
    fitted: FittedStructured, held: profiled.HeldParameter, level: float
) -> ProfileInterval:
    ends = []
    for step, edge in ((-held.step, held.lower), (held.step, held.upper)):
        deviance = profiled.held_deviance(held, fitted.point.value)
        end = limit(deviance, held.estimate, step, level, edge)
        ends.append(None if end is None else finite(held.shown(end)))
    return ProfileInterval(held.part, held.term, finite(held.shown(held.estimate)), *ends)


def _held_limit(problem: Variances, held: Held, sign: int, level: float) -> float | None:
    edge = held.lower if sign < 0 else held.upper
    step = sign * max(0.1 * abs(held.estimate), held.step)
    return limit(problem.deviance_of(held), held.estimate, step, level, edge)


def limit(
    deviance: Callable[[float], float | None],
    estimate: float,
    step: float,
    level: float,
    edge: float | None,
) -> float | None:
    """Where the signed root of the deviance reaches the normal quantile, on the side of `step`.

    deviance: twice the log-likelihood lost at a value; None where it cannot be found. edge: the
    last possible value; it is the limit when the root stays below the quantile up to there.
    """
    from scipy.special import ndtri

    target = float(ndtri(0.5 + level / 2))

    def root(value: float) -> float | None:
        lost = deviance(value)
        return None if lost is None else float(np.sqrt(max(lost, 0.0))) - target

    inner, outer = estimate, estimate + step * target
    below = -target
    for _ in range(STEPS):
        if edge is not None and (outer - edge) * step >= 0:
            above = root(edge)
            if above is None:
                return None
            if above <= 0:
                return edge
            outer = edge
            break
        above = root(outer)
        if above is None:
            return None
        if above > 0:
            break
        inner, below, outer = outer, above, outer + 2 * (outer - estimate)
    else:
        return None
    return _between(root, inner, below, outer, above)


def _between(
    root: Callable[[float], float | None], low: float, below: float, high: float, above: float
) -> float | None:
    """Regula falsi in Illinois' form."""
    side = 0
    for _ in range(STEPS):
        middle = (low * above - high * below) / (above - below)
        value = root(middle)
        if value is None:
            return None
        if abs(value) < ROOT or abs(high - low) <= 1e-12 * max(abs(low), abs(high)):
            return middle
        if value > 0:
            high, above = middle, value
            below, side = (below / 2 if side == 1 else below), 1
        else:
            low, below = middle, value
            above, side = (above / 2 if side == -1 else above), -1
    return None
