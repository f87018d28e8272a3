"""Covariance of a question: what may be asked, what is refused, and files of before."""

import math

import pytest

from analysis import ModelSpec
from analysis.covariance_rules import COVARIANCES, NESTED, RESIDUALS, is_structured
from analysis.errors import UserError

BLOOD = "kinetics:CARTG:qPCR:BLOOD"
LESION = "uptake:f18_fhbg:suv_mean:lesion"
NEW = ("residual", "covariance", "nested", "crossed", "weights", "level", "seed")
FINE = {
    "variance by group": {"residual": "by:group"},
    "variance by visit": {"residual": "by:visit", "time": "visit", "random": "intercept"},
    "visits": {"residual": "ar1:visit", "time": "visit", "random": "intercept"},
    "days": {"residual": "car1:day"},
    "MMRM": {"residual": "unstructured:visit", "time": "visit", "random": "intercept"},
    "diagonal": {"covariance": "diagonal"},
    "slopes of lesions": {"outcome": LESION, "unit": "lesion", "nested": "slope"},
    "sites": {"crossed": ("siteid",)},
    "weights": {"outcome": LESION, "weights": "n_regions"},
    "level": {"level": 0.9},
    "robust tests of a structure": {"residual": "by:group", "inference": "robust"},
    "bootstrap of a structure": {"residual": "by:group", "inference": "bootstrap", "seed": 1},
    "seed": {"inference": "bootstrap", "seed": 7},
}
REFUSED = {
    "unknown residual": ({"residual": "toeplitz"}, "residual 'toeplitz' is not one of", "car1:day"),
    "unknown covariance": ({"covariance": "some"}, "covariance 'some' is not one of", "diagonal"),
    "unknown nesting": ({"nested": "curve"}, "nested 'curve' is not one of", "slope"),
    "visits without visits": ({"residual": "ar1:visit"}, "is about planned visits", "car1:day"),
    "days without days": (
        {"residual": "car1:day", "time": "none"}, "needs a time course", "'spline'"),
    "MMRM of lesions": (
        {"residual": "unstructured:visit", "time": "visit", "outcome": LESION, "unit": "lesion"},
        "one value per patient and visit", "unit 'patient'"),
    "visits of lesions": (
        {"residual": "ar1:visit", "time": "visit", "outcome": LESION, "unit": "lesion"},
        "leaves one value to each course", "time 'spline'"),
    "slopes without lesions": ({"nested": "slope"}, "lesions or organs within", "unit 'lesion'"),
    "slopes without days": (
        {"nested": "slope", "outcome": LESION, "unit": "lesion", "time": "visit"},
        "needs days", "nested 'intercept'"),
    "covariance of one effect": (
        {"covariance": "full", "random": "intercept"}, "the patient has a level only", "matching"),
    "pooled readers": ({"crossed": ("reader",)}, "readers are never pooled", "bland_altman"),
    "pooled scanners": ({"crossed": ("scanner",)}, "scanners are never pooled", "@scanner="),
    "unknown crossing": ({"crossed": ("mood",)}, "crossed 'mood' is not one of", "siteid"),
    "site twice": (
        {"crossed": ("siteid",), "adjusters": ("siteid",)}, "a random effect and a fixed one",
        "keep it in one place"),
    "code as weights": ({"weights": "__import__('os')"}, "is not one of n_regions", "fit_mixed"),
    "the outcome as weights": ({"weights": "value"}, "is not one of n_regions", "fit_mixed"),
    "weights of blood": ({"weights": "n_regions"}, "an image's mean over regions", "leave it out"),
    "weights of lesions": (
        {"outcome": LESION, "unit": "lesion", "weights": "n_regions"},
        "each lesion has a row of its own", "unit 'patient'"),
    "censored structure": (
        {"blq": "censored", "residual": "by:group"}, "independent residuals", "half_lloq"),
    "robust tests across sites": (
        {"crossed": ("siteid",), "inference": "robust"}, "patients for independent",
        "kenward_roger"),
    "sites beside MMRM": (
        {"residual": "unstructured:visit", "time": "visit", "crossed": ("siteid",)},
        "all that goes together", "leave crossed effects out"),
    "structure of an exposure": (
        {"outcome": "event:PFS", "question": "event_by_exposure", "exposure": BLOOD,
         "parameter": "peak", "day_high": 28, "landmark_day": 28, "residual": "car1:day"},
        "one number per patient", "leave it out"),
    "level as percent": ({"level": 95}, "level 95.0 is not a level", "as 0.95"),
    "no level": ({"level": None}, "level None is not a level", "as 0.95"),
    "seed below zero": ({"seed": -1, "inference": "bootstrap"}, "seed -1 is not a whole", "from 0"),
    "seed that a browser rounds": (
        {"seed": 2**53, "inference": "bootstrap"}, "is not a whole number", str(2**53 - 1)),
    "day that is no number": ({"days": (math.nan,)}, "nan is no day", "finite number"),
    "day without end": ({"days": (math.inf,)}, "inf is no day", "finite number"),
    "window without end": ({"day_high": math.inf}, "inf is no day", "finite number"),
    "shift without end": (
        {"transform": "log10_shift", "shift": math.inf}, "no shift", "finite number"),
    "seed of nothing": ({"seed": 3}, "seed is used only with inference bootstrap", "leave it out"),
}  # fmt: skip


@pytest.mark.parametrize("case", FINE)
def test_may_be_asked_and_survives_a_file(case):
    spec = ModelSpec(**{"outcome": BLOOD} | FINE[case])
    assert spec.problems() == ()
    assert ModelSpec.from_yaml(spec.to_yaml()) == spec
    assert ModelSpec.from_dict(spec.to_dict()) == spec
    assert spec.spec_hash() != ModelSpec(outcome=spec.outcome).spec_hash()


@pytest.mark.parametrize("case", REFUSED)
def test_refuses_with_the_reason_and_the_right_way(case):
    changes, reason, way = REFUSED[case]
    with pytest.raises(UserError) as raised:
        ModelSpec(**{"outcome": BLOOD} | changes).validate()
    assert reason in str(raised.value)
    assert way in str(raised.value)
    assert "\n" not in str(raised.value)


IGNORED = {
    "groups": ({"group": "arm"}, "group 'arm' is not compared", "adjuster"),
    "days": ({"days": (14,)}, "days are those of ratios between groups", "leave them out"),
    "reference": ({"reference": "DL1"}, "reference 'DL1' is a level of groups", "leave it out"),
}
OUTCOME = {
    "exposure": {"outcome": "event:PFS", "question": "event_by_exposure", "exposure": BLOOD,
                 "parameter": "peak", "day_high": 28, "landmark_day": 28},
    "joint": {"outcome": "event:PFS", "question": "joint", "exposure": BLOOD, "day_low": 14},
}  # fmt: skip


@pytest.mark.parametrize("question", OUTCOME)
@pytest.mark.parametrize("case", IGNORED)
def test_a_field_that_would_be_ignored_is_refused(question, case):
    changes, reason, way = IGNORED[case]
    assert ModelSpec(**OUTCOME[question]).problems() == ()
    with pytest.raises(UserError) as raised:
        ModelSpec(**OUTCOME[question] | changes).validate()
    assert reason in str(raised.value)
    assert way in str(raised.value)


def test_an_inference_that_a_question_by_exposure_does_not_have_is_refused():
    with pytest.raises(UserError, match="inference 'kenward_roger' does not exist for an exposure"):
        ModelSpec(**OUTCOME["exposure"] | {"inference": "kenward_roger"}).validate()


def test_files_without_the_fields_are_the_same_question():
    spec = ModelSpec(outcome=BLOOD, time="visit", random="intercept")
    old = {name: value for name, value in spec.to_dict().items() if name not in NEW}
    assert ModelSpec.from_dict(old) == spec
    assert not is_structured(spec)
    # Literal: the identity under which fits were stored before the fields existed.
    assert ModelSpec(outcome=BLOOD).spec_hash() == "53046f6b9f279b6b"


def test_every_choice_has_words():
    for choices in (RESIDUALS, COVARIANCES, NESTED):
        assert all(words and words[0].islower() for words in choices.values())


@pytest.mark.parametrize(("line", "said"), [
    ("residaul: car1:day", "unknown field 'residaul'"),
    ("residual: 3", "residual must be text"),
    ("seed: soon", "seed must be a whole number"),
    ("seed: 1.5", "seed must be a whole number"),
    ("level: high", "wrong type"),
    ("crossed: [1]", "crossed and association must be text"),
])  # fmt: skip
def test_a_bad_line_is_refused_in_one_line(line, said):
    with pytest.raises(UserError, match=r"^specification: ") as raised:
        ModelSpec.from_yaml(f"outcome: {BLOOD}\n{line}")
    assert said in str(raised.value)
    assert "\n" not in str(raised.value)
