"""Baseline hazards. Each is linear in its parameters on the log scale, so one algebra fits all."""

from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from analysis.engine.structure import Array
from analysis.errors import UserError
from analysis.fits.joint.quadrature import TimeNodes, graded_nodes, time_nodes

Kind = Literal["piecewise", "spline", "weibull"]
KINDS = ("piecewise", "spline", "weibull")
INTERVALS = 7
"""Pieces of the piecewise hazard: cut at the quantiles of follow-up, as JM does."""
EVENTS_PER_PIECE = 3
"""Fewer pieces are taken where there are fewer events than this for each. Pieces are no costly
parameters: with one per event the likelihood is Cox's. A piece as long as the signal's own fall
gives the fall of the hazard within it to the signal, which draws the association to none."""
SPLINE_KNOTS = 5
DEGREE = 3
NODES = {"piecewise": 5, "spline": 7, "weibull": 15}


@dataclass(frozen=True, eq=False)
class Baseline:
    """log h0(t) = basis(t) @ parameters. cuts: inner knots; end: last follow-up time."""

    kind: str
    cuts: Array
    end: float
    names: tuple[str, ...] = field(default=())

    @property
    def size(self) -> int:
        return len(self.names)

    @property
    def constant(self) -> Array:
        """Parameters whose log hazard is 1 at every time."""
        return np.array([1.0, 0.0]) if self.kind == "weibull" else np.ones(self.size)

    def basis(self, time: Array) -> Array:
        """(..., parameters). Pieces hold their right end; beyond the last knot the last piece,
        and the spline's value at its end, continue."""
        if self.kind == "piecewise":
            piece = np.searchsorted(self.cuts, time, side="left")
            return np.asarray(np.eye(self.size)[piece])
        if self.kind == "weibull":
            return np.stack([np.ones_like(time), np.log(np.maximum(time, 1e-300))], axis=-1)
        return self._spline(time)

    def start(self, rate: float) -> Array:
        """Parameters of a constant hazard."""
        return np.asarray(np.log(rate) * self.constant)

    def _spline(self, time: Array) -> Array:
        from scipy.interpolate import BSpline

        ends = [0.0] * (DEGREE + 1), [self.end] * (DEGREE + 1)
        knots = np.concatenate([ends[0], self.cuts, ends[1]])
        inside = np.clip(time, 0.0, self.end)
        found = BSpline.design_matrix(inside.ravel(), knots, DEGREE).toarray()
        return np.asarray(found.reshape(*time.shape, -1))


def baseline_of(kind: str, time: Array, event: Array, knots: Array | None) -> Baseline:
    """The baseline for these follow-up times. Raises UserError for a kind or knots that cannot be.

    Piecewise: cut at quantiles of all follow-up times; spline: at those of the event times.
    """
    end = float(time.max())
    if kind == "weibull":
        return Baseline(kind, np.empty(0), end, ("log(scale)", "log(shape)"))
    if kind not in KINDS:
        raise UserError(f"baseline {kind!r} does not exist; use one of {', '.join(KINDS)}")
    events = time[event > 0]
    if knots is None:
        wanted = INTERVALS - 1 if kind == "piecewise" else SPLINE_KNOTS
        inner = max(min(wanted, len(events) // EVENTS_PER_PIECE - 1), 0)
        shares = np.linspace(0, 1, inner + 2)[1:-1]
        cuts = np.unique(np.quantile(time if kind == "piecewise" else events, shares))
        cuts = _with_events(cuts, events) if kind == "piecewise" else cuts
    else:
        cuts = np.unique(np.asarray(knots, dtype=float))
        if len(cuts) and not (cuts[0] > 0 and cuts[-1] < end):
            raise UserError(f"knots must lie between 0 and the last follow-up time, {end:g}")
        if kind == "piecewise" and len(_with_events(cuts, events)) < len(cuts):
            raise UserError(
                "knots: a piece between two knots holds no event, so its hazard has no estimate; "
                "leave out a knot"
            )
    cuts = cuts[(cuts > 0) & (cuts < end)]
    n = len(cuts) + 1 if kind == "piecewise" else len(cuts) + DEGREE + 1
    name = "log(hazard {})" if kind == "piecewise" else "log(hazard) spline {}"
    return Baseline(kind, cuts, end, tuple(name.format(i + 1) for i in range(n)))


def _with_events(cuts: Array, events: Array) -> Array:
    """The cuts that leave an event in every piece; a piece without one joins its neighbor."""
    kept: list[float] = []
    for cut in cuts:
        low = kept[-1] if kept else -np.inf
        if ((events > low) & (events <= cut)).any():
            kept.append(float(cut))
    while kept and not (events > kept[-1]).any():
        kept.pop()
    return np.asarray(kept)


def risk_nodes(
    baselines: tuple[Baseline, ...], start: Array, stop: Array, per_segment: int | None
) -> TimeNodes:
    """Nodes that suit every baseline: split at all their knots, graded to 0 for a Weibull."""
    kind = baselines[0].kind
    count = per_segment or NODES[kind]
    if kind == "weibull" and not start.any():
        return graded_nodes(stop, count)
    knots = np.unique(np.concatenate([baseline.cuts for baseline in baselines]))
    return time_nodes(start, stop, knots, count)
