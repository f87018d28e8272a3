"""Many outcomes on the design of one fit: simulated from the model, refitted in one call."""

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from analysis.engine.moment_start import moment_covariance
from analysis.engine.newton import Optima, chosen, minimize
from analysis.engine.products import Pooled, by_patient, outcome_sums
from analysis.engine.satterthwaite import degrees_of_freedom
from analysis.engine.structure import Array
from analysis.fits.design import Design
from analysis.fits.fitted import FittedMixed
from analysis.fits.inference import Tested
from analysis.fits.search import Optimum

LIFTED = 0.1
"""Where a search starts that the fit left at a variance of zero: the gradient vanishes there."""
BLOCK = 4_000_000
"""Numbers of simulated outcomes and their sums held at a time."""


class Refits(NamedTuple):
    """optima: of every outcome, scaled to unit root mean square; scale: by what, (R,)."""

    optima: Optima
    scale: Array


def refit(fitted: FittedMixed, outcomes: Array) -> Refits:
    """Fit every outcome (R, n) on the fit's design, from its own moments or the fit's variances.

    Outcomes are in the scaled units of the design, without the part X explains (`projected`).
    """
    design = fitted.design
    theta = started(design, fitted.optimum.theta)
    scale = np.sqrt(np.einsum("rn,rn->r", outcomes, outcomes) / outcomes.shape[1])
    products = outcome_products(design, outcomes / scale[:, None])
    starts = np.tile(theta, (len(outcomes), 1))
    moment = None if design.structure.nested else moment_covariance(products, design.structure)
    if moment is not None:
        inside = design.structure.is_covariance(moment, LIFTED)
        starts[inside] = design.structure.nearest(moment[inside], LIFTED)
    return Refits(minimize(products, design.structure, fitted.reml, starts), scale)


def started(design: Design, theta: Array) -> Array:
    """Start from an optimum: diagonal elements at zero are lifted."""
    lifted, diagonal = theta.copy(), design.structure.diagonal_parameters
    lifted[diagonal] = np.maximum(np.abs(theta[diagonal]), LIFTED)
    return lifted


def outcome_products(design: Design, outcomes: Array) -> Pooled:
    """Cross-products of outcomes (R, n), in the row order of the design."""
    order = np.argsort(design.patient, kind="stable")
    codes = design.patient[order]
    starts = np.searchsorted(codes, np.arange(design.n_subjects))
    z, y = design.z_columns[order], outcomes[:, order]
    p, step = design.products.n_fixed, max(1, BLOCK // design.z_columns.size)
    by = np.concatenate(
        [
            by_patient(y[begin : begin + step, :, None] * z, starts, axis=1)
            for begin in range(0, len(y), step)
        ]
    )
    u_y = outcome_sums(design.products.b[:, :, :p], by, design.products.pattern)
    c_y = np.column_stack([outcomes @ design.x_scaled, (outcomes**2).sum(axis=1)])
    return design.pooled._replace(u_y=u_y, c_y=c_y)


def simulated(fitted: FittedMixed, replicates: int, generator: np.random.Generator) -> Array:
    """Outcomes (R, n) from the fitted variances, with mean zero, in scaled units."""
    design, o = fitted.design, fitted.optimum
    lam = design.structure.factor(o.theta)
    n, m = design.n_observations, design.n_subjects
    effects = generator.standard_normal((replicates, m, len(lam))) @ lam.T
    y = generator.standard_normal((replicates, n))
    for column in range(len(lam)):
        y += effects[:, design.patient, column] * design.z_columns[:, column]
    return np.asarray(np.sqrt(o.sigma2) * y)


def projected(design: Design, outcomes: Array) -> tuple[Array, Array]:
    """Outcomes without the part the scaled X explains, and its coefficients (R, p)."""
    coefficients = outcomes @ np.linalg.pinv(design.x_scaled).T
    return outcomes - coefficients @ design.x_scaled.T, coefficients


def retested(fitted: FittedMixed, outcomes: Array, rows: Array) -> Tested:
    """Satterthwaite tests of contrasts `rows` (L, p) for other outcomes (R, n) of the same design.

    Outcomes in the units of the data, rows on the original scale; each result is (R, L), nan
    where no optimum was found.
    """
    from scipy.special import stdtr, stdtrit

    design = fitted.design
    rest, coefficients = projected(design, outcomes)
    ends, scale = refit(fitted, rest)
    scaled = fitted.scaled_rows(rows)
    variance, df = degrees_of_freedom(ends.point, ends.theta, design.structure, scaled)
    estimate = (coefficients + scale[:, None] * ends.point.beta) @ scaled.T
    error = scale[:, None] * np.sqrt(variance)
    error[~ends.converged] = np.nan
    statistic = estimate / error
    p_value = 2 * stdtr(df, -np.abs(statistic))
    width = stdtrit(df, 0.5 + fitted.level / 2) * error
    return Tested(estimate, error, df, statistic, p_value, estimate - width, estimate + width)


def refitted(fitted: FittedMixed, outcomes: Array) -> Iterator[FittedMixed | None]:
    """The model fitted to each of other outcomes (R, n; units of the data), as one fit each.

    For what is tested one fit at a time; None where no optimum was found.
    """
    design = fitted.design
    rest, coefficients = projected(design, outcomes)
    ends, scale = refit(fitted, rest)
    for index in range(len(outcomes)):
        if not ends.converged[index]:
            yield None
            continue
        own = replace(
            design,
            y_scaled=rest[index] / scale[index],
            y_scale=float(scale[index]),
            b_ols=np.linalg.solve(design.x_transform, coefficients[index]),
        )
        own.__dict__["pooled"] = design.pooled  # of X and Z: not made again
        point = chosen(ends.point, np.array([index]))
        optimum = Optimum(ends.theta[index], point, True, 0.0, 0.0)
        yield replace(fitted, design=own, optimum=optimum)
