import csv as standard_csv
import gzip
import io

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.errors import UserError
from etl.readers import csv
from etl.sheets.sheet import Sheet
from etl.source import source_from_bytes


def read(content: bytes, name: str = "x.csv") -> Sheet:
    (sheet,) = csv.read(source_from_bytes(name, content))
    return sheet


GOLDEN: list[tuple[str, bytes, list[tuple[str | None, ...]]]] = [
    ("plain", b"a,b\n1,2\n", [("a", "b"), ("1", "2")]),
    ("no last line end", b"a,b\n1,2", [("a", "b"), ("1", "2")]),
    ("windows line ends", b"a,b\r\n1,2\r\n", [("a", "b"), ("1", "2")]),
    ("cr only", b"a,b\r1,2\r3,4", [("a", "b"), ("1", "2"), ("3", "4")]),
    ("NA is text", b"region,x\nNA,1\n", [("region", "x"), ("NA", "1")]),
    ("leading zeros", b"id,x\n001,1\n1,2\n", [("id", "x"), ("001", "1"), ("1", "2")]),
    ("exponent id", b"id,x\n1E5,1\n", [("id", "x"), ("1E5", "1")]),
    ("null words", b"a,b\nnull,NaN\n", [("a", "b"), ("null", "NaN")]),
    ("true", b"a,b\ntrue,TRUE\n", [("a", "b"), ("true", "TRUE")]),
    ("decimal comma", b"id;n;x\nS1;0;1,5\n", [("id", "n", "x"), ("S1", "0", "1,5")]),
    (
        "all decimal commas",
        b"x;y\n1,5;2,5\n3,5;4,5\n",
        [("x", "y"), ("1,5", "2,5"), ("3,5", "4,5")],
    ),
    ("tab", b"a\tb\n1,5\t2\n", [("a", "b"), ("1,5", "2")]),
    ("bar", b"a|b\n1|2\n", [("a", "b"), ("1", "2")]),
    ("excel sep line", b"sep=;\na;b\n1;2\n", [("a", "b"), ("1", "2")]),
    ("blanks kept", b" a , b \n  x ,y\n", [(" a ", " b "), ("  x ", "y")]),
    ("nbsp", "a,b\n1\u00a0000,x\n".encode(), [("a", "b"), ("1\u00a0000", "x")]),
    ("two mu", "µL,μL\n1,2\n".encode(), [("µL", "μL"), ("1", "2")]),
    ("empty cells", b'a,b\n,""\n', [("a", "b"), ("", "")]),
    ("quotes", b'a,b\n"x, y","say ""hi"""\n', [("a", "b"), ("x, y", 'say "hi"')]),
    ("line in cell", b'a,b\n"x\ny",1\n', [("a", "b"), ("x\ny", "1")]),
    ("inch mark", b'a,b\n5" nail,1\n', [("a", "b"), ('5" nail', "1")]),
    ("duplicate headers", b"a,a\n1,2\n", [("a", "a"), ("1", "2")]),
    ("empty header cell", b"a,,b\n1,2,3\n", [("a", "", "b"), ("1", "2", "3")]),
    (
        "units row",
        b"day,value\nd,copies/ug\n0,1\n",
        [("day", "value"), ("d", "copies/ug"), ("0", "1")],
    ),
    ("short row", b"a,b,c\n1,2\n3,4,5\n", [("a", "b", "c"), ("1", "2", None), ("3", "4", "5")]),
    ("long row", b"a,b\n1,2,3\n4,5\n", [("a", "b", None), ("1", "2", "3"), ("4", "5", None)]),
    ("blank line", b"a,b\n\n1,2\n", [("a", "b"), (None, None), ("1", "2")]),
    ("title line", b"Export\na,b\n1,2\n", [("Export", None), ("a", "b"), ("1", "2")]),
    ("nul", b"a,b\nx\0y,1\n", [("a", "b"), ("x\0y", "1")]),
    ("bom", b"\xef\xbb\xbfa,b\n1,2\n", [("a", "b"), ("1", "2")]),
    ("utf-16", "a,b\né,2\n".encode("utf-16"), [("a", "b"), ("é", "2")]),
    ("utf-16 without mark", "a,b\nc,2\n".encode("utf-16-le"), [("a", "b"), ("c", "2")]),
    ("cp1252", "a,b\n5 µg,€\n".encode("cp1252"), [("a", "b"), ("5 µg", "€")]),
    ("gzip", gzip.compress(b"a,b\n1,2\n"), [("a", "b"), ("1", "2")]),
    ("one column", b"a\n1\n2\n", [("a",), ("1",), ("2",)]),
    (
        "prose in one column",
        b"note\nyes, but\nno\n",
        [("note", None), ("yes", " but"), ("no", None)],
    ),
    ("censored words", b"a,b\n<LOQ,BLQ\n<50,---\n", [("a", "b"), ("<LOQ", "BLQ"), ("<50", "---")]),
    ("comment sign", b"#a,b\n1,2\n", [("#a", "b"), ("1", "2")]),
    ("trailing total", b"a,b\n1,2\nTotal,2\n", [("a", "b"), ("1", "2"), ("Total", "2")]),
]


@pytest.mark.parametrize(("case", "content", "rows"), GOLDEN, ids=[case for case, *_ in GOLDEN])
def test_golden(case: str, content: bytes, rows: list[tuple[str | None, ...]]) -> None:
    sheet = read(content)
    assert sheet.cells.rows() == rows
    assert sheet.cells.columns == [f"c{i}" for i in range(len(rows[0]))]
    assert not sheet.header
    assert csv.sniff(source_from_bytes("x.csv", content))


CODES: list[tuple[bytes, list[tuple[str, str, int]]]] = [
    (b"a,b\n1,2\n", []),
    ("a,b\n5 µg,1\n".encode("cp1252"), [("encoding", "warning", 1)]),
    ("a,b\n1,2\n".encode("utf-16"), [("encoding", "info", 1)]),
    (b"a,b\n1,2,3\n4,5\n6\n7,8\n", [("ragged_rows", "warning", 2)]),
    (b"a,b\r1,2\r", [("line_ends", "info", 1)]),
    (b"a,b\nx\0y\0,1\n", [("nul", "warning", 2)]),
    (b'a,b\n"x"y,1\n', [("malformed_quotes", "warning", 1)]),
]


@pytest.mark.parametrize(("content", "expected"), CODES)
def test_what_was_odd_is_a_finding(content: bytes, expected: list[tuple[str, str, int]]) -> None:
    found = [(f.code, f.severity, f.count) for f in read(content).findings]
    assert found == expected


def test_ragged_rows_carry_their_field_counts() -> None:
    sheet = read(b"a,b\n1,2,3\n4\n\n5,6\n")
    assert sheet.field_counts is not None
    assert sheet.field_counts.to_list() == [2, 3, 1, 0, 2]
    assert (
        "3 rows with more or fewer than the usual 2 fields, the first is row 2"
        in sheet.findings[0].message
    )


def test_row_numbers_are_lines_of_the_file() -> None:
    sheet = read(b'a,b\n"x\ny\nz",1\nq,2\n')
    assert sheet.source_rows().to_list() == [1, 2, 5]
    exact = read(b'a,b\n"x\ny\nz",1\nq,2,3\n')  # the other way through the reader
    assert exact.source_rows().to_list() == [1, 2, 5]
    assert read(b"a,b\n1,2\n").source_rows().to_list() == [1, 2]
    assert read(b"sep=;\na;b\n1;2\n").source_rows().to_list() == [2, 3]
    assert read(b"sep=;\na;b\n1;2;3\n").findings[0].message.endswith("the first is row 3")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b'a,b\n"cut in the midd', "ends inside a quoted field"),
        (b" \n \r\n", "holds no text"),
        ("a,b\nx,y\n".encode("utf-16")[:-1], "not valid utf-16"),
    ],
)
def test_half_files_are_refused(content: bytes, reason: str) -> None:
    with pytest.raises(UserError, match=reason):
        read(content)


@pytest.mark.parametrize(
    "content",
    [b"<?xml version='1.0'?><a/>", b'{"a": 1}', b"%PDF-1.4", b"\0" * 100, b"ID;PWXL\nC"],
)
def test_other_formats_are_not_claimed(content: bytes) -> None:
    assert not csv.sniff(source_from_bytes("x.txt", content))


TEXT = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S", "Z")) | st.just("\n"))


@settings(max_examples=300, deadline=None)
@given(
    st.integers(2, 4).flatmap(
        lambda width: st.lists(
            st.lists(TEXT, min_size=width, max_size=width), min_size=1, max_size=8
        )
    ),
    st.sampled_from([",", ";", "\t", "|"]),
    st.sampled_from(["\n", "\r\n"]),
)
def test_what_is_written_is_read(rows: list[list[str]], delimiter: str, line_end: str) -> None:
    buffer = io.StringIO()
    writer = standard_csv.writer(
        buffer, delimiter=delimiter, lineterminator=line_end, quoting=standard_csv.QUOTE_ALL
    )
    writer.writerows(rows)
    sheet = read(buffer.getvalue().encode())
    assert sheet.cells.rows() == [tuple(row) for row in rows]


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.lists(st.text('ab01 ,;"\n\u00e9', max_size=5), min_size=1, max_size=4),
        min_size=1,
        max_size=6,
    )
)
def test_the_fast_and_the_exact_way_agree(rows: list[list[str]]) -> None:
    buffer = io.StringIO()
    standard_csv.writer(buffer, lineterminator="\n").writerows(rows)
    data = buffer.getvalue().encode().rstrip(b"\r\n")
    fast = csv._read_fast(data, ",") if data else None
    if fast is not None:
        exact = csv._read_exact("x", data, ",")
        assert fast.cells.rows() == exact.cells.rows()
        lines = list(range(1, exact.cells.height + 1))
        assert _lines(fast.row_numbers, lines) == _lines(exact.row_numbers, lines)


def test_a_short_row_and_a_long_one_are_not_taken_for_two_whole_ones() -> None:
    sheet = read(b"a,b\nc\nd,e,")
    assert sheet.cells.rows() == [("a", "b", None), ("c", None, None), ("d", "e", "")]
    assert sheet.field_counts is not None
    assert sheet.field_counts.to_list() == [2, 1, 3]


def _lines(numbers: pl.Series | None, otherwise: list[int]) -> list[int]:
    return otherwise if numbers is None else numbers.to_list()
