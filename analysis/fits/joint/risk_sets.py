"""Cox partial likelihood where covariates are given at each event time, so that no row is split.

Ties by Efron (doi:10.1080/01621459.1977.10480613). One risk set per distinct event time.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.engine.structure import Array

STEPS, HALVINGS, TOLERANCE = 50, 20, 1e-10
LARGEST = 50.0
"""Linear predictor, in units of its spread, from which the likelihood is taken to have no end."""


class RiskSet(NamedTuple):
    """Patients at risk at one event time: covariates (patients, covariates), and who had it."""

    covariates: Array
    event: NDArray[np.bool_]


class CoxFit(NamedTuple):
    """Coefficients, their covariance and the log partial likelihood."""

    coefficients: Array
    covariance: Array
    log_likelihood: float


def cox_fit(sets: Sequence[RiskSet]) -> CoxFit | None:
    """Maximum of the partial likelihood; None where it has none (a covariate that orders the
    events perfectly, or that does not vary)."""
    if not sets:
        return None
    stacked = np.vstack([item.covariates for item in sets])
    center, scale = stacked.mean(axis=0), stacked.std(axis=0)
    if not np.isfinite(stacked).all() or (scale <= 1e-12 * np.maximum(np.abs(center), 1.0)).any():
        return None
    scaled = [item._replace(covariates=(item.covariates - center) / scale) for item in sets]
    beta = np.zeros(len(scale))
    value, score, information = _derivatives(scaled, beta)
    for _ in range(STEPS):
        try:
            step = np.linalg.solve(information, score)
        except np.linalg.LinAlgError:
            return None
        if float(score @ step) < TOLERANCE:
            return CoxFit(beta / scale, np.linalg.inv(information) / np.outer(scale, scale), value)
        for _ in range(HALVINGS):
            new = _derivatives(scaled, beta + step)
            if new[0] >= value:
                break
            step = step / 2
        beta = beta + step
        value, score, information = new
        if np.abs(beta).max() > LARGEST:
            return None
    return None


def _derivatives(sets: Sequence[RiskSet], beta: Array) -> tuple[float, Array, Array]:
    """Log partial likelihood, its score and information."""
    p = len(beta)
    value, score, information = 0.0, np.zeros(p), np.zeros((p, p))
    for covariates, event in sets:
        eta = covariates @ beta
        top = float(eta.max())
        weight = np.exp(eta - top)
        moved = weight[:, None] * covariates
        total = np.array([weight.sum(), weight[event].sum()])
        first = np.array([moved.sum(axis=0), moved[event].sum(axis=0)])
        second = np.array([moved.T @ covariates, moved[event].T @ covariates[event]])
        value += float(eta[event].sum())
        score += covariates[event].sum(axis=0)
        ties = int(event.sum())
        for done in range(ties):
            share = np.array([1.0, -done / ties])
            whole = float(share @ total)
            mean = share @ first / whole
            value -= float(np.log(whole)) + top
            score -= mean
            information += np.tensordot(share, second, axes=1) / whole - np.outer(mean, mean)
    return value, score, information
