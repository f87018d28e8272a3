"""SDTM as published: row counts from the files, and the same rows from every format."""

import csv
import gzip
from pathlib import Path

import polars as pl
import pytest
from sqlalchemy import Engine

from etl import jobs
from models.queries import read_trial

LINEAGE = ["source_file", "source_sheet", "source_row", "source_column", "raw_text", "loaded_in"]


@pytest.fixture(scope="module")
def pilot(shared: Path) -> Path:
    return shared / "data" / "cdisc_datasetjson" / "sdtm"


@pytest.fixture(scope="module")
def onco(shared: Path) -> Path:
    return shared / "data" / "cdisc_onco" / "sdtm"


def rows_of(path: Path) -> list[dict[str, str]]:
    raw = path.read_bytes()
    text = (gzip.decompress(raw) if path.suffix == ".gz" else raw).decode()
    return list(csv.DictReader(text.splitlines()))


@pytest.mark.slow
def test_the_formats_of_one_dataset_give_the_same_rows(engine: Engine, pilot: Path) -> None:
    frames: dict[str, list[pl.DataFrame]] = {}
    for kind in ("xpt", "json", "ndjson", "dsjc"):
        files = [pilot / f"{name}.{kind}" for name in ("dm", "ex", "lb", "rs", "ae")]
        result = jobs.load(engine, files, kind, profile="sdtm")
        trial = read_trial(engine, kind)
        for name in ("subjects", "characteristics", "interventions", "labs", "adverse_events"):
            frame = getattr(trial, name)
            order = [c for c in frame.columns if c not in LINEAGE]
            frames.setdefault(name, []).append(frame.select(order).sort(order))
        assert [(one.rows_in, one.loaded) for one in result.files][1] == (1583, 1583)
        assert (result.refused, result.exit_code) == ((), 0)
        (worded,) = [one for one in result.findings if one["code"] == "character_results"]
        assert (worded["column_name"], worded["count"]) == ("LBSTRESC", 53)
    for name, (first, *others) in frames.items():
        assert first.height > 0
        for other in others:
            assert first.equals(other), name
    assert frames["subjects"][0].height == 18
    assert frames["labs"][0].height == 3488 - 53 + 375  # LB less 53 in words, and the scores of RS


@pytest.mark.slow
def test_oncology_datasets(engine: Engine, onco: Path) -> None:
    names = ["dm.csv", "ex.csv", "ae.csv", "lb.csv.gz", "tu_onco.csv", "tr_onco.csv.gz",
             "rs_onco.csv"]  # fmt: skip
    result = jobs.load(engine, [onco / name for name in names], "ONCO")
    by_name = {Path(one.path).name: one for one in result.files}
    trial = read_trial(engine, "ONCO")

    assert trial.subjects.height == len(rows_of(onco / "dm.csv"))
    assert trial.interventions.height == len(rows_of(onco / "ex.csv"))
    assert trial.infusions.is_empty()
    assert "no_cell_product" in set(trial.findings["code"])
    assert trial.adverse_events.height == len(rows_of(onco / "ae.csv"))

    labs = rows_of(onco / "lb.csv.gz")
    worded = [row for row in labs if row["LBSTRESC"] == "N"]
    assert (by_name["lb.csv.gz"].refused, by_name["lb.csv.gz"].empty) == (0, len(worded))
    assert trial.labs.height == len(labs) - len(worded)
    assert trial.labs.filter(pl.col("censored") == "left").height == sum(
        row["LBSTRESC"].startswith("<") for row in labs
    )

    measured = [row for row in rows_of(onco / "tr_onco.csv.gz") if row["TRSTAT"] != "NOT DONE"]
    assert trial.lesions.height == len(measured)
    states = [row for row in measured if row["TRTESTCD"] == "TUMSTATE"]
    assert trial.lesions.filter(pl.col("state").is_not_null()).height == len(states)
    identified = rows_of(onco / "tu_onco.csv")
    assert trial.regions.height == len({(row["USUBJID"], row["TULNKID"]) for row in identified})
    assert trial.responses.height == len(rows_of(onco / "rs_onco.csv"))


@pytest.mark.slow
def test_days_count_from_the_reference_start(engine: Engine, onco: Path) -> None:
    """No cell product: calendar days from RFSTDTC, which is not a study day (there is a day 0)."""
    jobs.load(engine, [onco / "dm.csv", onco / "rs_onco_recist.csv"], "ONCO")
    trial = read_trial(engine, "ONCO")
    start = {row["USUBJID"]: row["RFSTDTC"] for row in rows_of(onco / "dm.csv")}
    row = trial.responses.sort("usubjid", "dtm_text").row(0, named=True)
    days = pl.Series([row["dtm_text"], start[row["usubjid"]]]).str.to_date()
    assert row["rel_day"] == (days[0] - days[1]).days
    assert row["rel_day_source"] == "date"
    assert set(trial.responses["criterion"]) == {"not stated"}


def test_remaining_refusals_of_the_oncology_files_are_right(onco: Path) -> None:
    """What is refused, and why that is right.

    iRECIST: at two visits NEWLIND says Y and NEWLPROG says (UN)EQUIVOCAL about the one component
    "new lesion": two answers under one key, neither is chosen. IRECLIND (last assessment, Y or N)
    is no score and no response: its 74 rows are counted as not selected, not refused.
    RECIST tumors: alone, three readers of one lesion agree (25 lesions, 50 duplicates); beside
    tu_onco.csv the same lesion ids name other organs: a conflict that a person must solve.
    """
    (only,) = jobs.load(None, [onco / "tu_onco_recist.csv"], "ONCO", dry_run=True).files
    assert (only.loaded, only.refused, only.duplicates) == (25, 0, 50)

    both = jobs.load(
        None, [onco / "tu_onco.csv", onco / "tu_onco_recist.csv"], "ONCO", dry_run=True
    )
    assert {row["rule"] for row in both.refused} == {"conflict"}
    place = {row["USUBJID"] + row["TULNKID"]: row["TULOC"] for row in rows_of(onco / "tu_onco.csv")}
    recist = rows_of(onco / "tu_onco_recist.csv")
    for row in both.refused:
        if row["file"].endswith("tu_onco_recist.csv"):
            assert "the other is tu_onco.csv row" in row["message"]
            own = recist[row["row"] - 2]
            assert place[own["USUBJID"] + own["TULNKID"]] != own["TULOC"]

    result = jobs.load(None, [onco / "rs_onco_irecist.csv"], "ONCO", dry_run=True)
    rows = rows_of(onco / "rs_onco_irecist.csv")
    refused = [rows[row["row"] - 2] for row in result.refused]
    assert {row["rule"] for row in result.refused} == {"conflict"}
    assert sorted(row["RSTESTCD"] for row in refused) == ["NEWLIND"] * 2 + ["NEWLPROG"] * 2
    assert len({(row["USUBJID"], row["RSDTC"]) for row in refused}) == 2
    left = [row for row in result.findings if row["code"] == "rows_not_selected"]
    assert [row["count"] for row in left] == [sum(row["RSTESTCD"] == "IRECLIND" for row in rows)]
