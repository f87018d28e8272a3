"""The tables of the statistical summary: each a function from frames to one `Table`."""

from collections.abc import Sequence

import polars as pl

from analysis.compute.noncompartmental import PEAK_DAYS
from analysis.derive.baseline import baseline_table
from analysis.derive.kinetics import parameters
from analysis.derive.labels import display_unit
from analysis.derive.signal import Signal
from analysis.derive.summary import BlqRule, summarize, summary_rule
from analysis.results import Fit
from analysis.specs import ModelSpec
from export.document import Column, Table

FIT_PATIENTS = "Fits: all patients of their own analysis set, see each specification."

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
            "Area: linear up, logarithmic down; zero at infusion where no sample was taken then, "
            "at samples below the limit before the first value, and at the first after the last.",
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
        (
            f"In the means, {summary_rule(blq)}. No mean below three patients, nor with more than "
            "half of them below the limit unless those are left out.",
        ),
    )


def model_estimates(fits: Sequence[Fit]) -> Table:
    """Fixed effects of each stored fit; a fit that is not estimable stands with its reason."""
    parts = [
        (
            fit.table() if fit.estimates else pl.DataFrame({"term": ["(not estimable)"]})
        ).with_columns(
            outcome=pl.lit(str((fit.spec or {}).get("outcome", ""))),
            question=pl.lit(fit.provenance.spec_hash or ""),
            settings=pl.lit(settings_of(fit)),
            formula=pl.lit(fit.formula),
            status=pl.lit(fit.status),
            reason=pl.lit(fit.reason or ""),
            n_subjects=pl.lit(fit.n_subjects),
            n_observations=pl.lit(fit.n_observations),
            inference=pl.lit(fit.inference),
            conf_level=pl.lit(fit.conf_level),
        )
        for fit in fits
    ]
    columns = (
        Column("outcome", "Outcome"),
        Column("question", "Question"),
        Column("settings", "What the question sets"),
        Column("formula", "Formula"),
        Column("term", "Term"),
        Column("estimate", "Estimate"),
        Column("std_error", "Standard error"),
        Column("df", "df"),
        Column("statistic", "Statistic"),
        Column("p_value", "p"),
        Column("conf_low", "CI low"),
        Column("conf_high", "CI high"),
        Column("conf_level", "Level of the CI"),
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
            "question": fit.provenance.spec_hash or "",
            "settings": settings_of(fit),
            "day": ratio.day,
            "group": ratio.group,
            "reference": ratio.reference,
            "kind": ratio.kind,
            "ratio": ratio.ratio,
            "conf_low": ratio.conf_low,
            "conf_high": ratio.conf_high,
            "conf_level": fit.conf_level,
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
        Column("question", "Question"),
        Column("settings", "What the question sets"),
        Column("day", "Day from infusion", "day"),
        Column("group", "Group"),
        Column("reference", "Reference"),
        Column("kind", "What the number is"),
        Column("ratio", "Ratio"),
        Column("conf_low", "CI low"),
        Column("conf_high", "CI high"),
        Column("conf_level", "Level of the CI"),
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


def settings_of(fit: Fit) -> str:
    """In what a question differs from one that names its outcome only: several questions of one
    outcome stand under each other in a table."""
    asked = dict(fit.spec or {})
    default = ModelSpec(outcome=str(asked.get("outcome", ""))).to_dict()
    changed = [
        f"{name}: {', '.join(map(str, value)) if isinstance(value, list | tuple) else value}"
        for name, value in asked.items()
        if value != default.get(name)
    ]
    return "; ".join(changed) or "as by default"


def concatenated(parts: Sequence[pl.DataFrame], names: list[str]) -> pl.DataFrame:
    """Frames under each other with exactly these columns; empty when there is no frame."""
    if not parts:
        return pl.DataFrame(schema=dict.fromkeys(names, pl.String))
    under = pl.concat(parts, how="diagonal_relaxed")
    return under.select(
        pl.col(name) if name in under.columns else pl.lit(None).alias(name) for name in names
    )
