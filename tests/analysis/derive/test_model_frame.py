"""The frame of a specification: rows, group, adjusters, and what was left out."""

import numpy as np
import polars as pl
import pytest

from analysis.derive.groups import patient_groups, with_numbers
from analysis.derive.model_frame import model_frame
from analysis.errors import UserError
from analysis.results import Excluded
from analysis.specs import ModelSpec

SUBJECTS = pl.DataFrame(
    {
        "usubjid": ["P1", "P2", "P3", "P4"],
        "cohort": ["A", "A", "B", "B"],
        "age_year": [50.0, 60.0, 70.0, None],
        "sex": ["F", "M", "F", "M"],
    }
)
RESPONSES = pl.DataFrame(
    {
        "usubjid": ["P1", "P2", "P3"],
        "criterion": ["NCI"] * 3,
        "reader": [None] * 3,
        "component": ["best"] * 3,
        "response": ["CR", "PR", "PD"],
    },
    schema_overrides={"reader": pl.String},
)
CHARACTERISTICS = pl.DataFrame(
    {
        "usubjid": ["P1", "P2", "P3", "P1", "P2"],
        "paramcd": ["HLH"] * 3 + ["BURDEN"] * 2,
        "value": [1.0, 0.0, None, 12.5, 80.0],
        "value_text": [None] * 5,
    },
    schema_overrides={"value_text": pl.String},
)


def blood(*rows):
    """rows: (patient, day, value)."""
    return pl.DataFrame(
        [
            {
                "usubjid": usubjid, "analyte": "CARFLOW", "assay": "flow", "matrix": "BLOOD",
                "unit": "cells/uL", "rel_day": day, "nominal_day": day, "value": value,
                "censored": "none",
            }
            for usubjid, day, value in rows
        ]
    )  # fmt: skip


KINETICS = blood(
    ("P1", 0.0, 0.0), ("P1", 14.0, 900.0), ("P2", 14.0, 80.0), ("P3", 14.0, 3.0), ("P4", 14.0, 7.0)
)
SPEC = ModelSpec(outcome="kinetics:CARFLOW:flow:BLOOD")
EXPOSURE = ModelSpec(
    outcome="response:complete_response", question="response_by_exposure",
    exposure="kinetics:CARFLOW:flow:BLOOD", parameter="peak", day_high=28, landmark_day=28,
)  # fmt: skip
SURVIVAL = pl.DataFrame(
    {
        "usubjid": ["P1", "P2", "P1"],
        "endpoint": ["PFS", "PFS", "OS"],
        "time_day": [90.0, 200.0, 400.0],
        "cnsr": [0, 1, 1],
    }
)


def test_questions_by_exposure_carry_their_outcome():
    calls = RESPONSES.with_columns(rel_day=pl.Series([28.0, None, 90.0]))
    built = model_frame(EXPOSURE, subjects=SUBJECTS, kinetics=KINETICS, responses=calls)
    rows = built.frame.filter(pl.col("rel_day") == 14.0).sort("usubjid")
    assert rows["group"].to_list() == ["CR", "no CR", "no CR", None]
    assert rows["response_day"].to_list() == [28.0, None, 90.0, None]
    event = EXPOSURE.replace(outcome="event:PFS", question="event_by_exposure")
    built = model_frame(event, subjects=SUBJECTS, kinetics=KINETICS, survival=SURVIVAL)
    rows = built.frame.filter(pl.col("rel_day") == 14.0).sort("usubjid")
    assert rows["event_day"].to_list() == [90.0, 200.0, None, None]
    assert rows["event"].to_list() == [1, 0, None, None]
    with pytest.raises(UserError, match="no patient has 'EFS'; the study has OS, PFS"):
        model_frame(event.replace(outcome="event:EFS"), subjects=SUBJECTS, kinetics=KINETICS,
                    survival=SURVIVAL)  # fmt: skip


def build(spec, **frames):
    given = {"kinetics": KINETICS, "responses": RESPONSES, "characteristics": CHARACTERISTICS}
    return model_frame(spec, subjects=SUBJECTS, **(given | frames))


TWO_CRITERIA = RESPONSES.with_columns(
    criterion=pl.when(pl.col("usubjid") == "P3").then(pl.lit("LUGANO 2014")).otherwise("criterion")
)
QUESTION = ModelSpec(outcome="kinetics:CARFLOW:flow:BLOOD")


@pytest.mark.parametrize("spec", [QUESTION, EXPOSURE])
def test_two_criteria_are_not_one_outcome(spec):
    with pytest.raises(UserError, match=r"by 2 criteria \(.*LUGANO 2014.*\).*give criterion"):
        build(spec, responses=TWO_CRITERIA)
    read_by_one = build(spec.replace(cohort=("A",)), responses=TWO_CRITERIA).frame
    assert read_by_one["usubjid"].unique().sort().to_list() == ["P1", "P2"]
    named = build(spec.replace(criterion="LUGANO 2014"), responses=TWO_CRITERIA).frame
    assert named.filter(pl.col("group").is_not_null())["usubjid"].unique().to_list() == ["P3"]


def test_groups_that_are_no_responses_need_no_criterion():
    assert build(QUESTION.replace(group="sex"), responses=TWO_CRITERIA).frame.height


GROUPS = [
    ("responder", ["responder", "responder", "non-responder", None]),
    ("complete_response", ["CR", "no CR", "no CR", None]),
    ("best_response", ["CR", "PR", "PD", None]),
    ("cohort", ["A", "A", "B", "B"]),
    ("sex", ["F", "M", "F", "M"]),
    ("characteristic:HLH", ["1", "0", None, None]),
    ("characteristic:BURDEN", ["12.5", "80", None, None]),
]


@pytest.mark.parametrize(("kind", "expected"), GROUPS)
def test_groups(kind, expected):
    found = patient_groups(kind, SUBJECTS, characteristics=CHARACTERISTICS, responses=RESPONSES)
    assert found["group"].to_list() == expected
    assert found["usubjid"].to_list() == SUBJECTS["usubjid"].to_list()


def test_patients_with_an_adverse_event_and_without() -> None:
    events = pl.DataFrame({"usubjid": ["a", "a", "c"], "category": ["CRS", "HLH", "CRS"]})
    patients = pl.DataFrame({"usubjid": ["a", "b", "c"]})
    found = patient_groups("event:CRS", patients, adverse_events=events)
    assert found.rows() == [("a", "yes"), ("b", "no"), ("c", "yes")]
    with pytest.raises(UserError, match=r"category 'ICANS' .*; the study has CRS, HLH"):
        patient_groups("event:ICANS", patients, adverse_events=events)


def test_grade_0_is_no_event_and_an_event_without_a_grade_is_one() -> None:
    events = pl.DataFrame({
        "usubjid": ["a", "b", "c", "c", "d", "a"],
        "category": ["CRS"] * 5 + ["ICANS"],
        "grade": [2, 0, 0, 1, None, 0],
    })  # fmt: skip
    patients = pl.DataFrame({"usubjid": ["a", "b", "c", "d", "e"]})
    found = patient_groups("event:CRS", patients, adverse_events=events)
    assert found["group"].to_list() == ["yes", "no", "yes", "yes", "no"]
    with pytest.raises(UserError, match=r"'ICANS' [(]grade 0 is none[)]; the study has CRS$"):
        patient_groups("event:ICANS", patients, adverse_events=events)


@pytest.mark.parametrize("kind", ["eye_color", "characteristic:SHOE"])
def test_unknown_group(kind):
    with pytest.raises(UserError, match=r"eye_color|SHOE"):
        patient_groups(kind, SUBJECTS, characteristics=CHARACTERISTICS)


NUMBERS = [
    # texts, unit -> numbers
    (["81.5", "60", "7"], "kg", [81.5, 60.0, 7.0]),
    (["1", "2", "3"], None, [None, None, None]),
    ([f"{n}.5" for n in range(8)], None, [n + 0.5 for n in range(8)]),
    (["12", "unknown"], "kg", [None, None]),
    (["12", None], "kg", [12.0, None]),
]


@pytest.mark.parametrize(("texts", "unit", "expected"), NUMBERS)
def test_text_that_is_a_measurement_becomes_a_number(texts, unit, expected):
    frame = pl.DataFrame(
        {
            "usubjid": [f"P{i}" for i in range(len(texts))],
            "paramcd": ["X"] * len(texts),
            "value_text": texts,
            "unit": [unit] * len(texts),
        },
        schema_overrides={"unit": pl.String},
    )
    assert with_numbers(frame)["value"].to_list() == expected


def test_rows_with_group():
    found = build(SPEC)
    assert found.frame.select("usubjid", "rel_day", "group").rows() == [
        ("P1", 0.0, "responder"),
        ("P1", 14.0, "responder"),
        ("P2", 14.0, "responder"),
        ("P3", 14.0, "non-responder"),
        ("P4", 14.0, None),
    ]
    assert found.excluded == ()
    assert found.signal.key == SPEC.outcome


def test_a_zero_is_censored_for_a_logarithm_and_a_number_for_a_shift():
    logarithm = build(SPEC).frame.row(0, named=True)
    assert (logarithm["value"], logarithm["censored"], logarithm["upper"]) == (None, "left", 3.0)
    shifted = build(SPEC.replace(transform="log10_shift", shift=0.1)).frame.row(0, named=True)
    assert (shifted["value"], shifted["censored"], shifted["upper"]) == (0.0, "none", None)


def test_adjusters_become_columns():
    frame = build(SPEC.replace(adjusters=("age_year", "characteristic:BURDEN"))).frame
    assert frame.filter(pl.col("rel_day") == 14).select("age_year", "burden").rows() == [
        (50.0, 12.5), (60.0, 80.0), (70.0, None), (None, None),
    ]  # fmt: skip


def test_the_logarithm_of_an_adjuster_is_a_column_of_its_own():
    frame = build(SPEC.replace(adjusters=("log10(characteristic:BURDEN)", "log10(age_year)"))).frame
    rows = frame.filter(pl.col("rel_day") == 14).select("log10_burden", "log10_age_year")
    burden, age = (rows[name].to_list() for name in rows.columns)
    assert burden[:2] == pytest.approx([np.log10(12.5), np.log10(80)])
    assert burden[2:] == [None, None]
    assert age[:3] == pytest.approx(np.log10([50, 60, 70]))


def test_a_value_without_a_logarithm_is_refused_with_its_patients():
    low = CHARACTERISTICS.with_columns(value=pl.when(pl.col("usubjid") == "P2").then(0.0)
                                       .otherwise(pl.col("value")))  # fmt: skip
    with pytest.raises(UserError, match=r"1 patient \(P2\) has a value that is not above 0"):
        build(SPEC.replace(adjusters=("log10(characteristic:BURDEN)",)), characteristics=low)
    with pytest.raises(UserError, match="'sex' is text and has no logarithm"):
        build(SPEC.replace(adjusters=("log10(sex)",)))
    with pytest.raises(UserError, match="shoe_size"):
        build(SPEC.replace(adjusters=("log10(shoe_size)",)))


def test_of_many_patients_without_a_logarithm_five_are_named():
    names = [f"P{number:04d}" for number in range(1200)]
    subjects = pl.DataFrame({"usubjid": names, "age_year": [0.0] * 1200})
    kinetics = blood(*((name, 14.0, 1.0) for name in names))
    with pytest.raises(UserError) as refused:
        model_frame(SPEC.replace(adjusters=("log10(age_year)",), group="sex"),
                    subjects=subjects, kinetics=kinetics)  # fmt: skip
    said = "1,200 patients (P0000, P0001, P0002, P0003, P0004 and 1,195 more) have a value that"
    assert said in str(refused.value)


def test_unknown_adjuster():
    with pytest.raises(UserError, match="shoe_size"):
        build(SPEC.replace(adjusters=("shoe_size",)))


def test_cohort_and_analysis_set_are_counted():
    infusions = pl.DataFrame({"usubjid": ["P1", "P2", "P3"]})
    found = build(SPEC.replace(cohort=("A",)), infusions=infusions)
    assert set(found.frame["usubjid"]) == {"P1", "P2"}
    assert found.excluded == (
        Excluded("patient not in the infused set", 1),
        Excluded("patient of another cohort", 1),
    )


def test_a_cohort_that_does_not_exist_is_an_error_that_lists_those_there_are():
    with pytest.raises(UserError, match="no cohort 'DL9' in this study; it has A, B"):
        build(SPEC.replace(cohort=("DL9",)))


def uptake(**changes):
    return {
        "usubjid": "P1", "scan_code": "S1", "tracer_id": "f18_fhbg", "region_kind": "lesion",
        "region_code": "L1", "metric": "suv_mean", "value": 2.0, "unit": "g/mL", "rel_day": 14.0,
        "censored": "none", "evaluable": True, "decay_state": "scan_start", **changes,
    }  # fmt: skip


IMAGING = pl.DataFrame(
    [
        uptake(),
        uptake(region_code="L2", value=8.0),
        uptake(usubjid="P2", evaluable=False),
        uptake(usubjid="P3", decay_state="unknown"),
        uptake(usubjid="P1", region_kind="organ", region_code="LIVER", value=1.0),
    ]
)


def test_a_row_per_lesion_or_a_mean_per_patient():
    spec = ModelSpec(outcome="uptake:f18_fhbg:suv_mean:lesion", group="cohort")
    lesions = build(spec.replace(unit="lesion"), quantifications=IMAGING)
    assert lesions.frame.select("region_code", "value").rows() == [("L1", 2.0), ("L2", 8.0)]
    patients = build(spec, quantifications=IMAGING)
    assert patients.frame["value"].to_list() == [pytest.approx(4.0)]
    assert set(patients.frame["tracer_id"]) == {"f18_fhbg"}
    organs = build(spec.replace(unit="organ"), quantifications=IMAGING)
    assert organs.frame["region_code"].to_list() == ["LIVER"]


def test_bad_scans_and_unknown_decay_are_counted():
    spec = ModelSpec(outcome="uptake:f18_fhbg:suv_mean:lesion", unit="lesion", group="cohort")
    assert build(spec, quantifications=IMAGING).excluded == (
        Excluded("scan not evaluable", 1),
        Excluded("decay correction unknown", 1),
    )


def test_lesions_of_a_blood_signal_are_refused():
    with pytest.raises(UserError, match="unit 'lesion' needs an imaging signal"):
        build(SPEC.replace(unit="lesion"))


def test_events_of_patients_without_a_row_are_counted_for_a_joint_question():
    """P5 to P9 have an event; P5 and P6 no value, P7 and P8 another cohort, P9 was not infused."""
    more = pl.DataFrame(
        {"usubjid": [f"P{n}" for n in range(5, 10)], "cohort": ["A", "A", "B", "B", "A"]}
    )
    subjects = pl.concat([SUBJECTS, more], how="diagonal")
    infusions = subjects.filter(pl.col("usubjid") != "P9").select("usubjid", rel_day=pl.lit(0.0))
    late = pl.DataFrame(
        {"usubjid": more["usubjid"], "endpoint": "PFS", "time_day": 50.0, "cnsr": 0}
    )
    survival = pl.concat([SURVIVAL, late], how="vertical_relaxed")
    joint = ModelSpec(
        outcome="event:PFS", question="joint", exposure="kinetics:CARFLOW:flow:BLOOD",
        cohort=("A",),
    )  # fmt: skip
    built = model_frame(
        joint, subjects=subjects, kinetics=KINETICS, survival=survival, infusions=infusions
    )
    assert built.excluded == (
        Excluded("patient of another cohort", 2),
        Excluded("an event of a patient not in the infused set", 1),
        Excluded("an event of a patient of another cohort", 2),
        Excluded("an event of a patient without a value of the signal", 2),
    )
