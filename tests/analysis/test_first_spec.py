"""The usual questions of an outcome: each may be asked, and asks what its words say."""

import pytest

from analysis.first_spec import outcome_spec
from analysis.specs import OUTCOME_QUESTIONS, ModelSpec

FIRST = ModelSpec(
    outcome="kinetics:CARTG:qPCR:BLOOD", criterion="LUGANO 2014", cohort=("LBCL",), day_low=7
)
OUTCOMES = {
    "response_by_exposure": "response:responder", "joint_binary": "response:complete_response",
    "event_by_exposure": "event:PFS", "joint": "event:OS",
}  # fmt: skip


@pytest.mark.parametrize("question", OUTCOME_QUESTIONS)
def test_the_usual_question_may_be_asked(question):
    spec = outcome_spec(FIRST, question, OUTCOMES[question])
    assert spec.problems() == ()
    assert (spec.exposure, spec.cohort) == (FIRST.outcome, ("LBCL",))
    response = OUTCOMES[question].startswith("response")
    assert spec.criterion == ("LUGANO 2014" if response else "")


def test_days_of_the_usual_questions():
    days = {
        question: (spec.day_low, spec.day_high, spec.landmark_day, spec.parameter)
        for question in OUTCOME_QUESTIONS
        for spec in [outcome_spec(FIRST, question, OUTCOMES[question])]
    }
    assert days == {
        "response_by_exposure": (0, 28, 28, "peak"), "event_by_exposure": (0, 28, 28, "peak"),
        "joint_binary": (0, 28, 28, ""), "joint": (14, None, None, ""),
    }  # fmt: skip
