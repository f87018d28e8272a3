"""The tables of the statistical summary: each a function from frames to one `Table`."""

import math
from collections.abc import Sequence

import polars as pl

from analysis.compute.intervals import proportion
from analysis.compute.nca import PEAK_DAYS
from analysis.derive.baseline import baseline_table
from analysis.derive.comparison import compare_peaks
from analysis.derive.kinetics import parameters
from analysis.derive.labels import display_unit
from analysis.derive.peak import peaks
from analysis.derive.signal import Signal
from analysis.derive.summary import BlqRule, summarize, summary_rule
from analysis.results import Fit
from export.document import Column, Table

MINIMUM_FOR_THIRDS = 9
FIT_PATIENTS = "Fits: all patients of their own analysis set, see each specification."
THIRDS = ("lowest third", "middle third", "highest third")
NOT_SPLIT = "not split into thirds: equal peaks"

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


def kinetics(series: Series, groups: pl.DataFrame) -> Table:
    """Cellular kinetics parameters of every patient."""
    parts = [
        parameters(frame, signal=signal)
        .join(groups, on="usubjid", how="left")
        .with_columns(signal=pl.lit(signal.label), unit=pl.lit(display_unit(signal.unit or "")))
        for signal, frame in series
    ]
    columns = (
        Column("usubjid", "Patient"),
        Column("group", "Best response"),
        Column("signal", "Assay"),
        Column("unit", "Unit of the value"),
        Column("cmax", "Peak", "unit"),
        Column("tmax_day", "Day of peak", "day"),
        Column("auc_0_28", "AUC, days 0 to 28", "unit x day"),
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
    return Table(
        "kinetics",
        "Cellular kinetics by patient",
        "one row per patient and assay",
        columns,
        concatenated(parts, [column.name for column in columns]),
        (
            f"All days, whatever window is chosen. Peak from day {PEAK_DAYS[0]:g} on. "
            "Area: linear up, logarithmic down.",
            "Persistence lies between the last quantifiable sample and the next one below.",
        ),
    )


def trajectories(series: Series, groups: pl.DataFrame, blq: BlqRule) -> Table:
    """Geometric means by group and visit."""
    parts = [
        summarize(frame, groups, blq=blq).with_columns(
            signal=pl.lit(signal.label), unit=pl.lit(display_unit(signal.unit or ""))
        )
        for signal, frame in series
    ]
    columns = (
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
    return Table(
        "trajectories",
        "Signals by best response and visit",
        "one row per signal, group and nominal day",
        columns,
        concatenated(parts, [column.name for column in columns]),
        (f"In the means, {summary_rule(blq)}. No mean below three patients.",),
    )


def response_by_expansion(series: Series, best: pl.DataFrame) -> Table:
    """Response rate by third of the peak, and the ratio of peaks."""
    rows = [row for signal, frame in series for row in expansion_rows(signal, frame, best)]
    columns = (
        Column("signal", "Signal"),
        Column("unit", "Unit"),
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
    schema = {
        column.name: pl.String if column.name in ("signal", "unit", "expansion") else pl.Float64
        for column in columns
    }
    counts = ("n", "responders", "n_at_limit", "n_above_limit")
    frame = pl.DataFrame(rows, schema=schema).with_columns(pl.col(*counts).cast(pl.Int64))
    return Table(
        "response_by_expansion",
        "Response by expansion",
        "one row per signal and third of the peak, and one for all patients",
        columns,
        frame,
        (
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
    words = {"signal": signal.label, "unit": display_unit(signal.unit or "")}
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


def model_estimates(fits: Sequence[Fit]) -> Table:
    """Fixed effects of each stored fit; a fit that is not estimable stands with its reason."""
    parts = [
        (
            fit.table() if fit.estimates else pl.DataFrame({"term": ["(not estimable)"]})
        ).with_columns(
            outcome=pl.lit(str((fit.spec or {}).get("outcome", ""))),
            formula=pl.lit(fit.formula),
            status=pl.lit(fit.status),
            reason=pl.lit(fit.reason or ""),
            n_subjects=pl.lit(fit.n_subjects),
            n_observations=pl.lit(fit.n_observations),
            inference=pl.lit(fit.inference),
        )
        for fit in fits
    ]
    columns = (
        Column("outcome", "Outcome"),
        Column("formula", "Formula"),
        Column("term", "Term"),
        Column("estimate", "Estimate"),
        Column("std_error", "Standard error"),
        Column("df", "df"),
        Column("statistic", "Statistic"),
        Column("p_value", "p"),
        Column("conf_low", "95 % CI low"),
        Column("conf_high", "95 % CI high"),
        Column("n_subjects", "Patients"),
        Column("n_observations", "Values"),
        Column("inference", "Inference"),
        Column("status", "Status"),
        Column("reason", "Reason"),
    )
    return Table(
        "model_estimates",
        "Mixed model: fixed effects",
        "one row per fit and term",
        columns,
        concatenated(parts, [column.name for column in columns]),
        (FIT_PATIENTS, *(fit.sentence for fit in fits)),
    )


def model_ratios(fits: Sequence[Fit]) -> Table:
    """Ratios between groups at the chosen days."""
    rows = [
        {
            "outcome": str((fit.spec or {}).get("outcome", "")),
            "day": ratio.day,
            "group": ratio.group,
            "reference": ratio.reference,
            "kind": ratio.kind,
            "ratio": ratio.ratio,
            "conf_low": ratio.conf_low,
            "conf_high": ratio.conf_high,
            "p_value": ratio.p_value,
            "p_adjusted": ratio.p_adjusted,
            "n": ratio.n,
            "n_reference": ratio.n_reference,
        }
        for fit in fits
        if fit.status != "not_estimable"
        for ratio in fit.ratios
    ]
    columns = (
        Column("outcome", "Outcome"),
        Column("day", "Day from infusion", "day"),
        Column("group", "Group"),
        Column("reference", "Reference"),
        Column("kind", "What the number is"),
        Column("ratio", "Ratio"),
        Column("conf_low", "95 % CI low"),
        Column("conf_high", "95 % CI high"),
        Column("p_value", "p"),
        Column("p_adjusted", "p, Holm over the days"),
        Column("n", "Patients, group"),
        Column("n_reference", "Patients, reference"),
    )
    return Table(
        "model_ratios",
        "Mixed model: ratios by day",
        "one row per fit, day and group",
        columns,
        pl.DataFrame(rows, infer_schema_length=None)
        if rows
        else pl.DataFrame(schema={column.name: pl.String for column in columns}),
        (
            FIT_PATIENTS,
            *(
                f"{check.name}: {check.message}"
                for fit in fits
                for check in fit.checks
                if check.status in ("warning", "failed")
            ),
        ),
    )


def concatenated(parts: Sequence[pl.DataFrame], names: list[str]) -> pl.DataFrame:
    """Frames under each other with exactly these columns; empty when there is no frame."""
    if not parts:
        return pl.DataFrame(schema=dict.fromkeys(names, pl.String))
    under = pl.concat(parts, how="diagonal_relaxed")
    return under.select(
        pl.col(name) if name in under.columns else pl.lit(None).alias(name) for name in names
    )


def missing_if_nan(value: float) -> float | None:
    """None for NaN: formats have one way to say missing."""
    return None if math.isnan(value) else float(value)
