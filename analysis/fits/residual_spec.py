"""What `residual` may say: how the values of one patient go together beside the random effects.

- "independent": one variance, no correlation (the default);
- "by:COLUMN": a variance of its own for each level, as sex, group or assay;
- "ar1:COLUMN": correlation falls with each visit (whole numbers) apart;
- "car1:COLUMN": the same over time, for visits at any days;
  both within the patient, or within the innermost level that is nested in it, as a lesion;
- "unstructured:COLUMN": every variance and covariance of the visits is free (MMRM).
"""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from analysis.engine.residual_parts import (
    AutoregressiveResidual,
    IndependentResidual,
    UnstructuredResidual,
)
from analysis.engine.structure import Array, Index
from analysis.errors import UserError
from analysis.fits.design import Numbered
from analysis.fits.guards import Problem

if TYPE_CHECKING:
    import polars as pl

LEAST_BEYOND = 4
"""Values of a level beyond its effects from which a variance of its own can be judged."""
KINDS = ("independent", "by", "ar1", "car1", "unstructured")
Residual = IndependentResidual | AutoregressiveResidual | UnstructuredResidual
WORDS = {
    "independent": "independent residuals",
    "by": "a residual variance for each level of {column}",
    "ar1": "residuals correlated over {column} (first-order autoregressive)",
    "car1": "residuals correlated over {column} (continuous first-order autoregressive)",
    "unstructured": "an unstructured covariance of {column}",
}


class ResidualSpec(NamedTuple):
    """kind, and the column it is about (empty for independent)."""

    kind: str
    column: str

    @property
    def words(self) -> str:
        return WORDS[self.kind].format(column=self.column)


def parse_residual(text: str) -> ResidualSpec:
    """Raises UserError for a structure that does not exist or names no column."""
    kind, _, column = text.partition(":")
    kind, column = kind.strip(), column.strip()
    if kind not in KINDS:
        raise UserError(
            f"residual {text!r} does not exist; write 'independent', 'by:COLUMN', 'ar1:COLUMN', "
            "'car1:COLUMN' or 'unstructured:COLUMN'"
        )
    if (kind == "independent") != (not column):
        raise UserError(
            f"residual {text!r}: "
            + ("'independent' takes no column" if column else f"name the column, '{kind}:COLUMN'")
        )
    return ResidualSpec(kind, column)


class ResidualRows(NamedTuple):
    """What a residual is made from: complete rows, the patient of each and the unit within which
    values go together (the patient, or the innermost nested level), the fixed design, the residual
    of a plain regression, where a search starts, and square roots of the weights."""

    frame: "pl.DataFrame"
    patient: Index
    unit: Index
    x: Array
    plain: Array
    root: Array | None


def residual_part(spec: ResidualSpec, rows: ResidualRows) -> Residual | Problem:
    """The residual. Raises UserError for a column of the wrong type."""
    if spec.kind == "independent":
        one = np.zeros(rows.frame.height, dtype=np.intp)
        return IndependentResidual(one, ("",), rows.root)
    if spec.kind == "by":
        return _by_level(spec, rows)
    if spec.kind in ("ar1", "car1"):
        return _autoregressive(spec, rows.frame, rows.unit, rows.root)
    return _unstructured(spec, rows.frame, rows.patient, rows.plain, rows.root)


def _by_level(spec: ResidualSpec, rows: ResidualRows) -> Residual | Problem:
    """Every level needs values beyond the effects that its own values fit exactly."""
    levels, group = _in_order(rows.frame[spec.column])
    for number, level in enumerate(levels):
        own = rows.x[group == number]
        effects = int(np.linalg.matrix_rank(own))
        if len(own) < effects + LEAST_BEYOND:
            return Problem(
                "too_few_in_level",
                f"{spec.column} = {level} has {len(own)} values for {effects} effects and a "
                f"variance of its own; at least {effects + LEAST_BEYOND} are needed.",
                f"Join '{level}' with another level, or leave the variance common.",
            )
    return IndependentResidual(group, levels, rows.root)


def _autoregressive(
    spec: ResidualSpec, frame: "pl.DataFrame", unit: Index, root: Array | None
) -> Residual | Problem:
    if not frame.schema[spec.column].is_numeric():
        raise UserError(
            f"residual: column '{spec.column}' must be a number (of the visit, or of days)"
        )
    time = frame[spec.column].cast(float).to_numpy()
    if spec.kind == "ar1" and not np.array_equal(time, np.round(time)):
        raise UserError(
            f"residual: 'ar1' counts visits, and '{spec.column}' holds numbers that are not whole; "
            "use 'car1' for time"
        )
    twice = _twice(unit, time)
    if twice:
        return Problem(
            "tied_times",
            f"{twice} times two values stand at one {spec.column}, so that their correlation "
            "would be one.",
            "Keep one value, or name in `nested` what the values of one time belong to: lesions.",
        )
    if np.bincount(unit).max() < 2:
        return Problem(
            "one_visit_each",
            "Each course has one value, so there is no correlation to estimate.",
            "Leave the correlation out.",
        )
    scale = float(np.median(np.diff(np.unique(time)))) if spec.kind == "car1" else 1.0
    return AutoregressiveResidual(time / scale, spec.kind == "car1", unit, root, scale)


def _unstructured(
    spec: ResidualSpec, frame: "pl.DataFrame", patient: Index, residual: Array, root: Array | None
) -> Residual | Problem:
    levels, visit = _in_order(frame[spec.column])
    twice = _twice(patient, visit)
    if twice:
        return Problem(
            "duplicate_visits",
            f"{twice} times a patient has two values at one {spec.column}.",
            "Keep one row per patient and visit, or their mean.",
        )
    patients, k = int(patient.max()) + 1, len(levels)
    together = np.zeros((k, k), dtype=int)
    for who in range(patients):
        seen = visit[patient == who]
        together[np.ix_(seen, seen)] += 1
    if k < 2 or together.min() < 3 or patients <= k:
        return Problem(
            "too_few_subjects",
            f"{patients} patients cannot carry the {k * (k + 1) // 2} variances and covariances "
            f"of {k} visits (the rarest pair of visits is shared by {int(together.min())}).",
            "Use 'car1' over time, or a random effect of the patient.",
        )
    size = np.array([max(float(residual[visit == one].std()), 1e-3) for one in range(k)])
    begin = np.concatenate([np.log(size), np.full(k * (k - 1) // 2, 0.2)])
    return UnstructuredResidual(visit, levels, begin, root)


def _in_order(column: "pl.Series") -> Numbered:
    """Levels as text in the order of their values: day 3 before day 14, categories as declared."""
    import polars as pl

    levels = column.unique().sort()
    place = levels.search_sorted(column) if column.dtype.is_numeric() else None
    names = levels.cast(pl.String).to_list()
    if place is not None:
        return tuple(names), place.to_numpy().astype(np.intp)
    number = {name: index for index, name in enumerate(names)}
    text = column.cast(pl.String).to_list()
    return tuple(names), np.array([number[name] for name in text], dtype=np.intp)


def _twice(patient: Index, place: Array | Index) -> int:
    pairs = np.unique(np.column_stack([patient, place]), axis=0)
    return len(patient) - len(pairs)
