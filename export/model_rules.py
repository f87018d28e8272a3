"""The answers of the stored fits under other rules for values below the limit, or other methods."""

from collections.abc import Sequence

import polars as pl

from analysis.checks.conclusion import RULE_WORDS
from analysis.exposure_rules import RATIO_WORDS
from analysis.results import Fit
from export.document import Column, Table
from export.tables import FIT_PATIENTS, concatenated, settings_of

COLUMNS = (
    Column("outcome", "Outcome"),
    Column("question", "Question"),
    Column("settings", "What the question sets"),
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


def model_rules(fits: Sequence[Fit]) -> Table:
    """One row per fit and rule; a rule that could not be fitted stands with its status."""
    parts = [
        pl.DataFrame([row._asdict() for row in fit.sensitivity], infer_schema_length=None)
        .with_columns(
            outcome=pl.lit(str((fit.spec or {}).get("outcome", ""))),
            question=pl.lit(fit.provenance.spec_hash or ""),
            settings=pl.lit(settings_of(fit)),
            kind=pl.lit(_kind(fit)),
            conf_level=pl.lit(fit.conf_level),
            rule=pl.col("rule").replace(RULE_WORDS),
        )
        for fit in fits
        if fit.status != "not_estimable" and fit.sensitivity
    ]  # fmt: skip
    return Table(
        "model_rules",
        "Models: the answer under other rules for values below the limit",
        "one row per fit and rule",
        COLUMNS,
        concatenated(parts, [column.name for column in COLUMNS]),
        (FIT_PATIENTS,),
    )


def _kind(fit: Fit) -> str:
    own = RATIO_WORDS.get(str((fit.spec or {}).get("question", "")))
    return own or (fit.key_ratio.kind if fit.key_ratio else "")
