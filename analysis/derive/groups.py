"""The group of each patient: by response, toxicity, arm, dose or a baseline characteristic."""

import polars as pl

from analysis.derive.columns import ensure
from analysis.derive.response import best_response
from analysis.derive.toxicity import IS_EVENT
from analysis.errors import UserError

CHARACTERISTIC, EVENT = "characteristic:", "event:"
MAX_LEVELS = 6
"""Numbers without a unit are categories up to this many different values."""
SUBJECT_COLUMNS = ("dose_level", "cohort", "arm", "sex", "disease", "siteid")
RESPONSE_LEVELS = {
    "responder": {
        "CR": "responder", "PR": "responder", "SD": "non-responder", "PD": "non-responder",
    },
    "complete_response": {"CR": "CR", "PR": "no CR", "SD": "no CR", "PD": "no CR"},
    "best_response": {"CR": "CR", "PR": "PR", "SD": "SD", "PD": "PD"},
}  # fmt: skip
"""Level of each response category; not evaluable and not assessed have no group."""


def patient_groups(
    kind: str,
    subjects: pl.DataFrame,
    *,
    characteristics: pl.DataFrame | None = None,
    responses: pl.DataFrame | None = None,
    adverse_events: pl.DataFrame | None = None,
    criterion: str | None = None,
    reader: str | None = None,
) -> pl.DataFrame:
    """One row per patient of `subjects`: usubjid, group (text, null when not known).

    kind: responder, complete_response, best_response, one of `SUBJECT_COLUMNS`,
    "characteristic:<PARAMCD>", or "event:<CATEGORY>" (CRS, ICANS, HLH ...): "yes" with an adverse
    event of that category of grade 1 or more, or of no grade; "no" where none was recorded, or
    grade 0 only.
    Raises UserError for another kind, or what no patient has.
    """
    patients = ensure(subjects, "usubjid", *SUBJECT_COLUMNS)
    if kind in SUBJECT_COLUMNS:
        return patients.select("usubjid", pl.col(kind).alias("group"))
    if kind in RESPONSE_LEVELS:
        best = best_response(responses, criterion or None, reader or None)
        level = pl.col("best_category").replace_strict(
            RESPONSE_LEVELS[kind], default=None, return_dtype=pl.String
        )
        found = best.select("usubjid", level.alias("group"))
    elif kind.startswith(CHARACTERISTIC):
        code = kind.removeprefix(CHARACTERISTIC)
        found = characteristic(code, characteristics).select(
            "usubjid", pl.coalesce("value_text", _plain("value")).alias("group")
        )
    elif kind.startswith(EVENT):
        found = _with_event(kind.removeprefix(EVENT), patients, adverse_events)
    else:
        raise UserError(
            f"group: '{kind}' is not known; use {', '.join((*RESPONSE_LEVELS, *SUBJECT_COLUMNS))}, "
            f"{CHARACTERISTIC}<PARAMCD> or {EVENT}<CATEGORY>"
        )
    return patients.select("usubjid").join(found, on="usubjid", how="left", maintain_order="left")


def characteristic(code: str, characteristics: pl.DataFrame | None) -> pl.DataFrame:
    """One row per patient: usubjid, value_text, value, unit. Raises UserError when none has it."""
    rows = with_numbers(characteristics)
    chosen = rows.filter(pl.col("paramcd") == code)
    if chosen.is_empty():
        known = ", ".join(rows["paramcd"].drop_nulls().unique().sort().to_list()) or "none"
        raise UserError(f"characteristic: no patient has '{code}'; the study has {known}")
    return chosen.unique("usubjid", keep="first", maintain_order=True).select(
        "usubjid", "value_text", "value", "unit"
    )


def _with_event(
    category: str, patients: pl.DataFrame, adverse_events: pl.DataFrame | None
) -> pl.DataFrame:
    events = ensure(adverse_events, "usubjid", "category", "grade").filter(IS_EVENT)
    having = events.filter(pl.col("category") == category)["usubjid"].unique()
    if having.is_empty():
        known = ", ".join(events["category"].drop_nulls().unique().sort().to_list()) or "none"
        raise UserError(
            f"group: no patient has an adverse event of category '{category}' (grade 0 is none); "
            f"the study has {known}"
        )
    had = pl.col("usubjid").is_in(having.implode())
    return patients.select(
        "usubjid", pl.when(had).then(pl.lit("yes")).otherwise(pl.lit("no")).alias("group")
    )


def with_numbers(characteristics: pl.DataFrame | None) -> pl.DataFrame:
    """Characteristics whose text is a measurement get it as a number in `value`.

    A number delivered as one stands. Text counts as a measurement when every patient's is a
    number and it has a unit or more than six values; "1" to "4" without a unit stay categories.
    """
    rows = ensure(characteristics, "usubjid", "paramcd", "label", "value_text", "value", "unit")
    number = pl.col("value_text").str.strip_chars().cast(pl.Float64, strict=False)
    written = pl.col("value_text").is_not_null()
    numeric = (number.is_not_null() | ~written).all() & written.any()
    measured = pl.col("unit").is_not_null().any() | (number.drop_nulls().n_unique() > MAX_LEVELS)
    delivered = pl.col("value").is_not_null().any()
    parsed = (numeric & measured & ~delivered).over("paramcd")
    return rows.with_columns(pl.when(parsed).then(number).otherwise("value").alias("value"))


def _plain(column: str) -> pl.Expr:
    """A number as a level: 1 rather than 1.0."""
    whole = pl.col(column) == pl.col(column).round()
    return (
        pl.when(whole)
        .then(pl.col(column).cast(pl.Int64, strict=False).cast(pl.String))
        .otherwise(pl.col(column).cast(pl.String))
    )
