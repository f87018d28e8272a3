"""The reader's scope and its cache."""

import pytest

from analysis.errors import UserError
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


def test_few_trials_are_kept():
    reader = MemoryReader()
    reader.trial("TINY-01")
    for number in range(8):
        reader._list_cuts = lambda _, n=number: MemoryReader()._list_cuts("").tail(1)  # type: ignore[method-assign]
        reader._trials[("OTHER", str(number))] = reader.trial("TINY-01")
    reader._trials.pop(("TINY-01", "2026-06-30"))
    reader.trial("TINY-01")
    assert len(reader._trials) <= 6
