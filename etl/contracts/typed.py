"""Text records to typed records: every field by its kind, times, values and units.

Nothing is dropped here. A record that breaks a rule carries the first one in `_rule` with the
column in `_bad`; a record without content is marked `_empty`.
"""

import polars as pl

from etl.contracts.contract import Contract, Field
from etl.contracts.defaults import fill_defaults
from etl.contracts.metric_names import (
    FROM_NAME,
    NAMED,
    UNDECLARED,
    has_no_name,
    is_metric,
    refused_names,
    split_metric,
)
from etl.contracts.numbers import as_flag, as_number, without_absent
from etl.contracts.refusal import refuse
from etl.contracts.times import Moment, moment, parse_moments
from etl.contracts.units import conversion
from etl.contracts.values import mark_character_results, parse_values
from etl.profiles.cells import clean, translated
from etl.profiles.schema import Profile, Table

CODES = {
    "laboratory_result": "testcd",
    "kinetics_sample": "analyte",
    "quantification": "metric",
    "lesion_measurement": "metric",
}
"""The field that says what a measured value is, and so in which unit it is stored."""

SHORT = 10_000
"""Below this many rows distinct texts are not worth looking for."""

DATES = ("dtm", "end_dtm", "label_dtm")


def typed(frame: pl.DataFrame, contract: Contract, profile: Profile, table: Table) -> pl.DataFrame:
    """The typed records of one incoming table; see the module for what the marks mean."""
    frame = frame.with_columns(
        pl.lit(None, pl.String).alias("_rule"), pl.lit(None, pl.String).alias("_bad")
    )
    decimal = table.decimal or profile.decimal
    thousands = profile.thousands if table.thousands is None else table.thousands
    frame = _clean_texts(frame, contract)
    frame = _mark_empty(frame, contract)
    frame = _by_kind(frame, contract, decimal, thousands)
    for name in DATES:
        if name in contract.field_names:
            frame = _dated(frame, name, table.dates or profile.dates, profile.timezone)
    if contract.timed:
        frame = _delivered_days(frame, table)
    if contract.measured:
        frame = _measured(frame, contract, profile, decimal, thousands)
    return fill_defaults(frame, contract)


def _clean_texts(frame: pl.DataFrame, contract: Contract) -> pl.DataFrame:
    """Every field of the contract as clean text; fields that were not delivered are null."""
    columns = []
    for one in contract.fields:
        if one.name not in frame.columns:
            columns.append(
                pl.Series(one.name, [None], dtype=pl.String).new_from_index(0, frame.height)
            )
        elif one.kind == "text" and one.name not in {"value", *DATES}:
            text = clean(pl.col(one.name))
            columns.append(_by_distinct(frame[one.name], pl.when(text != ".").then(text)))
        else:
            columns.append(_by_distinct(frame[one.name], without_absent(pl.col(one.name))))
    return frame.with_columns(columns)


def _by_distinct(column: pl.Series, made: pl.Expr) -> pl.Series:
    """`made` of each distinct text, spread over the column where texts repeat: an id of a long
    table is cleaned once, not once per row."""
    if column.len() < SHORT:
        return column.to_frame().select(made.alias(column.name))[column.name]
    distinct = column.unique()
    if distinct.len() * 4 > column.len():
        return column.to_frame().select(made.alias(column.name))[column.name]
    frame = distinct.to_frame()
    results = frame.select(made.alias("made"))["made"]
    if distinct.len() == 1:
        return results.new_from_index(0, column.len()).alias(column.name)
    if results.equals(distinct):
        return column
    return column.replace_strict(distinct, results, return_dtype=results.dtype)


def _mark_empty(frame: pl.DataFrame, contract: Contract) -> pl.DataFrame:
    nothing = pl.all_horizontal(pl.col(name).is_null() for name in contract.content)
    return frame.with_columns(nothing.alias("_empty"))


def _by_kind(frame: pl.DataFrame, contract: Contract, decimal: str, thousands: str) -> pl.DataFrame:
    """Numbers, whole numbers, flags and codes; a text that does not fit is a broken rule."""
    for one in contract.fields:
        text = pl.col(one.name)
        if frame[one.name].null_count() == frame.height:
            frame = frame.with_columns(text.cast(_dtype(one)))
            continue
        if one.kind == "text":
            continue
        if one.kind == "code":
            frame = frame.with_columns(_by_distinct(frame[one.name], translated(text, one.words)))
            continue
        made, rule = _converted(text, one, decimal, thousands)
        frame = frame.with_columns(made.alias("_made"))
        frame = refuse(frame, text.is_not_null() & pl.col("_made").is_null(), rule, one.name)
        frame = frame.with_columns(pl.col("_made").alias(one.name)).drop("_made")
    return frame


def _dtype(one: Field) -> pl.DataType:
    kinds = {"number": pl.Float64(), "integer": pl.Int64(), "flag": pl.Boolean()}
    return kinds.get(one.kind, pl.String())


def _converted(text: pl.Expr, one: Field, decimal: str, thousands: str) -> tuple[pl.Expr, str]:
    if one.kind == "flag":
        return as_flag(text), "not_a_flag"
    number = as_number(text, decimal, thousands)
    if one.kind == "number":
        return number, "not_a_number"
    whole = pl.when((number == number.floor()) & (number.abs() < 2**53)).then(number)
    return whole.cast(pl.Int64, strict=False), "not_a_whole_number"


def _dated(frame: pl.DataFrame, name: str, dates: str, timezone: str | None) -> pl.DataFrame:
    names = moment(name)
    if frame[name].null_count() == frame.height:
        return _undated(frame, name, names)
    frame = parse_moments(frame, name, dates, timezone)
    return refuse(frame, pl.col(names.rule).is_not_null(), pl.col(names.rule), name)


def _undated(frame: pl.DataFrame, name: str, names: Moment) -> pl.DataFrame:
    return frame.drop(name).with_columns(
        pl.lit(None, pl.String).alias(names.text),
        pl.lit(None, pl.String).alias(names.precision),
        pl.lit(None, pl.Datetime("us")).alias(names.utc),
        pl.lit(None, pl.Datetime("us")).alias(names.local),
        pl.lit(None, pl.String).alias(names.zone),
    )


def _delivered_days(frame: pl.DataFrame, table: Table) -> pl.DataFrame:
    """Days as the source counts them to days since infusion; `first_day: 1` has no day 0."""
    if table.first_day == "0":
        return frame
    for name in ("rel_day", "end_rel_day"):
        if name in frame.columns:
            day = pl.col(name)
            frame = refuse(frame, (day >= 0) & (day < 1), "day_zero", name)
            frame = frame.with_columns(pl.when(day >= 1).then(day - 1).otherwise(day).alias(name))
    return frame


def _measured(
    frame: pl.DataFrame, contract: Contract, profile: Profile, decimal: str, thousands: str
) -> pl.DataFrame:
    """The value with its bounds in the stored unit; text and unit as delivered are kept."""
    frame = _named(frame, contract, profile.metrics) if contract.name in NAMED else frame
    frame = frame.with_columns(pl.col("unit").alias("_raw_unit"))
    text = frame["value"]
    frame = parse_values(frame, profile.limits, decimal, thousands)
    frame = mark_character_results(frame, text)
    frame = refuse(frame, pl.col("_value_rule").is_not_null(), pl.col("_value_rule"), "value")
    code = CODES[contract.name]
    used = frame.select(code, "unit").unique()
    rows = [
        (name, unit, *conversion(contract.name, name or "", unit))
        for name, unit in used.iter_rows()
    ]
    types = {
        code: pl.String, "unit": pl.String, "_unit": pl.String, "_factor": pl.Float64,
        "_offset": pl.Float64, "_unit_rule": pl.String,
    }  # fmt: skip
    table = pl.DataFrame(rows, schema=types, orient="row")
    if table.height == 1:
        only = table.drop(code, "unit").row(0, named=True)
        frame = frame.with_columns(pl.lit(v, types[k]).alias(k) for k, v in only.items())
    else:
        frame = frame.join(
            table, on=[code, "unit"], how="left", nulls_equal=True, maintain_order="left"
        )
    frame = _converted_values(frame, contract)
    if "state" in frame.columns:
        worded = pl.col("value").is_null() & pl.col("state").is_not_null()
        frame = frame.with_columns(
            pl.when(worded).then(pl.lit("")).otherwise(pl.col("_unit")).alias("_unit"),
            pl.when(worded).then(None).otherwise(pl.col("_unit_rule")).alias("_unit_rule"),
        )
    broken, rule = pl.col("_unit_rule").is_not_null() & ~pl.col("_empty"), pl.col("_unit_rule")
    if FROM_NAME in frame.columns:
        frame = refuse(frame, broken & pl.col(FROM_NAME), rule, "metric")
    frame = refuse(frame, broken, rule, "unit")
    return frame.with_columns(pl.col("_unit").alias("unit")).drop(
        "_unit", "_factor", "_offset", "_unit_rule", "_value_rule", FROM_NAME, strict=False
    )


def _named(frame: pl.DataFrame, contract: Contract, declared: tuple[str, ...]) -> pl.DataFrame:
    """Metrics without the unit in their name; an unknown one is refused (`metric_names`)."""
    if has_no_name(frame):
        frame = split_metric(frame, declared)
    names = frame["metric"].drop_nulls().unique()
    if contract.name == "lesion_measurement":
        own = [name for name in names if not is_metric(name, declared)]
        frame = frame.with_columns(pl.col("metric").is_in(own).alias(UNDECLARED))
    refused = refused_names(contract.name, names, declared)
    if not refused:
        return frame
    wrong = pl.col("metric").is_in(refused) & ~pl.col("_empty")
    return refuse(frame, wrong, "metric_unknown", "metric")


def _converted_values(frame: pl.DataFrame, contract: Contract) -> pl.DataFrame:
    plain = (frame["_factor"] == 1.0).all() and (frame["_offset"] == 0.0).all()
    if plain:
        return frame
    limits = [name for name in ("lloq", "uloq", "lod", "ref_low", "ref_high") if name in frame]
    scaled = [
        (pl.col(name) * pl.col("_factor") + pl.col("_offset")).alias(name)
        for name in ("value", "upper", *limits)
    ]
    lower = pl.col("lower") * pl.col("_factor") + pl.col("_offset")
    kept_zero = pl.when(pl.col("censored") == "left").then(pl.col("lower")).otherwise(lower)
    return frame.with_columns(*scaled, kept_zero.alias("lower"))
