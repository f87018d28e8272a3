"""The model page in a browser: another question is fitted as a job, followed, and ended."""

import re

import pytest
from playwright.sync_api import Page, expect

pytestmark = [
    pytest.mark.browser, pytest.mark.slow, pytest.mark.xdist_group("browser"),
    pytest.mark.timeout(600),
]  # fmt: skip

FIT_MS = 120_000
"""A fit with many visits takes seconds, on a busy machine many."""


def choose(page: Page, label: str, option: str) -> None:
    """Choose in one of the selects of the question."""
    page.get_by_role("combobox", name=label).or_(page.get_by_label(label, exact=True)).first.click()
    page.get_by_role("option", name=option, exact=True).click()


def wait_for_result(page: Page) -> None:
    expect(page.locator("#model-effect .main-svg").first).to_be_visible(timeout=FIT_MS)


def test_the_default_question_is_answered_at_once(watched):
    page = watched.open("/model")
    wait_for_result(page)
    expect(page.locator(".cg-sentence, .cg-page header p").first).to_contain_text("higher in")
    for title in ("Estimates", "What was checked", "Method", "Saved runs"):
        expect(page.get_by_role("heading", name=title, exact=True)).to_be_visible()
    assert watched.problems == []


def test_another_question_is_fitted_as_a_job_and_saved(fresh, watched):
    page = watched.open("/model")
    wait_for_result(page)
    runs = page.get_by_role("table", name="Saved runs").locator("tbody tr")
    before, sentence = runs.count(), page.locator(".cg-sentence").first.inner_text()
    choose(page, "Days", "Days 7 to 28")
    page.wait_for_url(re.compile(r"[?&]window="))
    expect(page.get_by_role("heading", name="Fit of this question")).to_be_visible()
    wait_for_result(page)
    expect(page.get_by_role("heading", name="Fit of this question")).to_have_count(0)
    expect(page.locator(".cg-sentence").first).not_to_have_text(sentence)
    expect(runs).to_have_count(before + 1)
    page.reload()
    wait_for_result(page)
    expect(runs).to_have_count(before + 1)
    assert watched.problems == []


def test_a_fit_is_cancelled_while_it_waits_or_runs(fresh, watched):
    """The first fit keeps the one worker busy, so that the second still waits."""
    first = watched.page.context.new_page()
    first.goto(f"{watched.base}/model?time=visit&random=intercept")
    first.get_by_role("heading", name="Fit of this question").wait_for()
    page = watched.page
    page.goto(f"{watched.base}/model?time=visit&group=best_response")
    page.get_by_role("heading", name="Fit of this question").wait_for()
    expect(page.locator("#model-progress")).to_have_text(
        re.compile("Waiting|Fitting"), timeout=30_000
    )
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator("#model-progress")).to_have_text(re.compile("^Cancelled"), timeout=60_000)
    expect(page.locator("#model-cancel")).to_be_disabled()
    wait_for_result(first)
    expect(page.locator("#model-progress")).to_have_text(re.compile("^Cancelled"))
    first.close()
    assert watched.problems == []


def test_a_question_that_must_not_be_asked_is_not_fitted(watched):
    page = watched.open("/model?group=no_such_group")
    expect(page.get_by_role("main")).to_contain_text("This question is not fitted.")
    expect(page.get_by_role("heading", name="Fit of this question")).to_have_count(0)
    page.get_by_role("link", name="Back to the default question").click()
    wait_for_result(page)
    assert watched.problems == []


def test_a_fit_that_cannot_be_made_says_why(watched):
    page = watched.open("/model?adjust=no_such_thing")
    expect(page.locator("#model-progress")).to_contain_text("no_such_thing", timeout=FIT_MS)
    assert watched.problems == []


def test_response_by_exposure_is_asked_by_its_link_and_answered(fresh, watched):
    page = watched.open("/model")
    wait_for_result(page)
    page.get_by_role("link", name="Response by exposure").click()
    page.wait_for_url(re.compile(r"[?&]question=response_by_exposure"))
    expect(page.locator("#model-exposure .main-svg").first).to_be_visible(timeout=FIT_MS)
    expect(page.locator(".cg-sentence").first).to_contain_text("ten times the peak")
    expect(page.get_by_role("heading", name="Odds ratio", exact=True)).to_be_visible()
    choose(page, "Days of the exposure", "Days 7 to 28")
    page.wait_for_url(re.compile(r"[?&]window=7-28"))
    expect(page.locator(".cg-sentence").first).to_contain_text("day 7 to 28", timeout=FIT_MS)
    page.get_by_role("link", name="Signal by group").click()
    wait_for_result(page)
    assert watched.problems == []
