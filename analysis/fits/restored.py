"""The fitted model behind a `Fit`, built again from its data when the fit came from JSON."""

from typing import TYPE_CHECKING

import numpy as np

from analysis.errors import UserError
from analysis.fits import design as designs
from analysis.fits import formulas
from analysis.fits.fitted import FittedMixed
from analysis.fits.model_rows import model_rows
from analysis.fits.other_kinds import require_mixed
from analysis.fits.search import search
from analysis.fits.structured import FittedStructured
from analysis.results import Fit
from analysis.specs import ModelSpec

if TYPE_CHECKING:
    import polars as pl

SAME = 1e-5
"""Relative gap in the criterion from which data are not those of the stored fit."""


def fitted_of(
    fit: Fit, frame: "pl.DataFrame | None", purpose: str
) -> FittedMixed | FittedStructured:
    """The fitted model in memory, or fitted again on `frame`.

    frame: what `fit_mixed` got, or the model frame of a specification.
    Raises UserError for a fit without numbers, without data, or with other data.
    """
    if fit.status == "not_estimable" or not fit.estimates:
        raise UserError(
            f"{purpose}: the fit has no numbers ({fit.reason}); nothing can be repeated"
        )
    if isinstance(fit.design, FittedMixed | FittedStructured):
        return fit.design
    require_mixed(fit, purpose)
    if fit.kind == "censored linear mixed model":
        raise UserError(
            f"{purpose}: not there for a model with values beyond a limit, whose table, contrasts "
            "and marginal means are; for this, fit the same formula by fit_mixed with half the "
            "limit in their place"
        )
    if frame is None:
        raise UserError(
            f"{purpose}: this fit was restored without its data; give them as frame=..."
        )
    if fit.spec is not None and "y" not in frame.columns:
        frame = model_rows(frame, ModelSpec.from_dict(fit.spec)).frame
    if fit.kind == "linear mixed model" and is_structured(fit):
        return _structured_again(fit, frame, purpose)
    return _fitted_again(fit, frame, purpose)


def _structured_again(fit: Fit, frame: "pl.DataFrame", purpose: str) -> FittedStructured:
    from analysis.fits.mixed import fit_mixed

    again = fit_mixed(
        frame, fit.formula, fit.group, fit.random, fit.nested, fit.reml, fit.inference,
        fit.covariance, False, fit.seed or 0, fit.conf_level, fit.residual, fit.crossed,
        fit.weights,
    )  # fmt: skip
    if not isinstance(again.design, FittedStructured):
        raise UserError(
            f"{purpose}: the frame does not give the stored fit again ({again.sentence}); give "
            "the data it was fitted to"
        )
    _require_same(again.design.criterion, fit, purpose)
    return again.design


def is_structured(fit: Fit) -> bool:
    """Whether the fit has a residual structure, weights, crossed effects or none of the patient."""
    asked = fit.residual != "independent" or bool(fit.crossed) or bool(fit.weights)
    slopes = any(":" in name for name in fit.nested)
    return asked or slopes or fit.random.strip() in ("0", "")


def _fitted_again(fit: Fit, frame: "pl.DataFrame", purpose: str) -> FittedMixed:
    rows = designs.complete_rows(frame, fit.formula, fit.random, fit.group, fit.nested)
    matrices = formulas.build_matrices(rows.frame, fit.formula, fit.random)
    design = designs.assemble(
        rows,
        matrices,
        formula=fit.formula,
        random=fit.random,
        group=fit.group,
        nested=fit.nested,
        diagonal=fit.covariance == "diagonal",
    )
    optimum, refit = search(design, fit.reml, verify=False)
    joint = fit.joint_inference or fit.inference
    fitted = FittedMixed(
        design, optimum, refit, fit.reml, fit.inference, joint, fit.seed or 0, fit.conf_level
    )
    _require_same(fitted.criterion, fit, purpose)
    return fitted


def _require_same(criterion: float, fit: Fit, purpose: str) -> None:
    if fit.criterion is None or not np.isclose(criterion, fit.criterion, rtol=SAME):
        raise UserError(
            f"{purpose}: the frame does not give the stored fit again "
            f"({criterion:.6g} instead of {fit.criterion:.6g} for -2 log-likelihood); "
            "give the data it was fitted to"
        )
