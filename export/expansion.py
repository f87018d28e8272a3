"""Response by expansion: response rates by third of the peak, and the ratio of peaks."""

import math

import polars as pl

from analysis.compute.intervals import proportion
from analysis.compute.noncompartmental import PEAK_DAYS
from analysis.derive.comparison import comparable_parts, compare_peaks
from analysis.derive.peak import peaks
from analysis.derive.signal import Signal
from export.document import Column, Table
from export.tables import Series

MINIMUM_FOR_THIRDS = 9
THIRDS = ("lowest third", "middle third", "highest third")
PARTED = (
    "The patients are read by different response criteria, which are not one outcome: each cohort "
    "or criterion stands for itself, in its own thirds."
)
NOT_SPLIT = "not split into thirds: equal peaks"


def response_by_expansion(series: Series, best: pl.DataFrame, subjects: pl.DataFrame) -> Table:
    """Response rate by third of the peak, and the ratio of peaks: of all patients where one
    criterion read them, else of each part that may be compared (`comparable_parts`)."""
    parts = comparable_parts(best, subjects)
    rows = [
        {**row, "part": part or None}
        for signal, frame in series
        for part, read in parts
        for row in expansion_rows(signal, frame, read)
    ]
    columns = (
        Column("signal", "Signal"),
        Column("unit", "Unit"),
        Column("part", "Cohort or criterion"),
        Column("expansion", f"Peak, days {PEAK_DAYS[0]:g} to {PEAK_DAYS[1]:g}"),
        Column("n", "Patients"),
        Column("peak_low", "Lowest peak"),
        Column("peak_high", "Highest peak"),
        Column("responders", "Responders"),
        Column("rate_percent", "Response rate", "%"),
        Column("conf_low", "95 % CI low"),
        Column("conf_high", "95 % CI high"),
        Column("ratio", "Ratio of geometric-mean peaks, responders to non-responders"),
        Column("ratio_conf_low", "Ratio: 95 % CI low"),
        Column("ratio_conf_high", "Ratio: 95 % CI high"),
        Column("p_value", "Ratio: p"),
        Column("n_at_limit", "Never above the limit"),
        Column("n_above_limit", "Peak beyond the upper limit"),
    )
    texts = ("signal", "unit", "part", "expansion")
    schema = {column.name: pl.String if column.name in texts else pl.Float64 for column in columns}
    counts = ("n", "responders", "n_at_limit", "n_above_limit")
    frame = pl.DataFrame(rows, schema=schema).with_columns(pl.col(*counts).cast(pl.Int64))
    return Table(
        "response_by_expansion",
        "Response by expansion",
        "one row per signal, part and third of the peak, and one for all patients of the part",
        columns,
        frame,
        (
            *((PARTED,) if len(parts) > 1 else ()),
            "The peak is known only after it has happened and response is read later: this "
            "describes, it does not predict. Unadjusted for baseline burden.",
            "Rates: exact interval (Clopper and Pearson). Ratio: Welch t on logs; patients never "
            "above the limit, or with a peak beyond the upper limit, enter at it. Patients without "
            "an evaluable response are left out. Equal peaks stay in one third.",
        ),
    )


def expansion_rows(
    signal: Signal, series: pl.DataFrame, best: pl.DataFrame
) -> list[dict[str, object]]:
    """One row for all patients of a signal and, with nine or more, one per third of the peak."""
    assessed = best.filter(pl.col("responder").is_not_null()).select("usubjid", "responder")
    found = peaks(series).join(assessed, on="usubjid").sort("peak", "usubjid")
    words = {"signal": signal.label, "unit": signal.shown_unit}
    upper = found.filter(pl.col("responder")).get_column("usubjid").to_list()
    lower = found.filter(~pl.col("responder")).get_column("usubjid").to_list()
    ratio = compare_peaks(series, upper, lower, label=signal.label)
    all_patients = {
        **rate_row(found, "all"),
        "ratio": missing_if_nan(ratio.ratio),
        "ratio_conf_low": missing_if_nan(ratio.conf_low),
        "ratio_conf_high": missing_if_nan(ratio.conf_high),
        "p_value": missing_if_nan(ratio.p_value),
        "n_at_limit": ratio.n_at_limit,
        "n_above_limit": ratio.n_above_limit,
    }
    rows = [all_patients]
    if found.height >= MINIMUM_FOR_THIRDS:
        thirds = split_in_thirds(found)
        names = THIRDS[: len(thirds)]
        rows += [rate_row(part, name) for name, part in zip(names, thirds, strict=True)] or [
            {"expansion": NOT_SPLIT}
        ]
    return [{**words, **row} for row in rows]


def split_in_thirds(found: pl.DataFrame) -> tuple[pl.DataFrame, ...]:
    """Patients by third of `peak`, the lowest first; empty when equal peaks leave a third empty.

    Equal peaks have one rank, the mean of their places, and so stand in one third.
    """
    place = (pl.col("peak").rank("average") - 0.5) * len(THIRDS) / found.height
    parts = tuple(found.filter(place.floor() == number) for number in range(len(THIRDS)))
    return parts if all(part.height for part in parts) else ()


def rate_row(patients: pl.DataFrame, expansion: str) -> dict[str, object]:
    """Response rate of some patients with their range of peaks."""
    rate = proportion(int(patients.get_column("responder").sum()), patients.height)
    return {
        "expansion": expansion,
        "n": patients.height,
        "peak_low": patients.get_column("peak").min(),
        "peak_high": patients.get_column("peak").max(),
        "responders": rate.successes,
        "rate_percent": missing_if_nan(100 * rate.estimate),
        "conf_low": missing_if_nan(100 * rate.conf_low),
        "conf_high": missing_if_nan(100 * rate.conf_high),
    }


def missing_if_nan(value: float) -> float | None:
    """None for NaN: formats have one way to say missing."""
    return None if math.isnan(value) else float(value)
