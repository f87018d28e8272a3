import datetime as dt
import io
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter

from analysis.errors import UserError
from etl.readers import excel
from etl.sheets.sheet import CellRange, Sheet, column_letter
from etl.sheets.workbook_xml import column_position, format_kind
from etl.source import source_from_bytes
from etl.source_files import open_sources


def workbook(fill: Callable[[Any], None], **options: Any) -> bytes:
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer, {"in_memory": True, **options})
    fill(book)
    book.close()
    return buffer.getvalue()


def patched(content: bytes, member: str, old: str, new: str) -> bytes:
    """The workbook with one piece of its XML replaced (what xlsxwriter cannot write)."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as before, zipfile.ZipFile(out, "w") as after:
        for info in before.infolist():
            data = before.read(info)
            if info.filename == member:
                text, count = re.subn(old, new, data.decode())
                assert count, f"{old} is not in {member}"
                data = text.encode()
            after.writestr(info.filename, data)
    return out.getvalue()


def read(content: bytes, name: str = "x.xlsx") -> tuple[Sheet, ...]:
    source = source_from_bytes(name, content)
    assert excel.sniff(source)
    return excel.read(source)


def one_column(values: list[Any], formats: list[str | None] | None = None, **options: Any) -> bytes:
    def fill(book: Any) -> None:
        sheet = book.add_worksheet()
        for row, value in enumerate(values):
            code = formats[row] if formats else None
            form = book.add_format({"num_format": code}) if code else None
            if isinstance(value, bool):
                sheet.write_boolean(row, 0, value)
            elif isinstance(value, str):
                sheet.write_string(row, 0, value)
            else:
                sheet.write_number(row, 0, value, form)

    return workbook(fill, **options)


SHEET_XML = "xl/worksheets/sheet1.xml"
VALUES: list[tuple[Any, str]] = [
    (1, "1"),
    (0.5, "0.5"),
    (-0.25, "-0.25"),
    (1e-12, "1e-12"),
    (123456.123456789012, "123456.123456789"),
    (2.0**40, "1099511627776"),
    ("001", "001"),
    ("1E5", "1E5"),
    ("NA", "NA"),
    ("0.10", "0.10"),
    ("  x\u00a0", "  x\u00a0"),
    ("a\nb", "a\nb"),
    ("1,5", "1,5"),
    ("<50", "<50"),
    ("1e-12", "1e-12"),
    ("inf", "inf"),
    (True, "true"),
]


@pytest.mark.parametrize(("value", "text"), VALUES, ids=[repr(v) for v, _ in VALUES])
def test_cells_keep_their_exact_text(value: Any, text: str) -> None:
    (sheet,) = read(one_column([value]))
    assert sheet.cells.rows() == [(text,)]


@pytest.mark.parametrize(
    ("stored", "text"),
    [
        ("0.30000000000000004", "0.30000000000000004"),
        ("28.000000000000004", "28.000000000000004"),
        ("7.4999999999999997E-2", "0.075"),
        ("1.0", "1"),
        ("5.0E-324", "5e-324"),
        ("-0.0000000001", "-1e-10"),
    ],
)
def test_digits_beyond_the_ninth_are_kept(stored: str, text: str) -> None:
    content = patched(one_column([0.125]), SHEET_XML, r"<v>0\.125</v>", f"<v>{stored}</v>")
    (sheet,) = read(content)
    assert sheet.cells.rows() == [(text,)]


DATES: list[tuple[float, str, str]] = [
    (43831, "yyyy-mm-dd", "2020-01-01"),
    (43831, "yyyy-mm-dd hh:mm", "2020-01-01T00:00:00"),
    (43831.5, "yyyy-mm-dd hh:mm", "2020-01-01T12:00:00"),
    (43831.5, "yyyy-mm-dd", "2020-01-01T12:00:00"),
    (43831.604166666664, "dd/mm/yy hh:mm", "2020-01-01T14:30:00"),
    (0.5, "hh:mm", "12:00:00"),
    (0.336111111, "hh:mm:ss", "08:04:00"),
    (1.5, "[hh]:mm", "36:00:00"),
    (59, "yyyy-mm-dd", "1900-02-28"),
    (61, "yyyy-mm-dd", "1900-03-01"),
    (1, "yyyy-mm-dd", "1900-01-01"),
    (3.5, '0.0"d"', "3.5"),
    (3.5, "0.00%", "3.5"),
]


@pytest.mark.parametrize(("serial", "code", "text"), DATES)
def test_dates_are_iso_text_of_what_the_format_shows(serial: float, code: str, text: str) -> None:
    (sheet,) = read(one_column([serial], [code]))
    assert sheet.cells.rows() == [(text,)]


@pytest.mark.parametrize(
    ("serial", "code", "text"),
    [
        (1, "yyyy-mm-dd", "1904-01-02"),
        (0, "yyyy-mm-dd", "1904-01-01"),
        (42369, "yyyy-mm-dd", "2020-01-01"),
        (42369.25, "yyyy-mm-dd hh:mm", "2020-01-01T06:00:00"),
        (0.25, "hh:mm", "06:00:00"),
    ],
)
@pytest.mark.parametrize("flag", ["1", "true"])
def test_the_1904_system_is_honored(serial: float, code: str, text: str, flag: str) -> None:
    content = one_column([serial], [code])
    content = patched(content, "xl/workbook.xml", "<workbookPr ", f'<workbookPr date1904="{flag}" ')
    (sheet,) = read(content)
    assert sheet.cells.rows() == [(text,)]


def test_position_hidden_merged_errors_and_formulas() -> None:
    def fill(book: Any) -> None:
        sheet = book.add_worksheet("Data")
        sheet.merge_range("C2:D2", "Cytokines")
        sheet.write_string("C3", "IL-6")
        sheet.write_formula("C4", "=1/0", None, "#DIV/0!")
        sheet.write_formula("D4", "=1+1", None, 2)
        sheet.write_formula("C5", "=NOW()", None, "")
        sheet.write_formula("D5", '=""', None, "")
        sheet.set_row(2, options={"hidden": True})
        secret = book.add_worksheet("Key")
        secret.write_string("A1", "x")
        secret.hide()
        book.add_worksheet("Empty")

    content = workbook(fill)
    content = patched(content, SHEET_XML, '<c r="D5"', '<c r="D5" t="str"')
    data, key, empty = read(content)
    assert data.cells.rows() == [
        (None, None, None, None),
        (None, None, "Cytokines", None),
        (None, None, "IL-6", None),
        (None, None, "#DIV/0!", "2"),
        (None, None, None, ""),
    ]
    assert data.merged == (CellRange(2, 2, 2, 3),)
    assert data.source_rows()[3] == 4
    assert [(f.code, f.count) for f in data.findings] == [
        ("error_cells", 1),
        ("formula_without_value", 1),
        ("hidden_rows", 1),
    ]
    assert "first in row 4" in data.findings[0].message
    assert "first in row 5" in data.findings[1].message
    assert (data.hidden, key.hidden, empty.hidden) == (False, True, False)
    assert [f.code for f in key.findings] == ["hidden_sheet"]
    assert (key.name, key.cells.rows()) == ("Key", [("x",)])
    assert empty.cells.is_empty()


def test_formatted_rows_below_the_data_are_not_rows() -> None:
    def fill(book: Any) -> None:
        sheet = book.add_worksheet()
        sheet.write_string("A1", "x")
        for row in range(1, 500):
            sheet.write_blank(row, 30, None, book.add_format({"bold": True}))

    (sheet,) = read(workbook(fill))
    assert sheet.cells.shape == (1, 1)


def test_a_used_range_bomb_is_refused_before_it_is_read() -> None:
    def fill(book: Any) -> None:
        sheet = book.add_worksheet("S")
        sheet.write_number("A1", 1)
        sheet.write_number(1_048_575, 16_383, 1)

    content = workbook(fill)
    assert len(content) < 10_000
    with pytest.raises(UserError, match="'S' claims 17179869184 cells"):
        read(content)
    lying = patched(content, SHEET_XML, r"<dimension [^>]*/>", '<dimension ref="A1:B2"/>')
    with pytest.raises(UserError, match="'S' claims 17179869184 cells"):
        read(lying)


def test_half_written_and_protected_workbooks_say_so() -> None:
    content = one_column(list(range(2000)))
    with pytest.raises(UserError, match="half written"):
        read(content[: len(content) // 2])
    package = "EncryptedPackage".encode("utf-16-le")
    with pytest.raises(UserError, match="protected by a password"):
        read(excel.OLE_MAGIC + bytes(600) + package + bytes(600))


def test_a_workbook_that_expands_too_far_is_refused() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", b"<workbook/>")
        archive.writestr(SHEET_XML, bytes(100 * 1024**2))
    with pytest.raises(UserError, match="zip bomb"):
        read(out.getvalue())


def test_a_document_is_not_a_workbook() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("[Content_Types].xml", b"")
        archive.writestr("word/document.xml", b"")
    assert not excel.sniff(source_from_bytes("x.docx", out.getvalue()))


@pytest.mark.parametrize("ending", ["xlsx", "xls", "xlsb", "ods"])
@pytest.mark.parametrize(("system", "first"), [("1900", 1900), ("1904", 1904)])
def test_shared_date_systems(shared_data: Path, system: str, first: int, ending: str) -> None:
    path = shared_data / "awkward_files" / "xlsx_dates1904" / f"1904__{system}.{ending}"
    (source,) = open_sources([path])
    (sheet,) = excel.read(source)
    assert sheet.cells["c0"].to_list() == ["1", "11", "111", "1111", "11111"]
    # Columns C and D of these files are TEXT(B, "YYYY-MM-DD"): Excel's own word on column B.
    dates = [text[:10] for text in sheet.cells["c1"].to_list()]
    assert dates == sheet.cells["c2"].to_list()
    assert dt.date.fromisoformat(dates[0]).year == first


def test_the_shared_workbook_with_three_header_rows(shared_data: Path) -> None:
    path = shared_data / "car22_nci_ball" / "clinical_data_05-12-20_v1.xlsx"
    (source,) = open_sources([path])
    sheets = excel.read(source)
    data = sheets[0]
    assert (data.name, data.cells.shape) == ("Sel Data w Dates (ev and odd)", (62, 629))
    assert data.cells.row(2)[:2] == ("Randomized ID", "HLH (0=No/1=Yes)")
    assert data.cells.row(3)[0] == "277"
    assert data.merged[0] == CellRange(1, 0, 1, 20)
    assert data.first_row == 1


def test_letters_and_positions() -> None:
    assert [column_letter(n) for n in (0, 25, 26, 701, 702, 16_383)] == [
        *("A", "Z", "AA", "ZZ", "AAA", "XFD")
    ]
    assert [column_position(letters) for letters in ("A", "Z", "AA", "XFD")] == [0, 25, 26, 16_383]


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("yyyy-mm-dd", ""),
        ("hh:mm", "time"),
        ("d/m/yy h:mm", "datetime"),
        ("[h]:mm:ss", "elapsed"),
        ("General", ""),
        ('0.0" hours"', ""),
        ("[Red]0.0", ""),
        ("[$-409]h:mm AM/PM", "time"),
        ("mm:ss.0", "time"),
    ],
)
def test_number_formats(code: str, kind: str) -> None:
    assert format_kind(code) == kind
