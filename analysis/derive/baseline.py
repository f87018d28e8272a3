"""The baseline table: demographics, characteristics and tumor burden by group."""

from typing import Any

import polars as pl

from analysis.derive.columns import ensure
from analysis.derive.comparison import group_order
from analysis.derive.groups import MAX_LEVELS, with_numbers

SCHEMA: dict[str, Any] = {
    "variable": pl.String,
    "label": pl.String,
    "unit": pl.String,
    "level": pl.String,
    "group": pl.String,
    "n": pl.Int64,
    "n_missing": pl.Int64,
    "count": pl.Int64,
    "percent": pl.Float64,
    "median": pl.Float64,
    "q1": pl.Float64,
    "q3": pl.Float64,
    "minimum": pl.Float64,
    "maximum": pl.Float64,
}
ALL = "All"
_NUMBERS = {"age_year": ("Age", "year")}
_CATEGORIES = {
    "sex": "Sex",
    "disease": "Disease",
    "cohort": "Cohort",
    "arm": "Arm",
    "dose_level": "Dose level",
}


def baseline_table(
    subjects: pl.DataFrame,
    characteristics: pl.DataFrame | None = None,
    groups: pl.DataFrame | None = None,
    burden: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """One row per variable, level and group; groups from best response to worst,
    the group "All" last.

    groups: usubjid, group. burden: `derive.burden.burden_series`, its baseline values.
    Numbers give median, quartiles (linear interpolation) and range; categories give count and
    percent of the patients with a value. n counts patients with a value, n_missing those without.
    Variables without any value are left out.
    """
    patients = ensure(subjects, "usubjid", *_NUMBERS, *_CATEGORIES)
    values = pl.concat(
        [_of_subjects(patients), _of_characteristics(characteristics), _of_burden(burden)]
    )
    values = values.join(patients.select("usubjid"), on="usubjid", how="semi")
    members = _members(patients, groups)
    records = [
        record
        for (variable, label, unit), part in values.group_by(
            ["variable", "label", "unit"], maintain_order=True
        )
        for record in _variable(part, members, {"variable": variable, "label": label, "unit": unit})
    ]
    return pl.DataFrame(records, schema=SCHEMA, orient="row")


def _of_subjects(patients: pl.DataFrame) -> pl.DataFrame:
    parts = [
        _long(patients.select("usubjid", number=name), name, label, unit)
        for name, (label, unit) in _NUMBERS.items()
    ]
    parts += [
        _long(patients.select("usubjid", text=name), name, label, None)
        for name, label in _CATEGORIES.items()
    ]
    return pl.concat(parts)


def _long(frame: pl.DataFrame, variable: str, label: str, unit: str | None) -> pl.DataFrame:
    absent = {"number": pl.Float64, "text": pl.String}
    return frame.with_columns(
        *(
            pl.lit(None, dtype=kind).alias(n)
            for n, kind in absent.items()
            if n not in frame.columns
        ),
        pl.lit(variable).alias("variable"),
        pl.lit(label).alias("label"),
        pl.lit(unit, dtype=pl.String).alias("unit"),
    ).select("usubjid", "variable", "label", "unit", "number", "text")


def _of_characteristics(characteristics: pl.DataFrame | None) -> pl.DataFrame:
    """A number; words of a few kinds, such as yes and no, are levels even where each has a code."""
    rows = with_numbers(characteristics).filter(
        pl.col("paramcd").is_not_null(), ~_is_date(pl.col("value_text"))
    )
    text = pl.col("value_text").str.strip_chars()
    words = text.is_not_null().any() & text.cast(pl.Float64, strict=False).is_null().all()
    levels = (words & (text.drop_nulls().n_unique() <= MAX_LEVELS)).over("paramcd")
    numeric = pl.col("value").is_not_null().any().over("paramcd") & ~levels
    return rows.select(
        "usubjid",
        pl.col("paramcd").alias("variable"),
        pl.coalesce("label", "paramcd").alias("label"),
        "unit",
        pl.when(numeric).then("value").alias("number"),
        pl.when(~numeric).then("value_text").alias("text"),
    ).unique(["usubjid", "variable"], keep="first", maintain_order=True)


def _is_date(text: pl.Expr) -> pl.Expr:
    """A date is a moment of the patient's calendar, not what the patient was like."""
    return text.str.contains(r"^\d{4}-\d{2}(-\d{2}([T ].*)?)?$").fill_null(False)


def _of_burden(burden: pl.DataFrame | None) -> pl.DataFrame:
    schema = {"usubjid": pl.String, "metric": pl.String, "baseline": pl.Float64, "unit": pl.String}
    rows = burden if burden is not None else pl.DataFrame(schema=schema)
    names = {"SUMDIAM": "Sum of target diameters", "tlg": "Total lesion glycolysis"}
    label = pl.col("metric").replace_strict(
        names, default="Metabolic tumor volume", return_dtype=pl.String
    )
    return (
        rows.filter(pl.col("baseline").is_not_null())
        .unique(["usubjid", "metric"], keep="first", maintain_order=True)
        .select(
            "usubjid",
            (pl.lit("baseline_") + pl.col("metric")).alias("variable"),
            label.alias("label"),
            "unit",
            pl.col("baseline").alias("number"),
            pl.lit(None, dtype=pl.String).alias("text"),
        )
    )


def _members(patients: pl.DataFrame, groups: pl.DataFrame | None) -> list[tuple[str, list[str]]]:
    everyone = patients["usubjid"].to_list()
    if groups is None:
        return [(ALL, everyone)]
    named = (
        patients.select("usubjid")
        .join(groups.select("usubjid", pl.col("group").cast(pl.String)), on="usubjid", how="left")
        .with_columns(pl.col("group").fill_null("not known"))
    )
    present = set(named["group"])
    levels = [*group_order(present - {"not known"}), *(present & {"not known"})]
    return [
        *((level, named.filter(pl.col("group") == level)["usubjid"].to_list()) for level in levels),
        (ALL, everyone),
    ]


def _variable(
    part: pl.DataFrame, members: list[tuple[str, list[str]]], head: dict[str, Any]
) -> list[dict[str, Any]]:
    if part["number"].count():
        return [{**head, "group": group, **_number(part, ids)} for group, ids in members]
    levels = part["text"].drop_nulls().unique().sort().to_list()
    return [
        {**head, "level": level, "group": group, **_category(part, ids, level)}
        for level in levels
        for group, ids in members
    ]


def _number(part: pl.DataFrame, ids: list[str]) -> dict[str, Any]:
    values = part.filter(pl.col("usubjid").is_in(ids))["number"].drop_nulls()
    return {
        "n": values.len(),
        "n_missing": len(ids) - values.len(),
        "median": values.median(),
        "q1": values.quantile(0.25, "linear"),
        "q3": values.quantile(0.75, "linear"),
        "minimum": values.min(),
        "maximum": values.max(),
    }


def _category(part: pl.DataFrame, ids: list[str], level: str) -> dict[str, Any]:
    values = part.filter(pl.col("usubjid").is_in(ids))["text"].drop_nulls()
    count = int((values == level).sum())
    return {
        "n": values.len(),
        "n_missing": len(ids) - values.len(),
        "count": count,
        "percent": 100.0 * count / values.len() if values.len() else None,
    }
