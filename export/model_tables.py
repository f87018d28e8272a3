"""The tables of the stored fits: fixed effects, ratios by day, and the answer under other rules."""

from collections.abc import Sequence

import polars as pl

from analysis.checks.conclusion import RULE_WORDS
from analysis.exposure_rules import RATIO_WORDS
from analysis.results import Fit
from analysis.specs import ModelSpec
from export.document import Column, Table, concatenated

FIT_PATIENTS = "Fits: all patients of their own analysis set, see each specification."
QUESTION = (
    Column("outcome", "Outcome"),
    Column("question", "Question"),
    Column("settings", "What the question sets"),
)
"""Which question a row answers; `asked` fills them."""
ESTIMATES = (
    *QUESTION,
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


def model_estimates(fits: Sequence[Fit]) -> Table:
    """Fixed effects of each stored fit; a fit that is not estimable stands with its reason."""
    parts = [
        (
            fit.table() if fit.estimates else pl.DataFrame({"term": ["(not estimable)"]})
        ).with_columns(
            *asked(fit),
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
    return Table(
        "model_estimates",
        "Mixed model: fixed effects",
        "one row per fit and term",
        ESTIMATES,
        concatenated(parts, ESTIMATES),
        (FIT_PATIENTS, *(fit.sentence for fit in fits)),
    )


def model_ratios(fits: Sequence[Fit]) -> Table:
    """Ratios between groups at the chosen days."""
    parts = [
        pl.DataFrame(fit.ratios, infer_schema_length=None).with_columns(
            *asked(fit), conf_level=pl.lit(fit.conf_level)
        )
        for fit in fits
        if fit.status != "not_estimable" and fit.ratios
    ]
    warned = (
        f"{check.name}: {check.message}"
        for fit in fits
        for check in fit.checks
        if check.status in ("warning", "failed")
    )
    return Table(
        "model_ratios",
        "Mixed model: ratios by day",
        "one row per fit, day and group",
        RATIOS,
        concatenated(parts, RATIOS),
        (FIT_PATIENTS, *warned),
    )


def model_rules(fits: Sequence[Fit]) -> Table:
    """One row per fit and rule; a rule that could not be fitted stands with its status."""
    parts = [
        pl.DataFrame(fit.sensitivity, orient="row", infer_schema_length=None).with_columns(
            *asked(fit),
            kind=pl.lit(_kind(fit)),
            conf_level=pl.lit(fit.conf_level),
            rule=pl.col("rule").replace(RULE_WORDS),
        )
        for fit in fits
        if fit.status != "not_estimable" and fit.sensitivity
    ]
    return Table(
        "model_rules",
        "Models: the answer under other rules for values below the limit",
        "one row per fit and rule",
        RULES,
        concatenated(parts, RULES),
        (FIT_PATIENTS,),
    )


def asked(fit: Fit) -> tuple[pl.Expr, ...]:
    """The columns `QUESTION` of a fit."""
    return (
        pl.lit(str((fit.spec or {}).get("outcome", ""))).alias("outcome"),
        pl.lit(fit.provenance.spec_hash or "").alias("question"),
        pl.lit(settings_of(fit)).alias("settings"),
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


def _kind(fit: Fit) -> str:
    own = RATIO_WORDS.get(str((fit.spec or {}).get("question", "")))
    return own or (fit.key_ratio.kind if fit.key_ratio else "")
