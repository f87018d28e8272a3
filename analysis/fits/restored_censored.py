"""The fitted censored model behind a `Fit`, and the same for all models that have means."""

from typing import TYPE_CHECKING

import numpy as np

from analysis.errors import UserError
from analysis.fits.censored_fitted import FittedCensored
from analysis.fits.model_rows import model_rows
from analysis.fits.recipe import recipe_for
from analysis.fits.restored import SAME, fitted_of
from analysis.results import Fit
from analysis.specs import ModelSpec

if TYPE_CHECKING:
    import polars as pl

    from analysis.fits.fitted_model import FittedModel


def mean_fitted_of(
    fit: Fit, frame: "pl.DataFrame | None", purpose: str
) -> "FittedModel | FittedCensored":
    """The fitted model in memory, or fitted again on `frame`: linear mixed models of every kind.

    frame: what `fit_mixed` or `fit_censored_mixed` got, or the model frame of a specification.
    Raises UserError for a fit without numbers or means, without data, or with other data.
    """
    from analysis.fits.censored_mixed import KIND

    if isinstance(fit.design, FittedCensored):
        return fit.design
    if fit.kind != KIND or fit.status == "not_estimable":
        return fitted_of(fit, frame, purpose)
    if frame is None:
        raise UserError(
            f"{purpose}: this fit was restored without its data; give them as frame=..."
        )
    again = _fitted_again(fit, frame)
    same = (
        fit.criterion is not None
        and again.criterion is not None
        and np.isclose(again.criterion, fit.criterion, rtol=SAME)
    )
    if not same or not isinstance(again.design, FittedCensored):
        found = "no number" if again.criterion is None else f"{again.criterion:.6g}"
        raise UserError(
            f"{purpose}: the frame does not give the stored fit again ({found} instead of "
            f"{fit.criterion:.6g} for -2 log-likelihood); give the data it was fitted to"
        )
    return again.design


def _fitted_again(fit: Fit, frame: "pl.DataFrame") -> Fit:
    from analysis.fits.censored_mixed import fit_censored_mixed
    from analysis.fits.censored_question import fit_censored_question

    if fit.spec is None:
        lower, upper = (name or None for name in fit.limits or ("lower", "upper"))
        return fit_censored_mixed(
            frame, fit.formula, fit.group, fit.random, fit.nested, lower, upper,
            level=fit.conf_level, inference=fit.inference,
        )  # fmt: skip
    spec = ModelSpec.from_dict(fit.spec)
    rows = model_rows(frame, spec)
    return fit_censored_question(rows.frame, recipe_for(spec, rows), spec)[0]
