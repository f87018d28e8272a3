"""Residuals of a mixed model in the five kinds that answer five questions.

marginal: observed less the population mean (is the mean right?); conditional: less the patient's
own mean and every other random effect (is the noise right?); pearson: conditional over the residual
standard deviation of the observation; normalized: conditional, decorrelated by the residual's own
covariance, as nlme's (is its structure right? equal to pearson where residuals are independent);
cholesky: marginal, decorrelated and scaled by the model's covariance of the patient: independent
with variance one when the model is right (Houseman EA 2004, doi:10.1198/016214504000000403). With
effects that cross patients all observations are decorrelated together.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, NamedTuple

import numpy as np

from analysis.engine.structure import Array
from analysis.fits.fitted import FittedMixed
from analysis.fits.restored import fitted_of
from analysis.fits.structured import FittedStructured
from analysis.fits.structured.effects import residual_parts
from analysis.frames import takes_frames
from analysis.results import Fit
from analysis.serialized import Serialized

if TYPE_CHECKING:
    import polars as pl


class Residual(NamedTuple):
    """One observation, in the order of the rows that were fitted."""

    usubjid: str
    marginal: float
    conditional: float
    pearson: float
    cholesky: float
    normalized: float


@dataclass(frozen=True)
class Residuals(Serialized):
    """Result of `residuals`."""

    ROWS: ClassVar = {"rows": Residual}

    rows: tuple[Residual, ...]

    def table(self) -> "pl.DataFrame":
        """usubjid, marginal, conditional, pearson, cholesky, normalized."""
        return self.rows_table("rows")


@takes_frames
def residuals(fit: Fit, *, frame: "pl.DataFrame | None" = None) -> Residuals:
    """All five kinds of every observation. frame: the data, for a fit restored from JSON."""
    fitted = fitted_of(fit, frame, "residuals")
    labels = fitted.design.labels
    marginal = fitted.design.matrices.y - fitted.fixed_fitted
    if isinstance(fitted, FittedStructured):
        parts = residual_parts(fitted)
        columns = (marginal, parts.conditional, parts.pearson, parts.cholesky, parts.normalized)
    else:
        conditional = fitted.residuals
        pearson = conditional / np.sqrt(fitted.sigma2)
        columns = (marginal, conditional, pearson, decorrelated(fitted, marginal), pearson)
    return Residuals(
        tuple(
            Residual(labels[code], *(float(value) for value in values))
            for code, *values in zip(fitted.design.patient, *columns, strict=True)
        )
    )


def decorrelated(fitted: FittedMixed, marginal: Array) -> Array:
    """L^-1 r of each patient, V = L L' the model's covariance of the patient's observations."""
    d = fitted.design
    lam = d.structure.factor(fitted.optimum.theta)
    half = d.z_columns @ lam
    result = np.empty_like(marginal)
    order = np.argsort(d.patient, kind="stable")
    for rows in np.split(order, np.cumsum(np.bincount(d.patient))[:-1]):
        covariance = np.eye(len(rows)) + half[rows] @ half[rows].T
        result[rows] = np.linalg.solve(np.linalg.cholesky(covariance), marginal[rows])
    return np.asarray(result / np.sqrt(fitted.sigma2))
