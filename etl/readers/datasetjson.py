"""CDISC Dataset-JSON 1.1: .json, .ndjson and compressed .dsjc, with the checks the format asks for.

Specification: CDISC Dataset-JSON v1.1 (2024-12-05).
"""

import re
from typing import Any, NamedTuple

import polars as pl

from analysis.errors import UserError
from etl.sheets.sheet import Column, Sheet
from etl.sheets.typed_text import number_text
from etl.source import Source

NAME = "datasetjson"
VERSION = re.compile(r"1\.1(\.\d+)?")
REQUIRED = (
    *("datasetJSONCreationDateTime", "datasetJSONVersion", "itemGroupOID"),
    *("records", "name", "label", "columns"),
)
COLUMN_REQUIRED = ("itemOID", "name", "label", "dataType")
NUMBERS: frozenset[type] = frozenset({int, float})
TEXT: frozenset[type] = frozenset({str})
TYPES: dict[str, frozenset[type]] = {
    "string": TEXT,
    "integer": frozenset({int}),
    "decimal": TEXT,
    "float": NUMBERS,
    "double": NUMBERS,
    "boolean": frozenset({bool}),
    "datetime": TEXT,
    "date": TEXT,
    "time": TEXT,
    "URI": TEXT,
}
DECIMAL = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")


class _Dataset(NamedTuple):
    meta: dict[str, Any]
    rows: list[Any]


def sniff(source: Source) -> bool:
    """A JSON object that names the version of Dataset-JSON (also inside gzip or zlib)."""
    head = source.head().removeprefix(b"\xef\xbb\xbf").lstrip()
    return head.startswith(b"{") and b'"datasetJSONVersion"' in head


def read(source: Source) -> tuple[Sheet, ...]:
    """The one dataset; null stays null and "" stays "". Raises UserError where a check fails."""
    dataset = _parse(source.name, source.unpacked().removeprefix(b"\xef\xbb\xbf"))
    columns = _checked_columns(source.name, dataset.meta)
    _check_rows(source.name, dataset, len(columns))
    cells = [
        _as_text(source.name, column, [row[position] for row in dataset.rows]).alias(f"c{position}")
        for position, column in enumerate(columns)
    ]
    return (
        Sheet(
            source.name,
            str(dataset.meta["name"]),
            pl.DataFrame(cells),
            header=True,
            columns=tuple(columns),
            label=str(dataset.meta["label"]),
        ),
    )


def _parse(name: str, content: bytes) -> _Dataset:
    """Metadata and rows of either layout: one object, or a metadata line and one array per row."""
    import orjson

    first, _, rest = content.lstrip().partition(b"\n")
    try:
        meta = orjson.loads(first)
    except orjson.JSONDecodeError:
        meta, rest = _loads(name, content, 1), b""
    if not rest.strip():
        return _Dataset(meta, meta.get("rows", []))
    if "rows" in meta:
        raise UserError(f"{name}: text after the end of the JSON object; export it again")
    lines = enumerate(rest.split(b"\n"), start=2)
    return _Dataset(meta, [_loads(name, text, line) for line, text in lines if text.strip()])


def _loads(name: str, text: bytes, line: int) -> Any:
    import orjson

    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        where = f"line {line + error.lineno - 1}, column {error.colno}"
        raise UserError(
            f"{name}: not valid JSON at {where} ({error.msg}); "
            "the file is half written or damaged, export it again"
        ) from error


def _checked_columns(name: str, meta: dict[str, Any]) -> list[Column]:
    version = str(meta.get("datasetJSONVersion"))
    if not VERSION.fullmatch(version):
        raise UserError(f"{name}: Dataset-JSON version {version[:20]}, expected 1.1; convert it")
    missing = [key for key in REQUIRED if key not in meta]
    if missing:
        raise UserError(f"{name}: lacks {', '.join(missing)}, which Dataset-JSON 1.1 requires")
    if not isinstance(meta["columns"], list) or not meta["columns"]:
        raise UserError(f"{name}: 'columns' must be a list with at least one column")
    columns = []
    for position, item in enumerate(meta["columns"], start=1):
        absent = [key for key in COLUMN_REQUIRED if key not in item]
        if absent:
            raise UserError(f"{name}: column {position} lacks {', '.join(absent)}")
        column = Column(str(item["name"]), str(item["label"]), str(item["dataType"]))
        if column.type not in TYPES:
            raise UserError(
                f"{name}: column {column.name} has dataType '{column.type}'; "
                f"expected one of {', '.join(TYPES)}"
            )
        columns.append(column)
    names = [column.name for column in columns]
    twice = sorted({column for column in names if names.count(column) > 1})
    if twice:
        raise UserError(f"{name}: column names are used twice: {', '.join(twice)}")
    return columns


def _check_rows(name: str, dataset: _Dataset, width: int) -> None:
    rows, records = dataset.rows, dataset.meta["records"]
    if not isinstance(rows, list):
        raise UserError(f"{name}: 'rows' must be a list of rows")
    if records != len(rows):
        raise UserError(
            f"{name}: announces {records} records but holds {len(rows)}; "
            "the file is half written or was edited, export it again"
        )
    for number, row in enumerate(rows, start=1):
        if not isinstance(row, list) or len(row) != width:
            found = len(row) if isinstance(row, list) else "no list of"
            raise UserError(f"{name}: row {number} has {found} values, expected {width}")


def _as_text(name: str, column: Column, values: list[Any]) -> pl.Series:
    """The column as text. Raises UserError naming the first row whose value has the wrong type."""
    allowed = TYPES[column.type] | {type(None)}
    if not set(map(type, values)) <= allowed:
        row = next(i for i, value in enumerate(values, start=1) if type(value) not in allowed)
        raise UserError(
            f"{name}: row {row}, column {column.name}: a JSON {type(values[row - 1]).__name__} "
            f"where dataType '{column.type}' is declared"
        )
    if column.type == "decimal":
        _check_decimals(name, column, values)
    if column.type == "boolean":
        return pl.Series(
            [None if value is None else str(value).lower() for value in values], dtype=pl.String
        )
    if column.type in ("float", "double") and any(type(value) is float for value in values):
        return _float_text(values)
    return pl.Series([None if value is None else str(value) for value in values], dtype=pl.String)


def _float_text(values: list[Any]) -> pl.Series:
    """Floats by their shortest exact text; integers in a float column keep all digits."""
    floats = pl.DataFrame(
        {"n": [v if type(v) is float else None for v in values]}, {"n": pl.Float64}
    )
    text = floats.select(number_text(pl.col("n")).alias("text"))["text"]
    whole = pl.Series([str(v) if type(v) is int else None for v in values], dtype=pl.String)
    return pl.select(pl.coalesce(text, whole)).to_series()


def _check_decimals(name: str, column: Column, values: list[Any]) -> None:
    for row, value in enumerate(values, start=1):
        if value and not DECIMAL.fullmatch(value):
            raise UserError(
                f"{name}: row {row}, column {column.name}: not a number "
                "where dataType 'decimal' is declared"
            )
