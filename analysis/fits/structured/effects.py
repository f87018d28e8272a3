"""Predicted random effects of patients, and residuals less every predicted effect.

u = D Z' V^-1 (y - X b), with the uncertainty of the fixed effects in the errors of prediction
(Henderson CR 1975, doi:10.2307/2529430). Effects that cross patients make one block of all rows.
"""

from typing import NamedTuple

import numpy as np

from analysis.engine.structure import Array, Index
from analysis.engine.whitening import whitened
from analysis.fits.structured.fitted import FittedStructured
from analysis.fits.structured.terms import Effects


class PatientWeights(NamedTuple):
    """Of one patient, in scaled units. rows: of the block the patient lies in; own: which of them
    are the patient's; gain: (q, n), predicted effects from the residuals of the block's rows."""

    rows: Index
    own: Index
    gain: Array
    inverse: Array


class PatientMoments(NamedTuple):
    """Of every patient, on the scale of the data; as `EffectMoments` of patient_effects.

    weights: of every patient, for what is asked beside them.
    """

    effects: Array
    covariance: Array
    conditional: Array
    shared: Array
    weights: tuple[PatientWeights, ...]


def patient_moments(fitted: FittedStructured) -> PatientMoments:
    """Predicted effects of each patient with the joint uncertainty of them and the fixed ones.

    The model has effects of the patient.
    """
    effects = fitted.patient_effects
    assert effects is not None
    design, point = fitted.design, fitted.point
    psi = effects.part.psi(fitted.dense.split.of(fitted.theta)[fitted.effects.index(effects)])
    residual = fitted.dense.y - fitted.dense.x @ point.beta
    weights = _patient_weights(fitted, effects, psi)
    found, slopes, alone = [], [], []
    for one in weights:
        found.append(one.gain @ residual[one.rows])
        slopes.append(one.gain @ fitted.dense.x[one.rows])
        alone.append(psi - one.gain[:, one.own] @ effects.part.z[one.rows[one.own]] @ psi)
    slope, own = np.stack(slopes), np.stack(alone)
    fixed, size = point.covariance, design.y_scale
    whole = own + slope @ fixed @ np.swapaxes(slope, 1, 2)
    shared = -fixed @ np.swapaxes(slope, 1, 2)
    back = effects.back
    x_back = np.linalg.inv(design.x_transform)
    return PatientMoments(
        size * np.stack(found) @ back.T,
        size**2 * back @ whole @ back.T,
        size**2 * back @ own @ back.T,
        size**2 * x_back @ shared @ back.T,
        weights,
    )


def _patient_weights(
    fitted: FittedStructured, effects: Effects, psi: Array
) -> tuple[PatientWeights, ...]:
    """In the order of the patients' numbers."""
    found: dict[int, PatientWeights] = {}
    for rows in fitted.dense.batches:
        inverses = np.linalg.inv(fitted.dense.value(fitted.theta, rows))
        for block, inverse in zip(rows, inverses, strict=True):
            patients = fitted.design.patient[block]
            for patient in np.unique(patients):
                own = np.flatnonzero(patients == patient)
                gain = psi @ effects.part.z[block[own]].T @ inverse[own]
                found[int(patient)] = PatientWeights(block, own, gain, inverse)
    return tuple(found[number] for number in range(fitted.design.n_subjects))


class ResidualParts(NamedTuple):
    """Of every row, on the scale of the data. conditional: observed less the mean given every
    random effect; pearson: over its standard deviation; normalized: decorrelated as well, by the
    residual's own covariance; cholesky: observed less the population mean, decorrelated by V."""

    conditional: Array
    pearson: Array
    normalized: Array
    cholesky: Array


def residual_parts(fitted: FittedStructured) -> ResidualParts:
    """R V^-1 (y - X b) of each block and what is made of it, R the residual's covariance."""
    dense, residual = fitted.dense, fitted.dense.parts[-1]
    own = dense.split.of(fitted.theta)[-1]
    raw = dense.y - dense.x @ fitted.point.beta
    conditional, pearson, normalized = (np.empty_like(raw) for _ in range(3))
    for rows in dense.batches:
        v = dense.value(fitted.theta, rows)
        r = residual.covariance(own, rows)[0]
        left = (r @ np.linalg.solve(v, raw[rows][:, :, None]))[:, :, 0]
        conditional[rows] = left
        pearson[rows] = left / np.sqrt(np.diagonal(r, axis1=1, axis2=2))
        normalized[rows] = whitened(r, left)
    size = fitted.design.y_scale
    return ResidualParts(size * conditional, pearson, normalized, fitted.residuals)
