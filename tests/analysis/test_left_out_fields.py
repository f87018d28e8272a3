"""Fields that a specification file leaves out are those of the study's first question."""

from dataclasses import fields
from typing import Any

import pytest

from analysis.errors import UserError
from analysis.left_out_fields import FOLLOWING, completed, is_complete
from analysis.specs import ModelSpec

IMAGE = "uptake:zr89_oxine_cells:suv_mean:lesion"
BLOOD = "kinetics:CARTG:qPCR:BLOOD"
VISITS = ModelSpec(
    outcome=IMAGE, unit="lesion", time="visit", random="intercept", day_low=7,
    criterion="Lugano", cohort=("L",),
)  # fmt: skip
CURVE = ModelSpec(
    outcome=BLOOD, question="expansion_by_group", spline_df=4, day_low=0, criterion="marrow",
    cohort=("B",),
)  # fmt: skip


def test_a_file_of_one_line_is_the_first_question() -> None:
    assert completed({"outcome": IMAGE}, VISITS) == VISITS
    assert completed({"outcome": BLOOD}, CURVE) == CURVE


def test_only_the_listed_fields_follow_the_study() -> None:
    """The page of specifications marks these."""
    changed = {
        field.name for first in (VISITS, CURVE) for field in fields(ModelSpec)
        if getattr(first, field.name) != getattr(ModelSpec(first.outcome), field.name)
    }  # fmt: skip
    assert changed == set(FOLLOWING)


@pytest.mark.parametrize("spec", [ModelSpec(IMAGE), CURVE, VISITS.replace(day_low=None)])
def test_a_complete_file_is_taken_as_it_is(spec: ModelSpec) -> None:
    assert is_complete(spec.to_dict())
    for first in (VISITS, CURVE):
        assert completed(spec.to_dict(), first) == spec
        assert completed(spec.to_dict(), first).spec_hash() == spec.spec_hash()
    assert not is_complete({"outcome": IMAGE})


@pytest.mark.parametrize(
    ("first", "named", "expected"),
    [
        (VISITS, {"day_low": None}, {"day_low": None}),
        (VISITS, {"cohort": ["B"]}, {"cohort": ("B",), "criterion": ""}),
        (VISITS, {"criterion": "marrow"}, {"cohort": (), "criterion": "marrow"}),
        (VISITS, {"group": "cohort"}, {"cohort": (), "criterion": ""}),
        (VISITS, {"group": "complete_response"}, {"cohort": ("L",), "criterion": "Lugano"}),
        (VISITS, {"time": "spline"}, {"random": "matching"}),
        (VISITS, {"spline_df": 4}, {"time": "spline", "random": "matching"}),
        (CURVE, {"time": "visit"}, {"random": "intercept"}),
        (CURVE, {"spline_df": 3}, {"time": "spline", "spline_df": 3, "random": "matching"}),
        (VISITS, {"random": "matching"}, {"time": "visit", "random": "matching"}),
        (VISITS, {"weights": "n_regions"}, {"unit": "patient", "time": "visit"}),
        (VISITS, {"nested": "slope"}, {"unit": "lesion", "time": "spline"}),
        (VISITS, {"days": [3]}, {"day_low": None}),
        (VISITS, {"day_high": 5}, {"day_low": None, "day_high": 5.0}),
    ],
    ids=lambda value: str(value) if isinstance(value, dict) else "",
)
def test_what_contradicts_the_file_is_not_taken(
    first: ModelSpec, named: dict[str, Any], expected: dict[str, Any]
) -> None:
    spec = completed({"outcome": first.outcome, **named}, first)
    assert {name: getattr(spec, name) for name in expected} == expected
    assert spec.problems() == ()
    for name, value in named.items():
        assert spec.to_dict()[name] == value


def test_a_question_of_an_outcome_takes_the_usual_one() -> None:
    named = {"outcome": "event:PFS", "question": "event_by_exposure"}
    spec = completed(named, CURVE)
    assert (spec.exposure, spec.parameter, spec.cohort) == (BLOOD, "peak", ("B",))
    assert (spec.day_low, spec.day_high, spec.landmark_day) == (0, 28, 28)
    assert spec.problems() == ()
    longer = completed({**named, "day_high": 60, "cohort": []}, CURVE)
    assert (longer.day_high, longer.landmark_day, longer.cohort) == (60, 60, ())
    assert longer.problems() == ()
    joint = completed({"outcome": "event:PFS", "question": "joint"}, CURVE)
    assert (joint.day_low, joint.day_high, joint.blq) == (14, None, "censored")
    assert joint.problems() == ()


def test_a_field_that_does_not_exist_is_refused() -> None:
    with pytest.raises(UserError, match="unknown field 'outcom'"):
        completed({"outcom": IMAGE}, VISITS)
