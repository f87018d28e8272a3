"""What each patient does to the fixed effects: full refits without them.

Cook's distance is the move of all fixed effects in units of their covariance, over their number;
DFBETAS the move of one in units of its standard error without the patient. Large: Cook's distance
above 4 / n, DFBETAS above 2 / sqrt(n) (Nieuwenhuis R et al. 2012, doi:10.32614/RJ-2012-011).
Covariance and standard errors of both are those of the inference that the fit reports: the model's,
Kenward-Roger's, or under "robust" what the patients differ by (CR2). That one spans as many
directions as there are patients; where the fixed effects are more, there is no Cook's distance.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np

from analysis.engine.newton import minimize
from analysis.engine.structure import Array
from analysis.fits.chosen_values import extrapolation
from analysis.fits.fitted import FittedMixed
from analysis.fits.influence import BLOCK, variances_without, without
from analysis.fits.marginal import chosen_row
from analysis.fits.replicates import started
from analysis.fits.restored import fitted_of
from analysis.fits.structured import FittedStructured
from analysis.fits.structured.left_out import left_out
from analysis.frames import takes_frames
from analysis.results import Fit, finite
from analysis.serialized import Serialized

if TYPE_CHECKING:
    import polars as pl

SINGULAR = 1e-10
"""Eigenvalue of a correlation matrix below which a direction of it has no variance."""


class PatientInfluence(NamedTuple):
    """The model without one patient; None where it cannot be fitted.

    cooks_distance: also None where the covariance of the fixed effects has no inverse. dfbetas:
    largest in size over the fixed effects, of `dfbetas_term`. contrast: the asked contrast without
    the patient, contrast_change: less that with all.
    """

    usubjid: str
    cooks_distance: float | None
    dfbetas: float | None
    dfbetas_term: str | None
    contrast: float | None = None
    contrast_change: float | None = None
    is_large: bool = False


class Dfbetas(NamedTuple):
    """The move of one fixed effect without one patient; None where it cannot be fitted, or where
    the others do not differ in it."""

    usubjid: str
    term: str
    dfbetas: float | None


@dataclass(frozen=True)
class Influence(Serialized):
    """Result of `patient_influence`, the patient with the largest Cook's distance first.

    dfbetas: of every patient and fixed effect.
    """

    ROWS: ClassVar = {"patients": PatientInfluence, "dfbetas": Dfbetas}

    patients: tuple[PatientInfluence, ...]
    dfbetas: tuple[Dfbetas, ...]
    cooks_limit: float
    dfbetas_limit: float
    note: str

    def table(self) -> "pl.DataFrame":
        """One row per patient."""
        return self.rows_table("patients")


@takes_frames
def patient_influence(
    fit: Fit,
    at: Mapping[str, Any] | None = None,
    against: Mapping[str, Any] | None = None,
    *,
    frame: "pl.DataFrame | None" = None,
) -> Influence:
    """Refit without each patient. at, against: a contrast to follow, as `Fit.contrast` takes it.

    frame: the data, for a fit restored from JSON. Raises UserError for a column that is not there.
    """
    fitted = fitted_of(fit, frame, "influence")
    row, caution = None, ""
    if at is not None:
        row = chosen_row(fit, fitted, at)
        row = row - (0.0 if against is None else chosen_row(fit, fitted, against))
        caution = extrapolation(fit, fitted, [at] if against is None else [at, against])
    m = fitted.design.n_subjects
    limits = 4 / m, 2 / m**0.5
    beta, errors = _without_each(fitted)
    points = sorted(
        (
            _point(fitted, label, own, error, row, limits)
            for label, own, error in zip(fitted.design.labels, beta, errors, strict=True)
        ),
        key=lambda point: (-(point.cooks_distance or 0.0), -abs(point.dfbetas or 0.0)),
    )
    names = fitted.design.matrices.x_names
    moves = tuple(
        Dfbetas(label, name, finite(value))
        for label, row_of in zip(fitted.design.labels, (fitted.beta - beta) / errors, strict=True)
        for name, value in zip(names, row_of, strict=True)
    )
    large = sum(point.is_large for point in points)
    failed = sum(not np.isfinite(row_of).all() for row_of in beta)
    note = f"{large} of {m} patients move the fixed effects more than the usual limits."
    if failed:
        note += f" Without {failed} of them the model cannot be fitted: they carry it alone."
    if failed < m and all(point.cooks_distance is None for point in points):
        note += f" Cook's distance needs more patients than the {len(names)} fixed effects here."
    note += f" {caution}" * bool(caution)
    return Influence(tuple(points), moves, limits[0], limits[1], note)


def _without_each(fitted: FittedMixed | FittedStructured) -> tuple[Array, Array]:
    """Fixed effects and standard errors without each patient; nan where not fitted."""
    if isinstance(fitted, FittedStructured):
        return left_out(fitted)
    m = fitted.design.n_subjects
    blocks = [np.arange(begin, min(begin + BLOCK, m)) for begin in range(0, m, BLOCK)]
    parts = [_refitted(fitted, block) for block in blocks]
    beta, errors = (np.concatenate(items) for items in zip(*parts, strict=True))
    return beta, errors


class _Refitted(NamedTuple):
    beta: Array
    errors: Array


def _refitted(fitted: FittedMixed, left_out: np.ndarray) -> _Refitted:
    """Fixed effects and standard errors without each patient, original scale; nan if not fitted."""
    design = fitted.design
    start = np.tile(started(design, fitted.optimum.theta), (len(left_out), 1))
    ends = minimize(without(fitted, left_out), design.structure, fitted.reml, start)
    back: Array = np.asarray(np.linalg.inv(design.x_transform), dtype=float)
    beta = design.b_ols + design.y_scale * ends.point.beta @ back.T
    variance, _ = variances_without(fitted, ends, left_out, back)
    errors = design.y_scale * np.sqrt(variance)
    beta[~ends.converged] = np.nan
    return _Refitted(beta, errors)


def _point(
    fitted: FittedMixed | FittedStructured,
    label: str,
    beta: Array,
    errors: Array,
    row: Array | None,
    limits: tuple[float, float],
) -> PatientInfluence:
    if not np.isfinite(beta).all():
        return PatientInfluence(label, None, None, None)
    move = fitted.beta - beta
    cooks = _distance(fitted.covariance, move)
    dfbetas = move / errors
    top = int(np.nan_to_num(np.abs(dfbetas)).argmax())
    contrast = None if row is None else float(row @ beta)
    change = None if row is None else float(row @ (beta - fitted.beta))
    large = (cooks or 0.0) > limits[0] or abs(float(dfbetas[top])) > limits[1]
    return PatientInfluence(
        label,
        cooks,
        finite(dfbetas[top]),
        fitted.design.matrices.x_names[top],
        finite(contrast),
        finite(change),
        large,
    )


def _distance(covariance: Array, move: Array) -> float | None:
    """move' covariance^-1 move over the number of effects; None without an inverse."""
    errors = np.sqrt(np.diag(covariance))
    if not (errors > 0).all():
        return None
    correlation, own = covariance / np.outer(errors, errors), move / errors
    if np.linalg.matrix_rank(correlation, hermitian=True, tol=SINGULAR) < len(move):
        return None
    return finite(float(own @ np.linalg.solve(correlation, own)) / len(move))
