"""Peaks of a signal and their ratio between two groups of patients.

A comparison of peaks describes: the peak is known only after it has happened, and best response
is read later still. Nothing here may be read as a prediction.
"""

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import polars as pl

from analysis.compute.noncompartmental import PEAK_DAYS
from analysis.derive.peak import peaks
from analysis.fits.ratio import geometric_mean_ratio

NOT_ASSESSED = "Not assessed"
NOT_RECORDED = "Not recorded"
RESPONSE_ORDER = ("CR", "PR", "SD", "PD", "NE", NOT_ASSESSED)
MINIMUM_PER_GROUP = 3


class Comparison(NamedTuple):
    """Ratio of geometric-mean peaks, upper group to lower group; NaN where not estimable.

    `n_at_limit` patients never rose above the limit of quantification and enter at that limit;
    the peak of `n_above_limit` patients is known only to be at or above an upper limit, at which
    they enter. Both pull the ratio toward 1.
    """

    label: str
    note: str
    ratio: float
    conf_low: float
    conf_high: float
    p_value: float
    n_upper: int
    n_lower: int
    n_at_limit: int
    n_above_limit: int = 0

    @property
    def estimable(self) -> bool:
        """Whether there is a ratio to show."""
        return math.isfinite(self.ratio)


def color_groups(color_by: str, subjects: pl.DataFrame, best: pl.DataFrame) -> pl.DataFrame:
    """One row per patient: usubjid, group (category of best response, or a subject column)."""
    if color_by == "response":
        return (
            subjects.select("usubjid")
            .join(best.select("usubjid", group="best_category"), on="usubjid", how="left")
            .with_columns(pl.col("group").fill_null(NOT_ASSESSED))
        )
    column = "siteid" if color_by == "site" else color_by
    return subjects.select("usubjid", group=pl.col(column).cast(pl.String).fill_null(NOT_RECORDED))


def comparable_parts(best: pl.DataFrame, subjects: pl.DataFrame) -> list[tuple[str, pl.DataFrame]]:
    """The best responses in parts that may each be compared, with the name of the part.

    All together under "" where one criterion read every evaluable patient. Else by cohort where
    each cohort is read by one criterion, otherwise by criterion: a marrow response and a Lugano
    response are not one outcome. best: as `derive.response.best_response` gives it.
    """
    criterion = pl.col("criterion").fill_null("criterion not named")
    read = (
        best.filter(pl.col("responder").is_not_null())
        .with_columns(criterion)
        .join(subjects.select("usubjid", "cohort"), on="usubjid", how="left")
        .with_columns(pl.col("cohort").fill_null("cohort not recorded"))
    )
    if read.get_column("criterion").n_unique() < 2:
        return [("", best)]
    per_cohort = read.group_by("cohort").agg(pl.col("criterion").n_unique())
    name = "cohort" if per_cohort.get_column("criterion").max() == 1 else "criterion"
    parts = sorted(read.get_column(name).unique())
    return [(part, read.filter(pl.col(name) == part)) for part in parts]


def group_order(groups: Iterable[str]) -> tuple[str, ...]:
    """Response categories from best to worst, then other groups by name, missing last."""
    present = set(groups)
    known = [group for group in RESPONSE_ORDER[:-1] if group in present]
    other = sorted(present - set(RESPONSE_ORDER) - {NOT_RECORDED})
    last = [group for group in (NOT_ASSESSED, NOT_RECORDED) if group in present]
    return (*known, *other, *last)


def drawn_series(series: pl.DataFrame, groups: pl.DataFrame) -> pl.DataFrame:
    """A signal series with what a figure draws: usubjid, group, rel_day, nominal_day, drawn (the
    value, or the limit of a censored one), censored (bool), lloq, source."""
    file_row = pl.format(
        "{}, row {}", pl.col("source_file").str.split("/").list.last(), pl.col("source_row")
    )
    return (
        series.join(groups, on="usubjid", how="inner")
        .with_columns(
            drawn=pl.coalesce("value", "upper", "lower"),
            is_censored=pl.col("censored") != "none",
            source=pl.coalesce(file_row, pl.col("source_file"), pl.lit("")),
        )
        .select(
            "usubjid", "group", "rel_day", "nominal_day", "drawn", "lloq", "source",
            censored="is_censored",
        )
    )  # fmt: skip


def compare_peaks(
    series: pl.DataFrame,
    upper: Sequence[str],
    lower: Sequence[str],
    *,
    label: str,
    note: str = "",
    days: tuple[float, float] = PEAK_DAYS,
) -> Comparison:
    """Ratio of geometric-mean peaks of the patients `upper` to those of the patients `lower`:
    Welch t on natural logs. Not estimable with fewer than three patients in a group."""
    return compare_found(peaks(series, *days), upper, lower, label=label, note=note)


def compare_found(
    found: pl.DataFrame,
    upper: Sequence[str],
    lower: Sequence[str],
    *,
    label: str,
    note: str = "",
) -> Comparison:
    """`compare_peaks` of peaks that were found before (`derive.peak.peaks`)."""
    rows = found.select("usubjid", "peak", "at_limit", "above_limit").rows()
    high, low = ([row for row in rows if row[0] in part] for part in (set(upper), set(lower)))
    marks = (sum(row[2] for row in high + low), sum(row[3] for row in high + low))
    counts = (len(high), len(low), *marks)
    missing = (math.nan,) * 4
    if min(counts[:2]) < MINIMUM_PER_GROUP:
        return Comparison(label, f"{counts[0]} against {counts[1]} patients", *missing, *counts)
    values = [row[1] for row in high + low]
    names = ["upper"] * counts[0] + ["lower"] * counts[1]
    result = geometric_mean_ratio(values, names, group="upper", reference="lower")
    if result.ratio is None:
        return Comparison(label, note or "not estimable", *missing, *counts)
    return Comparison(
        label,
        note,
        _number(result.ratio),
        _number(result.conf_low),
        _number(result.conf_high),
        _number(result.p_value),
        *counts,
    )


def _number(value: float | None) -> float:
    return math.nan if value is None else value
