"""Population means and their contrasts at chosen values, averaged over the observed rows."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis.engine.structure import Array
from analysis.errors import UserError
from analysis.fits.chosen_values import extrapolation, model_values
from analysis.fits.inference import estimate_row, tested
from analysis.fits.restored_censored import mean_fitted_of
from analysis.frames import takes_frames
from analysis.results import Estimate, Fit

if TYPE_CHECKING:
    import polars as pl

    from analysis.fits.censored_fitted import FittedCensored
    from analysis.fits.fitted_model import FittedModel

Values = Mapping[str, Any]


@takes_frames
def contrast(
    fit: Fit, at: Values, against: Values | None = None, frame: "pl.DataFrame | None" = None
) -> Estimate:
    """Mean of the outcome with the columns of `at` set to their values, minus that of `against`.

    Columns that are not named stay as observed and are averaged over (one row per observation).
    Degrees of freedom by the fit's inference. A number outside what was observed is answered with
    a caution (`Estimate.caution`). frame: the data, for a fit restored from JSON.
    Raises UserError for a column that is not in the model, or a value it cannot hold.
    """
    fitted = mean_fitted_of(fit, frame, "contrast")
    row, term = chosen_row(fit, fitted, at), named_values(at)
    if against is not None:
        row = row - chosen_row(fit, fitted, against)
        term = f"{term} - {named_values(against)}"
    caution = extrapolation(fit, fitted, [at] if against is None else [at, against])
    return replace(estimate_row(term, tested(fitted, row[None]), 0), caution=caution)


def chosen_row(fit: Fit, fitted: "FittedModel | FittedCensored", at: Values) -> Array:
    """Mean design row of a setting in the words of the question."""
    return mean_row(fitted, model_values(fit, fitted, at, "contrast"))


def mean_row(fitted: "FittedModel | FittedCensored", at: Values) -> Array:
    """Mean design row of the observations with the columns of `at` set."""
    import polars as pl

    checked_values(fitted, at, "contrast")
    frame = fitted.design.frame
    changed = frame.with_columns(
        pl.lit(value).cast(frame.schema[name], strict=False).alias(name)
        if not frame.schema[name].is_integer()
        else pl.lit(value).alias(name)
        for name, value in at.items()
    )
    return np.asarray(fitted.design.fixed_rows(changed).mean(axis=0))


def checked_values(fitted: "FittedModel | FittedCensored", at: Values, purpose: str) -> None:
    """Raises UserError for a column that is not in the fixed part."""
    known = sorted({name for _, names, _ in fitted.design.matrices.x_terms for name in names})
    for name in at:
        if name not in known:
            raise UserError(
                f"{purpose}: '{name}' is not in the model's fixed part; it holds {', '.join(known)}"
            )


def named_values(at: Values) -> str:
    """The setting in words: "arm = b, day = 3.0"."""
    return ", ".join(f"{name} = {value}" for name, value in at.items()) or "as observed"
