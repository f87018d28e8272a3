import polars as pl

from analysis.derive.attrition import AttritionStep, attrition
from analysis.derive.sets import analysis_sets
from analysis.selection import Selection, select_subjects

SUBJECTS = pl.DataFrame(
    {
        "usubjid": ["P1", "P2", "P3", "P4"],
        "cohort": ["A", "A", "B", "B"],
        "siteid": ["1", "2", "1", "2"],
    }
)
INFUSIONS = pl.DataFrame({"usubjid": ["P1", "P2", "P3"]})
SCANS = pl.DataFrame(
    {
        "usubjid": ["P1", "P2", "P3", "P4"],
        "evaluable": [True, False, True, True],
        "rel_day": [14.0, 14.0, -7.0, 14.0],
    }
)
RESPONSES = pl.DataFrame({"usubjid": ["P1", "P4"], "response": ["CR", "PD"]})


def test_sets_follow_from_the_data():
    found = analysis_sets(SUBJECTS, INFUSIONS, SCANS, RESPONSES)
    names = ("usubjid", "infused", "safety", "imaging_evaluable", "efficacy_evaluable")
    assert found.select(names).rows() == [
        ("P1", True, True, True, True),
        ("P2", True, True, False, False),
        ("P3", True, True, False, False),
        ("P4", False, False, False, False),
    ]
    assert set(found["infused_source"]) == {"derived"}


def test_a_call_before_infusion_judges_nothing():
    before = RESPONSES.with_columns(rel_day=pl.Series([-7.0, 28.0]))
    found = analysis_sets(SUBJECTS, INFUSIONS, SCANS, before)
    assert not found["efficacy_evaluable"].any()


def test_a_delivered_flag_stands():
    flagged = SUBJECTS.with_columns(
        imaging_set=pl.Series([False, True, None, None]),
        infused=pl.Series([True, True, True, False]),
    )
    found = analysis_sets(flagged, INFUSIONS, SCANS, RESPONSES)
    assert found["imaging_evaluable"].to_list() == [False, True, False, False]
    assert found["imaging_evaluable_source"].to_list() == ["delivered"] * 2 + ["derived"] * 2
    assert set(found["infused_source"]) == {"delivered"}


def test_a_study_without_infusion_data_counts_everyone_and_says_so():
    found = analysis_sets(SUBJECTS)
    assert found["infused"].to_list() == [True] * 4
    assert set(found["infused_source"]) == {"assumed"}
    step = attrition(Selection(), SUBJECTS, found)[1]
    assert step == AttritionStep("Infused", 4, 0, "no infusion data: every patient counted")


def test_attrition_names_each_loss():
    sets = analysis_sets(SUBJECTS, INFUSIONS, SCANS, RESPONSES)
    selection = Selection(analysis_set="imaging", cohort=("A",))
    data = pl.DataFrame({"usubjid": ["P2"]})
    assert attrition(selection, SUBJECTS, sets, data) == (
        AttritionStep("Enrolled", 4, 0, ""),
        AttritionStep("Infused", 3, 1, "not infused"),
        AttritionStep("Imaging-evaluable", 1, 2, "no evaluable scan after infusion"),
        AttritionStep("A", 1, 0, "other cohort"),
        AttritionStep("With data", 0, 1, "no usable value of this signal"),
    )


def test_last_step_holds_the_selected_patients():
    sets = analysis_sets(SUBJECTS, INFUSIONS, SCANS, RESPONSES)
    for selection in (Selection(), Selection(site=("1",)), Selection(cohort=("B",), site=("2",))):
        selected = select_subjects(selection, SUBJECTS, sets)
        assert attrition(selection, SUBJECTS, sets)[-1].n == len(selected)
    assert select_subjects(Selection(site=("1",)), SUBJECTS, sets) == ("P1", "P3")
