"""Cluster bootstrap: whole patients are drawn again, with replacement, and the model is refitted.

It leans on no distribution of effects or residuals, and on the patients there are: with few of them
its intervals are too narrow, which the result says.
"""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from analysis.engine.newton import minimize
from analysis.engine.structure import Array, Index
from analysis.errors import UserError
from analysis.fits.bootstrap import (
    MINIMUM,
    BootstrapEstimate,
    BootstrapResult,
    bootstrap_result,
    component_names,
    components_of,
    observed_components,
)
from analysis.fits.case_weights import CaseProducts
from analysis.fits.fitted import FittedMixed
from analysis.fits.replicates import started
from analysis.fits.restored import fitted_of
from analysis.fits.structured import FittedStructured
from analysis.fits.structured.refusals import require_independent_patients
from analysis.fits.structured.replicates import resampled
from analysis.frames import takes_frames
from analysis.results import Fit, finite

if TYPE_CHECKING:
    import polars as pl

BLOCK = 4_000_000
FEW = 20
"""Patients (of a stratum) below which the intervals are known to be too narrow."""
NOTE = (
    "Cluster bootstrap: whole patients drawn with replacement{within}, the model refitted to each; "
    "percentile intervals.{few}"
)
DRAWN = "trials of whole patients drawn again{within} (cluster bootstrap"
NARROW = (
    " With {n} patients{each} these intervals are too narrow; Satterthwaite's hold their level."
)


@takes_frames
def cluster_bootstrap(
    fit: Fit,
    replicates: int = 1000,
    seed: int = 0,
    *,
    strata: str | None = None,
    frame: "pl.DataFrame | None" = None,
) -> BootstrapResult:
    """Bootstrap of patients. strata: a column with one value per patient, such as the group, whose
    levels keep their number of patients. frame: the data, for a fit restored from JSON.

    Raises UserError for a fit without numbers, fewer than 100 replicates, a stratum that changes
    within a patient, or effects that cross patients.
    """
    if replicates < MINIMUM:
        raise UserError(
            f"cluster bootstrap: {replicates} replicates are too few; use {MINIMUM} or more"
        )
    fitted = fitted_of(fit, frame, "cluster bootstrap")
    require_independent_patients(fitted, "cluster bootstrap")
    groups = _strata(fitted, strata)
    generator = np.random.default_rng(seed)
    if isinstance(fitted, FittedStructured):
        fixed, components = _structured_draws(fitted, _counts(groups, replicates, generator))
    else:
        cases = CaseProducts(fitted.design)
        step = max(1, BLOCK // cases.size)
        parts = [
            _draw(fitted, cases, _counts(groups, min(step, replicates - begin), generator))
            for begin in range(0, replicates, step)
        ]
        fixed, components = (np.concatenate(items) for items in zip(*parts, strict=True))
    if len(fixed) < MINIMUM:
        raise UserError(
            f"cluster bootstrap: only {len(fixed)} of {replicates} drawn trials could be fitted; "
            "give the group as strata=..., or take a smaller random part"
        )
    smallest = int(np.bincount(groups).min())
    few = ""
    if smallest < FEW:
        few = NARROW.format(n=smallest, each=" in the smallest stratum" if strata else "")
    note = NOTE.format(within=f" within {strata}" if strata else "", few=few)
    rows = (*_rows(fitted, fixed, None), *_rows(fitted, fixed, components))
    failed = replicates - len(fixed)
    method = DRAWN.format(within=f" within {strata}" if strata else "")
    return bootstrap_result(fitted, method, rows, replicates, failed, seed, note)


class _Drawn(NamedTuple):
    fixed: Array
    components: Array


def _counts(groups: Index, replicates: int, generator: np.random.Generator) -> Array:
    """How often each patient is drawn: (R, patients)."""
    weights = np.zeros((replicates, len(groups)))
    for level in np.unique(groups):
        members = np.flatnonzero(groups == level)
        drawn = generator.integers(len(members), size=(replicates, len(members)))
        for column in drawn.T:
            weights[np.arange(replicates), members[column]] += 1
    return weights


def _structured_draws(fitted: FittedStructured, weights: Array) -> _Drawn:
    design, found = fitted.design, resampled(fitted, weights)
    back = np.linalg.inv(design.x_transform)
    beta = design.b_ols + design.y_scale * found.effects @ back.T
    return _Drawn(beta, found.components)


def _draw(fitted: FittedMixed, cases: CaseProducts, weights: Array) -> _Drawn:
    design = fitted.design
    start = np.tile(started(design, fitted.optimum.theta), (len(weights), 1))
    ends = minimize(cases.weighted(weights), design.structure, fitted.reml, start)
    kept = ends.converged
    back = np.linalg.inv(design.x_transform)
    beta = design.b_ols + design.y_scale * ends.point.beta @ back.T
    sigma2 = ends.point.sigma2 * design.y_scale**2
    return _Drawn(beta[kept], components_of(fitted, ends.theta, sigma2)[kept])


def _strata(fitted: FittedMixed | FittedStructured, strata: str | None) -> Index:
    """Number of the stratum of each patient."""
    import polars as pl

    design = fitted.design
    if strata is None:
        return np.zeros(design.n_subjects, dtype=np.intp)
    if strata not in design.frame.columns:
        raise UserError(
            f"cluster bootstrap: there is no column '{strata}' in the fit; it has "
            f"{', '.join(design.frame.columns)}"
        )
    seen = pl.DataFrame({"patient": design.patient, "value": design.frame[strata].cast(pl.String)})
    unique = seen.unique().sort("patient")
    if unique.height != design.n_subjects:
        raise UserError(f"cluster bootstrap: '{strata}' changes within a patient")
    return np.unique(unique["value"].to_numpy(), return_inverse=True)[1].astype(np.intp)


def _rows(
    fitted: FittedMixed | FittedStructured, fixed: Array, components: Array | None
) -> list[BootstrapEstimate]:
    tail = (1 - fitted.level) / 2
    if components is None:
        names = [("fixed effect", name) for name in fitted.design.matrices.x_names]
        values, observed = fixed, fitted.beta
    else:
        names, values = component_names(fitted), components
        observed = observed_components(fitted)
    low, high = np.quantile(values, [tail, 1 - tail], axis=0)
    spread = values.std(axis=0, ddof=1)
    return [
        BootstrapEstimate(part, name, *[finite(number) for number in (*numbers, None)])
        for (part, name), *numbers in zip(names, observed, spread, low, high, strict=True)
    ]
