"""Measured texts to a number or to bounds: 12.5, <50, BLQ, >ULOQ. Exact, censored or refused.

Left-censored: lower 0, upper the limit. Right-censored: lower the limit, upper open. Words such as
BLQ take the limit of their own sample; without one the row is refused, never set to a number.
"""

import re
from collections.abc import Mapping
from typing import NamedTuple

import polars as pl

from etl.contracts.numbers import as_number, without_absent
from etl.profiles.headers import squash

BELOW = frozenset({
    "blq", "bloq", "bql", "blloq", "lloq", "<lloq", "<loq", "<blq", "<bloq", "<llq", "<lod",
    "belowloq", "belowlloq", "belowlod", "belowlimitofquantification", "belowlimitofdetection",
    "belowdetectionlimit", "belowquantificationlimit", "undetectable", "notdetected",
    "notdetectable",
})  # fmt: skip
ABOVE = frozenset({
    "aloq", "alq", "aql", ">uloq", ">loq", ">ulq", "aboveloq", "aboveuloq",
    "abovelimitofquantification",
})  # fmt: skip
DETECTION = frozenset({
    "<lod", "belowlod", "belowlimitofdetection", "belowdetectionlimit",
})  # fmt: skip
SENT_NUMBER = "_sent_number"
"""Column with the number that the sender gives beside the text of a result (SDTM --STRESN)."""
WORDED = "_worded"
"""Column that marks character results."""
CHARACTER_RESULT = r"^[^\d]*[\p{L}+][^\d]*$|^\d\s?\+$"
"""A result in words (NORMAL, POSITIVE, TRACE, ++) or a grade (1+): there is no number to lose."""
AMBIGUOUS = frozenset({"nd", "n.d.", "n.d"})
NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,2})?")
COMPARED = re.compile(r"^(<=|>=|≤|≥|<|>)\s*(.+)$")


class Reading(NamedTuple):
    """What a text that is no plain number means; `limit` names the field, `bound` the number."""

    side: str | None
    limit: str | None
    bound: float | None
    rule: str | None


def read_word(text: str, limits: Mapping[str, str], decimal: str, thousands: str) -> Reading:
    """The meaning of one text that is not a plain number."""
    word = squash(text).lower()
    told = {squash(key).lower(): side for key, side in limits.items()}
    joined = word.replace(" ", "")
    if word in told:
        return Reading(
            *("left", "lloq") if told[word] == "below" else ("right", "uloq"), None, None
        )
    if joined in BELOW:
        return Reading("left", "lod" if joined in DETECTION else "lloq", None, None)
    if joined in ABOVE:
        return Reading("right", "uloq", None, None)
    if word in AMBIGUOUS:
        return Reading(None, None, None, "ambiguous_nd")
    match = COMPARED.match(squash(text))
    if match:
        number = _limit_number(match.group(2), decimal, thousands)
        if number is not None:
            return Reading("left" if match.group(1)[0] in "<≤" else "right", None, number, None)
    return Reading(None, None, None, "not_a_number")


def _limit_number(text: str, decimal: str, thousands: str) -> float | None:
    if decimal == "point" and not thousands:
        return float(text) if NUMBER.fullmatch(text) else None
    number = pl.select(as_number(pl.lit(text), decimal, thousands)).item()
    return None if number is None else float(number)


def parse_values(
    frame: pl.DataFrame, limits: Mapping[str, str], decimal: str, thousands: str
) -> pl.DataFrame:
    """Adds value, lower, upper, censored and `_value_rule` to a frame with the text `value`.

    The limits lloq, uloq and lod are numbers already, null or absent.
    """
    for name in ("lloq", "uloq", "lod"):
        if name not in frame.columns:
            frame = frame.with_columns(pl.lit(None, pl.Float64).alias(name))
    frame = frame.with_columns(without_absent(pl.col("value")).alias("_text"))
    frame = frame.with_columns(as_number(pl.col("_text"), decimal, thousands).alias("value"))
    other = frame.filter(pl.col("value").is_null() & pl.col("_text").is_not_null())
    readings = _readings(other["_text"].unique(), limits, decimal, thousands)
    if readings.is_empty():
        frame = frame.with_columns(
            pl.lit(None, pl.Float64).alias("lower"),
            pl.lit(None, pl.Float64).alias("upper"),
            pl.lit("none").alias("censored"),
            pl.lit(None, pl.String).alias("_value_rule"),
        )
    else:
        frame = _censor(frame.join(readings, on="_text", how="left", maintain_order="left"))
    return _zero_below_limit(frame).drop("_text")


def mark_character_results(frame: pl.DataFrame, text: pl.Series) -> pl.DataFrame:
    """Character results are no numbers that could be lost: empty for a table of numbers, counted.

    Only where the table says in which column the sender gives the number (`SENT_NUMBER`) and that
    column is empty, and the text, as it was delivered, holds no digit but that of a grade.
    """
    if SENT_NUMBER not in frame.columns:
        return frame
    shaped = text.str.strip_chars().str.contains(CHARACTER_RESULT)
    unread = pl.col("_value_rule") == "not_a_number"
    worded = frame.select((unread & pl.col(SENT_NUMBER).is_null() & shaped).fill_null(False))
    return frame.with_columns(worded.to_series().alias(WORDED)).with_columns(
        (pl.col("_empty") | pl.col(WORDED)).alias("_empty"),
        pl.when(~pl.col(WORDED)).then(pl.col("_value_rule")).alias("_value_rule"),
    )


def _readings(
    texts: pl.Series, limits: Mapping[str, str], decimal: str, thousands: str
) -> pl.DataFrame:
    rows = [(text, *read_word(text, limits, decimal, thousands)) for text in texts]
    types = {
        "_text": pl.String,
        "_side": pl.String,
        "_limit": pl.String,
        "_bound": pl.Float64,
        "_value_rule": pl.String,
    }
    return pl.DataFrame(rows, schema=types, orient="row")


def _censor(frame: pl.DataFrame) -> pl.DataFrame:
    limit = (
        pl.when(pl.col("_limit") == "lloq")
        .then(pl.col("lloq"))
        .when(pl.col("_limit") == "lod")
        .then(pl.coalesce("lod", "lloq"))
        .when(pl.col("_limit") == "uloq")
        .then(pl.col("uloq"))
        .otherwise(pl.col("_bound"))
    )
    frame = frame.with_columns(limit.alias("_bound"))
    left, right = pl.col("_side") == "left", pl.col("_side") == "right"
    known = pl.col("_bound").is_not_null()
    return frame.with_columns(
        pl.when(left & known).then(0.0).when(right & known).then(pl.col("_bound")).alias("lower"),
        pl.when(left & known).then(pl.col("_bound")).alias("upper"),
        pl.when(known & (left | right))
        .then(pl.col("_side"))
        .otherwise(pl.lit("none"))
        .alias("censored"),
        pl.when(pl.col("_side").is_not_null() & ~known)
        .then(pl.lit("limit_missing"))
        .when(left & (pl.col("_bound") < 0))
        .then(pl.lit("limit_negative"))
        .otherwise(pl.col("_value_rule"))
        .alias("_value_rule"),
    ).drop("_side", "_limit", "_bound")


def _zero_below_limit(frame: pl.DataFrame) -> pl.DataFrame:
    """A zero of a sample with a limit is a result below that limit; counted in a finding."""
    if not frame["lloq"].is_not_null().any():
        return frame.with_columns(pl.lit(False).alias("_zero_censored"))
    zero = (pl.col("value") == 0) & (pl.col("lloq") > 0)
    frame = frame.with_columns(zero.fill_null(False).alias("_zero_censored"))
    hit = pl.col("_zero_censored")
    return frame.with_columns(
        pl.when(~hit).then(pl.col("value")).alias("value"),
        pl.when(hit).then(0.0).otherwise(pl.col("lower")).alias("lower"),
        pl.when(hit).then(pl.col("lloq")).otherwise(pl.col("upper")).alias("upper"),
        pl.when(hit).then(pl.lit("left")).otherwise(pl.col("censored")).alias("censored"),
    )
