"""What the model says about each patient: predicted random effects with their uncertainty.

A predicted effect (BLUP) is drawn towards the mean of all patients. Its standard error is that of
prediction: it holds the uncertainty of the fixed effects too (Henderson CR 1975,
doi:10.2307/2529430); `conditional_sd` leaves that out, as lme4's ranef does.
"""

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, NamedTuple

import numpy as np

from analysis.engine.structure import Array
from analysis.fits.answered import Answered, unanswered
from analysis.fits.fitted import FittedMixed
from analysis.fits.restored import fitted_of
from analysis.fits.structured import FittedStructured
from analysis.fits.structured.effects import patient_moments
from analysis.fits.structured.refusals import without_patient_effects
from analysis.frames import takes_frames
from analysis.results import Fit

if TYPE_CHECKING:
    import polars as pl


class PatientEffect(NamedTuple):
    """One random effect of one patient, on the scale of the fit."""

    usubjid: str
    term: str
    estimate: float
    std_error: float
    conditional_sd: float


@dataclass(frozen=True)
class PatientEffects(Answered):
    """Result of `patient_effects`; without effects where the model has none of the patient."""

    ROWS: ClassVar = {"effects": PatientEffect}

    effects: tuple[PatientEffect, ...]

    def table(self) -> "pl.DataFrame":
        """usubjid, term, estimate, std_error, conditional_sd."""
        return self.rows_table("effects")


@takes_frames
def patient_effects(fit: Fit, *, frame: "pl.DataFrame | None" = None) -> PatientEffects:
    """Predicted random effects of every patient. frame: the data, for a fit restored from JSON."""
    fitted = fitted_of(fit, frame, "patients' effects")
    problem = without_patient_effects(fitted)
    if problem is not None:
        return PatientEffects((), **unanswered(problem))
    parts = effect_moments(fitted)
    names, labels = fitted.design.matrices.z_names, fitted.design.labels
    errors = np.sqrt(np.diagonal(parts.covariance, axis1=1, axis2=2))
    alone = np.sqrt(np.diagonal(parts.conditional, axis1=1, axis2=2))
    return PatientEffects(
        tuple(
            PatientEffect(label, name, float(value), float(error), float(sd))
            for label, *row in zip(labels, parts.effects, errors, alone, strict=True)
            for name, value, error, sd in zip(names, *row, strict=True)
        )
    )


class EffectMoments(NamedTuple):
    """Of each patient, on the original scale of the block. effects: (m, q).

    covariance: of effect less its truth, (m, q, q); conditional: the same with fixed effects known;
    shared: of (fixed effects, effect less its truth), (m, p, q).
    """

    effects: Array
    covariance: Array
    conditional: Array
    shared: Array


def effect_moments(fitted: FittedMixed | FittedStructured) -> EffectMoments:
    """Predicted effects of the block, with the joint uncertainty of them and the fixed effects."""
    if isinstance(fitted, FittedStructured):
        return EffectMoments(*patient_moments(fitted)[:4])
    d, q = fitted.design, fitted.design.structure.size
    lam = d.structure.factor(fitted.optimum.theta)
    m = np.eye(len(lam)) + np.swapaxes(lam, 0, 1) @ d.pooled.a @ lam
    k = (lam @ np.linalg.solve(m, np.broadcast_to(lam.T, m.shape)))[d.products.pattern]
    back = np.linalg.inv(d.z_transform)
    p = d.products.n_fixed
    # Scaled fixed effects to the outcome's scale: one factor y_scale for every piece.
    fixed = d.y_scale**2 * fitted.optimum.covariance
    slope = (k @ d.products.b[:, :, :p])[:, :q]
    own = fitted.sigma2 * k[:, :q, :q]
    whole = own + slope @ fixed @ np.swapaxes(slope, 1, 2)
    shared = -fixed @ np.swapaxes(slope, 1, 2)
    x_back = np.linalg.inv(d.x_transform)
    return EffectMoments(
        fitted.random_effects[:, :q] @ back.T,
        back @ whole @ back.T,
        back @ own @ back.T,
        x_back @ shared @ back.T,
    )


def random_variables(fitted: FittedMixed | FittedStructured) -> list[str]:
    """Columns that the random part of a patient is made of."""
    words = set(re.findall(r"[A-Za-z_]\w*", fitted.design.random))
    return [name for name in fitted.design.frame.columns if name in words]
