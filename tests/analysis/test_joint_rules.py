"""Joint questions: what may be asked, what is refused with the reason and the right way."""

import pytest

from analysis import ModelSpec
from analysis.errors import UserError

BLOOD = "kinetics:CARTG:qPCR:BLOOD"
EVENT = {"outcome": "event:PFS", "question": "joint", "exposure": BLOOD, "day_low": 14}
RESPONSE = {
    "outcome": "response:responder", "question": "joint_binary", "exposure": BLOOD, "day_low": 0,
    "day_high": 28, "landmark_day": 28,
}  # fmt: skip
FINE = (
    EVENT,
    EVENT | {"association": ("value", "slope"), "baseline": "weibull", "blq": "censored"},
    EVENT | {"adjusters": ("characteristic:BURDEN",), "landmark_day": 60, "random": "intercept"},
    RESPONSE,
    RESPONSE | {"outcome": "response:complete_response", "level": 0.9},
)
REFUSED = {
    "no event": (EVENT | {"outcome": "PFS"}, "not a time to an event", "event:PFS"),
    "no response": (RESPONSE | {"outcome": "event:PFS"}, "is not a response", "response:responder"),
    "no signal": (EVENT | {"exposure": "cmax"}, "is not a signal key", "kinetics, uptake"),
    "lesions as patients": (
        EVENT | {"unit": "lesion", "exposure": "uptake:f18_fhbg:suv_mean:lesion"},
        "lesions must not count as patients", "nested in the patient"),
    "several tracers": (
        EVENT | {"exposure": "uptake:f18_fhbg+zr89_oxine_cells:suv_mean"},
        "several tracers cannot be one outcome", "choose one tracer"),
    "a peak beside the course": (
        EVENT | {"adjusters": ("cmax",)}, "immortal-time bias", "landmark or time-varying"),
    "a parameter": (EVENT | {"parameter": "peak"}, "is the whole course", "name the association"),
    "visits": (EVENT | {"time": "visit"}, "needs the course between the visits", "'spline'"),
    "before infusion": (EVENT | {"day_low": None}, "course before infusion", "0 or later"),
    "response without a day": (
        RESPONSE | {"landmark_day": None}, "before it was assessed", "give landmark_day"),
    "course after the response": (
        RESPONSE | {"day_high": 60}, "could follow the response", "a later landmark"),
    "landmark at the start": (
        EVENT | {"landmark_day": 14}, "landmark_day 14 is not after day_low (14)", ""),
    "unknown association": (
        EVENT | {"association": ("peak",)}, "association 'peak' is not one of", "slope"),
    "association twice": (EVENT | {"association": ("value", "value")}, "the same twice", "both"),
    "unknown baseline": (EVENT | {"baseline": "flat"}, "'flat' is not one of", "piecewise"),
    "hazard of a response": (
        RESPONSE | {"baseline": "weibull"}, "a response has none", "leave it out"),
    "inference": (EVENT | {"inference": "bootstrap"}, "does not exist for a joint model", "auto"),
    "residuals": (
        EVENT | {"residual": "car1:day"}, "does not exist for a joint model", "leave it out"),
    "shift and limits": (
        EVENT | {"blq": "censored", "transform": "log10_shift", "shift": 1.0},
        "no need of a shift", "log10"),
    "association where none belongs": (
        {"outcome": BLOOD, "association": ("value",)}, "only with the questions joint and",
        "leave it out"),
    "exposure where none belongs": (
        {"outcome": BLOOD, "exposure": BLOOD}, "exposure is used only", "leave it out"),
}  # fmt: skip


@pytest.mark.parametrize("content", FINE)
def test_may_be_asked_and_survives_a_file(content):
    spec = ModelSpec(**content)
    assert spec.problems() == ()
    assert ModelSpec.from_yaml(spec.to_yaml()) == spec
    assert spec.signal_key == BLOOD


@pytest.mark.parametrize("case", REFUSED)
def test_refuses_with_the_reason_and_the_right_way(case):
    content, reason, way = REFUSED[case]
    with pytest.raises(UserError) as raised:
        ModelSpec(**content).validate()
    assert reason in str(raised.value)
    assert way in str(raised.value)
    assert "\n" not in str(raised.value)
