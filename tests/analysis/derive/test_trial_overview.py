"""Literal in and out: counts, both denominators, grades with and without events."""

import polars as pl
import pytest

from analysis.derive.toxicity import maximum_grade
from analysis.derive.trial_overview import trial_overview
from dashboard.overview_tiles import overview_sentence
from dashboard.trial_numbers import TrialNumbers

_SETS = pl.DataFrame(
    {
        "usubjid": ["P1", "P2", "P3", "P4", "P5"],
        "infused": [True, True, True, True, False],
        "imaging_evaluable": [True, True, False, None, False],
        "efficacy_evaluable": [True, True, True, False, False],
        "infused_source": ["derived"] * 5,
    }
)
_BEST = pl.DataFrame(
    {
        "usubjid": ["P1", "P2", "P3", "P5"],
        "criterion": ["LUGANO 2014"] * 4,
        "reader": ["IRC"] * 4,
        "best_category": ["CR", "PD", "NE", "CR"],
        "responder": [True, False, None, True],
    }
)
_GRADES = pl.DataFrame(
    {
        "usubjid": ["P1", "P2", "P3", "P5"],
        "category": ["CRS", "CRS", "CRS", "CRS"],
        "scale": ["ASTCT 2019", "ASTCT 2019", None, "ASTCT 2019"],
        "max_grade": [3, 1, None, 4],
    },
    schema_overrides={"max_grade": pl.Int64},
)
_LAST = pl.DataFrame({"usubjid": ["P1", "P2", "P3"], "last_day": [90.0, 30.0, 200.0]})


def test_overview_of_all_patients():
    found = trial_overview(_SETS, _BEST, _GRADES, _LAST, ["P1", "P2", "P3", "P4", "P5"])
    assert (found.n_enrolled, found.n_infused, found.n_imaging, found.n_efficacy) == (5, 4, 2, 3)
    assert (found.objective.infused.successes, found.objective.infused.n) == (1, 4)
    assert (found.objective.evaluable.successes, found.objective.evaluable.n) == (1, 2)
    # Clopper-Pearson of 1 in 4
    assert found.objective.infused.conf_low == pytest.approx(0.006309, abs=1e-6)
    assert found.objective.infused.conf_high == pytest.approx(0.805880, abs=1e-6)
    crs = found.grades[0]
    assert crs.counts == (1, 1, 0, 1, 0, 0)  # P4 without an event is grade 0; P5 not infused
    assert (crs.ungraded, crs.maximum, crs.at_least(2)) == (1, 3, 1)
    assert found.follow_up_day == (90.0, 30.0, 200.0)
    assert not found.infusions_unknown


def test_grade_0_counts_as_no_event_whatever_else_was_recorded():
    """P1 has no CRS; P2 and P3 have a grade 0 and an event, of P2 without a grade, of P3 on a
    scale that the others do not have."""
    rows = [("P1", "ASTCT 2019", 0), ("P2", "ASTCT 2019", 0), ("P2", None, None),
            ("P3", "ASTCT 2019", 0), ("P3", "Penn", 3), ("P4", "ASTCT 2019", 2)]  # fmt: skip
    schema = {"usubjid": pl.String, "scale": pl.String, "grade": pl.Int64}
    events = pl.DataFrame(rows, schema=schema, orient="row").with_columns(category=pl.lit("CRS"))
    grades = maximum_grade(events)
    crs = trial_overview(_SETS, _BEST, grades, _LAST, ["P1", "P2", "P3", "P4"]).grades[0]
    assert (crs.counts, crs.ungraded) == ((1, 0, 1, 0, 0, 0), 2)


def test_nobody_is_said_to_be_infused_who_was_not():
    assumed = _SETS.with_columns(infused=pl.lit(True), infused_source=pl.lit("assumed"))
    found = trial_overview(assumed, _BEST, _GRADES, _LAST, ["P1", "P2", "P3", "P4", "P5"])
    assert (found.n_infused, found.infusions_unknown) == (5, True)
    words = overview_sentence(TrialNumbers(found, None, "samples", None))
    assert words[0] == "5 enrolled patients; who was infused was not delivered"


def test_a_study_without_response_or_toxicity_says_so():
    found = trial_overview(_SETS, _BEST.clear(), _GRADES.clear(), _LAST.clear(), ["P1", "P2"])
    assert found.objective is None
    assert found.grades == ()
    assert found.follow_up_day is None
