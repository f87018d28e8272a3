"""Keys of records: 64-bit hashes of the natural key and of the content, over whole columns.

blake2b with 8 bytes, read as a signed integer, so that both databases hold it as BIGINT. At one
million records of a study the chance that any two natural keys share a hash is 3e-8.
"""

from collections.abc import Iterable
from hashlib import blake2b

import numpy as np
import polars as pl

from etl.contracts.contract import Contract

SEPARATOR = "\x1f"
TIME_KEY = ("dtm_utc", "rel_day", "nominal_day", "visit")
"""What tells the records of one series apart: the first of these that is known, with the text of
a partial date beside the visit."""

WITH_UNIT = frozenset({"kinetics_sample", "laboratory_result"})
"""Percent and cells per uL of one analyte are two records of one sample."""


def hash64(texts: pl.Series) -> pl.Series:
    """blake2b-64 of each text as a signed integer."""
    start = blake2b(digest_size=8).copy  # a quarter cheaper than to parse the options per text
    digests = []
    for text in texts.cast(pl.Binary).to_list():
        hashed = start()
        hashed.update(text)
        digests.append(hashed.digest())
    numbers = np.frombuffer(b"".join(digests), dtype=">i8").astype(np.int64)
    return pl.Series(texts.name, numbers)


def _text(name: str, dtype: pl.DataType) -> pl.Expr:
    column = pl.col(name)
    if isinstance(dtype, pl.Datetime):
        return column.dt.strftime("%Y-%m-%dT%H:%M:%S%.6f")
    return column.cast(pl.String)


def _named(frame: pl.DataFrame, names: Iterable[str]) -> pl.Expr:
    """name=value of every known column, one after the other; nulls leave no trace, so columns may
    be added to a table without changing a hash."""
    parts: list[pl.Expr] = []
    for name in names:
        missing = frame[name].null_count()
        text = _text(name, frame.schema[name])
        if missing == 0:
            parts += [pl.lit(f"{name}="), text, pl.lit(SEPARATOR)]
        elif missing < frame.height:
            known = pl.concat_str([pl.lit(f"{name}="), text, pl.lit(SEPARATOR)])
            parts.append(known.fill_null(""))
    return pl.concat_str(parts) if parts else pl.lit("")


def _time_part(frame: pl.DataFrame) -> pl.Expr:
    parts = [
        pl.lit(f"{name}=") + _text(name, frame.schema[name])
        for name in TIME_KEY
        if frame[name].null_count() < frame.height
    ]
    first = pl.coalesce(*parts, pl.lit("")) if parts else pl.lit("")
    partial = pl.when(pl.col("dtm_utc").is_null()).then(pl.lit("text=") + pl.col("dtm_text"))
    return pl.concat_str([first, partial], separator=SEPARATOR, ignore_nulls=True)


def with_hashes(frame: pl.DataFrame, contract: Contract) -> pl.DataFrame:
    """The records with `record_key` and `content_hash`: both texts are written side by side."""
    texts = frame.select(
        record_key=_key_text(frame, contract), content_hash=_content_text(frame, contract)
    )
    return frame.with_columns(
        record_key=hash64(texts["record_key"]), content_hash=hash64(texts["content_hash"])
    )


def content_hashes(frame: pl.DataFrame, contract: Contract) -> pl.Series:
    """The hash of each record's content; columns that do not exist in the frame do not count."""
    return hash64(frame.select(content_hash=_content_text(frame, contract))["content_hash"])


def _key_text(frame: pl.DataFrame, contract: Contract) -> pl.Expr:
    names = [name for name in contract.key if name != "time"]
    if contract.name in WITH_UNIT:
        names.append("unit")
    key = _named(frame, names)
    if "time" in contract.key:
        key = pl.concat_str([key, _time_part(frame)], separator=SEPARATOR)
    return pl.concat_str([pl.lit(contract.name + SEPARATOR), key])


def _content_text(frame: pl.DataFrame, contract: Contract) -> pl.Expr:
    return _named(frame, [name for name in content_columns(contract) if name in frame.columns])


def content_columns(contract: Contract) -> tuple[str, ...]:
    """The stored columns whose change makes a new version of the record."""
    names = [one.name for one in contract.stored if one.name != "label_dtm"]
    if contract.name == "subject":
        names += ["subjid", "siteid"]
    if contract.name == "infusion":
        names += ["label_dtm_text", "label_dtm_utc"]
    if contract.timed:
        names += ["dtm_utc", "dtm_text", "tz", "dtm_precision", "rel_day", "rel_day_source"]
        names += ["visit", "visitnum", "nominal_day"]
    if contract.interval:
        names += ["end_dtm_utc", "end_dtm_text", "end_dtm_precision", "end_rel_day", "ongoing"]
    if contract.measured:
        names += ["value", "lower", "upper", "unit", "censored"]
    return tuple(dict.fromkeys(names))
