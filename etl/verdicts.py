"""The last checks on typed records: the schema's rules, and records with the same key.

Every record ends with one verdict: loaded, refused, duplicate or empty.
"""

import polars as pl

from etl.contracts.contract import RECORD, Contract
from etl.contracts.refusal import refuse
from etl.contracts.rules import named_rule
from etl.keys import with_hashes

OTHER = "_other"
"""Number of the record that a refused one is in conflict with; the column may be absent."""
LOADED, REFUSED, DUPLICATE, EMPTY = "loaded", "refused", "duplicate", "empty"


def apply_schema(frame: pl.DataFrame, contract: Contract) -> pl.DataFrame:
    """Marks the records that break a rule of the contract's dataframely schema."""
    names = contract.schema.column_names()
    clean = frame.filter(pl.col("_rule").is_null() & ~pl.col("_empty"))
    result = contract.schema.filter(contract.schema.cast(clean.select(names)))
    failed = result.failure
    if len(failed) == 0:
        return frame
    details = failed.details()
    rules = [name for name in details.columns if name not in names]
    first = pl.coalesce(
        *(pl.when(pl.col(name).cast(pl.String) == "invalid").then(pl.lit(name)) for name in rules)
    )
    broken = details.select(RECORD, first.alias("_named"))
    words = {name: named_rule(name) for name in rules}
    broken = broken.select(
        RECORD,
        pl.col("_named").replace_strict({n: w[0] for n, w in words.items()}).alias("_new_rule"),
        pl.col("_named").replace_strict({n: w[1] for n, w in words.items()}).alias("_new_bad"),
    )
    frame = frame.join(broken, on=RECORD, how="left", maintain_order="left")
    return frame.with_columns(
        pl.coalesce("_rule", "_new_rule").alias("_rule"),
        pl.coalesce("_bad", "_new_bad").alias("_bad"),
    ).drop("_new_rule", "_new_bad")


def apply_keys(frame: pl.DataFrame, contract: Contract, numbered: bool) -> pl.DataFrame:
    """Adds record_key, content_hash and `_verdict`; same key and other content is a conflict."""
    frame = with_hashes(frame, contract)
    if numbered and "replicate" in contract.field_names:
        frame = _numbered(frame, contract)
    open_rows = pl.col("_rule").is_null() & ~pl.col("_empty")
    candidates = frame.filter(open_rows).select(RECORD, "record_key", "content_hash")
    if candidates["record_key"].n_unique() < candidates.height:
        frame = _same_keys(frame, candidates, contract)
    else:
        frame = frame.with_columns(pl.lit(False).alias("_again"))
    return frame.with_columns(
        pl.when("_empty").then(pl.lit(EMPTY))
        .when(pl.col("_rule").is_not_null()).then(pl.lit(REFUSED))
        .when("_again").then(pl.lit(DUPLICATE))
        .otherwise(pl.lit(LOADED)).alias("_verdict")
    ).drop("_again")  # fmt: skip


def _same_keys(frame: pl.DataFrame, candidates: pl.DataFrame, contract: Contract) -> pl.DataFrame:
    groups = candidates.with_columns(
        (pl.col("content_hash").n_unique().over("record_key") > 1).alias("_differs"),
        (pl.col(RECORD) > pl.col(RECORD).min().over("record_key")).alias("_again"),
        _other().alias(OTHER),
    )
    other = pl.when("_differs").then(OTHER).alias(OTHER)
    marks = groups.select(RECORD, "_differs", pl.col("_again") & ~pl.col("_differs"), other)
    frame = frame.join(marks, on=RECORD, how="left", maintain_order="left").with_columns(
        pl.col("_differs").fill_null(False), pl.col("_again").fill_null(False)
    )
    column = contract.content[0] if contract.content else contract.key[0]
    return refuse(frame, pl.col("_differs"), "conflict", column).drop("_differs")


def _other() -> pl.Expr:
    """The first record of the same key with another content."""
    content = pl.col("content_hash")
    second = pl.col(RECORD).filter(content != content.first()).first().over("record_key")
    is_first_content = content == content.first().over("record_key")
    return (
        pl.when(is_first_content).then(second).otherwise(pl.col(RECORD).first().over("record_key"))
    )


def _numbered(frame: pl.DataFrame, contract: Contract) -> pl.DataFrame:
    """Numbers records of one key in file order; records of one content share their number."""
    open_rows = pl.col("_rule").is_null() & ~pl.col("_empty")
    chosen = frame.filter(open_rows).select(RECORD, "record_key", "content_hash")
    firsts = chosen.unique(["record_key", "content_hash"], keep="first", maintain_order=True)
    numbers = firsts.with_columns(
        pl.int_range(1, pl.len() + 1).over("record_key").cast(pl.Int64).alias("_number")
    ).drop(RECORD)
    if numbers["_number"].max() in (None, 1):
        return frame
    numbered = chosen.join(numbers, on=["record_key", "content_hash"], how="left")
    frame = frame.join(
        numbered.select(RECORD, "_number"), on=RECORD, how="left", maintain_order="left"
    )
    frame = frame.with_columns(pl.coalesce("_number", "replicate").alias("replicate"))
    return with_hashes(frame.drop("_number"), contract)
