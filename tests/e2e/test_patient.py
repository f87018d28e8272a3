"""The patient page in a browser: from the roster to a patient, a day, a scan, a file."""

import re

import pytest
from playwright.sync_api import Page, expect

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.xdist_group("browser")]

PHONE = pytest.mark.parametrize("watched", [("light", "phone")], indirect=True)


def first_patient_with_images(watched) -> Page:
    """The page of the first patient of the roster who has an uptake line."""
    page = watched.open("/patients")
    row = page.locator(".cg-roster tbody tr").filter(has=page.locator(".cg-roster-uptake img"))
    row.first.locator(".cg-roster-link").click()
    page.wait_for_function(
        "() => { const all = document.querySelectorAll('.cg-tracks .dash-graph');"
        " return all.length && [...all].every(g => g.querySelector('.js-plotly-plot .main-svg')); }"
    )
    watched.settle()
    return page


def drawn_tracks(page: Page) -> int:
    return page.locator(".cg-tracks .js-plotly-plot").count()


def test_from_the_roster_to_a_patient_and_on_to_the_next(watched):
    page = first_patient_with_images(watched)
    title = page.get_by_role("heading", level=1).inner_text()
    assert title.startswith("Patient ")
    assert drawn_tracks(page) >= 6
    expect(page.locator(".cg-sentence")).to_contain_text("on day")
    page.get_by_role("link", name=re.compile("Next patient")).click()
    expect(page.get_by_role("heading", level=1)).not_to_have_text(title)
    page.go_back()
    expect(page.get_by_role("heading", level=1)).to_have_text(title)
    assert watched.problems == []


def test_a_day_is_the_same_pixel_in_every_track(watched):
    page = first_patient_with_images(watched)
    places = page.evaluate(
        "() => [...document.querySelectorAll('.cg-tracks .js-plotly-plot')].map(function (plot) {"
        " const axis = plot._fullLayout.xaxis;"
        " return [0, 7, 28].map(p => plot.getBoundingClientRect().left + axis._offset"
        " + axis.l2p(p)); })"
    )
    assert len(places) == drawn_tracks(page)
    assert all(place == pytest.approx(places[0], abs=0.01) for place in places)
    pill = page.locator(".cg-day-pill").bounding_box()
    ticks = page.locator(".cg-track-axis .cg-tick").filter(has_text=re.compile(r"^0$"))
    assert ticks.bounding_box()["x"] == pytest.approx(places[0][0], abs=1.0)
    assert pill is not None


def test_a_click_chooses_the_day_and_everything_follows(watched):
    page = first_patient_with_images(watched)
    page.evaluate("() => { window.stayed = true; window.scrollTo(0, 260); }")
    before = page.evaluate("() => window.scrollY")
    plot = page.locator(".cg-tracks .cg-graph").nth(1)
    box = plot.bounding_box()
    page.mouse.click(box["x"] + 0.86 * box["width"], box["y"] + 30)
    page.wait_for_url(re.compile(r"[?&]day=\d+"))
    day = re.search(r"[?&]day=(\d+)", page.url).group(1)
    expect(page.locator(".cg-day-pill")).to_have_text(f"Day {day}")
    expect(page.locator(".cg-at-day-text")).to_have_text(f"At day {day}")
    watched.settle()
    assert page.evaluate("() => window.stayed") is True
    assert abs(page.evaluate("() => window.scrollY") - before) < 5
    page.go_back()
    expect(page.locator(".cg-day-pill")).not_to_have_text(f"Day {day}")
    assert watched.problems == []


def test_days_by_keyboard(watched):
    page = first_patient_with_images(watched)
    link = page.get_by_role("link", name=re.compile("Next day with data"))
    wanted = re.search(r"day (\d+)", link.get_attribute("aria-label")).group(1)
    link.focus()
    page.keyboard.press("Enter")
    expect(page.locator(".cg-day-pill")).to_have_text(f"Day {wanted}")
    watched.settle()
    assert page.evaluate("() => document.activeElement.getAttribute('data-focus')") == "step-right"


def test_the_pointer_shows_the_nearest_day(watched):
    page = first_patient_with_images(watched)
    box = page.locator(".cg-tracks .cg-graph").nth(2).bounding_box()
    page.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 20)
    expect(page.locator(".cg-cursor-on span")).to_have_text(re.compile(r"^Day \d+$"))
    page.mouse.move(5, 5)
    expect(page.locator(".cg-cursor-on")).to_have_count(0)


@pytest.mark.parametrize(("label", "ending"), [("PNG", ".png"), ("SVG", ".svg")])
def test_the_sheet_is_saved_by_the_browser(watched, label, ending):
    page = first_patient_with_images(watched)
    with page.expect_download(timeout=90_000) as found:
        page.locator(".cg-tracks-card").get_by_role("button", name=label).click()
    assert found.value.suggested_filename.endswith(ending)
    assert watched.problems == []


def test_the_numbers_are_saved_by_the_server(watched):
    page = first_patient_with_images(watched)
    with page.expect_download() as found:
        page.locator(".cg-tracks-card").get_by_role("link", name="CSV").click()
    head = found.value.path().read_text(encoding="utf-8-sig").splitlines()[0]
    assert head.startswith("usubjid,track,axis,series,rel_day")


def test_search_in_the_roster(watched):
    page = watched.open("/patients")
    rows = page.locator(".cg-roster tbody tr")
    code = rows.nth(3).locator(".cg-roster-link").inner_text()
    page.get_by_label("Find a patient").fill(code)
    expect(page.locator(".cg-roster tbody tr:visible")).to_have_count(1)
    page.get_by_label("Find a patient").fill("no such patient")
    expect(page.get_by_text("No patient matches the search.")).to_be_visible()


def test_another_order_of_the_roster(watched):
    page = watched.open("/patients")
    page.get_by_role("link", name="Best response").click()
    page.wait_for_url(re.compile(r"sort=response"))
    watched.settle()
    expect(page.get_by_role("heading", level=2).first).to_have_text("Ordered by best response")
    assert watched.problems == []


@PHONE
def test_a_phone_scrolls_the_tracks_under_the_day_axis(watched):
    page = first_patient_with_images(watched)
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 390
    page.locator(".cg-tracks .cg-track").nth(4).scroll_into_view_if_needed()
    page.evaluate("() => window.scrollBy(0, 300)")
    axis = page.locator(".cg-track-axis").bounding_box()
    header = page.locator(".cg-header").bounding_box()
    assert axis["y"] == pytest.approx(header["height"], abs=2)
    assert watched.problems == []
