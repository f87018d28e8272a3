"""Questions of a response or an event on the model page: asked by the address, drawn, and back."""

import dataclasses

import pytest

from analysis.errors import UserError
from analysis.results import Estimate, SensitivityRow
from analysis.specs import OUTCOME_QUESTIONS, ModelSpec
from dashboard.model import outcome_answer, reading
from dashboard.model.outcome_controls import QUESTION_WORDS, question_choice
from dashboard.model.question_link import question_link
from dashboard.model.windows import WINDOWS, window_options
from dashboard.pages import model
from jobs.fitting import fit_trial
from tests.dashboard.test_model import FIT, text_of, view

BLOOD = "kinetics:CARTG:qPCR:BLOOD"
RESPONSE, EVENT = "question=response_by_exposure", "question=event_by_exposure"
JOINT, JOINT_RESPONSE = "question=joint", "question=joint_binary"
ASKED = {
    RESPONSE: {"outcome": "response:responder", "exposure": BLOOD, "parameter": "peak",
               "day_low": 0.0, "day_high": 28.0, "landmark_day": 28.0},
    f"{RESPONSE}&outcome=response:complete_response&parameter=auc&landmark=60.0": {
        "outcome": "response:complete_response", "parameter": "auc", "landmark_day": 60.0},
    f"{RESPONSE}&window=0-90": {"day_high": 90.0, "landmark_day": 90.0},
    EVENT: {"outcome": "event:PFS", "landmark_day": 28.0, "criterion": ""},
    f"{EVENT}&outcome=event:OS&adjust=age_year&rule=drop": {
        "outcome": "event:OS", "adjusters": ("age_year",), "blq": "drop"},
    JOINT: {"outcome": "event:PFS", "day_low": 14.0, "blq": "censored", "parameter": "",
            "landmark_day": None},
    f"{JOINT}&association=value,slope&baseline=weibull&random=intercept": {
        "association": ("value", "slope"), "baseline": "weibull", "random": "intercept"},
    f"{JOINT}&association=value&baseline=piecewise": {"association": (), "baseline": ""},
    JOINT_RESPONSE: {"outcome": "response:responder", "day_high": 28.0, "landmark_day": 28.0},
    f"{JOINT_RESPONSE}&association=slope": {"association": ("slope",)},
    f"{RESPONSE}&level=0.9&transform=none": {"level": 0.9, "transform": "none"},
}  # fmt: skip


@pytest.mark.parametrize("query", ASKED)
def test_the_address_asks_the_question_and_comes_back(query: str) -> None:
    spec = reading.chosen_spec(view(query))
    assert spec.problems() == ()
    assert {name: getattr(spec, name) for name in ASKED[query]} == ASKED[query]
    link = question_link(spec, view())
    assert link is not None
    assert reading.chosen_spec(view(link.partition("?")[2])) == spec


def test_choices_of_another_kind_of_question_say_nothing() -> None:
    by_group = "group=sex&time=visit&inference=wald"
    assert reading.chosen_spec(view(f"{RESPONSE}&{by_group}")) == reading.chosen_spec(
        view(RESPONSE)
    )
    stale = f"{EVENT}&outcome=response:responder&association=slope"
    assert reading.chosen_spec(view(stale)) == reading.chosen_spec(view(EVENT))
    plain = "parameter=peak&landmark=60&outcome=event:OS&association=slope&baseline=weibull"
    assert reading.chosen_spec(view(plain)) == reading.chosen_spec(view())


@pytest.mark.parametrize(
    ("query", "words"),
    [
        (f"{RESPONSE}&landmark=soon", "landmark 'soon' in the address is no day"),
        (f"{RESPONSE}&landmark=14", "immortal-time bias"),
        (f"{RESPONSE}&window=from-0", "the exposure has no day window"),
        (f"{RESPONSE}&parameter=doubling", "expansion is always a named parameter"),
        (f"{RESPONSE}&reference=PD", "leave it out"),
        (f"{EVENT}&outcome=event:EFS", "no patient has 'EFS'"),
        (f"{JOINT}&window=all", "give day_low"),
    ],
)
def test_what_must_not_be_asked_is_refused_with_the_way(query: str, words: str) -> None:
    asked = view(query)
    if "EFS" in query:  # known only with the rows of the study
        with pytest.raises(UserError, match=words):
            fit_trial(asked.trial, reading.chosen_spec(asked))
        return
    page = text_of(model.layout(asked))
    assert words in page
    assert "This question is not fitted." in page


def test_a_comparison_of_groups_may_have_every_window() -> None:
    offered = [option["value"] for option in window_options(reading.chosen_spec(view()))]
    assert offered == list(WINDOWS)


@pytest.mark.parametrize("question", OUTCOME_QUESTIONS)
def test_only_windows_that_may_be_asked_are_offered(question: str) -> None:
    spec = reading.chosen_spec(view(f"question={question}"))
    offered = {option["value"] for option in window_options(spec)}
    assert "all" not in offered
    assert ("from-14" in offered) is (question in ("joint", "joint_binary"))
    assert {"0-28", "0-90"} <= offered


def test_the_kinds_of_question_are_links_that_keep_the_signal_and_nothing_else() -> None:
    asked = view(f"{RESPONSE}&signal={BLOOD}&parameter=auc&cohort=A")
    choice = question_choice(asked, reading.chosen_spec(asked))
    assert choice is not None
    links = {link.children: link for link in choice.children}
    assert list(links) == ["Signal by group", *QUESTION_WORDS.values()]
    assert "parameter" not in links["Event by exposure"].href
    assert "cohort=A" in links["Event by exposure"].href
    assert "question" not in links["Signal by group"].href
    assert "signal=kinetics" in links["Signal by group"].href
    current = [words for words, link in links.items() if hasattr(link, "aria-current")]
    assert current == ["Response by exposure"]


@pytest.mark.parametrize("query", [RESPONSE, EVENT])
def test_an_answer_by_exposure_is_drawn_with_the_patients_of_its_fit(query: str) -> None:
    asked = view(f"{query}&window=0-28")
    spec = reading.chosen_spec(asked)
    fit = fit_trial(asked.trial, spec)
    patients = outcome_answer.exposed(asked, spec)
    assert len(patients) == fit.n_subjects
    assert sum(one.happened for one in patients) == fit.n_events
    page = " ".join(text_of(model.layout(view(f"{query}&window=0-28", fit))).split())
    finding = fit.sentence.partition(" Caution: ")[0]
    assert finding.replace(" ", "") in page.replace(" ", "")
    assert "What the answer rests on" in page
    assert f"n = {fit.n_subjects} of" in page
    assert "Random part" not in page


KEY = Estimate("exposure", 0.0, 0.5, None, 1.0, 0.3, -1.0, 1.0)


def test_the_ratio_stands_alone_or_under_each_rule() -> None:
    spec = reading.chosen_spec(view(RESPONSE))
    fit = FIT.replace(estimates=(KEY,), sensitivity=(), n_events=7)
    (alone,) = outcome_answer.answer_rows(spec, fit)
    assert (alone.ratio, alone.label) == (1.0, "7 with the outcome")
    assert (alone.conf_low, alone.conf_high) == pytest.approx((0.3679, 2.7183), abs=1e-4)
    rules = (
        SensitivityRow("half_lloq", None, 2.5, 1.5, 4.0, 0.001, 36, "ok"),
        SensitivityRow("drop", None, None, None, None, None, 3, "not_estimable"),
    )
    half, drop = outcome_answer.answer_rows(spec, fit.replace(sensitivity=rules))
    assert (half.label, half.note, half.ratio) == ("Half the limit", "36 patients", 2.5)
    assert (drop.label, drop.note) == ("Left out", "3 patients; not estimable")
    assert drop.ratio != drop.ratio


def test_simpler_analyses_of_a_course_are_named_with_their_day() -> None:
    spec = reading.chosen_spec(view(JOINT))
    rows = (
        SensitivityRow("joint model", None, 0.5, 0.3, 0.9, 0.02, 200, "ok"),
        SensitivityRow("landmark", 30.0, 0.7, 0.4, 1.2, 0.2, 40, "ok"),
    )
    found = outcome_answer.answer_rows(spec, FIT.replace(sensitivity=rows))
    assert [row.label for row in found] == ["Joint model", "Landmark, day 30"]


def test_no_ratio_where_the_step_is_not_the_one_named() -> None:
    spec = ModelSpec(
        outcome="response:responder", question="joint_binary", exposure=BLOOD, day_low=0,
        landmark_day=28, transform="none",
    )  # fmt: skip
    fit = FIT.replace(
        estimates=(dataclasses.replace(KEY, term="value", part="association"),), sensitivity=()
    )
    assert outcome_answer.answer_rows(spec, fit) == []
    assert len(outcome_answer.answer_rows(spec.replace(transform="log10"), fit)) == 1
