"""The planned test of every simulated trial, as `analysis.fit_specification` tests planned visits.

Visits are a factor by group; every patient has a level (and with `slope_sd` a slope) of their own.
One day is tested by how the patients differ (cluster-robust), an average or a trend over the visits
by t with Satterthwaite degrees of freedom.
"""

from typing import NamedTuple

import numpy as np

from analysis.engine.structure import Array
from analysis.fits.fitted import FittedMixed
from analysis.fits.mixed import fit_mixed
from analysis.fits.replicates import retested
from analysis.planning.plan import TrialPlan
from analysis.planning.simulated import Schedule, times


class Contrast(NamedTuple):
    """Estimate, standard error and degrees of freedom of each trial; nan where there is none."""

    estimate: Array
    std_error: Array
    df: Array


class Analysis(NamedTuple):
    """How the trials of one schedule are tested; fitted is None for a single day."""

    where: Schedule
    fitted: FittedMixed | None
    rows: Array
    robust: bool


def weights(plan: TrialPlan) -> Array:
    """What the test makes of the groups' differences on the days."""
    k = len(plan.days)
    if plan.test == "day":
        return np.array([float(day == plan.test_day) for day in plan.days])
    if plan.test == "average":
        return np.full(k, 1 / k)
    centered = times(plan) - times(plan).mean()
    return np.asarray(centered / (centered @ centered))


def analysis_of(plan: TrialPlan, where: Schedule, outcome: Array) -> Analysis | None:
    """The design of a schedule; None where a group lost all patients of a visit.

    outcome: one simulated trial, from whose fit the others are started.
    """
    import polars as pl

    k = len(plan.days)
    seen = set(zip(where.visit.tolist(), where.other.tolist(), strict=True))
    if len(seen) < 2 * k:
        return None
    if k == 1:
        return Analysis(where, None, np.zeros((1, 0)), False)
    days = times(plan)
    frame = pl.DataFrame(
        {
            "patient": where.patient,
            "visit": [f"V{number:03d}" for number in where.visit],
            "time": days[where.visit],
            "other": where.other,
            "y": outcome,
        }
    )
    random = "1 + time" if plan.slope_sd else "1"
    fit = fit_mixed(frame, "y ~ visit * other", "patient", random, verify=False)
    if not isinstance(fit.design, FittedMixed):
        return None
    new = pl.DataFrame(
        {"visit": [f"V{number:03d}" for number in range(k)], "other": [1.0] * k, "time": days}
    )
    design = fit.design.design
    reference = new.with_columns(other=pl.lit(0.0))
    difference = design.fixed_rows(new) - design.fixed_rows(reference)
    return Analysis(where, fit.design, (weights(plan) @ difference)[None], plan.test == "day")


def contrast_of_trials(analysis: Analysis, outcomes: Array) -> Contrast:
    """The planned contrast of every trial (rows of outcomes)."""
    if analysis.fitted is None:
        return _two_samples(outcomes, analysis.where.other)
    if analysis.robust:
        return _by_patients(analysis.fitted, analysis.rows, outcomes)
    found = retested(analysis.fitted, outcomes, analysis.rows)
    return Contrast(found.estimate[:, 0], found.std_error[:, 0], found.df[:, 0])


def _by_patients(fitted: FittedMixed, rows: Array, outcomes: Array) -> Contrast:
    """Patients as clusters. The weights of the visits are those of one simulated trial: where
    nobody is lost they do not matter, else any weights are valid and these nearly the best."""
    robust, scaled = fitted.robust, fitted.scaled_rows(rows)
    effects = robust.coefficients(outcomes)
    moves = robust.moves(outcomes - effects @ robust.x.T, scaled)[:, 0]
    df = np.full(len(outcomes), robust.degrees(scaled)[0])
    return Contrast(effects @ scaled[0], np.sqrt((moves**2).sum(axis=1)), df)


def _two_samples(outcomes: Array, other: Array) -> Contrast:
    """Student's t of one value per patient."""
    one, two = outcomes[:, other == 0], outcomes[:, other == 1]
    n, m = one.shape[1], two.shape[1]
    squares = (n - 1) * one.var(axis=1, ddof=1) + (m - 1) * two.var(axis=1, ddof=1)
    df = n + m - 2
    error = np.sqrt(squares / df * (1 / n + 1 / m))
    return Contrast(two.mean(axis=1) - one.mean(axis=1), error, np.full(len(outcomes), float(df)))
