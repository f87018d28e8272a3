"""The key ratio without each patient in turn: full refits, all in one call of the engine."""

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from analysis.engine.cluster_robust import ClusterRobust, cluster_robust
from analysis.engine.kenward_roger import KenwardRoger, joint_test, kenward_roger
from analysis.engine.newton import Optima, minimize
from analysis.engine.products import Pooled, outcome_sums, pairs, summed
from analysis.engine.satterthwaite import degrees_of_freedom
from analysis.engine.structure import Array
from analysis.fits.fitted import FittedMixed
from analysis.fits.inference import NOTHING, tested, where_it_exists
from analysis.fits.outcome_scale import power
from analysis.fits.structured import FittedStructured
from analysis.fits.structured.left_out import without_patient
from analysis.results import InfluencePoint, finite

MAXIMUM_SUBJECTS = 60
BLOCK = 20
"""Patients left out in one call: their cross-products are held at the same time."""


class KeyContrast(NamedTuple):
    """Design row of the key comparison and its estimate with all patients."""

    row: Array
    estimate: float
    log: bool


def leave_one_out(
    fitted: FittedMixed | FittedStructured, key: KeyContrast
) -> tuple[InfluencePoint, ...]:
    """One point per patient; None where the model cannot be fitted without that patient."""
    labels = fitted.design.labels
    if isinstance(fitted, FittedStructured):
        numbers = [_of_the_others(fitted, key.row, patient) for patient in range(len(labels))]
        return tuple(_point(label, row, key) for label, row in zip(labels, numbers, strict=True))
    blocks = [
        np.arange(begin, min(begin + BLOCK, len(labels))) for begin in range(0, len(labels), BLOCK)
    ]
    found = np.concatenate([_without(fitted, key.row, block) for block in blocks])
    return tuple(_point(label, row, key) for label, row in zip(labels, found, strict=True))


def _of_the_others(fitted: FittedStructured, row: Array, patient: int) -> Array:
    """The same three numbers of a structured fit without one patient."""
    others = without_patient(fitted, patient)
    if others is None:
        return np.full(3, np.nan)
    if others.inference == "bootstrap":
        others = replace(others, inference="satterthwaite")
    found = tested(others, row[None])
    return np.array([found.estimate[0], found.conf_low[0], found.conf_high[0]])


def _without(fitted: FittedMixed, row: Array, left_out: np.ndarray) -> Array:
    """Estimate, low and high of the contrast without each patient; nan where not estimable."""
    from scipy.stats import t

    design, theta = fitted.design, fitted.optimum.theta
    # A start at an exact zero would stay there: the gradient vanishes on the boundary.
    lifted = theta.copy()
    diagonal = design.structure.diagonal_parameters
    lifted[diagonal] = np.where(np.abs(theta[diagonal]) < 1e-1, 1e-1, theta[diagonal])
    ends = minimize(
        without(fitted, left_out),
        design.structure,
        fitted.reml,
        np.tile(lifted, (len(left_out), 1)),
    )
    scaled = fitted.scaled_rows(row[None])
    variance, own = variances_without(fitted, ends, left_out, scaled)
    df = degrees_of_freedom(ends.point, ends.theta, design.structure, scaled)[1]
    for index, pieces in own.items():
        df[index] = _degrees(pieces, scaled, ends.point.beta[index], df[index])
    if fitted.inference == "wald":
        df = np.full_like(df, np.inf)
    estimate = row @ design.b_ols + design.y_scale * (ends.point.beta @ scaled[0])
    with np.errstate(invalid="ignore"):
        half = t.ppf(0.5 + fitted.level / 2, df[:, 0]) * design.y_scale * np.sqrt(variance[:, 0])
    found = np.column_stack([estimate, estimate - half, estimate + half])
    found[~ends.converged] = np.nan
    return found


def variances_without(
    fitted: FittedMixed, ends: Optima, left_out: np.ndarray, rows: Array
) -> tuple[Array, dict[int, ClusterRobust | KenwardRoger]]:
    """Variance of contrasts (L, p) of the scaled fixed effects without each patient, (R, L): that
    of the inference that the fit reports; nan where it cannot be fitted, or where the others do not
    differ at all. Also what it is made of, by place in `left_out`, where it is not the model's."""
    design = fitted.design
    own: dict[int, ClusterRobust | KenwardRoger] = {}
    found = ends.point.sigma2[:, None, None] * ends.point.covariance
    least = NOTHING * np.einsum("lp,rpq,lq->rl", rows, found, rows, optimize=True)
    for index in np.flatnonzero(ends.converged):
        theta = ends.theta[index]
        if fitted.inference == "kenward_roger":
            pooled = without(fitted, left_out[[index]])
            adjusted = own[int(index)] = kenward_roger(theta, pooled, design.structure)
            found[index] = ends.point.sigma2[index] * adjusted.covariance
        if fitted.inference == "robust":
            kept = design.patient != left_out[index]
            x, z, patient = design.x_scaled[kept], design.z_columns[kept], design.patient[kept]
            clusters = own[int(index)] = cluster_robust(x, z, patient, design.structure, theta)
            residuals = design.y_scaled[kept] - x @ ends.point.beta[index]
            found[index] = clusters.covariance(residuals)
    variance = np.einsum("lp,rpq,lq->rl", rows, found, rows, optimize=True)
    variance[~ends.converged] = np.nan
    return np.where(variance > least, variance, np.nan), own


def _degrees(pieces: ClusterRobust | KenwardRoger, row: Array, beta: Array, plain: Array) -> Array:
    """Of one contrast (1, p); plain: Satterthwaite's, where Kenward-Roger's do not exist."""
    if isinstance(pieces, ClusterRobust):
        return pieces.degrees(row)
    test = where_it_exists(lambda: joint_test(pieces, row, beta, 1.0))
    return plain if test is None else np.array([test.den_df])


def without(fitted: FittedMixed, left_out: np.ndarray) -> Pooled:
    """One replicate per patient left out; the patterns stay, with one patient fewer in one."""
    products, whole = fitted.design.products, fitted.design.pooled
    p = products.n_fixed
    rows, cols = pairs(p)
    r = len(left_out)
    index, pattern = np.arange(r), products.pattern[left_out]
    bx, by = products.b[left_out][:, :, :p], products.b[left_out][:, :, p]
    own_xx, own_y = summed(bx, bx, rows, cols, index), outcome_sums(bx, by[None], index)[0]
    u_xx, u_y = np.repeat(whole.u_xx, r, axis=0), np.repeat(whole.u_y, r, axis=0)
    weight = np.repeat(whole.weight, r, axis=0)
    u_xx[index, :, pattern] -= own_xx.transpose(1, 0, 2)
    u_y[index, :, pattern] -= own_y.transpose(1, 0, 2)
    weight[index, pattern] -= 1
    c = products.c[left_out]
    return Pooled(
        whole.a,
        weight,
        whole.n - products.n_rows[left_out],
        u_xx,
        u_y,
        whole.c_xx - c[:, rows, cols],
        whole.c_y - c[:, :, p],
    )


def _point(label: str, found: Array, key: KeyContrast) -> InfluencePoint:
    estimate, low, high = (float(value) for value in found)
    if not np.isfinite(estimate):
        return InfluencePoint(label, None, None, None, None)
    scale = power if key.log else float
    values = [finite(scale(value)) for value in (estimate, low, high, estimate - key.estimate)]
    return InfluencePoint(label, *values)
