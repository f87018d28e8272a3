"""Cox partial likelihood where covariates are given at each event time, so that no row is split.

Every event time is a stratum of its own: its risk set is compared within itself only, and its
covariates are those of that time.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.engine.partial_likelihood import RiskSets
from analysis.engine.structure import Array
from analysis.fits.survival.cox_fit import diverges, fit_cox_core


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
    """Maximum of the partial likelihood, ties by Efron; None where it has none (a covariate that
    orders the events perfectly, or that does not vary)."""
    if not sets:
        return None
    stacked = np.vstack([item.covariates for item in sets])
    center, scale = stacked.mean(axis=0), stacked.std(axis=0)
    if not np.isfinite(stacked).all() or (scale <= 1e-12 * np.maximum(np.abs(center), 1.0)).any():
        return None
    n = len(stacked)
    engine = RiskSets(
        (stacked - center) / scale,
        np.full(n, -np.inf),
        np.ones(n),
        np.concatenate([item.event for item in sets]),
        np.repeat(np.arange(len(sets)), [len(item.event) for item in sets]),
    )
    with np.errstate(all="ignore"):  # a likelihood without an end is found out, not warned of
        found = fit_cox_core(engine, firth=False)
        if not found.converged or diverges(found, engine):
            return None
    information = engine.point(found.beta).information
    covariance = np.linalg.pinv(information, hermitian=True) / np.outer(scale, scale)
    return CoxFit(found.beta / scale, np.asarray(covariance), float(found.value))
