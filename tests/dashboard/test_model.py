"""The model page: the question an address asks, what is refused, what a fit looks like."""

import dataclasses
from datetime import datetime
from pathlib import Path

import polars as pl
import pytest

from analysis.errors import UserError
from analysis.results import (
    CurvePoint,
    Estimate,
    Fit,
    GeometricMeanRatio,
    SensitivityRow,
    WaldTest,
)
from analysis.selection import Selection
from dashboard.address import Request
from dashboard.filters import page_filters
from dashboard.model import parts, reading
from dashboard.model.windows import window_options
from dashboard.pages import model
from dashboard.selecting import build_view
from dashboard.trial_signals import first_question
from dashboard.view import Services, View
from figures.theme import LIGHT
from jobs.fitting import default_spec_of
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
    return build_view(Request("/model", query, LIGHT, narrow=False), "", services, model)


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
    assert "no answer at this cut yet" in page
    assert "Fit of this question" in page
    assert "Cancel" in page


def test_a_fit_is_shown_sentence_first_then_numbers() -> None:
    page = text_of(model.layout(view(fit=FIT)))
    assert page.index("4.1 times higher") < page.index("Estimates")
    for words in (
        "2.600 (2.333 to 2.867)",
        "4.1 (1.7–10)",
        "Half the limit",
        "n = 23 of ",
    ):
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
    ("query", "field", "value"),
    [
        ("criterion=LUGANO%202014", "criterion", "LUGANO 2014"),
        ("reader=INVESTIGATOR", "reader", "INVESTIGATOR"),
        ("blq=drop", "blq", "drop"),
        ("blq=half_lloq", "blq", "half_lloq"),
        ("rule=censored", "blq", "censored"),
        ("", "blq", "half_lloq"),
        ("day_low=1&day_high=21", "day_low", 1.0),
        ("day_low=1&day_high=21", "day_high", 21.0),
        ("day_low=1&day_high=21&window=7-28", "day_high", 28.0),
        ("analysis_set=efficacy", "analysis_set", "efficacy"),
    ],
)
def test_the_filters_of_the_address_are_in_the_question(
    query: str, field: str, value: object
) -> None:
    spec = reading.chosen_spec(view(query))
    spec.validate()
    assert getattr(spec, field) == value


def test_days_of_the_address_stand_in_the_control() -> None:
    spec = reading.chosen_spec(view("day_low=1&day_high=21"))
    assert window_options(spec)[-1] == {"value": "own", "label": "Days 1 to 21"}
    assert reading.chosen_spec(view("day_low=1&day_high=21&window=own")) == spec


def test_filters_that_no_fit_can_take_neither_show_nor_count() -> None:
    asked = view("dose_level=DL1&site=01&cohort=A")
    page = text_of(model.layout(asked))
    assert "the filter by site and dose level does not apply here" in page
    names = {item.name for item in page_filters(asked, model.FILTERS)}
    assert names <= model.FILTERS
    assert names >= {"study", "cut", "analysis_set", "cohort"}
    assert asked.attrition == view("cohort=A").attrition
    assert asked.selected.subjects.height == asked.attrition[-1].n
    assert "dose_level=DL1" in asked.href("/cohort")  # other pages still filter by it
    assert "does not apply" not in text_of(model.layout(view("cohort=A")))


def test_where_cohorts_differ_in_criterion_the_page_says_which_one_is_fitted() -> None:
    reader = ReaderWithFit(None)
    read = reader._read_trial

    def two_criteria(studyid: str, cut: str):
        trial = read(studyid, cut)
        of_b = trial.subjects.filter(pl.col("cohort") == "B")["usubjid"]
        other = pl.when(pl.col("usubjid").is_in(of_b.implode())).then(pl.lit("NCI MRD"))
        responses = trial.responses.with_columns(criterion=other.otherwise("criterion"))
        return dataclasses.replace(trial, responses=responses)

    reader._read_trial = two_criteria  # type: ignore[method-assign]
    services = Services(reader, no_job, no_job, no_job, "demo", "0.1.0")

    def at(query: str) -> View:
        return build_view(Request("/model", query, LIGHT, narrow=False), "", services, model)

    asked = at("")
    spec = reading.chosen_spec(asked)
    assert spec == first_question(asked.trial)
    assert len(spec.cohort) == 1
    assert f"Fitted in cohort {spec.cohort[0]}:" in text_of(model.layout(asked))
    members = asked.trial.subjects.filter(pl.col("cohort") == spec.cohort[0])
    assert set(asked.selected.subjects["usubjid"]) <= set(members["usubjid"])
    chip = {item.name: item for item in page_filters(asked, model.FILTERS)}["cohort"]
    assert chip.value == spec.cohort[0]
    assert reading.chosen_spec(at("cohort=B")).criterion == "NCI MRD"
    assert reading.chosen_spec(at("cohort=A")).criterion != "NCI MRD"
    assert reading.chosen_spec(at("criterion=NCI%20MRD")).cohort == ()


def test_the_method_of_the_tests_is_a_choice_and_the_default_by_name_is_the_same_question() -> None:
    assert reading.chosen_spec(view("inference=kenward_roger")).inference == "kenward_roger"
    named = reading.chosen_spec(view("inference=satterthwaite"))
    assert named.spec_hash() == reading.chosen_spec(view()).spec_hash()


def test_the_whole_course_is_tested_beside_its_days() -> None:
    tests = {
        "group_test": WaldTest("group at any time", 4.126, 4, 0.0123, 21.34, "F"),
        "interaction": WaldTest("group by time", 7.5, 3, 0.00002),
    }
    words = text_of(model.layout(view(fit=dataclasses.replace(FIT, **tests))))
    for said in (
        "All days at once", "Do the groups differ on any day?", "F 4.13", "4, 21.3", "0.012",
        "Do their courses differ in shape?", "χ² 7.50", " 3", "< 0.0001",
    ):  # fmt: skip
        assert said in words, said
    assert "All days at once" not in text_of(model.layout(view(fit=FIT)))


def walk(component: object):
    """Every component of a page."""
    if isinstance(component, (list, tuple)):
        for child in component:
            yield from walk(child)
    elif component is not None and not isinstance(component, (str, int, float, bool)):
        yield component
        yield from walk(getattr(component, "children", None))


def test_a_saved_finding_wraps_so_that_its_status_stays_in_sight() -> None:
    """Links in tables keep to one line; a finding with its cautions is longer than the card."""
    spec = reading.chosen_spec(view())
    fit = FIT.replace(spec=spec.to_dict(), sentence="Twice as high. Caution: few patients.")
    run = {"fit": fit, "created_at": datetime(2026, 1, 2), "actor": ""}
    links = [one for one in walk(parts.saved_runs(view(), [run])) if type(one).__name__ == "A"]
    assert [(link.className, link.children) for link in links] == [("cg-finding", "Twice as high.")]
    style = (Path(parts.__file__).parents[1] / "assets" / "40-analysis.css").read_text()
    assert ".cg-table a.cg-finding { white-space: normal; }" in style


def test_a_forest_of_several_groups_names_no_single_one() -> None:
    """Its title once was "DL3 against DL1" above the rows of DL2."""
    ratios = tuple(
        dataclasses.replace(RATIO, group=group, reference="DL1") for group in ("DL2", "DL3")
    )
    words = text_of(model.layout(view(fit=FIT.replace(ratios=ratios, key_index=1))))
    assert "Each group against DL1" in words
    assert "by group and day" in words
    assert "DL3 against DL1" not in words


def test_the_numbers_behind_the_figures_download() -> None:
    fit = FIT.replace(curves=(CurvePoint("responder", 7.0, 3.5, 1.5, 8.0),))
    shown = view(fit=fit)
    assert model.DOWNLOADS["curves"](shown).rows() == [("responder", 7.0, 3.5, 1.5, 8.0)]
    ratios = model.DOWNLOADS["ratios"](shown)
    assert ratios.select("day", "group", "ratio", "conf_high").rows() == [
        (14.0, "responder", 4.1, 10.0)]  # fmt: skip
    assert model.DOWNLOADS["influence"](shown).is_empty()
    assert model.DOWNLOADS["curves"](view()).is_empty(), "nothing was fitted"
    page = str(model.layout(shown))
    assert "/download/model/curves.csv" in page
    assert "/download/model/ratios.csv" in page


@pytest.mark.parametrize("query", ["", "cohort=A", "cohort=B", "analysis_set=efficacy&cohort=A",
                                   "criterion=LUGANO 2014", "reader=INVESTIGATOR"])  # fmt: skip
def test_the_summary_asks_the_same_first_question_of_a_selection_as_this_page(query) -> None:
    shown = view(query)
    asked = default_spec_of(shown.trial, Selection.from_query(query))
    assert reading.chosen_spec(shown) == asked
