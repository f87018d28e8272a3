"""What is known of patients at one time: measurements until then, and no event yet."""

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from analysis.engine.structure import Array, Index
from analysis.errors import UserError
from analysis.fits import design as designs
from analysis.fits import formulas
from analysis.fits.joint.assembly import padded_measurements, scaled_features
from analysis.fits.joint.baseline import risk_nodes
from analysis.fits.joint.contributions import predictor
from analysis.fits.joint.limits import limits_of, with_stand_in
from analysis.fits.joint.parts import Associated, Hazard, Part
from analysis.fits.joint.reported import FittedJoint
from analysis.fits.joint.rows import check_numbers

if TYPE_CHECKING:
    import polars as pl

    from analysis.fits.joint.predictions import DynamicPrediction


class Ahead(NamedTuple):
    """Predictors of one cause between known_at and the times asked for; weight: (nodes,);
    steps: (nodes, times), 1 where a node lies before a time."""

    predictor: Associated
    weight: Array
    steps: Array


@dataclass(frozen=True, eq=False)
class Histories:
    """Patients at risk with a measurement, their likelihood until known_at, and the time ahead."""

    labels: tuple[str, ...]
    counts: Index
    parts: tuple[Part, ...]
    ahead: tuple[Ahead, ...]
    without_history: tuple[str, ...]
    not_at_risk: tuple[str, ...]

    def event_free(self, theta: Array, u: Array) -> Array:
        """Chance of no event at the times, given none until known_at and the effects u:
        (patients, nodes, times)."""
        total = np.zeros((*u.shape[:2], self.ahead[0].steps.shape[1]))
        for cause in self.ahead:
            fixed, direction, _, _ = cause.predictor.parts(theta)
            eta = predictor(fixed, direction, u)
            total += (np.exp(np.minimum(eta, 700.0)) * cause.weight) @ cause.steps
        return np.exp(-total)

    def refused(self, known_at: float) -> tuple["DynamicPrediction", ...]:
        """Patients for whom nothing can be said, and why."""
        from analysis.fits.joint.predictions import DynamicPrediction

        found = []
        for label in self.without_history:
            found.append(
                DynamicPrediction(
                    label, known_at, "not_estimable", "no_history",
                    f"Not estimable: no measurement is known at {known_at:g}.",
                    "Ask at a later time, or give earlier measurements.",
                )
            )  # fmt: skip
        for label in self.not_at_risk:
            found.append(
                DynamicPrediction(
                    label, known_at, "not_estimable", "not_at_risk",
                    f"Not estimable: the event or the end of follow-up came before {known_at:g}.",
                    "Ask at an earlier time.",
                )
            )  # fmt: skip
        return tuple(found)


def histories(
    fitted: FittedJoint,
    known_at: float,
    times: Array,
    longitudinal: "pl.DataFrame | None",
    events: "pl.DataFrame | None",
) -> Histories:
    """The patients' likelihood at known_at. Raises UserError for a missing column or level."""
    import polars as pl

    p, names = fitted.problem, fitted.columns
    own = longitudinal is None
    visits = p.rows.visits.frame if longitudinal is None else longitudinal
    followed = p.rows.events if events is None else events
    visits, everyone = _visits(fitted, visits, known_at, prepared=own)
    followed = _covered(followed, names.group, everyone)
    labels = followed[names.group].to_list()
    ended = _ended(fitted, followed, known_at)
    seen = set(visits[names.group].to_list())
    kept = [k for k, label in enumerate(labels) if not ended[k] and label in seen]
    chosen = followed[kept]
    at_risk = chosen[names.group].to_list()
    visits = visits.filter(pl.col(names.group).is_in(at_risk))
    silent = tuple(x for x, gone in zip(labels, ended, strict=True) if x not in seen and not gone)
    gone = tuple(x for x, is_gone in zip(labels, ended, strict=True) if is_gone)
    if not at_risk:
        return Histories((), np.empty(0, dtype=np.intp), (), (), silent, gone)
    counts = np.bincount(designs.numbered(visits[names.group])[1], minlength=len(at_risk))
    parts, ahead = _likelihood(fitted, visits, chosen, known_at, times)
    return Histories(tuple(at_risk), counts, parts, ahead, silent, gone)


def _visits(
    fitted: FittedJoint, frame: "pl.DataFrame", known_at: float, *, prepared: bool
) -> tuple["pl.DataFrame", tuple[str, ...]]:
    """Complete measurements until known_at, and all patients that are named."""
    import polars as pl

    names, design = fitted.columns, fitted.problem.design
    for name in (names.group, names.long_time):
        if name not in frame.columns:
            raise UserError(f"longitudinal: there is no column '{name}'")
    check_numbers(frame, "longitudinal", (names.long_time, names.lower, names.upper))
    limited = names.lower is not None or names.upper is not None
    if limited and not prepared:
        frame = with_stand_in(frame, design.formula, names.lower, names.upper)
    rows = designs.complete_rows(frame, design.formula, design.random, names.group, ()).frame
    _same_levels(rows, design.frame)
    everyone = tuple(sorted(frame[names.group].cast(pl.String).drop_nulls().unique()))
    rows = rows.with_columns(pl.col(names.group).cast(pl.String))
    return rows.filter(pl.col(names.long_time).cast(float) <= known_at), everyone


def _same_levels(rows: "pl.DataFrame", fitted: "pl.DataFrame") -> None:
    for name in rows.columns:
        if name in fitted.columns and not fitted.schema[name].is_numeric():
            known = set(fitted[name].cast(str))
            new = sorted(set(rows[name].cast(str).drop_nulls()) - known)
            if new and len(known) < rows.height and len(known) <= 20:
                raise UserError(
                    f"'{name}' = {new[0]!r} was not in the data of the fit; it knows "
                    f"{', '.join(sorted(known))}"
                )


def _covered(events: "pl.DataFrame", group: str, everyone: tuple[str, ...]) -> "pl.DataFrame":
    """One row of covariates for every patient, in the order of their names."""
    import polars as pl

    rows = events.with_columns(pl.col(group).cast(pl.String))
    rows = rows.filter(pl.col(group).is_in(list(everyone))).unique(subset=[group], keep="first")
    missing = sorted(set(everyone) - set(rows[group].to_list()))
    if missing:
        raise UserError(
            f"events: no row for patient {missing[0]}; give one row per patient with the "
            "covariates of the hazard"
        )
    return rows.sort(group)


def _ended(fitted: FittedJoint, events: "pl.DataFrame", known_at: float) -> list[bool]:
    column = fitted.columns.event_time[0]
    if column not in events.columns:
        return [False] * events.height
    return [value is not None and value < known_at for value in events[column].cast(float)]


def _likelihood(
    fitted: FittedJoint,
    visits: "pl.DataFrame",
    followed: "pl.DataFrame",
    known_at: float,
    times: Array,
) -> tuple[tuple[Part, ...], tuple[Ahead, ...]]:
    p, names = fitted.problem, fitted.columns
    design = p.design
    n = followed.height
    everyone = np.arange(n)
    patient = designs.numbered(visits[names.group])[1]
    back = np.linalg.inv(design.x_transform), np.linalg.inv(design.z_transform)
    y = formulas.build_matrices(visits, f"{design.formula.split('~', maxsplit=1)[0]} ~ 1", "1").y
    low = high = np.zeros(len(y))
    censored = np.zeros(len(y), dtype=bool)
    if names.lower is not None or names.upper is not None:
        limits = limits_of(visits, design.formula, names.lower, names.upper)
        low, high, censored = limits.low / p.y_scale, limits.high / p.y_scale, limits.censored
    measured = padded_measurements(
        p.layout, patient, everyone, design.fixed_rows(visits) @ back[0],
        design.random_rows(visits) @ back[1], y / p.y_scale, censored, low, high,
    )  # fmt: skip
    trajectory = p.trajectory._replace(
        patients=visits.unique(subset=[names.group], keep="first").sort(names.group)
    )
    raw = formulas.matrix_at(p.covariates.encoder, followed)
    w = p.covariates.rows(raw)

    def linear(cause: int, time: Array) -> Associated:
        k = time.shape[1]
        x, z = scaled_features(
            design, trajectory, p.association, np.repeat(everyone, k), time.ravel()
        )
        shape = (len(p.association), n, k, -1)
        wide = np.broadcast_to(w[:, None, :], (n, k, w.shape[1]))
        columns = np.concatenate([p.baselines[cause].basis(time), wide], axis=2)
        index = p.layout.outcome[cause]
        return Associated(p.layout, index, columns, x.reshape(shape), z.reshape(shape), p.center)

    causes = range(len(p.baselines))
    parts: list[Part] = [measured]
    if known_at > 0:
        until = risk_nodes(p.baselines, np.zeros(1), np.array([known_at]), None)
        time = np.tile(np.append(until.time[0], known_at), (n, 1))
        weight = np.tile(until.weight[0], (n, 1))
        parts += [Hazard(linear(cause, time), weight, np.zeros(n)) for cause in causes]
    edges = np.concatenate([[known_at], times])
    pieces = [
        risk_nodes(p.baselines, np.array([a]), np.array([b]), None) for a, b in pairwise(edges)
    ]
    weight = np.concatenate([piece.weight[0] for piece in pieces])
    sizes = [piece.weight.shape[1] for piece in pieces]
    number = np.repeat(np.arange(len(pieces)), sizes)
    steps = (number[:, None] <= np.arange(len(pieces))[None, :]).astype(float)
    nodes = np.tile(np.concatenate([piece.time[0] for piece in pieces]), (n, 1))
    return tuple(parts), tuple(Ahead(linear(cause, nodes), weight, steps) for cause in causes)
