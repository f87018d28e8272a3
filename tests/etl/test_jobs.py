"""The load: all or nothing, idempotent, versioned, accounted for; its words when it cannot."""

import json
import threading
import zipfile
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from etl import jobs
from etl.accounting import account
from etl.delivery import check_delivery
from etl.guard import ReadResult
from etl.known import Known
from etl.plan import make_plan
from etl.profiles.house import house_profile
from etl.readers import read_source
from etl.source import source_from_bytes
from models.queries import list_cuts, read_trial

pytestmark = pytest.mark.usefixtures("reads_here")

HEAD = "usubjid,analyte,assay,value,unit,rel_day\n"
FULL = """
name: whole
delivery: full
tables:
  - contract: kinetics_sample
    columns: {usubjid: usubjid, value: value, unit: unit, rel_day: rel_day}
    constants: {analyte: CARTG, assay: qPCR}
"""


def write(folder: Path, *rows: str, name: str = "kinetics_sample.csv") -> Path:
    path = folder / name
    path.write_text(HEAD + "".join(f"{row}\n" for row in rows), encoding="utf-8")
    return path


def values(engine: Engine, cut: str | None = None) -> list[tuple[str, float, float]]:
    frame = read_trial(engine, "ST", cut).kinetics.sort("usubjid", "rel_day")
    return list(frame.select("usubjid", "rel_day", "value").iter_rows())


def test_the_result_is_the_command_contract(engine: Engine, tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "S1,CARTG,qPCR,5,copies/ug,1",
        "S1,CARTG,qPCR,5,copies/ug,1",
        "S1,CARTG,qPCR,x,copies/ug,2",
        "S1,CARTG,qPCR,,copies/ug,3",
    )
    result = jobs.load(engine, [path], "ST", name="first")
    (entry,) = result.to_dict()["files"]
    assert list(entry) == ["path", "sha256", "reader", "file_rows", "rows_in", "loaded", "refused",
                           "duplicates", "empty"]  # fmt: skip
    assert [entry[k] for k in ("rows_in", "loaded", "refused", "duplicates", "empty")] == [
        4, 1, 1, 1, 1,
    ]  # fmt: skip
    refused = result.to_dict()["refused"]
    assert refused == [{"file": str(path), "sheet": refused[0]["sheet"], "row": 4,
                        "column": "value", "rule": "not_a_number", "raw": "x"}]  # fmt: skip
    assert (result.to_dict()["cut"], result.exit_code) == ("first", 1)
    json.dumps(result.to_dict())
    trial = read_trial(engine, "ST")
    row = trial.kinetics.row(0, named=True)
    assert (row["source_file"], row["source_row"], row["raw_text"]) == (str(path), 2, "5")
    assert trial.refused.select("rule", "raw", "row").rows() == [("not_a_number", "x", 4)]
    assert trial.source_files.row(0, named=True)["rows_in"] == 4


def test_the_same_content_twice_changes_nothing(engine: Engine, tmp_path: Path) -> None:
    path = write(tmp_path, "S1,CARTG,qPCR,5,copies/ug,1", "S1,CARTG,qPCR,x,copies/ug,2")
    first = jobs.load(engine, [path], "ST")
    renamed = path.rename(tmp_path / "kinetics_sample_again.csv")
    again = jobs.load(engine, [renamed], "ST")
    assert (again.changed, again.cut, again.exit_code) == (False, first.cut, 1)
    assert "nothing changed" in again.message
    assert again.to_dict()["refused"][0]["raw"] == "x"
    assert list_cuts(engine, "ST").height == 1


def test_a_correction_supersedes_and_old_cuts_stay(engine: Engine, tmp_path: Path) -> None:
    path = write(tmp_path, "S1,CARTG,qPCR,5,copies/ug,1", "S1,CARTG,qPCR,6,copies/ug,2")
    first = jobs.load(engine, [path], "ST")
    fixed = write(tmp_path, "S1,CARTG,qPCR,5,copies/ug,1", "S1,CARTG,qPCR,60,copies/ug,2",
                  name="kinetics_sample_v2.csv")  # fmt: skip
    second = jobs.load(engine, [fixed], "ST")
    assert (second.files[0].loaded, second.files[0].duplicates) == (1, 1)
    assert second.files[0].superseded == 1
    assert values(engine) == [("S1", 1.0, 5.0), ("S1", 2.0, 60.0)]
    assert values(engine, first.cut) == [("S1", 1.0, 5.0), ("S1", 2.0, 6.0)]


def test_an_old_file_sent_again_says_what_overtook_it(engine: Engine, tmp_path: Path) -> None:
    """The newer value stays (the same file is nothing new); that it is not the old one is said."""
    rows = ["S1,CARTG,qPCR,100,copies/ug,1", "S1,CARTG,qPCR,6,copies/ug,2"]
    old = write(tmp_path, *rows, name="kinetics_sample_v1.csv")
    new = write(tmp_path, rows[0].replace("100", "111"), rows[1], name="kinetics_sample_v2.csv")
    jobs.load(engine, [old], "ST", name="one")
    quiet = jobs.load(engine, [old], "ST")
    assert (quiet.to_dict()["overtaken"], "superseded" in quiet.summary()) == ([], False)
    jobs.load(engine, [new], "ST", name="two")
    load_id = int(list_cuts(engine, "ST").filter(pl.col("name") == "two")["load_id"][0])
    for dry_run in (True, False):
        again = jobs.load(engine, [old], "ST", dry_run=dry_run)
        assert (again.changed, again.files[0].duplicates) == (False, 2)
        words = f"1 of their records superseded by load {load_id} (data cut 'two') and not current"
        assert words in again.summary()
        told = {"load_id": load_id, "cut": "two", "count": 1}
        assert again.to_dict()["overtaken"] == [told]
    assert values(engine) == [("S1", 1.0, 111.0), ("S1", 2.0, 6.0)]


def test_only_a_full_delivery_retires_what_vanished(engine: Engine, tmp_path: Path) -> None:
    profile = tmp_path / "whole.yaml"
    profile.write_text(FULL)
    rows = ["S1,CARTG,qPCR,5,copies/ug,1", "S1,CARTG,qPCR,6,copies/ug,2"]
    jobs.load(engine, [write(tmp_path, *rows)], "ST", profile=str(profile))
    jobs.load(engine, [write(tmp_path, rows[0])], "ST")
    assert len(values(engine)) == 2
    jobs.load(engine, [write(tmp_path, rows[0], "S1,CARTG,qPCR,x,copies/ug,2")], "ST",
              profile=str(profile))  # fmt: skip
    assert len(values(engine)) == 2, "refused now is not vanished"
    last = jobs.load(engine, [write(tmp_path, rows[0])], "ST", profile=str(profile))
    assert values(engine) == [("S1", 1.0, 5.0)]
    assert last.files[0].loaded == 0


def test_a_refusal_heals_when_what_it_needed_arrives(engine: Engine, tmp_path: Path) -> None:
    subjects = tmp_path / "subject.csv"
    subjects.write_text("usubjid\nS1\n")
    jobs.load(engine, [subjects], "ST")
    path = write(tmp_path, "S2,CARTG,qPCR,5,copies/ug,1")
    assert jobs.load(engine, [path], "ST").files[0].refused == 1
    subjects.write_text("usubjid\nS1\nS2\n")
    jobs.load(engine, [subjects], "ST")
    assert jobs.load(engine, [path], "ST").files[0].loaded == 1


def test_a_corrected_parent_keeps_its_children(engine: Engine, tmp_path: Path) -> None:
    export = tmp_path / "export"
    export.mkdir()
    (export / "scan.csv").write_text("usubjid,scan_code,rel_day,weight_kg\nS1,A,14,70\n")
    (export / "quantification.csv").write_text(
        "usubjid,scan_code,region_code,metric,value,unit\nS1,A,LIVER,suv_mean,3,g/mL\n"
    )
    jobs.load(engine, [export], "ST")
    (export / "scan.csv").write_text("usubjid,scan_code,rel_day,weight_kg\nS1,A,15,71\n")
    jobs.load(engine, [export / "scan.csv"], "ST")
    trial = read_trial(engine, "ST")
    assert trial.quantifications.select("scan_code", "rel_day", "value").rows() == [
        ("A", 15.0, 3.0)
    ]
    (tmp_path / "q2").mkdir()
    more = tmp_path / "q2" / "quantification.csv"
    more.write_text(
        "usubjid,scan_code,region_code,metric,value,unit\nS1,A,SPLEEN,suv_mean,9,g/mL\n"
    )
    assert jobs.load(engine, [more], "ST").files[0].loaded == 1


def test_a_dry_run_and_a_check_write_nothing(engine: Engine, tmp_path: Path) -> None:
    path = write(tmp_path, "S1,CARTG,qPCR,5,copies/ug,1", "S1,CARTG,qPCR,x,copies/ug,2")
    check = jobs.load(None, [path], "ST", dry_run=True)
    dry = jobs.load(engine, [path], "ST", dry_run=True)
    assert list_cuts_or_none(engine) == 0
    done = jobs.load(engine, [path], "ST")
    assert check.to_dict() == dry.to_dict() == {**done.to_dict(), "cut": None}


def list_cuts_or_none(engine: Engine) -> int:
    with engine.connect() as connection:
        return int(connection.exec_driver_sql("SELECT count(*) FROM data_cut").scalar_one())


def test_a_zip_is_a_delivery(engine: Engine, tmp_path: Path) -> None:
    write(tmp_path, "S1,CARTG,qPCR,5,copies/ug,1")
    with zipfile.ZipFile(tmp_path / "delivery.zip", "w") as archive:
        archive.write(tmp_path / "kinetics_sample.csv", "lab/kinetics_sample.csv")
    result = jobs.load(engine, [tmp_path / "delivery.zip"], "ST")
    assert result.files[0].path.endswith("delivery.zip!lab/kinetics_sample.csv")
    assert result.files[0].loaded == 1


def test_two_loaders_take_turns(engine: Engine, tmp_path: Path) -> None:
    paths = []
    for number in range(3):
        folder = tmp_path / str(number)
        folder.mkdir()
        paths.append(write(folder, f"S{number},CARTG,qPCR,5,copies/ug,1"))
    failures: list[BaseException] = []

    def run(path: Path) -> None:
        try:
            jobs.load(engine, [path], "ST")
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=run, args=(path,)) for path in paths]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert len(values(engine)) == 3
    assert list_cuts(engine, "ST").height == 3


cells = st.sampled_from(
    ["5", "5.0", "<50", "BLQ", "", ".", "NA", "ND", "x", "-1", "0", "1e400", " 7 ", "1,5", ">9"]
)
rows = st.lists(
    st.tuples(
        st.sampled_from(["S1", "S2", " S1", ""]),
        cells,
        st.sampled_from(["copies/ug", "copies/µg", "%", "?", ""]),
        st.sampled_from(["1", "2", "1.0", "", "d1"]),
        st.sampled_from(["", "50"]),
    ),
    max_size=30,
)


@settings(max_examples=60, deadline=None)
@given(rows)
def test_every_record_has_exactly_one_verdict(drawn: list[tuple[str, ...]]) -> None:
    """rows_in = loaded + refused + duplicates + empty, and each row of the file is one of them."""
    lines = [f'{s},CARTG,qPCR,"{v}",{u},{d},{q}' for s, v, u, d, q in drawn]
    text = "usubjid,analyte,assay,value,unit,rel_day,lloq\n" + "\n".join(lines) + "\n"
    source = source_from_bytes("kinetics_sample.csv", text.encode())
    reader, sheets = read_source(source)
    saved = house_profile(sheets)
    assert saved is not None
    delivery = check_delivery([ReadResult(source, reader, sheets)], saved, Known(), "ST")
    (one,) = account(delivery, make_plan(delivery, None, None))
    assert one.rows_in == len(drawn)
    assert one.rows_in == one.loaded + one.refused + one.duplicates + one.empty
    if drawn:
        frame = delivery.records["kinetics_sample"]
        kept = frame.filter(pl.col("_verdict") == "loaded")
        exact = kept.filter(pl.col("censored") == "none")
        assert exact["value"].null_count() == 0
        assert kept.filter(pl.col("censored") != "none")["value"].drop_nulls().is_empty()
