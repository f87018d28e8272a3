"""The model page: the question an address asks, what is refused, what a fit looks like."""

import pytest

from analysis.errors import UserError
from analysis.results import Estimate, Fit, GeometricMeanRatio, SensitivityRow
from dashboard.address import Request
from dashboard.model import parts, reading
from dashboard.pages import model
from dashboard.selecting import build_view
from dashboard.view import Services, View
from figures.theme import LIGHT
from tests.dashboard.app_fixture import MemoryReader, no_job


class ReaderWithFit(MemoryReader):
    """A reader that has one fit for every question."""

    def __init__(self, fit: Fit | None) -> None:
        super().__init__(synthetic_only=True)
        self.fit = fit

    def stored_fit(self, trial, spec_hash):
        return self.fit


def view(query: str = "", fit: Fit | None = None) -> View:
    services = Services(ReaderWithFit(fit), no_job, no_job, no_job, "demo", "0.1.0")
    return build_view(Request("/model", query, LIGHT, narrow=False), "", services)


def text_of(component: object) -> str:
    """All the words of a page."""
    if component is None or isinstance(component, bool):
        return ""
    if isinstance(component, (str, int, float)):
        return f" {component}"
    if isinstance(component, (list, tuple)):
        return "".join(map(text_of, component))
    return text_of(getattr(component, "children", None))


RATIO = GeometricMeanRatio(14.0, "responder", "non-responder", 4.1, 1.7, 10.0, 0.0019, 17, 6)
FIT = Fit(
    kind="linear mixed model",
    status="warning",
    reason="dropout",
    sentence="On day 14, blood transgene was 4.1 times higher. Caution: dropout.",
    formula="y ~ day * group",
    estimates=(Estimate("Intercept", 2.6, 0.136, None, 19.1, 3e-81, 2.333, 2.867),),
    ratios=(RATIO,),
    sensitivity=(SensitivityRow("half_lloq", 14.0, 4.1, 1.7, 10.0, 0.0019, 317, "ok"),),
    n_subjects=23,
    n_observations=317,
)


def test_the_first_question_is_blood_expansion_by_response() -> None:
    spec = reading.chosen_spec(view())
    assert (spec.outcome, spec.group) == ("kinetics:CARTG:qPCR:BLOOD", "responder")


def test_the_address_changes_the_question() -> None:
    spec = reading.chosen_spec(
        view("group=best_response&window=14-28&time=visit&adjust=age_year&cohort=A")
    )
    assert (spec.group, spec.day_low, spec.day_high) == ("best_response", 14.0, 28.0)
    assert (spec.time, spec.random) == ("visit", "intercept")
    assert (spec.adjusters, spec.cohort) == (("age_year",), ("A",))


def test_an_unknown_window_is_a_user_error() -> None:
    with pytest.raises(UserError, match="is not one of"):
        reading.chosen_spec(view("window=someday"))


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("group=kinetics:CARTG", "immortal-time"),
        ("window=someday", "is not one of"),
        ("time=weekly", "is not one of"),
    ],
)
def test_a_question_that_must_not_be_asked_shows_the_reason_and_no_number(
    query: str, reason: str
) -> None:
    page = text_of(model.layout(view(query)))
    assert reason in page
    assert "Fitted mean" not in page


def test_a_question_without_a_fit_starts_one_and_can_be_cancelled() -> None:
    page = text_of(model.layout(view()))
    assert "fitting it now" in page
    assert "Cancel" in page


def test_a_fit_is_shown_sentence_first_then_numbers() -> None:
    page = text_of(model.layout(view(fit=FIT)))
    assert page.index("4.1 times higher") < page.index("Estimates")
    for words in ("2.600 (2.333 to 2.867)", "4.1 (1.7–10)", "Half the limit", "23 patients"):
        assert words in page


def test_no_number_of_a_fit_that_is_not_estimable_is_shown() -> None:
    broken = FIT.replace(status="not_estimable", reason="one patient", advice="add patients",
                         sentence="The question cannot be answered: one patient.")  # fmt: skip
    page = text_of(model.layout(view(fit=broken)))
    assert "one patient" in page
    assert "add patients" in page
    assert "2.600" not in page
    assert "4.1" not in page


@pytest.mark.parametrize(
    ("term", "words"),
    [
        ("Intercept", "Intercept"),
        ("cr(time, df=3, constraints='center')[2]", "curve 2"),
        ("cr(time, df=3, constraints='center')[2]:group[T.responder]", "curve 2 × responder"),
        ("visit[T.14]", "day 14"),
        ("visit[T.14]:group[T.CR]", "day 14 × CR"),
        ("age_year", "age_year"),
    ],
)
def test_terms_in_words(term: str, words: str) -> None:
    assert parts.term_words(term) == words


@pytest.mark.parametrize(("p", "text"), [(3e-81, "< 0.0001"), (0.0019, "0.0019"), (None, "–")])
def test_p_is_never_zero(p: float | None, text: str) -> None:
    assert parts.p_cell(p) == text


def test_what_a_job_is_doing_is_said_in_words() -> None:
    assert "Waiting" in model.job_words({"status": "queued", "message": None})
    assert "did not work: no" in model.job_words({"status": "failed", "message": "no"})
    assert "Cancelled" in model.job_words({"status": "cancelled", "message": None})
