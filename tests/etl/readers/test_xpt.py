from pathlib import Path

import polars as pl
import pyreadstat
import pytest

from analysis.errors import UserError
from etl.readers import datasetjson, xpt
from etl.sheets.sheet import Column, Sheet
from etl.source import source_from_bytes
from etl.source_files import open_sources

SHARED_PAIRS = ("dm", "ex", "lb", "rs", "ae")


def transport(path: Path, frame: pl.DataFrame, version: int = 5, **options: object) -> bytes:
    pyreadstat.write_xport(
        frame,
        path,
        file_label="Laboratory",
        column_labels=[f"label of {name}" for name in frame.columns],
        table_name="LB",
        file_format_version=version,
        **options,
    )
    return path.read_bytes()


def read(content: bytes) -> Sheet:
    source = source_from_bytes("lb.xpt", content)
    assert xpt.sniff(source)
    (sheet,) = xpt.read(source)
    return sheet


FRAME = pl.DataFrame(
    {
        "USUBJID": ["001", "NA", "1E5"],
        "LBORRES": ["<50", "", "12,5"],
        "LBSTRESN": [0.1, None, -1000.25],
        "LBSEQ": [1.0, 2.0, 3.0],
        "LBDT": [0.0, 21310.0, None],
        "LBDTM": [1841220610.0, 0.5, None],
        "LBTM": [36610.0, 0.0, None],
    }
)
FORMATS = {"LBDT": "DATE9", "LBDTM": "DATETIME20", "LBTM": "TIME8"}


@pytest.mark.parametrize("version", [5, 8])
def test_golden(tmp_path: Path, version: int) -> None:
    sheet = read(transport(tmp_path / "lb.xpt", FRAME, version, variable_format=FORMATS))
    assert (sheet.name, sheet.label, sheet.header) == ("LB", "Laboratory", True)
    assert sheet.columns[0] == Column("USUBJID", "label of USUBJID", "string")
    assert [column.type for column in sheet.columns] == [
        *("string", "string", "number", "number", "date", "datetime", "time")
    ]
    assert sheet.cells.rows() == [
        ("001", "<50", "0.1", "1", "1960-01-01", "2018-05-06T10:10:10", "10:10:10"),
        ("NA", None, None, "2", "2018-05-06", "1960-01-01T00:00:00.500", "00:00:00"),
        ("1E5", "12,5", "-1000.25", "3", None, None, None),
    ]
    assert sheet.source_rows().to_list() == [1, 2, 3]


def test_numbers_off_by_last_bits_are_read_as_written_and_named(tmp_path: Path) -> None:
    values = [8.549999999999999, 88.39999999999998, 1 / 3, 0.1 + 0.2, 8.54999999]
    sheet = read(transport(tmp_path / "x.xpt", pl.DataFrame({"V": values})))
    assert sheet.cells["c0"].to_list() == [
        *("8.55", "88.4", "0.3333333333333333", "0.3", "8.54999999")
    ]
    assert [(f.code, f.count) for f in sheet.findings] == [("conversion_noise", 3)]


def test_a_dataset_without_rows_keeps_its_columns(tmp_path: Path) -> None:
    sheet = read(transport(tmp_path / "x.xpt", FRAME.head(0)))
    assert sheet.cells.height == 0
    assert len(sheet.columns) == 7


def test_half_written_files_are_refused(tmp_path: Path) -> None:
    wide = pl.DataFrame({"A": ["x" * 150 + str(i) for i in range(50)]})
    content = transport(tmp_path / "x.xpt", wide)
    with pytest.raises(UserError, match="multiple of 80 bytes; the file is half written"):
        read(content[:-100])
    with pytest.raises(UserError, match=r"end in the middle of row \d+; the file is half written"):
        read(content[:-160])


def test_several_datasets_in_one_file_are_refused(tmp_path: Path) -> None:
    content = transport(tmp_path / "x.xpt", FRAME)
    member = content.index(b"HEADER RECORD*******MEMBER")
    with pytest.raises(UserError, match="holds 2 datasets, expected 1"):
        read(content + content[member:])


def test_a_header_alone_is_refused() -> None:
    content = b"HEADER RECORD*******LIBRARY HEADER RECORD!!!!!!!".ljust(80)
    with pytest.raises(UserError, match="holds 0 datasets"):
        read(content)


@pytest.mark.parametrize("name", SHARED_PAIRS)
def test_transport_and_json_of_one_dataset_give_the_same_cells(
    shared_data: Path, name: str
) -> None:
    """One normalization: SAS has no empty string, so "" of the JSON counts as missing."""
    folder = shared_data / "cdisc_datasetjson" / "sdtm"
    (left,) = xpt.read(next(open_sources([folder / f"{name}.xpt"])))
    expected = left.cells
    assert expected.height > 0
    for ending in ("json", "ndjson", "dsjc"):
        (right,) = datasetjson.read(next(open_sources([folder / f"{name}.{ending}"])))
        assert [c.name for c in left.columns] == [c.name for c in right.columns]
        assert left.name == right.name
        same = right.cells.with_columns(pl.all().replace({"": None}))
        assert same.equals(expected)
