"""Rows that the schema refuses, and rows at the edge that it takes, on both databases."""

import shutil
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Engine, delete, insert, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError

from models.connect import create_engine_for
from models.tables import TABLES
from tests.conftest import fresh_postgres
from tests.models.small_study import ROWS, fill

REFUSED: list[tuple[str, dict[str, Any], str]] = [
    ("study", {"infusion_day_label": 2}, "infusion_day_label"),
    ("study", {"studyid": None}, "studyid"),
    ("source_file", {"rows_in": 4}, "accounted"),
    ("source_file", {"refused": -1, "rows_in": 1}, "refused"),
    ("load", {"status": "finished"}, "status"),
    ("load", {"delivery": "some"}, "delivery"),
    ("finding", {"severity": "fatal"}, "severity"),
    ("subject", {"sex": "female"}, "sex"),
    ("subject", {"age_year": -1.0}, "age_year"),
    ("subject", {"site_id": 99}, "site_id"),
    ("subject", {"superseded_in": 1}, "superseded_later"),
    ("subject", {"source_row": 0}, "source_row"),
    ("infusion", {"dose_cells": 0.0}, "dose_cells"),
    ("infusion", {"infusion_no": 0}, "infusion_no"),
    ("infusion", {"viability_percent": 101.0}, "viability_percent"),
    ("infusion", {"label_activity_mbq": 10.0}, "label_only_when_labelled"),
    ("infusion", {"rel_day": 0.0}, "rel_day_has_source"),
    ("infusion", {"tracer_id": "no_such", "labelled": True}, "tracer_id"),
    ("tracer_administration", {"injected_activity_mbq": 0.0}, "injected_activity_mbq"),
    ("scan", {"dtm_precision": "month"}, "partial_date_has_no_rel_day"),
    ("scan", {"dtm_precision": "week"}, "dtm_precision"),
    ("scan", {"not_evaluable_reason": "blurred"}, "reason_when_not_evaluable"),
    ("scan", {"decay_state": "corrected"}, "decay_state"),
    ("region", {"kind": "tissue"}, "kind"),
    ("region", {"kind": "organ", "lesion_role": "target"}, "role_of_lesion"),
    ("quantification", {"value": -0.1}, "value"),
    ("quantification", {"value": None}, "value_when_exact"),
    ("quantification", {"lower": 0.0, "upper": 2.0}, "bounds_when_censored"),
    ("quantification", {"scan_id": 99}, "scan_id"),
    ("quantification", {"region_id": 99}, "region_id"),
    ("kinetics_sample", {"censored": "left"}, "censored"),
    (
        "kinetics_sample",
        {"censored": "left", "lower": 0.0, "upper": 50.0},
        "no_value_when_censored",
    ),
    (
        "kinetics_sample",
        {"censored": "left", "value": None, "lower": 1.0, "upper": 50.0},
        "left_has_upper",
    ),
    (
        "kinetics_sample",
        {"censored": "right", "value": None, "upper": 50.0},
        "right_has_lower",
    ),
    (
        "kinetics_sample",
        {"censored": "interval", "value": None, "lower": 5.0},
        "interval_has_both",
    ),
    (
        "kinetics_sample",
        {"censored": "interval", "value": None, "lower": 5.0, "upper": 4.0},
        "bounds_ordered",
    ),
    ("kinetics_sample", {"assay": "PCR"}, "assay"),
    ("kinetics_sample", {"subject_id": 99}, "subject_id"),
    ("kinetics_sample", {"source_file_id": 99}, "source_file_id"),
    ("laboratory_result", {"loaded_in": 99}, "loaded_in"),
    ("laboratory_result", {"category": "hormone"}, "category"),
    ("lesion_measurement", {"region_id": 99}, "region_id"),
    ("lesion_measurement", {"value": None}, "value_when_exact"),
    ("response_assessment", {"deauville": 6}, "deauville"),
    ("response_assessment", {"derived_by": "software"}, "derived_by"),
    ("adverse_event", {"scale": None}, "grade_has_scale"),
    ("adverse_event", {"grade": 6}, "grade"),
    (
        "adverse_event",
        {"ongoing": True, "end_rel_day": 3.0},
        "ongoing_has_no_end",
    ),
    ("survival_event", {"time_day": -1.0}, "time_day"),
    ("survival_event", {"endpoint": "TTP"}, "endpoint"),
    ("job", {"status": "waiting"}, "status"),
    ("job", {"progress": 1.5}, "progress"),
    ("stored_fit", {"cut_id": 99}, "cut_id"),
]

TAKEN: list[tuple[str, dict[str, Any]]] = [
    ("kinetics_sample", {"censored": "left", "value": None, "lower": 0.0, "upper": 50.0}),
    ("kinetics_sample", {"censored": "right", "value": None, "lower": 50.0}),
    ("kinetics_sample", {"censored": "interval", "value": None, "lower": 5.0, "upper": 5.0}),
    ("kinetics_sample", {"value": 0.0}),
    ("laboratory_result", {"value": -2.5}),
    ("lesion_measurement", {"value": None, "metric": "TUMSTATE", "state": "ABSENT"}),
    ("scan", {"evaluable": False, "not_evaluable_reason": "no uptake time"}),
    ("scan", {"dtm_precision": "month", "rel_day_source": "delivered"}),
    ("adverse_event", {"scale": None, "grade": None}),
    ("infusion", {"labelled": True, "tracer_id": "f18_fdg", "label_activity_mbq": 12.0}),
    ("survival_event", {"time_day": 0.0, "cnsr": 0}),
]


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def standing(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Engine]:
    """One database of each kind for all rows below: every test rolls back what it wrote."""
    if request.param == "sqlite":
        file = tmp_path_factory.mktemp("constraints") / "trial.db"
        shutil.copy(request.getfixturevalue("sqlite_template"), file)
        yield create_engine_for(f"sqlite:///{file}")
        return
    server = request.getfixturevalue("postgres_server")
    with fresh_postgres(server, request.getfixturevalue("postgres_template")) as url:
        yield create_engine_for(url)


@pytest.mark.parametrize(("table", "change", "names"), REFUSED)
def test_refused(standing: Engine, table: str, change: dict[str, Any], names: str) -> None:
    with standing.connect() as connection:
        fill(connection, *(name for name in ROWS if comes_before(name, table)), numbered=True)
        with pytest.raises(IntegrityError) as refusal:
            connection.execute(insert(TABLES[table]), {**ROWS[table], **change})
    said = str(refusal.value.orig)
    assert names in said or "FOREIGN KEY" in said  # SQLite does not name the foreign key


@pytest.mark.parametrize(("table", "change"), TAKEN)
def test_taken(standing: Engine, table: str, change: dict[str, Any]) -> None:
    with standing.connect() as connection:
        fill(connection, *(name for name in ROWS if comes_before(name, table)), numbered=True)
        connection.execute(insert(TABLES[table]), {**ROWS[table], **change})


def comes_before(name: str, table: str) -> bool:
    order = list(ROWS)
    return order.index(name) < order.index(table)


def test_one_current_version_of_a_record(engine: Engine) -> None:
    with engine.begin() as connection:
        fill(connection)
    again = {**ROWS["kinetics_sample"], "id": 2, "content_hash": 2}
    with pytest.raises(IntegrityError), engine.begin() as connection:
        connection.execute(insert(TABLES["kinetics_sample"]), again)


def test_sqlite_takes_no_number_for_a_boolean(sqlite_url: str) -> None:
    engine = create_engine_for(sqlite_url)
    with pytest.raises(IntegrityError, match="is_synthetic"), engine.begin() as connection:
        connection.execute(
            text("INSERT INTO study (studyid, infusion_day_label, is_synthetic) VALUES ('x', 0, 7)")
        )
    engine.dispose()


@pytest.mark.parametrize("change", ["update", "delete"])
def test_audit_is_append_only(engine: Engine, change: str) -> None:
    table = TABLES["audit"]
    with engine.begin() as connection:
        fill(connection, "audit")
    statement = update(table).values(actor="someone else") if change == "update" else delete(table)
    with pytest.raises(DBAPIError, match="append only"), engine.begin() as connection:
        connection.execute(statement)
    with engine.connect() as connection:
        assert connection.execute(table.select()).mappings().one()["actor"] == "t"


def test_audit_cannot_be_truncated(postgres_url: str) -> None:
    engine = create_engine_for(postgres_url)
    with pytest.raises(DBAPIError, match="append only"), engine.begin() as connection:
        connection.execute(text("TRUNCATE audit"))
    engine.dispose()
