"""A signal by group and visit, as a table holds it: counts, geometric mean, median.

Rule for values below the limit, repeated in the column `blq_rule` of every row: "censored" keeps
them in the likelihood (Tobit on the log scale), "half_lloq" sets them to half their limit and
values above or between limits as `compute.half_limit` says, "drop" leaves all of them out. With
more than half of the patients below the limit there is no mean, unless they are left out. A limit
that is only assumed (zeros delivered without one) is treated the same and said in the column
`note`.
"""

import math
from typing import Any, Literal, NamedTuple

import numpy as np
import polars as pl

from analysis.compute.censored import censored_log_means
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
    cells = rows.group_by(["group", "nominal_day"], maintain_order=True).len()
    if cells.is_empty():
        return pl.DataFrame(schema=SCHEMA)
    return pl.DataFrame(
        {
            "group": cells["group"],
            "nominal_day": cells["nominal_day"],
            **_cells(_samples_of(rows), cells["len"].to_numpy().astype(int), blq),
        },
        schema=SCHEMA,
        strict=False,
    )


def summarize_peaks(peaks: pl.DataFrame, unit: str | None, *, blq: BlqRule) -> pl.DataFrame:
    """The same of the peaks of `derive.peak.peaks` with their group, one row per group: a patient
    never above the limit enters as below it, one whose peak is only a bound as above it."""
    low, high = pl.col("at_limit"), pl.col("above_limit")
    series = peaks.select(
        "usubjid",
        rel_day=pl.lit(0.0),
        nominal_day=pl.lit(0.0),
        value=pl.when(~low & ~high).then("peak"),
        lower=pl.when(high).then("peak"),
        upper=pl.when(low).then("peak"),
        delivered=pl.lit(None, pl.Float64),
        censored=pl.when(low).then(pl.lit("left")).when(high).then(pl.lit("right"))
        .otherwise(pl.lit("none")),
        limit_source=pl.lit(None, pl.String),
        unit=pl.lit(unit, pl.String),
    )  # fmt: skip
    return summarize(series, peaks.select("usubjid", "group"), blq=blq)


CV_LIMIT_PERCENT = 1000.0
"""A geometric CV above this says no more than that the values have no typical size."""


def with_cv_in_reason(summary: pl.DataFrame) -> pl.DataFrame:
    """A `summarize` without geometric CVs above `CV_LIMIT_PERCENT`; the note says which were.

    exp(s^2) grows without bound: three values over some decades give billions of percent."""
    vast = (pl.col("geometric_cv_percent") > CV_LIMIT_PERCENT).fill_null(False)
    words = pl.lit(f"geometric CV above {CV_LIMIT_PERCENT:,.0f} %")
    said = pl.concat_str([pl.col("note"), words], separator="; ", ignore_nulls=True)
    return summary.with_columns(
        geometric_cv_percent=pl.when(~vast).then("geometric_cv_percent"),
        note=pl.when(vast).then(said).otherwise("note"),
    )


class _Samples(NamedTuple):
    """Columns of the series as arrays, nan for missing; the values of a cell stand together."""

    value: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    delivered: np.ndarray
    halved: np.ndarray
    below: np.ndarray
    assumed: np.ndarray
    unit: np.ndarray


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


def _cells(samples: _Samples, sizes: np.ndarray, blq: BlqRule) -> dict[str, Any]:
    """What is said of each cell of `sizes` values, as columns; all cells at once, because a page
    has some hundreds of them."""
    starts = np.cumsum(sizes) - sizes
    value = samples.value
    smallest, largest = np.fmin.reduceat(value, starts), np.fmax.reduceat(value, starts)
    n_below = np.add.reduceat(samples.below.astype(int), starts)
    unknown = np.isnan(value) & np.isnan(samples.upper) & ~(samples.lower > 0)
    notes = np.select(
        [
            smallest <= 0,
            (n_below > sizes / 2) & (blq != "drop"),
            np.logical_or.reduceat(unknown, starts),
        ],
        [
            "not on a log scale",
            "more than half below the limit",
            "all values of the signal are zero",
        ],
        np.full(sizes.size, "", dtype=object),
    )
    means = [_NO_MEAN] * sizes.size
    wanted = np.flatnonzero(notes == "")
    found = _means(samples, starts[wanted], sizes[wanted], blq) if wanted.size else []
    for place, (mean, note) in zip(wanted, found, strict=True):
        means[place], notes[place] = mean, note
    assumed = np.logical_or.reduceat(samples.assumed, starts)
    notes[assumed] = [
        "; ".join(filter(None, (note, "zeros delivered without a limit")))
        for note in notes[assumed]
    ]
    median, median_below = _medians(samples, starts, sizes)
    parts = [slice(start, start + size) for start, size in zip(starts, sizes, strict=True)]
    return {
        "n": sizes,
        "n_below_limit": n_below,
        **{name: [mean[i] for mean in means] for i, name in enumerate(MEAN_COLUMNS)},
        "median": median,
        "median_below": median_below,
        "minimum": _nullable(smallest),
        "maximum": _nullable(largest),
        "values": [
            sorted(value[part][~np.isnan(value[part])].tolist()) if size < MIN_FOR_MEAN else None
            for part, size in zip(parts, sizes, strict=True)
        ],
        "unit": [next((u for u in samples.unit[part] if u is not None), None) for part in parts],
        "blq_rule": [blq] * sizes.size,
        "note": [note or None for note in notes],
    }


MEAN_COLUMNS = ("geometric_mean", "conf_low", "conf_high", "geometric_cv_percent")
_NO_MEAN: tuple[float | None, ...] = (None,) * len(MEAN_COLUMNS)


def _means(
    samples: _Samples, starts: np.ndarray, sizes: np.ndarray, blq: BlqRule
) -> list[tuple[tuple[float | None, ...], str]]:
    """The mean columns of the cells that start at `starts`, and why one has none.

    A cell has none where it would rest on a tail that nobody has seen: with more than half of the
    patients below the limit the censored mean is an extrapolation, and the cell is not asked for.
    """
    if blq != "censored":
        numbers = samples.halved if blq == "half_lloq" else samples.value
        return [
            _plain_mean(numbers[start : start + size])
            for start, size in zip(starts, sizes, strict=True)
        ]
    rows = np.concatenate([np.arange(a, a + n) for a, n in zip(starts, sizes, strict=True)])
    found = censored_log_means(samples.value[rows], samples.lower[rows], samples.upper[rows], sizes)
    return [
        (_NO_MEAN, mean.reason)
        if mean.reason
        else (
            (mean.mean, mean.conf_low, mean.conf_high, geometric_cv_percent(mean.sd_log)),
            "",
        )
        for mean in found
    ]


def _plain_mean(values: np.ndarray) -> tuple[tuple[float | None, ...], str]:
    plain = geometric_mean(values)
    if np.isnan(plain.mean):
        return _NO_MEAN, f"fewer than {MIN_FOR_MEAN} values"
    return (plain.mean, plain.conf_low, plain.conf_high, plain.geometric_cv_percent), ""


def _medians(
    samples: _Samples, starts: np.ndarray, sizes: np.ndarray
) -> tuple[list[float | None], list[float | None]]:
    """Medians with censored values in their place; null, and the limit, when one lies below it.

    A zero delivered without a limit stands as delivered, so the median is then that zero.
    """
    value, raw = samples.value, samples.delivered
    known = np.where(np.isnan(value), raw, value)
    censored = np.isnan(known)
    place = np.where(censored & ~(samples.lower > 0), -np.inf, np.where(censored, np.inf, known))
    order = np.lexsort((place, np.repeat(np.arange(sizes.size), sizes)))
    middle = order[np.stack([starts + (sizes - 1) // 2, starts + sizes // 2])]
    hidden = censored[middle].any(axis=0)
    limits = np.where(censored, samples.upper, known)[middle].max(axis=0)
    return _nullable(known[middle].mean(axis=0)), _nullable(np.where(hidden, limits, np.nan))


def _nullable(numbers: np.ndarray) -> list[float | None]:
    return [None if math.isnan(number) else number for number in numbers.tolist()]
