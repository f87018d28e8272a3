"""One wording of a toxicity on the patient page, in the tracks and in the roster."""

from types import SimpleNamespace

import polars as pl
import pytest

from dashboard.components.marks import grade_badge
from dashboard.patient.facts import Toxicity, _toxicity, patient_facts
from dashboard.patient.header import tiles
from dashboard.patient.records import CutRecords, patient_frames
from dashboard.patient.roster import _grades
from dashboard.patient.roster_table import _grade
from dashboard.patient.words import _grade as grade_in_sentence
from figures.patient_tracks import prepare_patient_tracks
from figures.tracks.patient_frames import Choices, PatientFrames
from figures.tracks.toxicity import runs, toxicity_tracks
from tests.dashboard.test_model import text_of
from tests.figures.patient_example import trial


def event(grade, day=3.0, end=5.0, category="CRS"):
    return {"category": category, "scale": "ASTCT 2019", "grade": grade, "rel_day": day,
            "end_rel_day": end}  # fmt: skip


def lanes(*events, recorded=frozenset({"CRS"})):
    schema = {"category": pl.String, "scale": pl.String, "grade": pl.Int64, "rel_day": pl.Float64,
              "end_rel_day": pl.Float64}  # fmt: skip
    patient = PatientFrames(
        usubjid="S1", label="S1", recorded_toxicity=recorded,
        adverse_events=pl.DataFrame(list(events), schema=schema),
    )  # fmt: skip
    tracks = toxicity_tracks(patient, Choices(), 4.0)
    return {row.label: row.value for track in tracks for row in track.rows}


@pytest.mark.parametrize(
    ("events", "tile", "lane"),
    [
        ([event(0)], "grade 0 recorded", "grade 0 recorded"),
        ([event(0, None, None)], "grade 0 recorded", "grade 0 recorded"),
        ([event(2, None, None)], "grade 2 CRS (no day given)", "grade 2"),
        ([event(0, None, None), event(2)], "grade 2 CRS (days 3\N{EN DASH}5)", "grade 2, max 2"),
        ([event(None)], "ungraded CRS (days 3\N{EN DASH}5)", "grade ?, max ?"),
    ],
)
def test_grades(events, tile, lane):
    """A grade 0, or a grade without a day, once vanished from one place and stood in another."""
    found = _toxicity("CRS", events)
    assert grade_in_sentence(found).removeprefix("CRS ") == tile
    assert lanes(*events) == {"CRS": lane}


def test_grade_0_before_an_event_does_not_begin_it_on_the_patient_page():
    rows = [event(0, 0.0, 1.0), event(2, 4.0, 6.0), event(0, 0.0, 1.0, "ICANS"),
            event(None, 4.0, 6.0, "ICANS") | {"scale": None}]  # fmt: skip
    frame = pl.DataFrame([{"usubjid": "S1", **row} for row in rows], infer_schema_length=None)
    records = CutRecords(SimpleNamespace(**vars(trial()) | {"adverse_events": frame}))
    assert records.toxicity["grade"].to_list() == [2, None]
    assert _grades(records) == {("S1", "CRS"): 2, ("S1", "ICANS"): None}


def test_none_recorded_only_where_the_trial_recorded_the_category():
    assert _toxicity("CRS", []) is None
    assert lanes() == {"CRS": "none recorded"}
    assert lanes(recorded=frozenset()) == {}
    cell = _grade("CRS", False, None)
    assert cell.title == "CRS: none recorded"
    assert "CRS none recorded" in text_of(cell)


def test_a_recorded_zero_is_a_zero_in_the_roster():
    assert grade_badge("CRS", 0).title == "CRS grade 0 recorded"
    assert text_of(_grade("CRS", True, 0)).strip() == "0"
    assert _toxicity("CRS", [event(0)]) == Toxicity("CRS", 0, "days 3\N{EN DASH}5", 5, False)


def test_days_of_grade_zero_are_one_run():
    found = runs([event(0, 3.0, 5.0)])
    assert [(run.start, run.end, run.grade) for run in found] == [(3, 5, 0)]


def test_a_grade_set_aside_is_counted_with_its_scale_where_the_grades_stand():
    """Two patients have ASTCT, one of them Penn for the same days and for a later episode."""
    rows = [
        {"usubjid": "S1", **event(1, 1.0, 3.0)},
        {"usubjid": "S1", **event(3, 2.0, 3.0), "scale": "Penn"},
        {"usubjid": "S1", **event(4, 40.0, 44.0), "scale": "Penn"},
        {"usubjid": "S2", **event(2)},
    ]
    infusions = pl.DataFrame({"usubjid": ["S1", "S2"], "rel_day": [0.0, 0.0]})
    frames = vars(trial()) | {"adverse_events": pl.DataFrame(rows), "infusions": infusions}
    records = CutRecords(SimpleNamespace(**frames))
    first, second = (patient_frames(records, one, one) for one in ("S1", "S2"))
    numbers = prepare_patient_tracks(first, Choices(), 41.0)
    (track,) = [one for one in numbers.tracks if one.key == "toxicity"]
    assert track.note == "ASTCT 2019 / Penn grade, 1 grade on Penn set aside"
    assert track.rows[0].value == "grade 4, max 4"
    (found,) = patient_facts(records, first, numbers).toxicities
    assert (found.grade, found.days) == (4, "days 1\N{EN DASH}44")
    said = text_of(tiles(patient_facts(records, first, numbers)))
    assert "on ASTCT 2019 and Penn; 1 grade on Penn for the same days set aside" in said
    assert toxicity_tracks(second, Choices(), 4.0)[0].note == "ASTCT 2019 grade"
