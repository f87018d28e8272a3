"""A trial in one data cut: what is visible, and how ids become codes."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from sqlalchemy import Connection, Engine, insert, text

from models import bulk, queries, records
from models.connect import create_engine_for, reading
from models.errors import UnknownNameError
from models.tables import TABLES
from models.trial import RECORD_FRAMES, Trial
from tests.models.small_study import AT, ROWS, STUDY, fill

VISIBILITY: list[tuple[int, int | None, tuple[bool, bool, bool]]] = [
    # loaded in, superseded in, visible in the cuts of loads 1, 2 and 3
    (1, None, (True, True, True)),
    (1, 2, (True, False, False)),
    (1, 3, (True, True, False)),
    (2, None, (False, True, True)),
    (2, 3, (False, True, False)),
    (3, None, (False, False, True)),
]
EXTREMES = (2**63 - 1, -(2**63))


@pytest.fixture
def filled(engine: Engine) -> Engine:
    with engine.begin() as connection:
        fill(connection)
    return engine


def add_loads(connection: Connection, *numbers: int) -> None:
    for number in numbers:
        connection.execute(insert(TABLES["load"]), {**ROWS["load"], "id": number})
        made = {"created_at": AT + timedelta(days=number), "load_id": number}
        cut = {**ROWS["data_cut"], "id": number, "name": f"cut {number}", **made}
        connection.execute(insert(TABLES["data_cut"]), cut)


@pytest.mark.parametrize(("loaded", "superseded", "visible"), VISIBILITY)
def test_visibility(engine: Engine, loaded: int, superseded: int | None, visible: tuple) -> None:
    with engine.begin() as connection:
        fill(connection, "study", "load", "source_file", "subject")
        add_loads(connection, 2, 3)
        cut = {**ROWS["data_cut"], "id": 1, "name": "cut 1"}
        connection.execute(insert(TABLES["data_cut"]), cut)
        row = {**ROWS["laboratory_result"], "loaded_in": loaded, "superseded_in": superseded}
        connection.execute(insert(TABLES["laboratory_result"]), row)
    seen = [queries.read_trial(engine, "S1", f"cut {n}").labs.height == 1 for n in (1, 2, 3)]
    assert tuple(seen) == visible


def test_codes_stand_for_ids(filled: Engine) -> None:
    trial = queries.read_trial(filled, "S1")
    for name in RECORD_FRAMES:
        frame = getattr(trial, name)
        assert frame.height == 1, name
        assert frame.columns[0] == "usubjid"
        assert frame["usubjid"].to_list() == ["S1-01-001"]
        assert frame["source_file"].to_list() == ["a.csv"]
        assert not [
            column for column in frame.columns if column.endswith("_id") and column != "tracer_id"
        ]
    lesion = trial.lesions.row(0, named=True)
    assert (lesion["region_code"], lesion["region_kind"]) == ("L1", "lesion")
    uptake = trial.quantifications.row(0, named=True)
    expected = {
        "scan_code": "PET1",
        "region_code": "L1",
        "region_kind": "lesion",
        "rel_day": 28.0,
        "visit": "Day 28",
        "tracer_id": "f18_fdg",
        "tracer_class": "tumor_tracer",
        "evaluable": True,
        "value": 1.5,
    }
    assert {name: uptake[name] for name in expected} == expected
    assert trial.kinetics["dtm_utc"].to_list() == [AT]
    assert trial.study["is_synthetic"] is True
    assert trial.cut.name == "first"
    assert trial.refused["source_file"].to_list() == ["a.csv"]
    assert trial.findings["source_file"].to_list() == [None]


def test_both_databases_give_the_same_frames(sqlite_url: str, postgres_url: str) -> None:
    trials = []
    for url in (sqlite_url, postgres_url):
        engine = create_engine_for(url)
        with engine.begin() as connection:
            fill(connection)
        trials.append(queries.read_trial(engine, "S1"))
        engine.dispose()
    for name in (*RECORD_FRAMES, "tracers", "loads", "source_files", "refused", "findings", "cuts"):
        left, right = getattr(trials[0], name), getattr(trials[1], name)
        assert left.schema == right.schema, name
        assert left.equals(right), name


def test_a_record_keeps_its_subject_when_the_subject_is_corrected(filled: Engine) -> None:
    with filled.begin() as connection:
        add_loads(connection, 2)
        records.supersede(connection, "subject", pl.Series([1]), 2)
        corrected = {**ROWS["subject"], "id": 2, "sex": "M", "content_hash": 2, "loaded_in": 2}
        connection.execute(insert(TABLES["subject"]), corrected)
    before, after = (queries.read_trial(filled, "S1", name) for name in ("first", "cut 2"))
    assert before.subjects["sex"].to_list() == ["F"]
    assert after.subjects["sex"].to_list() == ["M"]
    assert after.labs["usubjid"].to_list() == ["S1-01-001"]


def test_a_quantification_takes_the_scan_of_its_cut(filled: Engine) -> None:
    with filled.begin() as connection:
        add_loads(connection, 2)
        records.supersede(connection, "scan", pl.Series([1]), 2)
        moved = {**ROWS["scan"], "id": 2, "rel_day": 29.0, "content_hash": 2, "loaded_in": 2}
        connection.execute(insert(TABLES["scan"]), moved)
    days = [
        queries.read_trial(filled, "S1", cut).quantifications["rel_day"][0]
        for cut in ("first", "cut 2")
    ]
    assert days == [28.0, 29.0]


def test_study_without_a_load(engine: Engine) -> None:
    with engine.begin() as connection:
        fill(connection, "study")
    trial = queries.read_trial(engine, "S1")
    assert (trial.cut.name, trial.cut.load_id) == ("", 0)
    assert all(getattr(trial, name).is_empty() for name in RECORD_FRAMES)
    assert "region_kind" in trial.quantifications.columns


def test_unknown_names(filled: Engine) -> None:
    with pytest.raises(UnknownNameError) as refusal:
        queries.read_trial(filled, "S9")
    assert str(refusal.value) == "study 'S9' is not in the database; studies: S1"
    assert refusal.value.exit_code == 2
    with pytest.raises(UnknownNameError) as refusal:
        queries.read_trial(filled, "S1", "last")
    assert str(refusal.value) == "study 'S1' has no data cut 'last'; cuts: first"


def test_no_study_at_all(engine: Engine) -> None:
    with pytest.raises(UnknownNameError, match="none yet, load one by `cartograph load`"):
        queries.read_trial(engine, "S1")


def test_two_studies_do_not_mix(filled: Engine) -> None:
    with filled.begin() as connection:
        other = {**ROWS["study"], "studyid": "S2"}
        connection.execute(insert(TABLES["study"]), other)
        key = connection.scalar(text("SELECT id FROM study WHERE studyid = 'S2'"))
        load = {**ROWS["load"], "id": 7, "study_id": key}
        connection.execute(insert(TABLES["load"]), load)
        file = {**ROWS["source_file"], "id": 7, "load_id": 7, "study_id": key}
        connection.execute(insert(TABLES["source_file"]), file)
        cut = {**ROWS["data_cut"], "id": 7, "study_id": key, "load_id": 7}
        connection.execute(insert(TABLES["data_cut"]), cut)
        subject: dict[str, Any] = {**ROWS["subject"], "id": 7, "usubjid": "S2-01-001"}
        subject |= {"study_id": key, "loaded_in": 7, "source_file_id": 7}
        connection.execute(insert(TABLES["subject"]), subject)
    trial = queries.read_trial(filled, "S2")
    assert trial.subjects["usubjid"].to_list() == ["S2-01-001"]
    assert trial.labs.is_empty()
    assert queries.list_studies(filled)["studyid"].to_list() == ["S1", "S2"]


def test_only(filled: Engine) -> None:
    trial = queries.read_trial(filled, "S1")
    assert trial.only(["S1-01-001"]).labs.height == 1
    nobody = trial.only([])
    assert all(getattr(nobody, name).is_empty() for name in RECORD_FRAMES)
    assert nobody.loads.height == 1


def test_keys_and_supersession(filled: Engine) -> None:
    with filled.begin() as connection:
        add_loads(connection, 2, 3)
        frame = pl.DataFrame(
            [
                {**ROWS["laboratory_result"], "id": 2 + n, "record_key": key}
                for n, key in enumerate(EXTREMES)
            ]
        )
        bulk.insert_frame(connection, "laboratory_result", frame)
        keys = records.current_keys(connection, "laboratory_result", STUDY).sort("id")
        assert keys.rows() == [(1, 1, 1), (2, EXTREMES[0], 1), (3, EXTREMES[1], 1)]
        assert records.supersede(connection, "laboratory_result", pl.Series([2, 3, 3]), 2) == 2
        assert (
            records.supersede(connection, "laboratory_result", pl.Series([], dtype=pl.Int64), 2)
            == 0
        )
        left = records.current_keys(connection, "laboratory_result", STUDY)
    assert left["id"].to_list() == [1]
    for ids in ([2], [1, 99]):
        with (
            filled.connect() as connection,
            pytest.raises(ValueError, match=r"1 of \d records are not current"),
        ):
            records.supersede(connection, "laboratory_result", pl.Series(ids), 3)
    with filled.connect() as connection, pytest.raises(ValueError, match="holds no records"):
        records.supersede(connection, "study", pl.Series([1]), 3)


def test_current_codes(filled: Engine) -> None:
    with filled.connect() as connection:
        found = records.current_codes(connection, "scan", STUDY, "subject_id", "scan_code")
    assert found.rows() == [(1, 1, "PET1")]


def test_copies_are_read_and_healed(filled: Engine, tmp_path: Path) -> None:
    first = queries.read_trial(filled, "S1", cache_dir=tmp_path)
    copies = sorted(tmp_path.glob("*.parquet"))
    assert len(copies) == len(RECORD_FRAMES)
    assert not list(tmp_path.glob("*.part"))
    with filled.begin() as connection:  # what no program does: prove that the copy is read
        connection.execute(text("UPDATE laboratory_result SET value = 99"))
    assert same(queries.read_trial(filled, "S1", cache_dir=tmp_path), first)
    assert queries.read_trial(filled, "S1").labs["value"].to_list() == [99.0]
    damaged = next(path for path in copies if path.name.startswith("laboratory_result"))
    damaged.write_bytes(b"PAR1 half a file")
    assert queries.read_trial(filled, "S1", cache_dir=tmp_path).labs["value"].to_list() == [99.0]


def test_copies_belong_to_one_cut_of_one_database(filled: Engine, tmp_path: Path) -> None:
    queries.read_trial(filled, "S1", cache_dir=tmp_path)
    with filled.begin() as connection:
        add_loads(connection, 2)
        row = {**ROWS["laboratory_result"], "id": 2, "record_key": 2, "loaded_in": 2}
        connection.execute(insert(TABLES["laboratory_result"]), row)
    assert queries.read_trial(filled, "S1", cache_dir=tmp_path).labs.height == 2
    assert queries.read_trial(filled, "S1", "first", cache_dir=tmp_path).labs.height == 1
    with filled.begin() as connection:  # as another database would have it
        connection.execute(text("UPDATE data_cut SET created_at = '2026-02-02 00:00:00.000000'"))
        connection.execute(text("UPDATE laboratory_result SET value = 7"))
    assert queries.read_trial(filled, "S1", "first", cache_dir=tmp_path).labs[
        "value"
    ].to_list() == [7]


def test_copies_that_cannot_be_written_are_no_error(filled: Engine, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a directory")
    assert queries.read_trial(filled, "S1", cache_dir=blocked / "cache").labs.height == 1


def same(left: Trial, right: Trial) -> bool:
    return all(getattr(left, name).equals(getattr(right, name)) for name in RECORD_FRAMES)


def test_one_state_from_first_read_to_last(filled: Engine) -> None:
    """A load that ends between two reads of one transaction is not half seen."""
    table = TABLES["finding"]
    with reading(filled) as connection:
        before = connection.scalar(text("SELECT count(*) FROM finding"))
        with filled.begin() as writer:
            writer.execute(insert(table), {**ROWS["finding"], "id": 2})
        assert connection.scalar(text("SELECT count(*) FROM finding")) == before == 1
