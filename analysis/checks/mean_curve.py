"""Does the smooth curve of each group go through what was measured?

A spline with too few degrees of freedom takes the top off a rise and fall and moves it: tests of
the groups stay safe, for patients have curves of the same freedom, but the mean and the ratio on
one day are then those of another shape. So the marginal residuals of each group are averaged around
each planned day; where the mean of patients lies beyond `SIZE` and three standard errors, the curve
is wrong there.
"""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from analysis.first_spec import BENDING_PATIENTS
from analysis.fits.outcome_scale import measured_scale
from analysis.number_words import number
from analysis.results import Check

if TYPE_CHECKING:
    import polars as pl

    from analysis.checks.answer import Answer

PATIENTS, ERRORS, SIZE = 3, 3.0, 2.0
"""Patients of a mean, its distance from the curve in standard errors, and as a factor; for an
outcome without a logarithm in standard deviations of the outcome divided by `SIZE`."""


class Measured(NamedTuple):
    """Mean of a group around one day, each patient once, on the scale of the fit. below: patients
    with a value below the limit; away: measured less fitted, None before a fit; error: of it."""

    group: str
    day: float
    n: int
    below: int
    mean: float
    away: float | None = None
    error: float | None = None


def measured_means(frame: "pl.DataFrame", away: "pl.Series | None" = None) -> list[Measured]:
    """Means of at least `PATIENTS` patients by group and planned day (the day itself, rounded,
    where none was planned). frame: rows of a fit; away: measured less fitted, one per row."""
    import polars as pl

    at = pl.coalesce("nominal_day", pl.col("day").round())
    rows = frame.with_columns(at=at, away=pl.lit(None, pl.Float64) if away is None else away)
    patients = rows.group_by("group", "at", "usubjid").agg(
        pl.col("y", "away").mean(), below=pl.col("censored_row").any()
    )
    means = (
        patients.filter(pl.col("at").is_not_null())
        .group_by("group", "at")
        .agg(n=pl.len(), below=pl.col("below").sum(), mean=pl.col("y").mean(),
             off=pl.col("away").mean(), error=pl.col("away").std() / pl.len().sqrt())
        .filter(pl.col("n") >= PATIENTS)
        .sort("group", "at")
    )  # fmt: skip
    return [Measured(str(group), *rest) for group, *rest in means.iter_rows()]


def check_mean_curve(answer: "Answer") -> Check:
    """The day on which a group's measured mean lies furthest from its curve."""
    if answer.spec.time != "spline":
        return Check("mean_curve", "ok", "Each group has a mean of its own at each time compared.")
    worst = max(_missed(answer), key=lambda one: abs(one.away or 0.0), default=None)
    if worst is None:
        return Check("mean_curve", "ok", "The curve of each group goes through what was measured.")
    measured = measured_scale(worst.mean, answer.spec)
    fitted = measured_scale(worst.mean - (worst.away or 0.0), answer.spec)
    patients = answer.frame["usubjid"].n_unique()
    more = (
        "let it bend more (spline_df 4)"
        if answer.spec.spline_df < 4 and patients >= BENDING_PATIENTS
        else "compare planned visits"
    )
    return Check(
        "mean_curve",
        "warning",
        f"The curve misses what was measured: {worst.group}, day {worst.day:g}, "
        f"{number(measured)} measured and {number(fitted)} fitted (means of {worst.n} patients); "
        f"{more}.",
        abs(worst.away or 0.0),
    )


def _missed(answer: "Answer") -> list[Measured]:
    """Means that the curve misses; none where the rows of the fit are not those of the frame, or a
    value is known as an interval only."""
    import polars as pl

    matrices, beta = answer.fit.design.design.matrices, answer.fit.design.beta
    if len(matrices.y) != answer.frame.height:
        return []
    means = measured_means(answer.frame, pl.Series("away", matrices.y - matrices.x @ beta))
    size = np.log10(SIZE)
    if not answer.spec.transform.startswith("log10"):
        size = float(np.std(matrices.y)) / SIZE
    return [
        one for one in means
        if one.away is not None and one.error is not None
        and (answer.spec.blq != "censored" or not one.below)
        and abs(one.away) > max(size, ERRORS * one.error)
    ]  # fmt: skip
