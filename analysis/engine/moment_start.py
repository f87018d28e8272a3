"""A first guess of the random effects' covariance from the patients' own least squares."""

import numpy as np

from analysis.engine.inverse import inverses
from analysis.engine.products import Pooled, pairs, unpack
from analysis.engine.structure import Array, RandomStructure

WELL_POSED = 1e-6
"""Of a patient's Z'Z whose own coefficients are used: one over the product of its trace and that
of its inverse, which is between the condition number and q^2 times it."""
NOTHING = 1e-6
"""Residual variance relative to the outcome's from which on there is none to be relative to."""


def moment_covariance(pooled: Pooled, structure: RandomStructure) -> Array | None:
    """psi (R, parameters) by the method of moments, not always a covariance; no nested factors.

    A patient's own coefficients b = (Z'Z)^-1 Z'y of what the fixed effects leave vary by
    sigma^2 (Psi + (Z'Z)^-1); sigma^2 is what they leave in turn. Patients with too few visits for
    coefficients of their own are passed over; None where the others leave less than one degree of
    freedom each for sigma^2, zero where nothing is left. It ends near the optimum in balanced data,
    where a search needs two steps from here (Laird N, Lange N, Stram D 1987,
    doi:10.2307/2289130).
    """
    q = structure.size
    inverse, _, ok = inverses(pooled.a)
    size, widest = (np.trace(item, axis1=1, axis2=2) for item in (pooled.a, inverse))
    used = ok & (size * widest < 1 / WELL_POSED)
    weight, inverse = pooled.weight[0, used], inverse[used]
    patients = float(weight.sum())
    freedom = float(pooled.n[0]) - q * patients
    if freedom < patients or not patients:
        return None
    first, second = pairs(q)
    # Pairs of different columns carry both of their products.
    single = pooled.u_y[:, :, used, -1] * np.where(first == second, 1.0, 0.5)[:, None]
    outcome = unpack(np.swapaxes(single, 1, 2), q)
    whole = pooled.c_y[:, -1]
    sigma2 = (whole - (inverse * outcome).sum(axis=(1, 2, 3))) / freedom
    left = sigma2 > NOTHING * whole / pooled.n[0]
    spread = (inverse @ outcome @ inverse).sum(axis=1) / np.where(left, sigma2, 1.0)[:, None, None]
    noise = (inverse * weight[:, None, None]).sum(axis=0)
    rows, cols = structure.block_entries
    psi = ((spread - noise) / patients)[:, rows, cols]
    return np.where(left[:, None], psi, 0.0)
