"""Answers by exposure on the model page."""

import datetime as dt

from analysis.results import Fit, SensitivityRow
from dashboard.address import Request
from dashboard.model.exposure_answers import exposure_answers
from dashboard.pages import model
from dashboard.selecting import build_view
from dashboard.view import Services, View
from figures.theme import LIGHT
from tests.dashboard.app_fixture import no_job
from tests.dashboard.test_model import FIT, ReaderWithFit, text_of

ANSWER = Fit(
    "logistic regression", "ok", None, "From day 28, ten times the peak went with 2.5 times odds.",
    spec={"outcome": "response:responder", "question": "response_by_exposure"},
    sensitivity=(
        SensitivityRow("half_lloq", None, 2.5, 1.5, 4.0, 0.001, 36, "ok"),
        SensitivityRow("drop", None, None, None, None, None, 3, "not_estimable"),
    ),
)  # fmt: skip


class ReaderWithRuns(ReaderWithFit):
    """A reader with one fit for every question, and saved runs."""

    runs: tuple[Fit, ...] = ()

    def stored_fits(self, trial):
        when = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
        return [{"fit": fit, "created_at": when, "actor": "tester"} for fit in self.runs]


def view_with(*runs: Fit) -> View:
    reader = ReaderWithRuns(FIT)
    reader.runs = runs
    services = Services(reader, no_job, no_job, no_job, "demo", "0.1.0")
    return build_view(Request("/model", "", LIGHT, narrow=False), "", services, model)


def test_every_rule_stands_beside_the_finding() -> None:
    view = view_with(FIT, ANSWER)
    page = text_of(model.layout(view))
    for words in (
        "Answers by exposure under each rule for low values", ANSWER.sentence, "2.5 (1.5",
        "Half the limit", "Left out",
    ):  # fmt: skip
        assert words in page
    drawn = str(exposure_answers(view).to_plotly_json())
    assert "Odds ratio" in drawn
    assert "Patients" in drawn


def test_without_values_below_the_limit_there_is_no_such_card() -> None:
    assert exposure_answers(view_with(FIT, ANSWER.replace(sensitivity=()))) is None
    assert exposure_answers(view_with()) is None
