import gzip
import json
import zlib
from collections.abc import Callable
from typing import Any

import pytest

from analysis.errors import UserError
from etl.readers import datasetjson
from etl.sheets.sheet import Column, Sheet
from etl.source import source_from_bytes

ROWS: list[list[Any]] = [
    ["S-001", 1, 8.55, "0.10", True, "2024-01-01", "2024-01-01T10:00", "NA"],
    ["001", 9007199254740993, 39.0, "1E5", False, "2024-01", None, ""],
    [None, None, 39, None, None, None, "2024-01-02T10:00:00Z", "µ"],
]
TYPES = ("string", "integer", "float", "decimal", "boolean", "date", "datetime", "string")


def dataset() -> dict[str, Any]:
    return {
        "datasetJSONCreationDateTime": "2024-12-05T10:00:00",
        "datasetJSONVersion": "1.1.0",
        "itemGroupOID": "IG.LB",
        "records": len(ROWS),
        "name": "LB",
        "label": "Laboratory",
        "columns": [
            {"itemOID": f"IT.{i}", "name": f"V{i}", "label": f"label {i}", "dataType": kind}
            for i, kind in enumerate(TYPES)
        ],
        "rows": [list(row) for row in ROWS],
    }


def as_json(content: dict[str, Any]) -> bytes:
    return json.dumps(content).encode()


def as_pretty_json(content: dict[str, Any]) -> bytes:
    return b"\xef\xbb\xbf" + json.dumps(content, indent=2, ensure_ascii=False).encode()


def as_ndjson(content: dict[str, Any]) -> bytes:
    rows = content.pop("rows")
    return "\n".join(json.dumps(line) for line in (content, *rows)).encode() + b"\n"


def read(content: bytes) -> Sheet:
    source = source_from_bytes("lb.json", content)
    assert datasetjson.sniff(source)
    (sheet,) = datasetjson.read(source)
    return sheet


@pytest.mark.parametrize(
    "written",
    [
        as_json,
        as_pretty_json,
        as_ndjson,
        lambda content: gzip.compress(as_json(content)),
        lambda content: zlib.compress(as_ndjson(content)),
        lambda content: gzip.compress(as_ndjson(content)),
    ],
    ids=["json", "pretty", "ndjson", "json.gz", "ndjson zlib", "ndjson.gz"],
)
def test_golden(written: Callable[[dict[str, Any]], bytes]) -> None:
    sheet = read(written(dataset()))
    assert (sheet.name, sheet.label, sheet.header) == ("LB", "Laboratory", True)
    assert sheet.columns[2] == Column("V2", "label 2", "float")
    assert sheet.cells.rows() == [
        ("S-001", "1", "8.55", "0.10", "true", "2024-01-01", "2024-01-01T10:00", "NA"),
        ("001", "9007199254740993", "39", "1E5", "false", "2024-01", None, ""),
        (None, None, "39", None, None, None, "2024-01-02T10:00:00Z", "µ"),
    ]


def test_a_dataset_without_rows() -> None:
    content = {**dataset(), "records": 0, "rows": []}
    sheet = read(as_json(content))
    assert (sheet.cells.height, len(sheet.columns)) == (0, 8)


def broken(change: Callable[[dict[str, Any]], object]) -> bytes:
    content = dataset()
    change(content)
    return as_json(content)


BROKEN: list[tuple[str, bytes, str]] = [
    ("count", broken(lambda d: d.update(records=4)), "announces 4 records but holds 3"),
    ("width", broken(lambda d: d["rows"][1].pop()), "row 2 has 7 values, expected 8"),
    ("row", broken(lambda d: d["rows"].__setitem__(0, {"a": 1})), "row 1 has no list of values"),
    ("type", broken(lambda d: d["rows"][2].__setitem__(1, "7")), "row 3, column V1: a JSON str"),
    ("bool", broken(lambda d: d["rows"][0].__setitem__(1, True)), "row 1, column V1: a JSON bool"),
    ("text", broken(lambda d: d["rows"][0].__setitem__(0, 5)), "row 1, column V0: a JSON int"),
    ("decimal", broken(lambda d: d["rows"][0].__setitem__(3, "x")), "column V3: not a number"),
    ("kind", broken(lambda d: d["columns"][0].update(dataType="text")), "dataType 'text'"),
    ("twice", broken(lambda d: d["columns"][1].update(name="V0")), "used twice: V0"),
    ("key", broken(lambda d: d.pop("records")), "lacks records"),
    ("column key", broken(lambda d: d["columns"][3].pop("label")), "column 4 lacks label"),
    ("no columns", broken(lambda d: d.update(columns=[])), "at least one column"),
    ("version", broken(lambda d: d.update(datasetJSONVersion="1.0.0")), "version 1.0.0, expected"),
    ("half json", as_json(dataset())[:-40], "not valid JSON at line 1"),
    ("half ndjson", as_ndjson(dataset())[:-10], "not valid JSON at line 4"),
    ("lost line", as_ndjson(dataset()).rsplit(b"\n", 2)[0], "announces 3 records but holds 2"),
    ("more", as_json(dataset()) + b"\n[1]", "text after the end of the JSON object"),
]


@pytest.mark.parametrize(("case", "content", "reason"), BROKEN, ids=[case for case, *_ in BROKEN])
def test_each_check_refuses_with_its_reason(case: str, content: bytes, reason: str) -> None:
    with pytest.raises(UserError, match=reason) as caught:
        read(content)
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith("lb.json: ")


def test_other_json_is_not_claimed() -> None:
    assert not datasetjson.sniff(source_from_bytes("x.json", b'{"rows": [[1]]}'))
    assert not datasetjson.sniff(source_from_bytes("x.json", b"[1, 2]"))
