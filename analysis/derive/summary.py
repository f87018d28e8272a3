"""A signal by group and visit, as a table holds it: counts, geometric mean, median.

Rule for values below the limit, repeated in the column `blq_rule` of every row: "censored" keeps
them in the likelihood (Tobit on the log scale), "half_lloq" sets them to half their limit, "drop"
leaves them out. A limit that is only assumed (zeros delivered without one) is treated the same
and said in the column `note`.
"""

from typing import Any, Literal

import numpy as np
import polars as pl

from analysis.compute.censored import censored_log_mean
from analysis.compute.intervals import MIN_FOR_MEAN, geometric_cv_percent, geometric_mean

BlqRule = Literal["censored", "half_lloq", "drop"]
SCHEMA: dict[str, Any] = {
    "group": pl.String,
    "nominal_day": pl.Float64,
    "n": pl.Int64,
    "n_below_limit": pl.Int64,
    "geometric_mean": pl.Float64,
    "conf_low": pl.Float64,
    "conf_high": pl.Float64,
    "geometric_cv_percent": pl.Float64,
    "median": pl.Float64,
    "median_below": pl.Float64,
    "minimum": pl.Float64,
    "maximum": pl.Float64,
    "values": pl.List(pl.Float64),
    "unit": pl.String,
    "blq_rule": pl.String,
    "note": pl.String,
}


def summarize(
    series: pl.DataFrame, groups: pl.DataFrame | None = None, *, blq: BlqRule = "censored"
) -> pl.DataFrame:
    """One row per group and nominal day of a per-patient series.

    groups: usubjid, group; patients without a group fall under "not known", and without this
    frame all are one group "all". A patient with several samples at one visit counts with the
    one nearest to the nominal day. Without nominal days the whole day since infusion is used.
    Columns: n patients, n_below_limit, geometric_mean with 95 % interval (null below three
    patients: `values` holds the values themselves), geometric CV, median (null with
    `median_below` set when the median lies below a limit), smallest and largest quantified value,
    unit, blq_rule, note.
    """
    rows = _one_per_visit(_grouped(series, groups))
    records = [
        {"group": group, "nominal_day": day, **_cell(part, blq)}
        for (group, day), part in rows.group_by(["group", "nominal_day"], maintain_order=True)
    ]
    return pl.DataFrame(records, schema=SCHEMA, orient="row").sort("group", "nominal_day")


def summary_rule(blq: BlqRule) -> str:
    """The rule for values below the limit in words, for table notes."""
    return {
        "censored": "values below the limit enter as censored (maximum likelihood, log-normal)",
        "half_lloq": "values below the limit set to half the limit",
        "drop": "values below the limit left out",
    }[blq]


def _grouped(series: pl.DataFrame, groups: pl.DataFrame | None) -> pl.DataFrame:
    if groups is None:
        return series.with_columns(pl.lit("all").alias("group"))
    named = groups.select("usubjid", pl.col("group").cast(pl.String))
    return series.join(named, on="usubjid", how="left").with_columns(
        pl.col("group").fill_null("not known")
    )


def _one_per_visit(rows: pl.DataFrame) -> pl.DataFrame:
    day = pl.coalesce(pl.col("nominal_day"), pl.col("rel_day").floor())
    return (
        rows.with_columns(day.alias("nominal_day"))
        .filter(pl.col("nominal_day").is_not_null())
        .sort(_distance(), maintain_order=True, nulls_last=True)
        .unique(["usubjid", "group", "nominal_day"], keep="first", maintain_order=True)
    )  # fmt: skip


def _distance() -> pl.Expr:
    return (pl.col("rel_day") - pl.col("nominal_day")).abs()


def _cell(part: pl.DataFrame, blq: BlqRule) -> dict[str, Any]:
    value = part["value"].cast(pl.Float64).fill_null(np.nan).to_numpy()
    lower = part["lower"].cast(pl.Float64).fill_null(np.nan).to_numpy()
    upper = part["upper"].cast(pl.Float64).fill_null(np.nan).to_numpy()
    below = (part["censored"] == "left").to_numpy()
    exact = value[~np.isnan(value)]
    signed = bool((exact <= 0).any())
    median, median_below = _median(value, lower, upper, part["delivered"])
    assumed = bool((part["limit_source"] == "assumed").any())
    mean = _mean(value, lower, upper, blq) if not signed else {"note": "not on a log scale"}
    note = str(mean.pop("note", ""))
    if assumed:
        note = "; ".join(filter(None, (note, "zeros delivered without a limit")))
    return {
        "n": part.height,
        "n_below_limit": int(below.sum()),
        **mean,
        "median": median,
        "median_below": median_below,
        "minimum": float(exact.min()) if exact.size else None,
        "maximum": float(exact.max()) if exact.size else None,
        "values": sorted(exact.tolist()) if part.height < MIN_FOR_MEAN else None,
        "unit": part["unit"].drop_nulls().first() if part["unit"].count() else None,
        "blq_rule": blq,
        "note": note or None,
    }


def _mean_or_note(
    value: np.ndarray,
    lower: np.ndarray,
    upper: np.ndarray,
    blq: BlqRule,
    *,
    signed: bool,
    below: int,
) -> dict[str, Any]:
    """No mean where it would rest on a tail that nobody has seen: with more than half of the
    patients below the limit the censored mean is an extrapolation."""
    if signed:
        return {"note": "not on a log scale"}
    if blq != "drop" and below > len(value) / 2:
        return {"note": "more than half below the limit"}
    return _mean(value, lower, upper, blq)


def _mean(value: np.ndarray, lower: np.ndarray, upper: np.ndarray, blq: BlqRule) -> dict[str, Any]:
    if (np.isnan(value) & np.isnan(upper) & ~(lower > 0)).any():
        return {"note": "all values of the signal are zero"}
    if blq == "censored":
        found = censored_log_mean(value, lower, upper)
        if found.reason:
            return {"note": found.reason}
        return {
            "geometric_mean": found.mean,
            "conf_low": found.conf_low,
            "conf_high": found.conf_high,
            "geometric_cv_percent": geometric_cv_percent(found.sd_log),
        }
    censored = np.isnan(value)
    left = censored & ~(lower > 0) & ~np.isnan(upper)
    used = np.where(left & (blq == "half_lloq"), upper / 2.0, value)
    plain = geometric_mean(used)
    if np.isnan(plain.mean):
        return {"note": f"fewer than {MIN_FOR_MEAN} values"}
    return {
        "geometric_mean": plain.mean,
        "conf_low": plain.conf_low,
        "conf_high": plain.conf_high,
        "geometric_cv_percent": plain.geometric_cv_percent,
    }


def _median(
    value: np.ndarray, lower: np.ndarray, upper: np.ndarray, delivered: pl.Series
) -> tuple[float | None, float | None]:
    """Median with censored values in their place; (None, limit) when it lies below a limit.

    A zero delivered without a limit stands as delivered, so the median is then that zero.
    """
    if value.size == 0:
        return None, None
    raw = delivered.cast(pl.Float64).fill_null(np.nan).to_numpy()
    known = np.where(np.isnan(value) & ~np.isnan(raw), raw, value)
    censored = np.isnan(known)
    place = np.where(censored & ~(lower > 0), -np.inf, np.where(censored, np.inf, known))
    order = np.argsort(place, kind="stable")
    middle = order[[(place.size - 1) // 2, place.size // 2]]
    if not censored[middle].any():
        return float(known[middle].mean()), None
    limits = np.where(censored, upper, known)[middle]
    return None, None if np.isnan(limits).any() else float(limits.max())
