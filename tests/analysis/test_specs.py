"""ModelSpec: round trips, identity, and the questions it refuses."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis import ModelSpec, default_spec
from analysis.adjuster_columns import adjuster_words
from analysis.errors import UserError
from analysis.specs import GROUPS, adjuster_column

BLOOD = "kinetics:CARTG:qPCR:BLOOD"
SPEC = ModelSpec(
    outcome=BLOOD, question="expansion_by_group", group="complete_response",
    adjusters=("age_year", "characteristic:BURDEN"), time="visit", day_low=14, days=(14, 28),
    cohort=("B-ALL",), criterion="NCI MRD",
)  # fmt: skip


def test_round_trips():
    assert ModelSpec.from_dict(SPEC.to_dict()) == SPEC
    assert ModelSpec.from_yaml(SPEC.to_yaml()) == SPEC
    assert SPEC.to_dict()["adjusters"] == ["age_year", "characteristic:BURDEN"]


def test_the_logarithm_of_an_adjuster_survives_and_is_another_question():
    spec = SPEC.replace(adjusters=("age_year", "log10(characteristic:BURDEN)"))
    assert spec.problems() == ()
    assert ModelSpec.from_yaml(spec.to_yaml()) == spec == ModelSpec.from_dict(spec.to_dict())
    assert spec.spec_hash() != SPEC.spec_hash()
    assert adjuster_column(spec.adjusters[1]) == "log10_burden"
    assert adjuster_column("log10(characteristic:GROUP)") == "log10_baseline_group"
    words = [adjuster_words(name) for name in (*spec.adjusters, "characteristic:LDH")]
    assert words == ["age", "log10 of BURDEN", "LDH"]


@given(st.builds(
    ModelSpec,
    outcome=st.sampled_from([BLOOD, "uptake:f18_fhbg:suv_mean:lesion", "laboratory:INTLK6"]),
    group=st.sampled_from(list(GROUPS)), time=st.sampled_from(["visit", "spline", "none"]),
    adjusters=st.lists(st.text(max_size=8), max_size=3).map(tuple),
    day_low=st.none() | st.floats(-30, 0), day_high=st.none() | st.floats(1, 400),
    days=st.lists(st.floats(0, 100), max_size=4).map(tuple), shift=st.floats(0, 10),
    reference=st.text(max_size=8), cohort=st.lists(st.text(max_size=6), max_size=2).map(tuple),
))  # fmt: skip
def test_every_specification_survives_yaml(spec):
    assert ModelSpec.from_yaml(spec.to_yaml()) == spec
    assert ModelSpec.from_dict(spec.to_dict()).spec_hash() == spec.spec_hash()
    assert isinstance(spec.problems(), tuple)


def test_the_hash_is_the_question():
    assert SPEC.spec_hash() == ModelSpec.from_dict(SPEC.to_dict()).spec_hash()
    assert len(SPEC.spec_hash()) == 16
    assert SPEC.spec_hash() != SPEC.replace(blq="drop").spec_hash()
    assert (
        ModelSpec(outcome=BLOOD, day_low=7).spec_hash()
        == ModelSpec(outcome=BLOOD, day_low=7.0).spec_hash()
    )


def test_questions_by_exposure_are_fine_and_survive_yaml():
    for content in (RESPONSE, EVENT):
        spec = ModelSpec(**content)
        assert spec.problems() == ()
        assert ModelSpec.from_yaml(spec.to_yaml()) == spec
        assert spec.signal_key == BLOOD
    image = ModelSpec(**RESPONSE | {"exposure": "uptake:f18_fhbg:suv_mean:lesion"})
    assert image.tracer_id == "f18_fhbg"
    assert ModelSpec(**EVENT).spec_hash() != ModelSpec(**EVENT | {"landmark_day": 30}).spec_hash()


def test_questions_of_before_exposures_keep_their_identity():
    """Literal: hashes under which fits were stored before the fields of exposures existed."""
    assert ModelSpec(outcome=BLOOD).spec_hash() == "53046f6b9f279b6b"
    assert SPEC.spec_hash() == "cb9735ff9eee7174"
    old = {
        name: value
        for name, value in SPEC.to_dict().items()
        if name not in ("exposure", "parameter", "landmark_day")
    }
    assert ModelSpec.from_dict(old) == SPEC


def test_the_default_is_fine():
    assert ModelSpec(outcome=BLOOD).problems() == ()
    assert SPEC.problems() == ()


REFUSED = {
    "expansion from a direct label": (
        {"outcome": "uptake:zr89_oxine_cells:suv_mean:lesion", "question": "expansion_by_group"},
        "a direct label is diluted when cells divide and can never show expansion",
        "reporter gene or blood transgene"),
    "expansion from CD8 PET": (
        {"outcome": "uptake:zr89_crefmirlimab:suv_mean:lesion", "question": "expansion_by_group"},
        "also sees the patient's own immune cells", "signal_by_group"),
    "expansion from a laboratory value": (
        {"outcome": "laboratory:INTLK6", "question": "expansion_by_group"},
        "is not a count of CAR-T cells", "signal_by_group"),
    "mixed tracers": ({"outcome": "uptake:f18_fhbg+zr89_oxine_cells:suv_mean:lesion"},
                      "several tracers cannot be one outcome", "choose one tracer"),
    "tracer left open": ({"outcome": "uptake::suv_mean:lesion"},
                         "several tracers cannot be one outcome", "choose one tracer"),
    "early exposure as a covariate": ({"adjusters": ("cmax",)},
                                      "immortal-time bias", "landmark or time-varying"),
    "logarithm of an early exposure": (
        {"adjusters": ("log10(kinetics:CARTG:qPCR:BLOOD)",)}, "immortal-time bias", "landmark"),
    "logarithm of a logarithm": (
        {"adjusters": ("log10(log10(age_year))",)}, "is not a column name", ""),
    "one adjuster twice": (
        {"adjusters": ("characteristic:A.B", "characteristic:A_B")}, "are one column", "keep one"),
    "blood signal as a covariate": ({"adjusters": ("kinetics:CARTG:qPCR:BLOOD",)},
                                    "immortal-time bias", "landmark or time-varying"),
    "early exposure as the group": ({"group": "auc_0_28"}, "immortal-time bias", "landmark"),
    "response as a covariate": ({"adjusters": ("responder",), "group": "cohort"},
                                "known only after the signal", "make it the group"),
    "censored rule": ({"blq": "censored", "inference": "bootstrap"},
                      "does not exist for the censored likelihood", "use auto"),
    "shift without reason": ({"shift": 0.1}, "only with transform log10_shift", "log10"),
    "shift missing": ({"transform": "log10_shift"}, "needs a shift above 0", "unit"),
    "spline too free": ({"spline_df": 7}, "spline_df is 7", "3 or 4"),
    "unknown group": ({"group": "mood"}, "group 'mood' is not one of", "characteristic:"),
    "unknown time": ({"time": "sometimes"}, "time 'sometimes' is not one of", "visit"),
    "empty window": ({"day_low": 28, "day_high": 14}, "day window 28 to 14 is empty", "below"),
    "day outside the window": ({"day_high": 28, "days": (90,)}, "day 90 is outside",
                               "never extrapolated"),
    "outcome is no signal": ({"outcome": "happiness"}, "is not a signal key", "kinetics"),
    "code as a column": ({"adjusters": ("__import__('os')",)}, "is not a column name", ""),
    "twice": ({"adjusters": ("cohort",), "group": "cohort"}, "both the group and an adjuster", ""),
}  # fmt: skip


RESPONSE = {
    "outcome": "response:responder", "question": "response_by_exposure", "exposure": BLOOD,
    "parameter": "peak", "day_high": 28, "landmark_day": 28,
}  # fmt: skip
EVENT = RESPONSE | {"outcome": "event:PFS", "question": "event_by_exposure"}
REFUSED |= {
    "early exposure as a baseline covariate of response": (
        RESPONSE | {"landmark_day": None}, "immortal-time bias", "give landmark_day, at or after"),
    "early exposure as a baseline covariate of PFS": (
        EVENT | {"landmark_day": None}, "known only after its window", "give landmark_day"),
    "landmark inside the window": (
        EVENT | {"landmark_day": 14}, "before the end of the exposure's window", "later landmark"),
    "exposure without a window": (
        RESPONSE | {"day_high": None}, "no day window", "give day_low and day_high"),
    "exposure before infusion": (
        RESPONSE | {"day_low": -7}, "lies before infusion", "day 0 or later"),
    "lesions as patients": (
        RESPONSE | {"unit": "lesion", "exposure": "uptake:f18_fhbg:suv_mean:lesion"},
        "lesions must not count as patients", "nested in the patient"),
    "expansion without a name": (
        RESPONSE | {"parameter": "expansion", "exposure": "uptake:zr89_oxine_cells:suv_mean"},
        "expansion is always a named parameter", "a direct label has no expansion"),
    "parameter left out": (RESPONSE | {"parameter": ""}, "parameter '' is not one of", "peak"),
    "exposure is no signal": (
        RESPONSE | {"exposure": "cmax"}, "is not a signal key", "kinetics, uptake"),
    "response is no response": (
        RESPONSE | {"outcome": "response:mood"}, "is not a response", "response:complete_response"),
    "event is no event": (EVENT | {"outcome": "PFS"}, "not a time to an event", "event:PFS"),
    "several tracers as an exposure": (
        RESPONSE | {"exposure": "uptake:f18_fhbg+zr89_oxine_cells:suv_mean"},
        "several tracers cannot be one outcome", "choose one tracer"),
    "censored exposure": (RESPONSE | {"blq": "censored"}, "", "use half_lloq"),
    "exposure where none belongs": (
        {"exposure": BLOOD}, "exposure is used only with the questions", "leave it out"),
    "second exposure as a covariate": (
        RESPONSE | {"adjusters": ("auc_0_28",)}, "immortal-time bias", "landmark or time-varying"),
    "mixed thresholds": (
        {"outcome": "uptake:f18_fdg:mtv_41,mtv_4:lesion"}, "several values of metric",
        "choose one"),
    "mixed units": (
        {"outcome": "kinetics:CARTG:qPCR:BLOOD@unit=copies/ug,cells/uL"},
        "several values of unit", "never pooled"),
    "mixed readers": (
        {"outcome": "burden:sumppd@reader=A|B"}, "several values of reader", "agreement"),
    "expansion of a tumor tracer": (
        {"outcome": "uptake:f18_fdg:suv_max:lesion", "question": "expansion_by_group"},
        "shows tumor metabolism, not cells", "reporter gene or blood transgene"),
    "unknown inference": ({"inference": "guess"}, "inference 'guess' does not exist", "wald"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_refuses_with_the_reason_and_the_right_way(case):
    changes, reason, way = REFUSED[case]
    spec = ModelSpec(**{"outcome": BLOOD} | changes)
    with pytest.raises(UserError) as raised:
        spec.validate()
    assert reason in str(raised.value)
    assert way in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    "outcome", [BLOOD, "uptake:f18_fhbg:suv_mean:lesion", "kinetics:CARFLOW:flow:BLOOD"]
)
def test_expansion_may_be_asked_of_blood_and_reporter_genes(outcome):
    ModelSpec(outcome=outcome, question="expansion_by_group").validate()


def test_a_direct_label_may_be_asked_about_its_signal():
    ModelSpec(outcome="uptake:zr89_oxine_cells:suv_mean:lesion").validate()


@pytest.mark.parametrize(("text", "said"), [
    ("outcome: [", "not valid YAML"),
    ("just words", "expected 'field: value' lines"),
    ("group: responder", "'outcome' is missing"),
    ("outcome: kinetics:CARTG\ngruop: cohort", "unknown field 'gruop'; the fields are outcome"),
    ("outcome: kinetics:CARTG\nday_low: early", "wrong type"),
    ("outcome: kinetics:CARTG\nadjusters:", "wrong type"),
    ("outcome: kinetics:CARTG\ngroup: 7", "wrong type (group must be text)"),
])  # fmt: skip
def test_a_bad_file_is_a_user_error(text, said):
    with pytest.raises(UserError, match=r"^specification: ") as raised:
        ModelSpec.from_yaml(text)
    assert said in str(raised.value)


def test_reference_and_columns():
    assert ModelSpec(outcome=BLOOD).reference_level == "non-responder"
    assert SPEC.reference_level == "no CR"
    assert SPEC.replace(reference="CR").reference_level == "CR"
    assert SPEC.replace(group="cohort").reference_level == ""
    assert adjuster_column("characteristic:BURDEN") == "burden"
    assert adjuster_column("age_year") == "age_year"
    assert adjuster_column("characteristic:GROUP") == "baseline_group"
    assert adjuster_column("characteristic:18F-X") == "baseline_18f_x"
    assert adjuster_column("characteristic:LOG") == "baseline_log"


def test_default_spec_prefers_blood_transgene():
    signals = ["uptake:f18_fdg:suv_max:lesion", "kinetics:CARFLOW:flow:BLOOD", BLOOD]
    spec = default_spec(signals, ["LUGANO 2014"], nominal_days=range(0, 90, 7))
    assert (spec.outcome, spec.time, spec.random) == (BLOOD, "spline", "matching")
    assert spec.criterion == "LUGANO 2014"
    assert spec.problems() == ()


def test_default_spec_takes_visits_when_there_are_few():
    spec = default_spec(["kinetics:CARFLOW:flow:BLOOD"], nominal_days=[0, 7, 14, 21, 28])
    assert (spec.time, spec.random, spec.day_low) == ("visit", "intercept", 7.0)


def test_default_spec_needs_a_signal():
    with pytest.raises(UserError, match="no signal to model"):
        default_spec([])
