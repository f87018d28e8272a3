"""The model drawn over the curves is one of the patients and the groups that are drawn."""

from typing import Any

import pytest

from analysis.results import CurvePoint, Fit, GeometricMeanRatio
from analysis.specs import ModelSpec
from dashboard.address import Request
from dashboard.cohort import numbers
from dashboard.pages import cohort
from dashboard.selecting import build_view
from dashboard.view import Services, View
from figures.cohort_trajectories import draw_cohort_trajectories, prepare_cohort_trajectories
from figures.curves import GroupMean
from figures.theme import LIGHT
from tests.dashboard.app_fixture import MemoryReader, no_job
from tests.dashboard.test_model import text_of

KEY = "kinetics:CARTG:qPCR:BLOOD"


class ReaderWithFits(MemoryReader):
    """A reader with one stored fit."""

    def __init__(self, fit: Fit) -> None:
        super().__init__(synthetic_only=True)
        self.fit = fit

    def stored_fits(self, trial: Any) -> list[dict[str, Any]]:
        return [{"fit": self.fit}]


def fit(upper: str, lower: str, **spec: Any) -> Fit:
    points = tuple(
        CurvePoint(group, day, value, value / 2, value * 2)
        for group, value in ((upper, 40.0), (lower, 10.0))
        for day in (7.0, 14.0)
    )
    ratio = GeometricMeanRatio(14.0, upper, lower, 4.0, 2.0, 8.0, 0.001, 9, 9)
    return Fit(kind="linear mixed model", status="ok", reason=None, sentence="", curves=points,
               ratios=(ratio,), spec=ModelSpec(KEY, **spec).to_dict())  # fmt: skip


RESPONSE = fit(
    "responder",
    "non-responder",
    question="expansion_by_group",
    cohort=("A",),
    criterion="LUGANO 2014",
)
DOSE = fit("DL2", "DL1", group="dose_level")
LESIONS = fit("DL2", "DL1", group="dose_level", unit="lesion")


def view(query: str, stored: Fit) -> View:
    reader = ReaderWithFits(stored)
    services = Services(reader, no_job, no_job, no_job, "demo", "0.1.0")
    return build_view(Request("/cohort", query, LIGHT, narrow=False), "", services)


@pytest.mark.parametrize(
    ("stored", "query", "drawn"),
    [
        (RESPONSE, "cohort=A", ["responder", "non-responder"]),
        (RESPONSE, "cohort=A&criterion=LUGANO 2014", ["responder", "non-responder"]),
        (RESPONSE, "cohort=B", []),
        (RESPONSE, "", []),
        (RESPONSE, "cohort=A&color_by=dose_level", []),
        (RESPONSE, "cohort=A&analysis_set=safety", []),
        (RESPONSE, "cohort=A&site=01", []),
        (RESPONSE, "cohort=A&reader=IRC", []),
        (DOSE, "color_by=dose_level", ["DL2", "DL1"]),
        (DOSE, "color_by=dose_level&cohort=A&cohort=B", ["DL2", "DL1"]),
        (DOSE, "", []),
        (LESIONS, "color_by=dose_level", []),
    ],
)
def test_only_the_model_of_what_is_drawn_is_drawn_over_it(
    stored: Fit, query: str, drawn: list[str]
) -> None:
    asked = view(f"{query}&overlay=model", stored)
    figure = cohort.layout(asked)
    assert numbers.shown(asked).signal.key == KEY
    names = model_names(asked)
    assert names == drawn
    assert ("No stored model of this selection" in text_of(figure)) is not bool(drawn)


def model_names(asked: View) -> list[str]:
    """Groups whose fitted mean the page's figure names."""
    card = cohort.curves_card(asked, numbers.shown(asked))
    texts = [note["text"] for note in annotations(card)]
    return [text.removeprefix("Model, ") for text in texts if text.startswith("Model, ")]


def annotations(component: Any) -> list[Any]:
    """Annotations of the first figure inside a component."""
    figure = getattr(component, "figure", None)
    if figure is not None:
        return list(figure["layout"]["annotations"])
    children = getattr(component, "children", None)
    parts = children if isinstance(children, (list, tuple)) else [children]
    return [note for part in parts if part is not None for note in annotations(part)]


def test_nothing_is_said_of_a_model_that_nobody_asked_for() -> None:
    assert "No stored model" not in text_of(cohort.layout(view("", RESPONSE)))


def test_a_dashed_line_wears_the_color_of_its_group() -> None:
    page = numbers.shown(view("color_by=dose_level", DOSE))
    prepared = prepare_cohort_trajectories(page.series, page.summary, page.groups, "Transgene")
    mean = GroupMean("DL2", 9, (7.0, 14.0), (5.0, 6.0), (4.0, 5.0), (7.0, 8.0), (9, 9))
    traces = draw_cohort_trajectories(prepared._replace(overlay=(mean,)), LIGHT).data
    (dashed,) = [t for t in traces if t.mode == "lines" and t.line.dash == "dash"]
    (bold,) = [t for t in traces if t.hovertext is not None and "<b>DL2</b>" in t.hovertext[0]]
    assert dashed.line.color == bold.line.color
