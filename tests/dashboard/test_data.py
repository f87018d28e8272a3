"""The reader's scope and its cache."""

import pytest
from sqlalchemy import insert

from analysis.errors import UserError
from dashboard.data import TrialReader
from dashboard.kept import Kept
from models.clock import utc_now
from models.tables import TABLES
from tests.dashboard.app_fixture import MemoryReader


def test_demo_lists_and_reads_synthetic_studies_only():
    reader = MemoryReader(synthetic_only=True)
    assert reader.studies()["studyid"].to_list() == ["TINY-01"]
    for read in (reader.trial, reader.cuts):
        with pytest.raises(UserError, match="REAL-01"):
            read("REAL-01")
    with pytest.raises(UserError):
        reader.changes("REAL-01", 0, 1)
    assert MemoryReader().studies().height == 2


def test_out_of_scope_and_absent_are_said_in_the_same_words():
    reader = MemoryReader(synthetic_only=True)
    messages = []
    for name in ("REAL-01", "NONE-01"):
        with pytest.raises(UserError) as caught:
            reader.trial(name)
        messages.append(str(caught.value).replace(name, "X"))
    assert messages[0] == messages[1]


def test_a_cut_is_read_once_and_the_latest_is_the_default():
    reader = MemoryReader()
    newest = reader.trial("TINY-01")
    assert newest.cut.name == "2026-06-30"
    assert reader.trial("TINY-01", "2026-06-30") is newest
    older = reader.trial("TINY-01", "2026-05-31")
    assert (older.subjects.height, newest.subjects.height) == (22, 24)


def test_a_later_load_of_the_study_is_seen_at_every_cut():
    reader = MemoryReader()
    before = reader.trial("TINY-01", "2026-05-31")
    assert reader.trial("TINY-01", "2026-05-31") is before
    reader.state = "a load came"
    after = reader.trial("TINY-01", "2026-05-31")
    assert after is not before
    assert reader.trial("TINY-01", "2026-05-31") is after


def test_changes_are_kept_but_not_all_of_them():
    reader = MemoryReader()
    first = reader.changes("TINY-01", 0, 1)
    assert reader.changes("TINY-01", 0, 1) is first
    for load in range(2, 200):
        reader.changes("TINY-01", 0, load)
    assert len(reader._changes) == 64
    assert reader.changes("TINY-01", 0, 1) is not first


def test_the_one_used_longest_ago_goes_first():
    kept = Kept(2)
    kept.put("a", 1)
    kept.put("b", 2)
    assert kept.get("a") == 1
    kept.put("c", 3)
    assert (kept.get("a"), kept.get("b"), kept.get("c"), len(kept)) == (1, None, 3, 2)


def test_the_study_that_opens_first_can_be_read_ahead():
    reader = MemoryReader()
    reader.warm()
    assert len(reader._trials) == 1
    MemoryReader(empty=True).warm()


def test_the_state_of_a_study_follows_its_loads(engine):
    reader = TrialReader(engine)
    load = {
        "study_id": 1, "status": "running", "actor": "t", "contract_version": "1",
        "program_version": "0", "delivery": "partial", "started_at": utc_now(),
    }  # fmt: skip
    study = {"studyid": "S1", "infusion_day_label": 0, "is_synthetic": True}
    with engine.begin() as connection:
        connection.execute(insert(TABLES["study"]), [study])
    empty = reader._read_state("S1")
    assert reader._read_state("S1") == empty
    with engine.begin() as connection:
        connection.execute(insert(TABLES["load"]), [load])
    running = reader._read_state("S1")
    with engine.begin() as connection:
        connection.execute(TABLES["load"].update().values(status="failed"))
    assert len({empty, running, reader._read_state("S1")}) == 3
