"""How much of the variance lies where: ICC and R2 of a mixed model.

Nakagawa S, Johnson PCD, Schielzeth H 2017, doi:10.1098/rsif.2017.0213; with random slopes the
variance between patients is its mean over the observations (Johnson PCD 2014,
doi:10.1111/2041-210X.12225), or that at chosen values of the random design. Where the residual
variance differs between observations (weights, groups, visits) the residual's is its mean over
them, the mean observation-level variance of the first.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np

from analysis.errors import UserError
from analysis.fits.chosen_values import extrapolation, model_values
from analysis.fits.fitted import FittedMixed
from analysis.fits.patient_effects import random_variables
from analysis.fits.restored import fitted_of
from analysis.fits.structured import FittedStructured
from analysis.fits.structured.refusals import without_patient_effects
from analysis.fits.structured.shares import Variances, mean_variances
from analysis.frames import takes_frames
from analysis.results import Fit
from analysis.serialized import Serialized

if TYPE_CHECKING:
    import polars as pl


class IccAt(NamedTuple):
    """Share of the variance between patients (adjusted) at one setting of the random design.

    caution: where a chosen number lies outside what was observed.
    """

    at: str
    between: float
    icc: float
    caution: str = ""


@dataclass(frozen=True)
class VarianceShares(Serialized):
    """Result of `variance_shares`; variances on the scale of the fit.

    nested, crossed: of factors inside the patient and of those that cross patients.
    icc_adjusted: between patients over the random variance; icc_conditional: over all variance,
    that of the fixed part included. r_squared_marginal: fixed part over all; r_squared_conditional:
    fixed part and every random effect over all. note: why a share is None: without random effects
    of the patient nothing says what lies between patients.
    """

    ROWS: ClassVar = {"icc_at": IccAt}

    fixed: float
    between: float
    nested: float
    residual: float
    icc_adjusted: float | None
    icc_conditional: float | None
    r_squared_marginal: float
    r_squared_conditional: float | None
    icc_at: tuple[IccAt, ...] = ()
    crossed: float = 0.0
    note: str = ""

    def table(self) -> "pl.DataFrame":
        """at, between, icc, caution."""
        return self.rows_table("icc_at")


@takes_frames
def variance_shares(
    fit: Fit, at: Sequence[Mapping[str, Any]] = (), *, frame: "pl.DataFrame | None" = None
) -> VarianceShares:
    """Variances and their shares. at: settings such as `{"rel_day": 7.0}` for an ICC of their own.

    frame: the data, for a fit restored from JSON. Raises UserError for a column that is missing.
    """
    fitted = fitted_of(fit, frame, "shares of variance")
    found = _variances(fitted)
    total = found.fixed + found.random
    effects = found.between + found.nested + found.crossed
    problem = without_patient_effects(fitted)
    if problem is not None:
        note = f"{problem.sentence} {problem.advice}"
        return VarianceShares(
            *found[:3], found.residual, None, None, found.fixed / total, None,
            crossed=found.crossed, note=note,
        )  # fmt: skip
    rows = tuple(_icc_at(fit, fitted, given, found) for given in at)
    return VarianceShares(
        *found[:3],
        found.residual,
        found.between / found.random,
        found.between / total,
        found.fixed / total,
        (found.fixed + effects) / total,
        rows,
        found.crossed,
    )


def _variances(fitted: FittedMixed | FittedStructured) -> Variances:
    if isinstance(fitted, FittedStructured):
        return mean_variances(fitted)
    z = fitted.design.matrices.z
    between = float(np.einsum("ij,jk,ik->i", z, fitted.block, z).mean())
    fixed = float(np.var(fitted.fixed_fitted))
    return Variances(fixed, between, float(fitted.nested_variances.sum()), 0.0, fitted.sigma2)


def _icc_at(
    fit: Fit,
    fitted: FittedMixed | FittedStructured,
    given: Mapping[str, Any],
    found: Variances,
) -> IccAt:
    """The other variances stay at their means over the observations."""
    import polars as pl

    setting = model_values(fit, fitted, given, "shares of variance")
    missing = [name for name in random_variables(fitted) if name not in setting]
    if missing:
        raise UserError(
            f"shares of variance: the random part ({fitted.design.random}) needs a value of "
            f"'{missing[0]}'; {dict(setting)} has none"
        )
    row = fitted.design.random_rows(pl.DataFrame([dict(setting)]))[0]
    own = float(row @ fitted.block @ row)
    named = ", ".join(f"{name} = {value}" for name, value in given.items())
    caution = extrapolation(fit, fitted, [given])
    return IccAt(named, own, own / (own + found.random - found.between), caution)
