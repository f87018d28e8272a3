"""Where records come from: studies, names, loads, files, cuts, saved fits, audit."""

from datetime import datetime

import polars as pl
import pytest
from sqlalchemy import Connection, Engine, select
from sqlalchemy.exc import IntegrityError

from models import audit, fits, held, loads
from models.errors import StudyKindError, UnknownNameError
from models.frames import read_frame
from models.tables import TABLES
from tests.models.small_study import AT, ROWS, fill

LOAD = {
    "actor": "t",
    "profile_hash": "p1",
    "contract_version": "1",
    "program_version": "0",
    "delivery": "partial",
}


def test_a_study_is_made_once_and_updated(engine: Engine) -> None:
    with engine.begin() as connection:
        first = loads.ensure_study(connection, "S1", {"title": "One", "phase": None})
        again = loads.ensure_study(connection, "S1", {"title": None, "phase": "1"})
        row = connection.execute(select(TABLES["study"])).mappings().one()
    assert first == again
    assert (row["title"], row["phase"], row["is_synthetic"], row["infusion_day_label"]) == (
        "One",
        "1",
        False,
        0,
    )


def test_a_study_stays_real_or_synthetic(engine: Engine) -> None:
    for first in (False, True):
        with engine.begin() as connection:
            loads.ensure_study(connection, f"S{first}", {}, synthetic=first)
        with pytest.raises(StudyKindError, match=f"'S{first}'"), engine.begin() as connection:
            loads.ensure_study(connection, f"S{first}", {"title": "x"}, synthetic=not first)
    study = TABLES["study"].c
    with engine.begin() as connection:
        rows = connection.execute(select(study.studyid, study.is_synthetic, study.title)).all()
    assert sorted(rows) == [("SFalse", False, None), ("STrue", True, None)]


def test_no_profile_can_make_a_study_synthetic(engine: Engine) -> None:
    with pytest.raises(ValueError, match="by the argument"), engine.begin() as connection:
        loads.ensure_study(connection, "S1", {"is_synthetic": True})


def test_names_are_made_once(engine: Engine) -> None:
    with engine.begin() as connection:
        study = loads.ensure_study(connection, "S1", {})
        loads.ensure_names(connection, "site", study, ["02", "01"])
        known = loads.ensure_names(connection, "site", study, ["03", "01", "03"])
        products = loads.ensure_names(connection, "product", study, pl.Series(["CAR19"]))
    assert known["name"].to_list() == ["01", "02", "03"]
    assert products["name"].to_list() == ["CAR19"]


def test_a_load_from_start_to_cut(engine: Engine) -> None:
    with engine.begin() as connection:
        fill(connection, "study")
        load = loads.add_load(connection, {**LOAD, "study_id": 1})
        file = {**ROWS["source_file"], "load_id": load, "sha256": "ff"}
        connection.execute(TABLES["source_file"].insert(), file)
        frame = pl.DataFrame(
            {"load_id": [load], "source_file_id": [1], "rule": ["unit"], "row": [7]}
        )
        assert loads.insert_refused(connection, frame) == 1
        assert loads.insert_refused(connection, frame) == 1
        finding = {"load_id": load, "severity": "info", "code": "c", "count": 1, "message": "m"}
        assert loads.insert_findings(connection, pl.DataFrame([finding])) == 1
        assert held.files_loaded(connection, 1, "p1", "1").is_empty()  # it still runs
        loads.finish_load(connection, load, datetime(2026, 1, 6), "fine")
        loads.insert_cut(connection, 1, "first", load)
    with engine.connect() as connection:
        found = held.files_loaded(connection, 1, "p1", "1")
        assert found.select("sha256", "load_id").rows() == [("ff", load)]
        assert held.files_loaded(connection, 1, "p2", "1").is_empty()
        assert held.files_loaded(connection, 1, "p1", "2").is_empty()
        assert held.cut_names(connection, 1) == ["first"]
        ids = connection.scalars(select(TABLES["refused_row"].c.id)).all()
        assert sorted(ids) == [1, 2]


def test_a_cut_has_one_name(engine: Engine) -> None:
    with engine.begin() as connection:
        fill(connection, "study", "load")
        loads.insert_cut(connection, 1, "first", 1)
    with pytest.raises(IntegrityError), engine.begin() as connection:
        loads.insert_cut(connection, 1, "first", 1)


def test_saved_fits(engine: Engine) -> None:
    with engine.begin() as connection:
        fill(connection)
        saved = {"study_id": 1, "cut_id": 1, "spec_hash": "h", "spec": "{}"}
        older = fits.insert_fit(connection, **saved, fit='{"n": 1}')
        newer = fits.insert_fit(connection, **saved, fit='{"n": 2}', actor="t")
        assert fits.read_fit(connection, older)["fit"] == '{"n": 1}'
        found = fits.find_fit(connection, 1, "h")
        assert found is not None
        assert (found["id"], found["fit"]) == (newer, '{"n": 2}')
        assert fits.find_fit(connection, 1, "other") is None
        assert fits.list_fits(connection, 1)["id"].to_list() == [newer, older, 1]
        with pytest.raises(UnknownNameError, match="there is no saved fit 99"):
            fits.read_fit(connection, 99)


def audit_log(connection: Connection) -> pl.DataFrame:
    table = TABLES["audit"]
    return read_frame(connection, list(table.c), select(table).order_by(table.c.id))


def test_audit_entries(engine: Engine) -> None:
    with engine.begin() as connection:
        number = audit.insert_audit(
            connection,
            "t",
            "rename",
            table_name="data_cut",
            key=3,
            before={"at": AT},
            after={"b": 1},
        )
        log = audit_log(connection)
    assert log["id"].to_list() == [number]
    assert log.row(0, named=True)["before"] == '{"at": "2026-01-05 08:30:00"}'


def test_an_entry_goes_with_its_change(engine: Engine) -> None:
    def change_and_fail() -> None:
        with engine.begin() as connection:
            fill(connection, "study")
            audit.insert_audit(connection, "t", "add")
            raise RuntimeError("half way")

    with pytest.raises(RuntimeError):
        change_and_fail()
    with engine.connect() as connection:
        assert audit_log(connection).is_empty()
