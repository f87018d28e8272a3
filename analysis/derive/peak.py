"""The peak of a signal per patient, and what is known of it when values are only bounded.

One rule for every table: a value above the upper limit, or known only between two limits, counts
with its lower bound. Where that bound is the highest number, the peak is "at least" it: `peaks`
gives the bound and marks it, a comparison counts the patient, and `derive.kinetics.parameters`
gives no Cmax but says the bound. Where an exact value is higher than everything that is known of
the bounded ones, the peak is that value everywhere.
"""

import polars as pl

from analysis.compute.noncompartmental import PEAK_DAYS


def peaks(
    series: pl.DataFrame, day_low: float = PEAK_DAYS[0], day_high: float = PEAK_DAYS[1]
) -> pl.DataFrame:
    """One row per patient with a sample in the window; it ends by the planned day where there is
    one, so that a day-28 visit on day 29 is a day-28 visit. Columns: usubjid, at_limit,
    above_limit, peak (unit of the series), peak_day (first day of the peak).

    at_limit: no sample was above its limit; `peak` is the highest of those limits. above_limit:
    the true peak is `peak` or more.
    """
    planned = [name for name in ("nominal_day", "rel_day") if name in series.columns]
    inside = (pl.col("rel_day") >= day_low) & (pl.coalesce(planned) <= day_high)
    least = pl.coalesce("value", pl.when(pl.col("censored") != "left").then("lower"))
    most = (
        pl.when(pl.col("censored") == "none").then("value")
        .when(pl.col("censored") == "right").then(float("inf"))
        .when(pl.col("censored") == "interval").then(pl.col("upper").fill_null(float("inf")))
    )  # fmt: skip
    ranked = (
        series.filter(inside)
        .with_columns(least=pl.when(least > 0).then(least), most=most)
        .with_columns(at_limit=pl.col("least").is_null())
        .with_columns(peak=pl.coalesce("least", "upper"))
        .filter(pl.col("peak") > 0)
        .with_columns(highest=pl.col("most").max().over("usubjid"))
    )
    return (
        ranked.sort("at_limit", "peak", "rel_day", descending=[False, True, False])
        .group_by("usubjid", maintain_order=True)
        .first()
        .select(
            "usubjid",
            "at_limit",
            above_limit=~pl.col("at_limit") & (pl.col("highest") > pl.col("peak")),
            peak="peak",
            peak_day="rel_day",
        )
    )
