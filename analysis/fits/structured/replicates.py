"""Many outcomes, trials or designs under one structured model: simulated and fitted again."""

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from analysis.engine.dense_likelihood import DenseLikelihood
from analysis.engine.structure import Array
from analysis.fits.structured.fitted import FittedStructured
from analysis.fits.structured.search import Refit, refit
from analysis.fits.structured.shares import between_share


class Drawn(NamedTuple):
    """Of each trial that could be fitted. effects: scaled fixed effects, (R, p); covariance: of
    them, (R, p, p); components: see `component_values`."""

    effects: Array
    covariance: Array
    components: Array


def simulated(fitted: FittedStructured, replicates: int, generator: np.random.Generator) -> Array:
    """Outcomes (R, n) from the fitted covariance, with mean zero, in scaled units."""
    drawn = generator.standard_normal((replicates, fitted.design.n_observations))
    found = np.empty_like(drawn)
    for rows in fitted.dense.batches:
        lower = np.linalg.cholesky(fitted.dense.value(fitted.theta, rows))
        found[:, rows] = (lower @ drawn[:, rows][..., None])[..., 0]
    return found


def redrawn(fitted: FittedStructured, outcomes: Array) -> Drawn:
    """The model fitted to every outcome (R, n), scaled; those without an optimum are left out."""
    trials = [fitted.dense.with_rows(y=outcome) for outcome in outcomes]
    return _collected(fitted, trials)


def criteria(fitted: FittedStructured, outcomes: Array) -> Array:
    """-2 log-likelihood of the model fitted to every outcome, scaled; nan without an optimum."""
    ends = (refit(fitted.dense.with_rows(y=outcome), fitted.theta) for outcome in outcomes)
    return np.array([np.nan if end is None else -2 * end.point.value for end in ends])


def resampled(fitted: FittedStructured, counts: Array) -> Drawn:
    """The model fitted to trials in which each patient counts `counts` (R, patients) times."""
    dense = fitted.dense
    trials = [
        DenseLikelihood(dense.x, dense.y, dense.cluster, dense.parts, dense.reml, row)
        for row in counts
    ]
    return _collected(fitted, trials)


def _collected(fitted: FittedStructured, trials: list[DenseLikelihood]) -> Drawn:
    ends = [end for end in (refit(trial, fitted.theta) for trial in trials) if end is not None]
    p, size = len(fitted.beta), len(component_names(fitted))
    return Drawn(
        np.array([end.point.beta for end in ends]).reshape(-1, p),
        np.array([end.point.covariance for end in ends]).reshape(-1, p, p),
        np.array([component_values(fitted, end) for end in ends]).reshape(-1, size),
    )


def component_names(fitted: FittedStructured) -> list[tuple[str, str]]:
    """Part and name of the columns of `component_values`."""
    found = []
    intercepts = {one.part.name for one in fitted.effects if one.part.effects == ("(Intercept)",)}
    for row in fitted.variance_components():
        if row.term_2 is None:
            part = "variance" if row.variance is not None else "correlation"
            alone = row.group in intercepts and row.group != fitted.design.group
            found.append((part, row.group if alone else f"{row.group} {row.term_1 or ''}".strip()))
    return [*found, *([("share", "ICC")] if fitted.patient_effects is not None else [])]


def component_values(fitted: FittedStructured, end: Refit | None = None) -> Array:
    """Variances of every part, an autoregressive correlation, and the ICC where there is one.

    end: an optimum of another trial; that of the fit when None.
    """
    if end is not None:
        fitted = replace(fitted, theta=end.theta)
    values = [
        row.sd_or_corr if row.variance is None else row.variance
        for row in fitted.variance_components()
        if row.term_2 is None
    ]
    if fitted.patient_effects is not None:
        values.append(between_share(fitted))
    return np.array(values, dtype=float)
