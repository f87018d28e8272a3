"""F statistics of relabelled trials with the variances of the model without the label.

Those variances do not depend on the labels, so every arrangement is measured with the same
yardstick, the test stays exact, and an arrangement costs one small linear system.
"""

import numpy as np

from analysis.engine.inverse import inverses
from analysis.engine.products import cross_products, pairs, pooled, unpack
from analysis.engine.structure import Array, Index
from analysis.fits.design import Design, orthonormal, root_mean_square
from analysis.fits.fitted import FittedMixed
from analysis.fits.labelled import Labelled
from analysis.fits.search import optimum_of

BLOCK = 4_000_000


def null_theta(fitted: FittedMixed, columns: list[int]) -> Array:
    """Relative covariance of the model without these fixed effects.

    Raises LinAlgError when it cannot be evaluated.
    """
    design = fitted.design
    x, _ = orthonormal(np.delete(design.matrices.x, columns, axis=1))
    y = design.matrices.y - x @ (x.T @ design.matrices.y) / len(x)
    products = cross_products(design.z_columns, x, y / root_mean_square(y), design.patient)
    return optimum_of(pooled(products), design.structure, fitted.reml).theta


def fixed_statistics(
    fitted: FittedMixed, theta: Array, blocks: Labelled, labels: Index, rows: Array
) -> Array:
    """F of `rows` (scaled) for each row of `labels`; nan where a system is singular."""
    design, p = fitted.design, fitted.design.products.n_fixed
    xx, xy, yy = _decorrelated(design, theta, blocks)
    everyone = np.arange(labels.shape[1])[None]
    step = max(1, BLOCK // (labels.shape[1] * xx.shape[2]))
    found = []
    for begin in range(0, len(labels), step):
        part = labels[begin : begin + step]
        s_xx = unpack(xx[part, everyone].sum(axis=1), p)
        s_xy = xy[part, everyone].sum(axis=1)
        covariance, _, ok = inverses(s_xx)
        beta = (covariance @ s_xy[:, :, None])[:, :, 0]
        r2 = yy - np.einsum("rp,rp->r", beta, s_xy)
        turned = beta @ rows.T
        inverse, _, fine = inverses(rows @ covariance @ rows.T)
        value = np.einsum("rk,rkm,rm->r", turned, inverse, turned)
        with np.errstate(divide="ignore", invalid="ignore"):
            statistic = value / len(rows) / (r2 / (design.n_observations - p))
        found.append(np.where(ok & fine & (r2 > 0), statistic, np.nan))
    return np.concatenate(found)


def _decorrelated(design: Design, theta: Array, blocks: Labelled) -> tuple[Array, Array, float]:
    """X'V^-1 X (packed) and X'V^-1 y of each patient under each label, and y'V^-1 y of all."""
    lam = design.structure.factor(theta)
    m = np.eye(len(lam)) + lam.T @ design.pooled.a @ lam
    k = lam @ np.linalg.solve(m, np.broadcast_to(lam.T, m.shape))
    first, second = pairs(len(lam))
    packed = k[design.products.pattern][:, first, second]
    xx = blocks.c_xx - np.einsum("is,lisc->lic", packed, blocks.u_xx)
    whole = blocks.c_y - np.einsum("is,lisc->lic", packed, blocks.u_y)
    return xx, whole[:, :, :-1], float(whole[0, :, -1].sum())
