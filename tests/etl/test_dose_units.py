"""A dose whose header or unit column holds a multiplier is right by it, or refused in words."""

from pathlib import Path

import polars as pl
import pytest
from sqlalchemy import Engine

from analysis.errors import UserError
from etl import jobs
from etl.contracts import CONTRACTS
from etl.contracts.typed import typed
from etl.profiles import parse_profile
from etl.profiles.grid import Usage
from etl.profiles.reshape import reshape
from etl.sheets.sheet import Sheet
from models.queries import read_trial

HEAD = "name: t\ntables:\n  - contract: infusion\n"


def infusions(columns: str, header: str, *cells: str, more: str = "") -> pl.DataFrame:
    """The typed infusions of a sheet with the columns ID, day, the given one and Unit."""
    rows = [("ID", "Day", header, "Unit"), *(("S1", "0", *cell.split("|")) for cell in cells)]
    rows = [(*row, None)[:4] for row in rows]
    names = dict.fromkeys(("c0", "c1", "c2", "c3"), pl.String)
    sheet = Sheet("dose.csv", "", pl.DataFrame(rows, schema=names, orient="row"))
    text = f"{HEAD}    columns: {{usubjid: ID, rel_day: Day, {columns}}}\n{more}"
    profile = parse_profile(text, "t").profile
    table, contract = profile.tables[0], CONTRACTS["infusion"]
    frame = reshape(sheet, profile, table, contract, Usage()).frame
    return typed(frame, contract, profile, table)


@pytest.mark.parametrize(
    ("header", "cells"),
    [
        ("dose (x10^6 cells)", 120e6),
        ("Dose (\u00d710\u2076 CAR+ T cells)", 120e6),
        ("Dose [10^6 cells]", 120e6),
        ("Dose (million cells)", 120e6),
        ("Infused (10E6 viable CAR-T cells)", 120e6),
        ("Dose (10^6 CAR-positive viable T cells)", 120e6),
        ("Dose (1x10^8 cells)", 120e8),
        ("Dose (cells)", 120.0),
        ("Dose", 120.0),
    ],
)
def test_a_multiplier_in_the_header_counts(header: str, cells: float) -> None:
    frame = infusions(f'dose_cells: "{header}"', header, "120")
    assert frame["dose_cells"].to_list() == [cells]
    assert frame["dose_cells_per_kg"].to_list() == [None]


@pytest.mark.parametrize("source", ["units_from: header", "unit: 10^6 cells"])
def test_the_unit_of_a_dose_can_be_said(source: str) -> None:
    rule = f'dose_cells: {{from: "dose (x10^6 cells)", {source}}}'
    assert infusions(rule, "dose (x10^6 cells)", "1.5")["dose_cells"].to_list() == [1.5e6]


def test_a_dose_by_weight_in_the_header() -> None:
    frame = infusions('dose_cells: "Dose (x10^6 cells/kg)"', "Dose (x10^6 cells/kg)", "2")
    assert frame["dose_cells_per_kg"].to_list() == [2e6]
    assert frame["dose_cells"].to_list() == [None]


@pytest.mark.parametrize(
    ("header", "cells", "per_kg"),
    [
        ("dose (cells/kg)", None, 1500000.0),
        ("Dose [CAR+ T cells / kg]", None, 1500000.0),
        ("Dose cells/kg", None, 1500000.0),
        ("cells per kg given", None, 1500000.0),
        ("dose (mL)", None, None),
        ("dose (bags)", None, None),
        ("dose (planned)", 1500000.0, None),
        ("CAR T cells (infusion)", 1500000.0, None),
    ],
)
def test_a_unit_in_the_header_of_a_dose_counts(
    header: str, cells: float | None, per_kg: float | None
) -> None:
    frame = infusions(f'dose_cells: "{header}"', header, "1500000")
    assert frame["dose_cells"].to_list() == [cells]
    assert frame["dose_cells_per_kg"].to_list() == [per_kg]
    assert frame["_rule"].to_list() == [None]


def test_a_dose_in_ml_by_its_header_is_a_finding(tmp_path: Path, reads_here: None) -> None:
    (tmp_path / "dose.csv").write_text("ID,Day,dose (mL)\nS1,0,500000\n")
    profile = tmp_path / "p.yaml"
    columns = '    columns: {usubjid: ID, rel_day: Day, dose_cells: "dose (mL)"}\n'
    profile.write_text(HEAD + columns)
    result = jobs.load(None, [tmp_path / "dose.csv"], "ST", str(profile), dry_run=True)
    found = [one["message"] for one in result.findings if one["code"] == "dose_not_in_cells"]
    assert [text.partition(" is no")[0] for text in found] == [
        "Infusions of the cell product: 1 dose in mL"
    ]


@pytest.mark.parametrize(
    ("columns", "header"),
    [
        ('dose_cells: "dose (copies/ug)"', "dose (copies/ug)"),
        ('dose_cells: "dose (TNC/kg)"', "dose (TNC/kg)"),
        ('dose_cells: {from: "dose (cells/kg)", unit: cells}', "dose (cells/kg)"),
        ('dose_cells_per_kg: "dose (cells)"', "dose (cells)"),
    ],
)
def test_a_header_that_contradicts_its_dose_is_one_clear_line(columns: str, header: str) -> None:
    with pytest.raises(UserError, match="states the unit") as caught:
        infusions(columns, header, "1500000")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("columns", "header", "more", "words"),
    [
        ('dose_cells: "Dose x10^6"', "Dose x10^6", "", "unit: 10\\^6 cells"),
        ('dose_cells: "Dose (x10^6 copies)"', "Dose (x10^6 copies)", "", "unit: 10\\^6 cells"),
        ('dose_cells: "Dose (x10^6 cells)", dose_unit: Unit', "Dose (x10^6 cells)", "",
         "one unit"),
        ('dose_cells: "Dose (x10^6 cells)"', "Dose (x10^6 cells)",
         "    constants: {dose_unit: cells}\n", "one unit"),
        ('dose_cells_per_kg: "Dose (x10^6 cells/kg)"', "Dose (x10^6 cells/kg)", "",
         "map it to dose_cells with `unit: 10\\^6 cells/kg`"),
        ('vector_copy_number: "VCN (x10^3)"', "VCN (x10^3)", "", "takes plain numbers"),
        ("vector_copy_number: {from: VCN, unit: copies/cell}", "VCN", "", "takes no unit"),
    ],
)  # fmt: skip
def test_a_multiplier_that_would_be_lost_is_one_clear_line(
    columns: str, header: str, more: str, words: str
) -> None:
    with pytest.raises(UserError, match=words) as caught:
        infusions(columns, header, "120|cells", more=more)
    assert "\n" not in str(caught.value)


def test_a_profile_may_repeat_what_the_header_says() -> None:
    more = "    constants: {dose_unit: x10^6 cells}\n"
    frame = infusions('dose_cells: "Dose (10^6 cells)"', "Dose (10^6 cells)", "3", more=more)
    assert frame["dose_cells"].to_list() == [3e6]


def test_an_unknown_unit_or_an_impossible_dose_is_refused(tmp_path: Path, reads_here: None) -> None:
    """120 "10^6 cels" may be anything; 120 without any unit is no dose."""
    path = tmp_path / "infusion.csv"
    path.write_text(
        "usubjid,rel_day,dose_cells,dose_unit\n"
        "S1,0,120,10^6 cels\nS2,0,120,\nS3,0,120,x10^6 CAR+ cells\nS4,0,,bags\nS5,0,1.2e8,\n"
    )
    result = jobs.load(None, [path], "ST", dry_run=True)
    refused = [(row["row"], row["column"], row["rule"], row["raw"]) for row in result.refused]
    assert refused == [
        (2, "dose_unit", "unit_unknown", "10^6 cels"),
        (3, "dose_cells", "dose_too_low", "120"),
    ]


def test_a_dose_by_volume_or_bag_is_left_empty_and_the_infusion_stays_day_0(
    engine: Engine, tmp_path: Path, reads_here: None
) -> None:
    (tmp_path / "infusion.csv").write_text(
        "usubjid,dtm,dose_cells,dose_unit\nS1,2025-01-01T10:00:00Z,68,mL\n"
        "S2,2025-01-02T10:00:00Z,1,Bag\nS3,2025-01-03T10:00:00Z,50,10^6 cells\n"
        "S4,2025-01-04T10:00:00Z,3,mg\nS5,2025-01-05T10:00:00Z,2,Therapeutic Cells/m2\n"
    )
    result = jobs.load(engine, [tmp_path / "infusion.csv"], "ST")
    assert (result.exit_code, len(result.refused)) == (0, 0)
    found = [one["message"] for one in result.findings if one["code"] == "dose_not_in_cells"]
    assert found == [
        f"Infusions of the cell product: 1 dose in {unit} is no number of cells and left empty; "
        "add the cells given as dose_cells with their dose_unit"
        for unit in ("Bag", "Therapeutic Cells/m2", "mL", "mg")
    ]
    infusions = read_trial(engine, "ST").infusions.sort("usubjid")
    assert infusions["dose_cells"].to_list() == [None, None, 50e6, None, None]
    assert infusions["dtm_utc"].null_count() == 0


def test_a_unit_without_a_dose_is_no_dose_left_empty(tmp_path: Path, reads_here: None) -> None:
    """Two bags were given to S1; for S2 and S3 nobody wrote a dose, for S4 one by body weight."""
    (tmp_path / "infusion.csv").write_text(
        "usubjid,dtm,dose_cells,dose_cells_per_kg,dose_unit\nS1,2025-01-01T10:00:00Z,2,,bag\n"
        "S2,2025-01-02T10:00:00Z,,,bag\nS3,2025-01-03T10:00:00Z,,,mL\n"
        "S4,2025-01-04T10:00:00Z,,2000000,mL\n"
    )
    result = jobs.load(None, [tmp_path / "infusion.csv"], "ST", dry_run=True)
    assert result.files[0].loaded == 4
    found = [one for one in result.findings if one["code"] == "dose_not_in_cells"]
    assert [(one["count"], one["message"].partition(" is no")[0]) for one in found] == [
        (1, "Infusions of the cell product: 1 dose in bag")
    ]


def test_the_unit_in_a_header_of_doses_counts_without_a_multiplier_too() -> None:
    by_weight = infusions('dose_cells: "dose (cells/kg)"', "dose (cells/kg)", "1500000")
    assert by_weight["dose_cells_per_kg"].to_list() == [1.5e6]
    assert by_weight["dose_cells"].to_list() == [None]
    by_volume = infusions('dose_cells: "dose (mL)"', "dose (mL)", "500000")
    assert by_volume["dose_cells"].to_list() == [None]
    assert by_volume["dose_unit"].to_list() == ["mL"]
    plain = infusions('dose_cells: "dose (total)"', "dose (total)", "500000")
    assert plain["dose_cells"].to_list() == [5e5]


def test_a_multiplier_over_a_result_needs_its_unit() -> None:
    text = "name: t\ntables:\n  - contract: laboratory_result\n    columns: {usubjid: ID, "
    cells = pl.DataFrame([("ID", "WBC (x10^3)"), ("S1", "4.1")], schema=["c0", "c1"], orient="row")
    sheet = Sheet("lab.csv", "", cells)

    def shaped(rule: str) -> pl.DataFrame:
        profile = parse_profile(text + rule + "}\n    constants: {testcd: WBC}\n", "t").profile
        contract = CONTRACTS["laboratory_result"]
        frame = reshape(sheet, profile, profile.tables[0], contract, Usage()).frame
        return typed(frame, contract, profile, profile.tables[0])

    with pytest.raises(UserError, match=r"multiplier in its header.*units_from: header"):
        shaped('value: "WBC (x10^3)"')
    frame = shaped('value: {from: "WBC (x10^3)", unit: 10^3/uL}')
    assert frame.select("value", "unit").rows() == [(4.1, "10^9/L")]
