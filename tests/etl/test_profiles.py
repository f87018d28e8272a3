# ruff: noqa: E501 rows of a table stand on one line
"""The profile language: what it reads, and the one line it says when it cannot."""

from pathlib import Path

import polars as pl
import pytest

from analysis.errors import UserError
from etl.contracts import CONTRACTS
from etl.profiles import SHIPPED, load_profile, parse_profile
from etl.profiles.grid import Usage
from etl.profiles.headers import header_paths, matching
from etl.profiles.reshape import reshape
from etl.sheets.sheet import Sheet

DOCS = Path(__file__).resolve().parents[2] / "docs" / "profiles.md"
HEAD = "name: t\ntables:\n  - contract: kinetics_sample\n"


def sheet(*rows: tuple[str | None, ...]) -> Sheet:
    names = [f"c{index}" for index in range(len(rows[0]))]
    cells = pl.DataFrame(rows, schema=dict.fromkeys(names, pl.String), orient="row")
    return Sheet("trial.xlsx", "Data", cells)


def records(text: str, *rows: tuple[str | None, ...]) -> list[dict[str, str | None]]:
    profile = parse_profile(HEAD + text, "t").profile
    table = profile.tables[0]
    made = reshape(sheet(*rows), profile, table, CONTRACTS[table.contract], Usage())
    return made.frame.drop("_raw").to_dicts()


def test_header_paths_fill_merged_cells_within_their_group() -> None:
    rows = [
        ("Person", None, "Expansion", None, None),
        ("ID", None, "Day 7", None, "Day 14"),
        ("Code", "Sex", "True day", "", "Cells"),
    ]
    assert header_paths(rows) == (
        "Person | ID | Code",
        "Person | ID | Sex",
        "Expansion | Day 7 | True day",
        "Expansion | Day 7 | (empty)",
        "Expansion | Day 14 | Cells",
    )


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("Cells (per uL)", [1]),
        ("cells  (PER uL)", [1]),
        ("Day {d:number} | Cells*", [1, 3]),
        ("Day 7 | *", [0, 1]),
        ("%CAR [T]", [2]),
        ("Cells*", [1, 3]),
    ],
)
def test_patterns(pattern: str, found: list[int]) -> None:
    paths = ("Day 7 | Real", "Day 7 | Cells (per uL)", "Day 14 | %CAR [T]", "Day 14 | Cells")
    assert [index for index, _ in matching(pattern, paths)] == found


def test_wide_with_captures_and_a_column_beside() -> None:
    text = """
    header: [1, 2]
    columns: {usubjid: ID}
    constants: {analyte: CARFLOW, assay: flow}
    wide:
      - header: "Day {nominal_day:number} | *uL"
        beside: {rel_day: "Day {nominal_day} | true day"}
        constants: {visit: "Day {nominal_day}"}
"""
    rows = records(
        text,
        (None, "Day 7", None, "Day 28", None),
        ("ID", "true day", "per uL", "true day", "per uL"),
        ("S1", "8", "12", "30", "---"),
    )
    assert [(r["value"], r["rel_day"], r["visit"], r["_column"]) for r in rows] == [
        ("12", "8", "Day 7", "Day 7 | per uL"),
        ("---", "30", "Day 28", "Day 28 | per uL"),
    ]


def test_units_from_header_row_and_neighbor() -> None:
    by_header = records(
        "    columns: {usubjid: ID, value: {from: Result*, units_from: header}}\n",
        ("ID", "Result (copies/ug)"), ("S1", "5"),
    )  # fmt: skip
    assert by_header[0]["unit"] == "copies/ug"
    by_row = records(
        "    units_row: 2\n    data: 3\n"
        "    columns: {usubjid: ID, value: {from: Result, units_from: row}}\n",
        ("ID", "Result"), ("", "cells/uL"), ("S1", "5"),
    )  # fmt: skip
    assert (by_row[0]["unit"], by_row[0]["_row"]) == ("cells/uL", 3)
    beside = records(
        "    columns: {usubjid: ID, value: Result, unit: Unit}\n",
        ("ID", "Result", "Unit"), ("S1", "5", "%"),
    )  # fmt: skip
    assert beside[0]["unit"] == "%"


def test_dictionaries_filters_joins_defaults_and_sums() -> None:
    text = """
    where: [{column: Use, unlike: "no*"}]
    columns:
      usubjid: {join: [Site, Code], with: "-"}
      visit: {from: Visit, map: {"D*28": Day 28, SCR: Screening}}
      value: {first_of: [Standard, Raw]}
      analyte: {from: Assay, map: {PCR: CARTG}, map_else: CARFLOW, optional: true}
      tz: {from: Zone, default: UTC}
      replicate: {from: Tube, add: "10"}
      lloq: {from: Limit, where: [{column: Unit, equals: ug}]}
"""
    rows = records(
        text,
        (
            "Site",
            "Code",
            "Use",
            "Visit",
            "Standard",
            "Raw",
            "Assay",
            "Zone",
            "Tube",
            "Limit",
            "Unit",
        ),
        ("01", "007", "yes", "Day 28", None, "5", "pcr", None, "1", "50", "ug"),
        ("01", "008", "", "scr", "6", "5", "flow", "Z", "2", "50", "mL"),
        ("01", "009", "No!", "scr", "7", "5", "flow", "Z", "2", "50", "mL"),
    )
    got = [tuple(r[k] for k in ("usubjid", "visit", "value", "analyte", "tz", "replicate", "lloq"))
           for r in rows]  # fmt: skip
    assert got == [
        ("01-007", "Day 28", "5", "CARTG", "UTC", "11", "50"),
        ("01-008", "Screening", "6", "CARFLOW", "Z", "12", None),
    ]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("    columns: {usubjid: Patiant}\n", ["'t'", "'kinetics_sample'", "'Data'", "'Patiant'", "'Patient'"]),
        ("    columns: {usubjid: Dose}\n", ["fits 2 columns", "positions 3, 4"]),
        ("    columns: {usubjid: {position: ZZ}}\n", ["no column at position 'ZZ'", "5 columns"]),
        ("    columns: {usubjid: MRN}\n", ["identifies persons"]),
        ("    header: [9]\n    columns: {usubjid: Patient}\n", ["header row 9 is not in the sheet"]),
        ("    columns: {usubjid: Patient, value: {from: Day, units_from: header}}\n", ["'Day' has no unit"]),
        ("    columns: {usubjid: Patient}\n    wide: [{header: 'Week {nominal_day}'}]\n", ["Week {nominal_day}", "nearest"]),
    ],
)  # fmt: skip
def test_a_column_that_is_not_there_is_one_clear_line(text: str, words: list[str]) -> None:
    with pytest.raises(UserError) as caught:
        records(text, ("Patient", "Day", "Dose", "Dose", "MRN"), ("S1", "1", "2", "3", "4"))
    message = str(caught.value)
    assert "\n" not in message
    assert all(word in message for word in words), message


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("name: [", "not valid YAML"),
        ("name: x\n", "tables"),
        ("name: x\ntables:\n  - contract: wrong\n", "no incoming table 'wrong'"),
        ("name: x\ntables:\n  - contract: subject\n    columns: {sexx: Sex}\n", "no field 'sexx'"),
        ("name: x\ntables:\n  - contract: subject\n    collumns: {}\n", "collumns"),
        ("name: x\nname: y\ntables: []\n", "given twice"),
        ("name: &a x\ntitle: *a\ntables: []\n", "aliases"),
        ("name: x\ndelivery: some\ntables: []\n", "delivery"),
        ("name: x\nstudy: {is_synthetic: true}\ntables: []\n", "is_synthetic"),
    ],
)
def test_a_wrong_profile_is_one_clear_line(text: str, words: str) -> None:
    with pytest.raises(UserError, match=words) as caught:
        parse_profile(text, "mine.yaml")
    assert "\n" not in str(caught.value)


def test_a_missing_profile_names_the_shipped_ones(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="car22, sdtm, synthetic"):
        load_profile(str(tmp_path / "none.yaml"))


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_profiles_are_valid(name: str) -> None:
    saved = load_profile(name)
    assert saved.profile.name == name
    assert len(saved.hash) == 64


def test_leading_zeros_and_words_like_no_stay_text() -> None:
    saved = parse_profile(
        "name: x\nmissing: [NO, 001]\ntables:\n  - contract: subject\n    constants: {cohort: NO}\n",
        "x",
    )
    assert saved.profile.missing == {"NO": "", "001": ""}
    assert saved.profile.tables[0].constants == {"cohort": "NO"}


def test_the_examples_of_the_documentation_are_valid_profiles() -> None:
    blocks = DOCS.read_text(encoding="utf-8").split("```yaml\n")[1:]
    for block in blocks:
        parse_profile(block.split("```")[0], "docs/profiles.md")
    assert len(blocks) == 3


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("delivry: full\n", "delivry", "did you mean 'delivery'? the words are name, title, "),
        (
            "study: {tittle: A}\n",
            "study.tittle",
            "did you mean 'title'? the words are title, phase",
        ),
        ("ignore: [{colum: A, reason: B}]\n", "ignore.0.colum", "'column'? the words are column, "),
    ],
)
def test_a_mistyped_word_names_the_words_that_exist(text: str, place: str, words: str) -> None:
    with pytest.raises(UserError) as caught:
        parse_profile(HEAD + "    columns: {usubjid: ID}\n" + text, "t")
    assert f"profile 't', {place}: there is no word" in str(caught.value)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("    shet: A\n", "did you mean 'sheet'? the words are contract, label, file, sheet"),
        ("    columns: {value: {frm: A}}\n", "did you mean 'from'? the words are from, position"),
        ("    wide: [{headr: A}]\n", "did you mean 'header'? the words are header, position"),
        ("    where: [{column: A, liike: B}]\n", "did you mean 'like'? the words are column, "),
    ],
)
def test_a_mistyped_word_of_a_table_names_those_of_its_part(text: str, words: str) -> None:
    with pytest.raises(UserError) as caught:
        parse_profile(HEAD + text, "t")
    assert words in str(caught.value)


def test_a_blank_upper_cell_drops_out_of_the_path_and_the_error_shows_the_name() -> None:
    rows = [(None, "Day 7"), ("Pat", "CAR")]
    assert header_paths(rows) == ("Pat", "Day 7 | CAR")
    text = "    header: [1, 2]\n    columns: {usubjid: NAME, value: Day 7 | CAR}\n"
    (row,) = records(text.replace("NAME", "Pat"), *rows, ("P1", "5"))
    assert (row["usubjid"], row["value"]) == ("P1", "5")
    with pytest.raises(UserError, match=r"no column '\* \| Pat'; nearest headers: 'Pat'"):
        records(text.replace("NAME", "'* | Pat'"), *rows, ("P1", "5"))
    said = " ".join(DOCS.read_text(encoding="utf-8").split())
    assert "the columns are `Pat` and `Day 7 | CAR`, and `* | Pat` names none" in said


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("- name: x\n- tables: []\n", "profile 'bad.yaml': expected words with a value each (`name: abc01`), found a list;"),
        ("", "profile 'bad.yaml': expected words with a value each (`name: abc01`), found nothing;"),
        ("subject\n", "profile 'bad.yaml': expected words with a value each (`name: abc01`), found a text;"),
        ("name: x\ntables: {contract: subject}\n", "'bad.yaml', tables: expected a list (lines that begin with `- `), found words with a value each;"),
        ("name: x\ntables: [subject]\n", "'bad.yaml', tables.0: expected words with a value each (`name: abc01`), found a text;"),
        ("name: x\ntables:\n  - contract: subject\n    constants: [a]\n", "tables.0.constants: expected words with a value each (`name: abc01`), found a list;"),
        ("name: [x]\ntables: []\n", "'bad.yaml', name: expected a text, found a list;"),
    ],
)  # fmt: skip
def test_a_profile_of_another_shape_is_told_in_words_of_yaml(text: str, words: str) -> None:
    with pytest.raises(UserError) as caught:
        parse_profile(text, "bad.yaml")
    message = str(caught.value)
    assert words in message
    assert message.endswith("see docs/profiles.md")
