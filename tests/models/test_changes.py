"""Added, corrected, retired between two cuts, on both databases."""

from datetime import datetime

import sqlalchemy
from sqlalchemy import Engine

from models.changes import cut_changes
from models.tables import TABLES

NOW = datetime(2026, 6, 30, 12)


def _insert(connection, table: str, **values) -> None:
    connection.execute(sqlalchemy.insert(TABLES[table]).values(**values))


def _study_with_three_loads(engine: Engine) -> None:
    """Key 1 stays, key 2 is corrected by load 2, key 3 retired by it, key 4 added by it;
    load 3 corrects key 4."""
    with engine.begin() as connection:
        _insert(connection, "study", id=1, studyid="S", infusion_day_label=0, is_synthetic=True)
        for load in (1, 2, 3):
            _insert(
                connection, "load", id=load, study_id=1, status="done", started_at=NOW, actor="a",
                contract_version="1", program_version="1", delivery="full",
            )  # fmt: skip
            _insert(
                connection, "source_file", id=load, load_id=load, study_id=1, path="f", sha256="x",
                size_byte=1, reader="csv", rows_in=0, loaded=0, refused=0, duplicates=0, empty=0,
                superseded=0,
            )  # fmt: skip
        rows = [
            (1, 1, 1, None),
            (2, 2, 1, 2),
            (3, 3, 1, 2),
            (4, 2, 2, None),
            (5, 4, 2, 3),
            (6, 4, 3, None),
        ]
        for key, record, loaded, superseded in rows:
            _insert(
                connection, "subject", id=key, study_id=1, record_key=record, content_hash=key,
                usubjid=f"S-{record}", subjid=str(record), loaded_in=loaded,
                superseded_in=superseded, source_file_id=loaded,
            )  # fmt: skip


def _subjects(engine: Engine, before: int, after: int) -> tuple[int, ...]:
    found = cut_changes(engine, "S", before, after)
    return found.filter(found["frame"] == "subjects").row(0)[1:]


def test_counts_between_cuts(engine):
    _study_with_three_loads(engine)
    # before, added, corrected, retired, after
    assert _subjects(engine, 0, 1) == (0, 3, 0, 0, 3)
    assert _subjects(engine, 1, 2) == (3, 1, 1, 1, 3)
    assert _subjects(engine, 2, 3) == (3, 0, 1, 0, 3)
    assert _subjects(engine, 1, 3) == (3, 1, 1, 1, 3)
    assert _subjects(engine, 2, 2) == (3, 0, 0, 0, 3)


def test_other_frames_have_their_row_too(engine):
    _study_with_three_loads(engine)
    found = cut_changes(engine, "S", 1, 2)
    assert found.height == 14
    assert found.filter(found["frame"] == "scans").row(0) == ("scans", 0, 0, 0, 0, 0)
