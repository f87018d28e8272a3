"""From checked rows to blocks of the likelihood, on a working scale where all is of size one."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.engine.structure import Array, Index
from analysis.errors import UserError
from analysis.fits.design import Design
from analysis.fits.joint.baseline import Baseline, risk_nodes
from analysis.fits.joint.likelihood import Block, Likelihood
from analysis.fits.joint.limits import Limits
from analysis.fits.joint.parameters import Layout
from analysis.fits.joint.parts import Associated, Hazard, Measurements, Part
from analysis.fits.joint.quadrature import NODES_BY_DIMENSION, hermite_grid
from analysis.fits.joint.rows import JointRows
from analysis.fits.joint.trajectory import Trajectory, feature

if TYPE_CHECKING:
    import polars as pl

ELEMENTS = 150_000
"""Patients times nodes times rows of one block: what a processor's cache holds."""


@dataclass(frozen=True, eq=False)
class Covariates:
    """Columns of the event formula without the intercept, centered and of unit size."""

    names: tuple[str, ...]
    scaled: Array
    center: Array
    scale: Array
    encoder: object

    def rows(self, raw: Array) -> Array:
        """New rows on the working scale; `raw` still holds the intercept."""
        return np.asarray((raw[:, 1:] - self.center) / self.scale)


@dataclass(frozen=True, eq=False)
class Problem:
    """A joint model ready to be searched. Working scale: columns of the design are orthonormal,
    the outcome is divided by `y_scale`, and the current value is centered at `center`."""

    rows: JointRows
    design: Design
    trajectory: Trajectory
    covariates: Covariates
    baselines: tuple[Baseline, ...]
    association: tuple[str, ...]
    layout: Layout
    center: Array
    likelihood: Likelihood

    @property
    def y_scale(self) -> float:
        return self.design.y_scale

    def features(self, patient: Index, time: Array) -> tuple[Array, Array]:
        """Working design of each association, (features, rows, columns)."""
        return scaled_features(self.design, self.trajectory, self.association, patient, time)


def scaled_features(
    design: Design, trajectory: Trajectory, names: tuple[str, ...], patient: Index, time: Array
) -> tuple[Array, Array]:
    """Fixed and random design of each association at these times, on the working scale."""
    x_back, z_back = np.linalg.inv(design.x_transform), np.linalg.inv(design.z_transform)
    pairs = [feature(trajectory, name, patient, time) for name in names]
    return np.stack([x @ x_back for x, _ in pairs]), np.stack([z @ z_back for _, z in pairs])


def trajectory_of(design: Design, rows: JointRows, long_time: str, group: str) -> Trajectory:
    """What the course needs of every patient, in the order of their numbers."""
    patients = rows.visits.frame.unique(subset=[group], keep="first", maintain_order=True)
    matrices = design.matrices
    end = float(rows.follow_up.max())
    needed = [name for name in rows.visits.variables if name in patients.columns]
    ordered = patients.sort(group).select(sorted({*needed, long_time, group}))
    return Trajectory(matrices.x_encoder, matrices.z_encoder, ordered, long_time, end)


def assembled(
    rows: JointRows,
    design: Design,
    trajectory: Trajectory,
    covariates: Covariates,
    baselines: tuple[Baseline, ...],
    association: tuple[str, ...],
    nodes: int | None = None,
    time_nodes: int | None = None,
) -> Problem:
    """Blocks of similar length, and the working scale."""
    q = design.z_scaled.shape[1]
    n_covariates, n_features = covariates.scaled.shape[1], len(association)
    outcomes = tuple((b.size, n_covariates, n_features) for b in baselines)
    layout = Layout(design.x_scaled.shape[1], q, outcomes)
    grid = hermite_grid(q, nodes or NODES_BY_DIMENSION[q])
    mean = float(design.matrices.y.mean()) / design.y_scale
    center = np.array([mean if name == "value" else 0.0 for name in association])
    prepared = _AtRisk(
        rows, design, trajectory, covariates, baselines, association, layout, center, time_nodes
    )
    blocks = tuple(_blocks(prepared, len(grid.nodes)))
    return Problem(
        rows, design, trajectory, covariates, baselines, association, layout, center,
        Likelihood(layout, grid, blocks),
    )  # fmt: skip


@dataclass(frozen=True, eq=False)
class _AtRisk:
    """All that a block is cut from."""

    rows: JointRows
    design: Design
    trajectory: Trajectory
    covariates: Covariates
    baselines: tuple[Baseline, ...]
    association: tuple[str, ...]
    layout: Layout
    center: Array
    time_nodes: int | None


class _Times(NamedTuple):
    """Time nodes per patient; window: those between the two times that bracket an event."""

    time: Array
    weight: Array
    window: NDArray[np.bool_]

    def of(self, patients: Index, longest: int) -> "_Times":
        """The nodes of these patients that carry weight, packed to the left."""
        order = np.argsort(self.weight[patients] <= 0, axis=1, kind="stable")[:, :longest]
        here = patients[:, None], order
        return _Times(self.time[here], self.weight[here], self.window[here])


def _blocks(a: _AtRisk, n_nodes: int) -> list[Block]:
    rows = a.rows
    n = len(rows.labels)
    known = risk_nodes(a.baselines, np.zeros(n), rows.first, a.time_nodes)
    times = _Times(*known, np.zeros(known.weight.shape, dtype=bool))
    if rows.interval:
        ends = np.where(rows.event > 0, rows.last, rows.first)
        inside = risk_nodes(a.baselines, rows.first, ends, a.time_nodes)
        bracketed = (inside.weight > 0) & (ends > rows.first)[:, None]
        times = _Times(
            np.hstack([times.time, inside.time]),
            np.hstack([times.weight, inside.weight * bracketed]),
            np.hstack([times.window, bracketed]),
        )
    found = _chunked(a, np.arange(n), times, n_nodes, measured=True)
    late = np.flatnonzero(rows.entry > 0)
    if len(late):
        before = risk_nodes(a.baselines, np.zeros(n), rows.entry, a.time_nodes)
        times = _Times(*before, np.zeros(before.weight.shape, dtype=bool))
        found += _chunked(a, late, times, n_nodes, measured=False)
    return found


def _chunked(
    a: _AtRisk, patients: Index, times: _Times, n_nodes: int, *, measured: bool
) -> list[Block]:
    """Patients in order of the rows they need, cut into blocks that fit the cache."""
    used = (times.weight > 0).sum(axis=1)
    order = patients[np.argsort(used[patients], kind="stable")]
    found, start = [], 0
    while start < len(order):
        stop = start + 1
        while stop < len(order) and (stop - start) * n_nodes * used[order[stop]] < ELEMENTS:
            stop += 1
        here = order[start:stop]
        found.append(_block(a, here, times.of(here, int(used[here[-1]])), measured=measured))
        start = stop
    return found


def _block(a: _AtRisk, patients: Index, times: _Times, *, measured: bool) -> Block:
    rows = a.rows
    exact = measured * rows.event[patients] * (rows.last[patients] == rows.first[patients])
    stop = rows.first[patients]
    # Padding stands at the end of follow-up, where the course is defined, with weight zero.
    padded = np.column_stack([np.where(times.weight > 0, times.time, stop[:, None]), stop])
    n, k = padded.shape
    x, z = scaled_features(
        a.design, a.trajectory, a.association, np.repeat(patients, k), padded.ravel()
    )
    x, z = x.reshape(len(a.association), n, k, -1), z.reshape(len(a.association), n, k, -1)
    w = np.broadcast_to(a.covariates.scaled[patients][:, None, :], (n, k, len(a.covariates.names)))
    parts: list[Part] = (
        [measurements(a.layout, a.design, a.rows.limits, patients)] if measured else []
    )
    bracketed = times.window if times.window.any() else None
    for number, (baseline, index) in enumerate(zip(a.baselines, a.layout.outcome, strict=True)):
        columns = np.concatenate([baseline.basis(padded), w], axis=2)
        linear = Associated(a.layout, index, columns, x, z, a.center)
        ended = exact * (rows.cause[patients] == number)
        parts.append(Hazard(linear, times.weight, ended, bracketed))
    return Block(patients, np.full(n, 1.0 if measured else -1.0), tuple(parts))


def measurements(
    layout: Layout, design: Design, limits: Limits | None, patients: Index
) -> Measurements:
    """All visits of these patients of the fit."""
    n, scale = len(design.y_scaled), design.y_scale
    if limits is None:
        limits = Limits(np.zeros(n), np.zeros(n), np.zeros(n, dtype=bool))
    return padded_measurements(
        layout, design.patient, patients, design.x_scaled, design.z_scaled,
        design.matrices.y / scale, limits.censored, limits.low / scale, limits.high / scale,
    )  # fmt: skip


def padded_measurements(
    layout: Layout, patient: Index, patients: Index, x: Array, z: Array, y: Array,
    censored: NDArray[np.bool_], low: Array, high: Array,
) -> Measurements:  # fmt: skip
    """Visits of these patients as a rectangle, on the working scale."""
    order = np.argsort(patient, kind="stable")
    counts = np.bincount(patient, minlength=int(patients.max()) + 1)
    starts = np.concatenate([[0], np.cumsum(counts)])[patients]
    sizes = counts[patients]
    width = int(sizes.max())
    slot = np.arange(width)[None, :]
    seen = slot < sizes[:, None]
    take = order[np.where(seen, starts[:, None] + slot, starts[:, None])]

    def cut(column: Array) -> Array:
        return np.asarray(np.where(seen, column[take], 0.0))

    return Measurements(
        layout,
        x[take] * seen[:, :, None],
        z[take] * seen[:, :, None],
        cut(y),
        seen.astype(float),
        censored[take] & seen,
        cut(low),
        cut(high),
    )


def covariates_of(events: "pl.DataFrame", event: str, event_formula: str) -> Covariates:
    """Design of the event formula. Raises UserError for a formula that cannot be evaluated."""
    from analysis.fits import formulas

    matrices = formulas.build_matrices(events, f"{event} ~ {event_formula}", "1")
    if matrices.x_names[:1] != ("Intercept",):
        raise UserError(
            f"event formula {event_formula!r}: leave out '0 +' and '- 1'; the baseline hazard "
            "takes the place of the intercept"
        )
    raw = matrices.x[:, 1:]
    center = raw.mean(axis=0)
    spread = np.sqrt(((raw - center) ** 2).mean(axis=0))
    scale = np.where(spread > 0, spread, 1.0)
    names = tuple(matrices.x_names[1:])
    return Covariates(names, (raw - center) / scale, center, scale, matrices.x_encoder)
