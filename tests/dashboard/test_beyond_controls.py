"""Questions the model page has no control for: asked by the address, said on the page, and back."""

import datetime as dt

import pytest

from analysis.errors import UserError
from analysis.specs import ModelSpec
from dashboard.model import reading
from dashboard.model.beyond_controls import UNSEEN, beyond_words
from dashboard.model.parts import saved_runs
from dashboard.model.question_link import question_link
from dashboard.pages import model
from jobs.fitting import fit_trial
from tests.dashboard.test_model import FIT, text_of, view

WHEN = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
NEW = {
    "residual": ("residual=by:group", {"residual": "by:group"}),
    "covariance": ("covariance=diagonal&time=spline", {"covariance": "diagonal"}),
    "level": ("level=0.9", {"level": 0.9}),
    "seed": ("inference=bootstrap&seed=3", {"seed": 3}),
    "crossed": ("crossed=siteid", {"crossed": ("siteid",)}),
    "days": ("days=7,14", {"days": (7.0, 14.0)}),
    "adjusters": ("adjust=age_year,sex", {"adjusters": ("age_year", "sex")}),
}


@pytest.mark.parametrize("field", NEW)
def test_a_field_without_a_control_is_asked_and_said(field: str) -> None:
    query, expected = NEW[field]
    spec = reading.chosen_spec(view(query))
    for name, value in expected.items():
        assert getattr(spec, name) == value
    page = text_of(model.layout(view(query, FIT)))
    assert "has no control on this page" in page
    assert field in page


def test_the_usual_question_says_nothing_of_it() -> None:
    assert beyond_words(reading.chosen_spec(view()), view()) == ""
    assert "has no control" not in text_of(model.layout(view()))
    assert "has no control" not in text_of(model.layout(view("group=sex&time=visit&window=7-28")))


@pytest.mark.parametrize("field", NEW)
def test_a_question_comes_back_from_its_address_and_its_file(field: str) -> None:
    spec = reading.chosen_spec(view(NEW[field][0]))
    link = question_link(spec, view())
    assert link is not None
    assert reading.chosen_spec(view(link.partition("?")[2])) == spec
    assert ModelSpec.from_yaml(spec.to_yaml()) == spec


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("level=high", "level 'high' in the address is not a number"),
        ("seed=1.5", "seed '1.5' in the address is not a whole number"),
        ("days=7,soon", "days '7,soon' in the address is not a number"),
    ],
)
def test_what_cannot_be_asked_here_is_refused_with_the_way(query: str, words: str) -> None:
    with pytest.raises(UserError, match=words.replace("(", r"\(")):
        reading.chosen_spec(view(query))
    assert words in text_of(model.layout(view(query)))


def test_fields_without_a_control_are_fields() -> None:
    assert set(UNSEEN) <= set(ModelSpec(outcome="kinetics:CARTG").to_dict())


def test_a_saved_run_leads_to_its_question_where_the_page_draws_it() -> None:
    spec = reading.chosen_spec(view("residual=by:group"))
    joint = {"outcome": "event:PFS", "question": "joint", "exposure": spec.outcome, "day_low": 14,
             "inference": "wald"}  # fmt: skip
    runs = [
        {"fit": FIT.replace(spec=content, sentence=words), "created_at": WHEN, "actor": "tester"}
        for words, content in (("Here.", spec.to_dict()), ("Elsewhere.", joint))
    ]
    runs.append(runs[0] | {"fit": FIT.replace(spec={"outcome": spec.outcome, "old": 1})})
    drawn = str(saved_runs(view(), runs).to_plotly_json())
    assert "residual=by%3Agroup" in drawn
    assert drawn.count("href") == 1
    assert "Elsewhere." in drawn


@pytest.mark.parametrize("query", ["residual=by:group", "level=0.9"])
def test_the_fit_of_such_a_question_is_drawn(query: str) -> None:
    """Where intervals are of another level, none of the page's headings says 95 %."""
    asked = view(f"{query}&time=none")
    fit = fit_trial(asked.trial, reading.chosen_spec(asked))
    drawn = model.layout(view(f"{query}&time=none", fit))
    page = " ".join(text_of(drawn).split())
    assert fit.sentence[:40] in page
    usual, other = ("90 % CI", "95 % CI") if query == "level=0.9" else ("95 % CI", "90 % CI")
    assert page.count(usual) >= 2
    assert other not in page
    headings = str(drawn.to_plotly_json())
    assert f"Ratio ({usual})" in headings
    assert f"Ratio ({other})" not in headings
