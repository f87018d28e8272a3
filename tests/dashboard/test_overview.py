"""Under every filter the overview counts what the records of those patients say."""

import re
from dataclasses import replace
from typing import Any

import polars as pl
import pytest

from analysis.derive.sets import analysis_sets
from dashboard.address import Request
from dashboard.overview_tiles import overview_sentence, overview_tiles
from dashboard.pages import overview
from dashboard.selecting import build_view
from dashboard.trial_numbers import trial_numbers
from dashboard.view import Services, View
from figures.theme import LIGHT
from models.trial import Trial
from tests.dashboard.app_fixture import MemoryReader, no_job

FILTERS: dict[str, pl.Expr] = {
    "": pl.lit(True),
    "analysis_set=efficacy&cohort=B": pl.col("cohort") == "B",
    "site=01": pl.col("siteid") == "01",
    "analysis_set=imaging": pl.lit(True),
    "cohort=B&dose_level=DL1": (pl.col("cohort") == "B") & (pl.col("dose_level") == "DL1"),
}


def view(query: str) -> View:
    services = Services(MemoryReader(synthetic_only=True), no_job, no_job, no_job, "demo", "0.1.0")
    return build_view(Request("/", query, LIGHT, narrow=False), "", services)


def words(parts: Any) -> str:
    """The text of components, without its marks."""
    if isinstance(parts, str):
        return parts
    if isinstance(parts, list | tuple):
        return "".join(words(part) for part in parts)
    return words(getattr(parts, "children", None) or "")


@pytest.mark.parametrize("query", FILTERS)
def test_the_enrolled_are_those_of_the_same_groups(query: str) -> None:
    shown = view(query)
    trial = shown.trial
    sets = trial.subjects.select("usubjid", "cohort", "siteid", "dose_level").join(
        analysis_sets(trial.subjects, trial.infusions, trial.scans, trial.responses), on="usubjid"
    )
    group = sets.filter(FILTERS[query])
    infused = group.filter("infused")
    text = words(overview_sentence(trial_numbers(shown), shown.applied))
    found = re.match(r"(\d+) of (\d+) enrolled patients", text)
    assert found is not None
    assert tuple(map(int, found.groups())) == (infused.height, group.height)
    tile = words(overview_tiles(shown, trial_numbers(shown))[0])
    assert f"{infused.height}of {group.height} enrolled" in tile
    assert f"efficacy {infused['efficacy_evaluable'].sum()}" in tile


def test_an_analysis_set_is_said_as_one() -> None:
    shown = view("analysis_set=efficacy&cohort=B")
    text = words(overview_sentence(trial_numbers(shown), shown.applied))
    n = shown.selected.subjects.height
    assert text.startswith(
        f"10 of 12 enrolled patients (B) were infused, {n} of them efficacy-eval"
    )
    rates = [words(tile) for tile in overview_tiles(shown, trial_numbers(shown))]
    objective = next(tile for tile in rates if tile.startswith("Objective response"))
    assert f"of {n} efficacy-evaluable" in objective


@pytest.mark.parametrize("query", FILTERS)
def test_everything_else_is_of_the_infused_patients_that_are_shown(query: str) -> None:
    shown = view(query)
    trial, numbers = shown.trial, trial_numbers(shown)
    names = shown.selected.subjects["usubjid"].implode()
    mine = pl.col("usubjid").is_in(names)
    n = shown.selected.subjects.height
    calls = trial.responses.filter(mine)
    responded = calls.filter(pl.col("response").is_in(["CR", "PR"]))["usubjid"].n_unique()
    found_rates = numbers.overview
    assert found_rates.objective is not None
    assert (found_rates.objective.infused.successes, found_rates.objective.infused.n) == (
        responded,
        n,
    )
    crs = trial.adverse_events.filter(mine & (pl.col("category") == "CRS"))
    severe = crs.filter(pl.col("grade") >= 3)["usubjid"].n_unique()
    grades = {summary.category: summary for summary in numbers.overview.grades}
    assert (grades["CRS"].at_least(3), grades["CRS"].n) == (severe, n)
    found = numbers.completeness
    assert found is not None
    assert set(found.patients) == set(names[0])
    scans = trial.scans.filter(mine)
    held = scans.group_by("tracer_id", "nominal_day").agg(pl.col("usubjid").n_unique())
    planned = held.filter(pl.col("usubjid") >= max(2, 0.2 * n)).select("tracer_id", "nominal_day")
    assert set(found.visits) == set(planned.rows())
    done = scans.filter("evaluable").join(planned, on=["tracer_id", "nominal_day"])
    pairs = done.unique(["usubjid", "tracer_id", "nominal_day"])
    assert sum(found.n_evaluable) == pairs.height


def test_a_visit_is_planned_by_what_the_shown_patients_had() -> None:
    """One patient of site 01, and one of another site, have a scan on a day of their own."""

    class ReaderOfAnUnplannedVisit(MemoryReader):
        def _read_trial(self, studyid: str, cut: str) -> Trial:
            trial = super()._read_trial(studyid, cut)
            first = trial.scans.filter(pl.col("usubjid").str.contains("-01-001|-02-002"))
            extra = first.unique("usubjid").with_columns(nominal_day=pl.lit(200.0))
            return replace(trial, scans=pl.concat([trial.scans, extra]))

    services = Services(ReaderOfAnUnplannedVisit(), no_job, no_job, no_job, "demo", "0.1.0")
    asked = Request("/", "site=01", LIGHT, narrow=False)
    found = trial_numbers(build_view(asked, "", services)).completeness
    assert found is not None
    assert 200.0 not in {day for _, day in found.visits}


def test_a_series_with_one_visit_is_named_and_not_in_the_share() -> None:
    """FDG is left with the scan of day 28 alone: whoever lacks it does not owe it."""

    class ReaderOfOneVisit(MemoryReader):
        def _read_trial(self, studyid: str, cut: str) -> Trial:
            trial = super()._read_trial(studyid, cut)
            once = (pl.col("tracer_id") != "f18_fdg") | (pl.col("nominal_day") == 28)
            return replace(trial, scans=trial.scans.filter(once))

    services = Services(ReaderOfOneVisit(), no_job, no_job, no_job, "demo", "0.1.0")
    shown = build_view(Request("/", "", LIGHT, narrow=False), "", services)
    found = trial_numbers(shown).completeness
    assert found is not None
    assert found.uncounted == ("f18_fdg",)
    (alone,) = (row for row, (series, _) in enumerate(found.visits) if series == "f18_fdg")
    assert found.share == (
        sum(found.n_evaluable) - found.n_evaluable[alone],
        sum(found.n_due) - found.n_due[alone],
    )
    page = words(overview.layout(shown))
    said = f"not in the share, with one visit only: {found.series_names['f18_fdg']}"
    assert page.count(said) == 2
    assert f"{found.share[0]} of {found.share[1]} planned scans are evaluable" in page


def test_what_is_of_the_whole_study_says_so() -> None:
    shown = view("site=01")
    assert "whole study" in words(overview_tiles(shown, trial_numbers(shown))[-1])
    texts = [item for item in words(overview.layout(shown)).split("Cut ") if "whole study" in item]
    assert len(texts) >= 2


def test_the_accrual_of_an_analysis_set_is_named() -> None:
    assert "2026, efficacy-evaluable only" in words(overview.layout(view("analysis_set=efficacy")))
