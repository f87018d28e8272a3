"""The tables of the stored fits: fixed effects, ratios by day, and the answer under other rules."""

from collections.abc import Sequence

import polars as pl

from analysis.checks.conclusion import RULE_WORDS
from analysis.exposure_rules import RATIO_WORDS
from analysis.results import Fit
from export.document import Column, Table, concatenated
from export.questions import TITLES, AskedFit, settings_of

FIT_PATIENTS = "Fits: all patients of their own analysis set, see each specification."
QUESTION = (
    Column("outcome", "Outcome"),
    Column("question", "Question"),
    Column("default", "The study's own first question"),
    Column("model", "Model"),
    Column("settings", "What the question sets"),
)
"""Which question a row answers: the table `model_questions` says who asked it."""
ESTIMATES = (
    *QUESTION,
    Column("formula", "Formula"),
    Column("part", "Part of a joint model"),
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
RATIOS = (
    *QUESTION,
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
RULES = (
    *QUESTION,
    Column("rule", "Rule or method"),
    Column("day", "Day from infusion", "day"),
    Column("kind", "What the number is"),
    Column("ratio", "Ratio"),
    Column("conf_low", "CI low"),
    Column("conf_high", "CI high"),
    Column("conf_level", "Level of the CI"),
    Column("p_value", "p"),
    Column("joint_p_value", "p, whole course"),
    Column("n_observations", "Values (patients by exposure)"),
    Column("status", "Status"),
)


def model_estimates(asked: Sequence[AskedFit]) -> tuple[Table, ...]:
    """Estimates of each fit, a table per kind of model; that of the mixed models is always there. A
    fit that is not estimable stands with its reason."""
    found: dict[tuple[str, str], list[AskedFit]] = {TITLES["signal_by_group"]: []}
    for one in asked:
        found.setdefault(one.table, []).append(one)
    return tuple(_estimates(*key, found[key]) for key in dict.fromkeys(TITLES.values())
                 if key in found)  # fmt: skip


def _estimates(name: str, title: str, asked: Sequence[AskedFit]) -> Table:
    parts = [
        (
            one.fit.table() if one.fit.estimates else pl.DataFrame({"term": ["(not estimable)"]})
        ).with_columns(
            *_question(one),
            formula=pl.lit(one.fit.formula),
            status=pl.lit(one.fit.status),
            reason=pl.lit(one.fit.reason or ""),
            n_subjects=pl.lit(one.fit.n_subjects),
            n_observations=pl.lit(one.fit.n_observations),
            inference=pl.lit(one.fit.inference),
            conf_level=pl.lit(one.fit.conf_level),
        )
        for one in asked
    ]
    return Table(
        name,
        title,
        "one row per fit and term",
        ESTIMATES,
        concatenated(parts, ESTIMATES),
        (FIT_PATIENTS, *(f"{one.question}: {one.fit.sentence}" for one in asked)),
    )


def model_ratios(asked: Sequence[AskedFit]) -> Table:
    """Ratios of each fit: between groups at the chosen days, of odds or of hazards."""
    parts = [
        pl.DataFrame(one.fit.ratios, infer_schema_length=None).with_columns(
            *_question(one), conf_level=pl.lit(one.fit.conf_level)
        )
        for one in asked
        if one.fit.status != "not_estimable" and one.fit.ratios
    ]
    warned = (
        f"{one.question}: {check.name}: {check.message}"
        for one in asked
        for check in one.fit.checks
        if check.status in ("warning", "failed")
    )
    return Table(
        "model_ratios",
        "Models: ratios",
        "one row per fit, day and group",
        RATIOS,
        concatenated(parts, RATIOS),
        (FIT_PATIENTS, *warned),
    )


def model_rules(asked: Sequence[AskedFit]) -> Table:
    """One row per fit and rule; a rule that could not be fitted stands with its status."""
    parts = [
        pl.DataFrame(one.fit.sensitivity, orient="row", infer_schema_length=None).with_columns(
            *_question(one),
            kind=pl.lit(_kind(one.fit)),
            conf_level=pl.lit(one.fit.conf_level),
            rule=pl.col("rule").replace(RULE_WORDS),
        )
        for one in asked
        if one.fit.status != "not_estimable" and one.fit.sensitivity
    ]
    return Table(
        "model_rules",
        "Models: the answer under other rules for values below the limit",
        "one row per fit and rule",
        RULES,
        concatenated(parts, RULES),
        (FIT_PATIENTS,),
    )


def _question(one: AskedFit) -> tuple[pl.Expr, ...]:
    """The columns `QUESTION` of a fit."""
    return (
        pl.lit(str(one.spec.get("outcome", ""))).alias("outcome"),
        pl.lit(one.question).alias("question"),
        pl.lit("yes" if one.default else "no").alias("default"),
        pl.lit(one.fit.kind).alias("model"),
        pl.lit(settings_of(one.fit)).alias("settings"),
    )


def _kind(fit: Fit) -> str:
    own = RATIO_WORDS.get(str((fit.spec or {}).get("question", "")))
    return own or (fit.key_ratio.kind if fit.key_ratio else "")
