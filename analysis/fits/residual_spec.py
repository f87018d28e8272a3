"""What `residual` may say: how the values of one patient go together beside the random effects.

- "independent": one variance, no correlation (the default);
- "by:COLUMN": a variance of its own for each level, as sex, group or assay;
- "ar1:COLUMN": correlation falls with each visit (whole numbers) apart;
- "car1:COLUMN": the same over time, for visits at any days;
- "unstructured:COLUMN": every variance and covariance of the visits is free (MMRM).
"""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from analysis.engine.covariance_parts import (
    AutoregressiveResidual,
    IndependentResidual,
    UnstructuredResidual,
)
from analysis.engine.structure import Array, Index
from analysis.errors import UserError
from analysis.fits.design import numbered
from analysis.fits.guards import Problem

if TYPE_CHECKING:
    import polars as pl

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


def residual_part(
    spec: ResidualSpec, frame: "pl.DataFrame", patient: Index, residual: Array, root: Array | None
) -> Residual | Problem:
    """The residual of complete rows; `residual`: of a plain regression, where a search starts.

    root: square roots of the weights. Raises UserError for a column of the wrong type.
    """
    n = frame.height
    if spec.kind == "independent":
        return IndependentResidual(np.zeros(n, dtype=np.intp), ("",), root)
    if spec.kind == "by":
        levels, group = numbered(frame[spec.column])
        return IndependentResidual(group, levels, root)
    if spec.kind in ("ar1", "car1"):
        return _autoregressive(spec, frame, patient, root)
    return _unstructured(spec, frame, patient, residual, root)


def _autoregressive(
    spec: ResidualSpec, frame: "pl.DataFrame", patient: Index, root: Array | None
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
    twice = _twice(patient, time)
    if twice:
        return Problem(
            "tied_times",
            f"{twice} times a patient has two values at one {spec.column}, so that their "
            "correlation would be one.",
            "Keep one value, or add the lesion as a random effect and a finer time.",
        )
    if np.bincount(patient).max() < 2:
        return Problem(
            "one_visit_each",
            "Each patient has one value, so there is no correlation to estimate.",
            "Leave the correlation out.",
        )
    scale = float(np.median(np.diff(np.unique(time)))) if spec.kind == "car1" else 1.0
    return AutoregressiveResidual(time / scale, spec.kind == "car1", root, scale)


def _unstructured(
    spec: ResidualSpec, frame: "pl.DataFrame", patient: Index, residual: Array, root: Array | None
) -> Residual | Problem:
    levels, visit = numbered(frame[spec.column])
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


def _twice(patient: Index, place: Array | Index) -> int:
    pairs = np.unique(np.column_stack([patient, place]), axis=0)
    return len(patient) - len(pairs)
