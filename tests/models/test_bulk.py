"""Frames into tables and back: nothing changes on the way, on either database."""

import itertools
import json
import math
import multiprocessing
import time
from datetime import datetime
from pathlib import Path

import polars as pl
import pytest
import sqlalchemy
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Engine,
    Float,
    MetaData,
    Table,
    Text,
    select,
    text,
)
from sqlalchemy.exc import IntegrityError, ProgrammingError

from models import bulk
from models.connect import create_engine_for
from models.errors import DatabaseError
from models.frames import read_frame
from models.tables import TABLES
from tests.conftest import administer
from tests.models.small_study import AT, ROWS, fill

ANYTHING = Table(
    "anything",
    MetaData(),
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("word", Text),
    Column("flag", Boolean),
    Column("number", Float),
    Column("at", DateTime),
)
AWKWARD = pl.DataFrame(
    {
        "id": range(1, 9),
        "word": ["", 'a,"b"\n\'c', None, "NULL", "\\N", "\\.", "é µ μ 値", " padded\t"],
        "flag": [True, None, False, True, True, False, None, True],
        "number": [0.1, 1e300, 5e-324, None, -0.0, 1 / 3, 123456789.123456789, -1e-7],
        "at": [AT, None, datetime(1900, 1, 1), datetime(2026, 12, 31, 23, 59, 59, 999_999)] * 2,
    }
)


@pytest.fixture
def filled(engine: Engine) -> Engine:
    with engine.begin() as connection:
        fill(connection)
    return engine


def round_trip(engine: Engine, frame: pl.DataFrame) -> pl.DataFrame:
    with engine.connect() as connection:
        ANYTHING.create(connection)
        assert bulk.insert_frame(connection, ANYTHING, frame) == frame.height
        query = select(ANYTHING).order_by(ANYTHING.c.id)
        return read_frame(connection, [ANYTHING.c[name] for name in frame.columns], query)


def test_awkward_values_come_back(engine: Engine) -> None:
    assert round_trip(engine, AWKWARD).equals(AWKWARD, null_equal=True)


def test_more_rows_than_one_slice_and_one_read(engine: Engine) -> None:
    n = bulk.SQLITE_SLICE * 2 + 1
    frame = pl.DataFrame({"id": range(n), "word": ["it's 100 % \\ ? :x"] * n, "flag": [True] * n})
    assert round_trip(engine, frame).equals(frame)


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    rows=st.lists(
        st.tuples(
            st.text(st.characters(codec="utf-8", exclude_characters="\0")) | st.none(),
            st.floats(allow_nan=False, allow_infinity=False) | st.none(),
        ),
        min_size=1,
        max_size=20,
    )
)
def test_any_text_and_number_come_back(kind: str, rows, request) -> None:  # type: ignore[no-untyped-def]
    engine = create_engine_for(request.getfixturevalue(f"{kind}_url"))
    schema = {"word": pl.String, "number": pl.Float64}
    frame = pl.DataFrame(rows, schema=schema, orient="row").with_row_index("id")
    frame = frame.with_columns(pl.col("id").cast(pl.Int64))
    assert round_trip(engine, frame).equals(frame)
    engine.dispose()


def test_sqlite_text_with_a_nul(sqlite_url: str) -> None:
    frame = pl.DataFrame({"id": [1, 2, 3], "word": ["a\0b", "a\0b", "a\0b"]})
    assert round_trip(create_engine_for(sqlite_url), frame).equals(frame)


def test_a_date_is_found_equal(filled: Engine) -> None:
    """SQLite compares dates as text: the bulk path must write SQLAlchemy's own."""
    with filled.begin() as connection:
        frame = pl.DataFrame([{**ROWS["kinetics_sample"], "id": 2, "record_key": 2}])
        bulk.insert_frame(connection, "kinetics_sample", frame)
        table = TABLES["kinetics_sample"]
        found = connection.scalars(select(table.c.id).where(table.c.dtm_utc == AT)).all()
    assert sorted(found) == [1, 2]


@pytest.mark.parametrize(
    ("frame", "error", "words"),
    [
        ({"nosuch": [1]}, TypeError, "study has no column nosuch"),
        ({"studyid": [1]}, TypeError, "study.studyid holds String, the frame has Int64"),
        ({"infusion_day_label": ["0"]}, TypeError, "study.infusion_day_label holds Int64"),
        ({"is_synthetic": [1]}, TypeError, "study.is_synthetic holds Boolean"),
    ],
)
def test_wrong_frames_are_refused(engine: Engine, frame, error, words) -> None:  # type: ignore[no-untyped-def]
    with engine.connect() as connection, pytest.raises(error, match=words):
        bulk.insert_frame(connection, "study", pl.DataFrame(frame))


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_no_nan_and_no_infinity(filled: Engine, number: float) -> None:
    frame = pl.DataFrame([{**ROWS["laboratory_result"], "id": 2, "record_key": 2, "value": number}])
    with filled.connect() as connection, pytest.raises(ValueError, match="value holds NaN"):
        bulk.insert_frame(connection, "laboratory_result", frame)


def test_a_refused_row_leaves_nothing(filled: Engine) -> None:
    good = {**ROWS["kinetics_sample"], "id": 2, "record_key": 2}
    bad = {**good, "id": 3, "record_key": 3, "assay": "PCR"}
    with pytest.raises(IntegrityError), filled.begin() as connection:
        bulk.insert_frame(connection, "kinetics_sample", pl.DataFrame([good, bad]))
    with filled.connect() as connection:
        assert bulk.next_id(connection, "kinetics_sample") == 2


def test_with_ids_sorts_by_key_and_counts_on(filled: Engine) -> None:
    frame = pl.DataFrame({"record_key": [5, -7, 3]})
    with filled.connect() as connection:
        numbered = bulk.with_ids(connection, "scan", frame)
    assert numbered.rows() == [(-7, 2), (3, 3), (5, 4)]


def test_row_security_takes_the_way_round(postgres_url: str) -> None:
    """COPY is forbidden under row-level security: a user bound by it writes all the same."""
    owner = create_engine_for(postgres_url)
    with owner.begin() as connection:
        fill(connection)
        connection.execute(text("ALTER TABLE laboratory_result ENABLE ROW LEVEL SECURITY"))
        connection.execute(
            text(
                "CREATE POLICY own ON laboratory_result "
                "USING (study_id = 1) WITH CHECK (study_id = 1)"
            )
        )
    role = "bound_by_rows"
    administer(
        postgres_url,
        f"DO $$BEGIN CREATE ROLE {role} LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END$$",
    )
    administer(postgres_url, f"GRANT ALL ON ALL TABLES IN SCHEMA public TO {role}")
    bound = create_engine_for(sqlalchemy.make_url(postgres_url).set(username=role))
    frame = pl.DataFrame([{**ROWS["laboratory_result"], "id": 2, "record_key": 2}])
    with bound.begin() as connection:
        assert bulk.insert_frame(connection, "laboratory_result", frame) == 1
    other = frame.with_columns(id=3, record_key=3, study_id=2)
    with bound.begin() as connection, pytest.raises(ProgrammingError, match="row-level security"):
        bulk.insert_frame(connection, "laboratory_result", other)
    owner.dispose()
    bound.dispose()


def load_in_turn(url: str, log: Path, name: str) -> None:
    """A loader in a process of its own: notes when it held the lock."""
    engine = create_engine_for(url)
    for _ in range(5):
        with bulk.loader_lock(engine):
            began = time.monotonic()
            time.sleep(0.02)
            with log.open("a") as file:
                file.write(json.dumps([name, began, time.monotonic()]) + "\n")
    engine.dispose()


def test_loaders_take_turns(database_url: str, tmp_path: Path) -> None:
    log = tmp_path / "turns"
    spawn = multiprocessing.get_context("spawn")
    loaders = [
        spawn.Process(target=load_in_turn, args=(database_url, log, str(n))) for n in range(3)
    ]
    for loader in loaders:
        loader.start()
    for loader in loaders:
        loader.join()
        assert loader.exitcode == 0
    turns = sorted(json.loads(line)[1:] for line in log.read_text().splitlines())
    assert len(turns) == 15
    assert all(before[1] <= after[0] for before, after in itertools.pairwise(turns))


def test_a_second_loader_gives_up_in_plain_words(engine: Engine) -> None:
    other = create_engine_for(engine.url)
    words = "another load has been running for 0.1 s; try again when it is done"
    with bulk.loader_lock(engine), pytest.raises(DatabaseError) as refusal:
        bulk.loader_lock(other, timeout_second=0.1).__enter__()
    assert str(refusal.value).endswith(words)
    with bulk.loader_lock(other, timeout_second=0.1):
        pass
    other.dispose()
