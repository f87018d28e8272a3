"""The tables of the statistical summary: each a function from frames to one `Table`."""

from collections.abc import Sequence

import polars as pl

from analysis.compute.noncompartmental import PEAK_DAYS
from analysis.derive.baseline import baseline_table
from analysis.derive.comparison import group_order
from analysis.derive.kinetics import parameters
from analysis.derive.signal import Signal
from analysis.derive.summary import (
    CV_LIMIT_PERCENT,
    BlqRule,
    summarize,
    summary_rule,
    with_cv_in_reason,
)
from export.document import Column, Table, concatenated

Series = Sequence[tuple[Signal, pl.DataFrame]]
"""Signals with their per-patient series (`derive.signal.signal_series`)."""


def baseline(
    subjects: pl.DataFrame,
    characteristics: pl.DataFrame,
    groups: pl.DataFrame,
    burden: pl.DataFrame,
) -> Table:
    """Demographics, characteristics and burden by best response."""
    frame = baseline_table(subjects, characteristics, groups, burden)
    return Table(
        "baseline",
        "Baseline by best response",
        "one row per variable, level and group",
        (
            Column("label", "Variable"),
            Column("unit", "Unit"),
            Column("level", "Level"),
            Column("group", "Group"),
            Column("n", "Patients with a value"),
            Column("n_missing", "Missing"),
            Column("count", "Count"),
            Column("percent", "Percent", "%"),
            Column("median", "Median"),
            Column("q1", "First quartile"),
            Column("q3", "Third quartile"),
            Column("minimum", "Minimum"),
            Column("maximum", "Maximum"),
        ),
        frame,
        ("Percent of the patients with a value.",),
    )


AUC_RULE = (
    "below the limit: zero before the first value and at the first sample after the last, "
    "left out between and later"
)
"""Of the area (`analysis.compute.noncompartmental.nca`)."""
KINETICS = (
    Column("usubjid", "Patient"),
    Column("group", "Best response"),
    Column("signal", "Assay"),
    Column("unit", "Unit of the value"),
    Column("cmax", "Peak", "unit"),
    Column("tmax_day", "Day of peak", "day"),
    Column("auc_0_28", "AUC, days 0 to 28", "unit x day"),
    Column("auc_0_28_rule", "AUC: rule below the limit"),
    Column("auc_0_28_reason", "AUC: why missing or limited"),
    Column("clast", "Last quantifiable value", "unit"),
    Column("tlast_day", "Last quantifiable day", "day"),
    Column("doubling_time_day", "Doubling time", "day"),
    Column("doubling_time_day_reason", "Doubling time: why missing"),
    Column("contraction_half_life_day", "Contraction half-life", "day"),
    Column("contraction_half_life_day_reason", "Contraction: why missing"),
    Column("cmax_reason", "Peak: why missing"),
    Column("fold_expansion", "Peak over first sample after infusion"),
    Column("persistence_lower_day", "Persistence, at least", "day"),
    Column("persistence_upper_day", "Persistence, below", "day"),
    Column("n_samples", "Samples"),
    Column("n_below_lloq", "Samples below the limit"),
)


def kinetics(series: Series, groups: pl.DataFrame) -> Table:
    """Cellular kinetics parameters of every patient."""
    parts = [
        parameters(frame, signal=signal)
        .join(groups, on="usubjid", how="left")
        .with_columns(
            signal=pl.lit(signal.label),
            unit=pl.lit(signal.shown_unit),
            auc_0_28_rule=pl.when(pl.col("auc_0_28").is_not_null()).then(pl.lit(AUC_RULE)),
        )
        for signal, frame in series
    ]
    return Table(
        "kinetics",
        "Cellular kinetics by patient",
        "one row per patient and assay",
        KINETICS,
        concatenated(parts, KINETICS),
        (
            f"All days, whatever window is chosen. Peak from day {PEAK_DAYS[0]:g} on. "
            "Area: linear up, logarithmic down; zero at infusion where no sample was taken then; "
            f"{AUC_RULE}.",
            "Persistence lies between the last quantifiable sample and the next one below.",
        ),
    )


TRAJECTORIES = (
    Column("signal", "Signal"),
    Column("unit", "Unit"),
    Column("group", "Best response"),
    Column("nominal_day", "Visit", "day"),
    Column("n", "Patients"),
    Column("n_below_limit", "Below the limit"),
    Column("geometric_mean", "Geometric mean"),
    Column("conf_low", "95 % CI low"),
    Column("conf_high", "95 % CI high"),
    Column("geometric_cv_percent", "Geometric CV", "%"),
    Column("median", "Median"),
    Column("minimum", "Minimum"),
    Column("maximum", "Maximum"),
    Column("blq_rule", "Rule below the limit"),
    Column("note", "Note"),
)


def trajectories(series: Series, groups: pl.DataFrame, blq: BlqRule) -> Table:
    """Geometric means by group and visit."""
    parts = [
        _best_first(with_cv_in_reason(summarize(frame, groups, blq=blq))).with_columns(
            signal=pl.lit(signal.label), unit=pl.lit(signal.shown_unit)
        )
        for signal, frame in series
    ]
    return Table(
        "trajectories",
        "Signals by best response and visit",
        "one row per signal, group and nominal day",
        TRAJECTORIES,
        concatenated(parts, TRAJECTORIES),
        (
            f"In the means, {summary_rule(blq)}. No mean below three patients, nor with more than "
            "half of them below the limit unless those are left out. A geometric CV above "
            f"{CV_LIMIT_PERCENT:,.0f} % is said in the note and not printed.",
        ),
    )


def _best_first(summary: pl.DataFrame) -> pl.DataFrame:
    """Groups from best to worst, each with its visits in order."""
    place = {group: number for number, group in enumerate(group_order(summary["group"]))}
    return summary.sort(
        pl.col("group").replace_strict(place, return_dtype=pl.Int64), maintain_order=True
    )
