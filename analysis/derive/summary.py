"""A signal by group and visit, as a table holds it: counts, geometric mean, median.

Rule for values below the limit, repeated in the column `blq_rule` of every row: "censored" keeps
them in the likelihood (Tobit on the log scale), "half_lloq" sets them to half their limit and
values above or between limits as `compute.half_limit` says, "drop" leaves all of them out. With
more than half of the patients below the limit there is no mean, unless they are left out. A limit
that is only assumed (zeros delivered without one) is treated the same and said in the column
`note`.
"""

from typing import Any, Literal, NamedTuple

import numpy as np
import polars as pl

from analysis.compute.censored import censored_log_mean
from analysis.compute.half_limit import at_half_limit
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
    rows = _one_per_visit(_grouped(series, groups)).sort(
        "group", "nominal_day", maintain_order=True
    )
    samples = _samples_of(rows)
    runs = rows.group_by(["group", "nominal_day"], maintain_order=True).len().rows()
    records, start = [], 0
    for group, day, length in runs:
        part = samples.part(start, start + length)
        records.append({"group": group, "nominal_day": day, **_cell(part, blq)})
        start += length
    return pl.DataFrame(records, schema=SCHEMA, orient="row")


class _Samples(NamedTuple):
    """Columns of the series as arrays, nan for missing: cutting arrays into a thousand cells is
    many times faster than cutting frames."""

    value: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    delivered: np.ndarray
    halved: np.ndarray
    below: np.ndarray
    assumed: np.ndarray
    unit: np.ndarray

    def part(self, start: int, stop: int) -> "_Samples":
        return _Samples(*(column[start:stop] for column in self))


def _samples_of(rows: pl.DataFrame) -> _Samples:
    def number(name: str) -> np.ndarray:
        return columns[name].cast(pl.Float64).fill_null(np.nan).to_numpy()

    columns = rows.with_columns(at_half_limit().alias("halved"))
    return _Samples(
        value=number("value"),
        lower=number("lower"),
        upper=number("upper"),
        delivered=number("delivered"),
        halved=number("halved"),
        below=(rows["censored"] == "left").fill_null(False).to_numpy(),
        assumed=(rows["limit_source"] == "assumed").fill_null(False).to_numpy(),
        unit=np.array(rows["unit"].to_list(), dtype=object),
    )


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


def _cell(part: _Samples, blq: BlqRule) -> dict[str, Any]:
    value, n = part.value, part.value.size
    exact = value[~np.isnan(value)]
    median, median_below = _median(value, part.lower, part.upper, part.delivered)
    assumed = bool(part.assumed.any())
    mean = _mean_or_note(part, blq, signed=bool((exact <= 0).any()))
    note = str(mean.pop("note", ""))
    if assumed:
        note = "; ".join(filter(None, (note, "zeros delivered without a limit")))
    return {
        "n": n,
        "n_below_limit": int(part.below.sum()),
        **mean,
        "median": median,
        "median_below": median_below,
        "minimum": float(exact.min()) if exact.size else None,
        "maximum": float(exact.max()) if exact.size else None,
        "values": sorted(exact.tolist()) if n < MIN_FOR_MEAN else None,
        "unit": next((unit for unit in part.unit if unit is not None), None),
        "blq_rule": blq,
        "note": note or None,
    }


def _mean_or_note(part: _Samples, blq: BlqRule, *, signed: bool) -> dict[str, Any]:
    """No mean where it would rest on a tail that nobody has seen: with more than half of the
    patients below the limit the censored mean is an extrapolation."""
    if signed:
        return {"note": "not on a log scale"}
    if blq != "drop" and part.below.sum() > part.value.size / 2:
        return {"note": "more than half below the limit"}
    return _mean(part, blq)


def _mean(part: _Samples, blq: BlqRule) -> dict[str, Any]:
    value, lower, upper = part.value, part.lower, part.upper
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
    plain = geometric_mean(part.halved if blq == "half_lloq" else value)
    if np.isnan(plain.mean):
        return {"note": f"fewer than {MIN_FOR_MEAN} values"}
    return {
        "geometric_mean": plain.mean,
        "conf_low": plain.conf_low,
        "conf_high": plain.conf_high,
        "geometric_cv_percent": plain.geometric_cv_percent,
    }


def _median(
    value: np.ndarray, lower: np.ndarray, upper: np.ndarray, raw: np.ndarray
) -> tuple[float | None, float | None]:
    """Median with censored values in their place; (None, limit) when it lies below a limit.

    A zero delivered without a limit stands as delivered, so the median is then that zero.
    """
    if value.size == 0:
        return None, None
    known = np.where(np.isnan(value) & ~np.isnan(raw), raw, value)
    censored = np.isnan(known)
    place = np.where(censored & ~(lower > 0), -np.inf, np.where(censored, np.inf, known))
    order = np.argsort(place, kind="stable")
    middle = order[[(place.size - 1) // 2, place.size // 2]]
    if not censored[middle].any():
        return float(known[middle].mean()), None
    limits = np.where(censored, upper, known)[middle]
    return None, None if np.isnan(limits).any() else float(limits.max())
