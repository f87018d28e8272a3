"""Filters in a browser: set, counted, shared by all pages, and undone by the back button."""

import re

import pytest
from playwright.sync_api import Page, expect

pytestmark = [
    pytest.mark.browser, pytest.mark.slow, pytest.mark.xdist_group("browser"),
    pytest.mark.timeout(600),
]  # fmt: skip


def left(page: Page) -> int:
    """How many patients the last step of the attrition leaves."""
    return int(page.locator(".cg-header .cg-attrition li strong").last.inner_text())


def test_a_filter_costs_patients_on_every_page_until_back(watched):
    page = watched.open("/patients")
    whole, listed = left(page), page.locator(".cg-roster tbody tr").count()
    page.get_by_role("button", name=re.compile("^Dose level")).first.click()
    option = page.get_by_role("dialog", name="Dose level").get_by_role("link").first
    level = option.locator(".cg-choice-text").inner_text()
    option.click()
    page.wait_for_url(re.compile(r"[?&]dose_level="))
    watched.settle()
    expect(page.locator(".cg-chip-set").filter(has_text="Dose level")).to_contain_text(level)
    rest = left(page)
    assert 0 < rest < whole
    assert 0 < page.locator(".cg-roster tbody tr").count() < listed
    page.get_by_role("link", name="Trajectories").first.click()
    page.wait_for_url(re.compile(r"/cohort\?.*dose_level="))
    watched.settle()
    assert left(page) == rest
    expect(page.locator(".cg-sentence").first).to_contain_text(f"of {rest} patients")
    page.go_back()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Patients")
    page.go_back()
    expect(page).to_have_url(f"{watched.base}/patients")
    expect(page.locator(".cg-roster tbody tr")).to_have_count(listed)
    assert left(page) == whole
    assert watched.problems == []


def test_two_values_of_one_filter_add_up(watched):
    page = watched.open("/")
    whole = left(page)
    page.get_by_role("button", name=re.compile("^Site")).first.click()
    choices = page.get_by_role("dialog", name="Site").get_by_role("link")
    names = [text for text in choices.locator(".cg-choice-text").all_inner_texts() if text != "all"]
    numbers = []
    for one in (names[:1], names[1:2], names[:2]):
        query = "&".join(f"site={name}" for name in one)
        watched.open(f"/?{query}")
        numbers.append(left(page))
    assert numbers[0] + numbers[1] == numbers[2] <= whole
    assert watched.problems == []


def test_an_address_with_filters_opens_the_same_view_in_a_new_window(watched):
    page = watched.open("/cohort?scale=linear&day_low=0&day_high=28&color_by=dose_level")
    sentence = page.locator(".cg-sentence").first.inner_text()
    second = page.context.new_page()
    second.goto(page.url)
    expect(second.locator(".cg-sentence").first).to_have_text(sentence)
    second.close()
    assert watched.problems == []


def test_an_address_of_nothing_says_so_and_leads_back(watched):
    for address in ("/?study=NOWHERE", "/?cut=1999-01-01", "/no-such-page", "/patients/NOBODY"):
        page = watched.open(address)
        assert page.locator(".cg-broken").count() == 0
        main = page.get_by_role("main")
        main.get_by_role("link").first.click()
        watched.settle()
        expect(page.locator(".cg-header .cg-attrition li").first).to_be_visible()
    assert watched.problems == []
