"""How much of the variance lies where: ICC and R2 of a mixed model.

Nakagawa S, Johnson PCD, Schielzeth H 2017, doi:10.1098/rsif.2017.0213; with random slopes the
variance between patients is its mean over the observations (Johnson PCD 2014,
doi:10.1111/2041-210X.12225), or that at chosen values of the random design.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np

from analysis.errors import UserError
from analysis.fits.chosen_values import extrapolation, model_values
from analysis.fits.patient_effects import random_variables
from analysis.fits.restored import fitted_of
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

    icc_adjusted: between patients over the random variance; icc_conditional: over all variance,
    that of the fixed part included. r_squared_marginal: fixed part over all; r_squared_conditional:
    fixed part and every random effect over all.
    """

    ROWS: ClassVar = {"icc_at": IccAt}

    fixed: float
    between: float
    nested: float
    residual: float
    icc_adjusted: float
    icc_conditional: float
    r_squared_marginal: float
    r_squared_conditional: float
    icc_at: tuple[IccAt, ...] = ()

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
    import polars as pl

    fitted = fitted_of(fit, frame, "shares of variance")
    z, sigma2 = fitted.design.matrices.z, fitted.sigma2
    fixed = float(np.var(fitted.fixed_fitted))
    between = float(np.einsum("ij,jk,ik->i", z, fitted.block, z).mean())
    nested = float(fitted.nested_variances.sum())
    random = between + nested + sigma2
    rows, needed = [], random_variables(fitted)
    for given in at:
        setting = model_values(fit, fitted, given, "shares of variance")
        missing = [name for name in needed if name not in setting]
        if missing:
            raise UserError(
                f"shares of variance: the random part ({fitted.design.random}) needs a value of "
                f"'{missing[0]}'; {dict(setting)} has none"
            )
        row = fitted.design.random_rows(pl.DataFrame([dict(setting)]))[0]
        own = float(row @ fitted.block @ row)
        named = ", ".join(f"{name} = {value}" for name, value in given.items())
        caution = extrapolation(fit, fitted, [given])
        rows.append(IccAt(named, own, own / (own + nested + sigma2), caution))
    return VarianceShares(
        fixed,
        between,
        nested,
        float(sigma2),
        between / random,
        between / (fixed + random),
        fixed / (fixed + random),
        (fixed + between + nested) / (fixed + random),
        tuple(rows),
    )
