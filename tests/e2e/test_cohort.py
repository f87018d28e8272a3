"""The trajectories page in a browser: another signal, another grouping, points, files."""

import csv
import io
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

pytestmark = [
    pytest.mark.browser, pytest.mark.slow, pytest.mark.xdist_group("browser"),
    pytest.mark.timeout(600),
]  # fmt: skip

POINTS = """() => {
  const plot = document.querySelector('#cohort-curves .js-plotly-plot')
    || document.querySelector('#cohort-curves.js-plotly-plot');
  const box = plot.getBoundingClientRect();
  const found = [];
  plot._fullData.forEach((trace, place) => {
    if (trace.visible !== true || !/markers/.test(trace.mode || '') || !trace.customdata) return;
    const axes = plot._fullLayout;
    const x = axes[trace.xaxis.replace('x', 'xaxis')], y = axes[trace.yaxis.replace('y', 'yaxis')];
    const calc = plot.calcdata[place];
    calc.forEach(point => {
      const facts = trace.customdata[point.i];
      if (!Array.isArray(facts) || typeof facts[0] !== 'string') return;
      found.push({
        patient: facts[0],
        x: box.left + x._offset + x.c2p(point.x), y: box.top + y._offset + y.c2p(point.y),
      });
    });
  });
  return found;
}"""

AREA = """() => {
  const plot = document.querySelector('#cohort-curves .js-plotly-plot')
    || document.querySelector('#cohort-curves.js-plotly-plot');
  const box = plot.getBoundingClientRect();
  const x = plot._fullLayout.xaxis, y = plot._fullLayout.yaxis;
  return [box.left + x._offset, box.top + y._offset, x._length, y._length];
}"""


def open_cohort(watched, query: str = "") -> Page:
    """The page with its main figure drawn."""
    page = watched.open(f"/cohort{query}")
    page.locator("#cohort-curves .main-svg").first.wait_for()
    return page


def points(page: Page) -> list[dict]:
    """Drawn samples with their place on the screen."""
    found = page.evaluate(POINTS)
    assert len(found) > 20
    return found


def alone(found: list[dict]) -> dict:
    """The sample that is farthest from any other, so that a click means it."""

    def distance(one: dict) -> float:
        return min(
            abs(one["x"] - two["x"]) + abs(one["y"] - two["y"]) for two in found if two is not one
        )

    return max(found, key=distance)


def brush_box(page: Page) -> tuple[float, float, float, float]:
    """A box inside the axes of the main figure: left, top, right, bottom on the screen."""
    x, y, width, height = page.evaluate(AREA)
    return x + 0.36 * width, y + 0.15 * height, x + 0.55 * width, y + 0.4 * height


def patients_within(
    found: list[dict], box: tuple[float, float, float, float], margin: float
) -> set[str]:
    """Patients with a sample inside the box when it is `margin` pixels wider on every side."""
    left, top, right, bottom = box
    return {
        point["patient"]
        for point in found
        if left - margin <= point["x"] <= right + margin
        and top - margin <= point["y"] <= bottom + margin
    }


def test_another_signal_is_drawn_and_stays_in_the_address(watched):
    page = open_cohort(watched)
    title = page.locator(".cg-card h2").first.inner_text()
    box = page.get_by_role("combobox", name="Signal").or_(page.get_by_label("Signal", exact=True))
    box.first.click()
    page.get_by_role("option").nth(3).click()
    page.wait_for_url(re.compile(r"[?&]signal="))
    expect(page.locator(".cg-card h2").first).not_to_have_text(title)
    watched.settle()
    page.go_back()
    expect(page.locator(".cg-card h2").first).to_have_text(title)
    assert watched.problems == []


def test_another_grouping_has_its_own_rows(watched):
    page = open_cohort(watched)
    table = page.get_by_role("table").filter(has_text="Peak to day 28").first
    before = table.locator("tbody tr").all_inner_texts()
    page.get_by_role("group", name="Groups").get_by_role("link", name="Dose level").click()
    page.wait_for_url(re.compile(r"color_by=dose_level"))
    watched.settle()
    chosen = page.get_by_role("group", name="Groups").locator("[aria-current]")
    expect(chosen).to_have_text("Dose level")
    table = page.get_by_role("table").filter(has_text="Peak to day 28").first
    assert table.locator("tbody tr").all_inner_texts() != before
    assert watched.problems == []


def test_brushed_points_are_listed_with_their_source(watched):
    page = open_cohort(watched)
    found = points(page)
    left, top, right, bottom = box = brush_box(page)
    page.mouse.move(left, top)
    page.mouse.down()
    page.mouse.move(left + 40, top + 40, steps=4)
    page.mouse.move(right, bottom, steps=4)
    page.mouse.up()
    table = page.locator("#cohort-brushed table")
    table.wait_for()
    listed = set(table.locator("tbody tr th").all_inner_texts())
    # The page may still settle by some pixels between the measuring and the drag.
    assert patients_within(found, box, -12) <= listed <= patients_within(found, box, 12)
    heading = page.locator("#cohort-brushed h2")
    expect(heading).to_have_text(
        re.compile(rf"^\d+ samples of {len(listed)} patients under the brush$")
    )
    expect(table.locator("tbody tr").first).to_contain_text(re.compile(r"\.(csv|xlsx|xpt|json)"))
    assert watched.problems == []


def test_a_click_on_a_point_opens_its_patient(watched):
    page = open_cohort(watched, "?color_by=cohort")
    point = alone(points(page))
    page.mouse.move(point["x"], point["y"])
    page.mouse.click(point["x"], point["y"])
    page.wait_for_url(re.compile(r"/patients/"))
    assert page.url == f"{watched.base}/patients/{point['patient']}?color_by=cohort"
    expect(page.get_by_role("heading", level=1)).to_contain_text(point["patient"].split("-")[-1])
    watched.settle()
    page.go_back()
    expect(page).to_have_url(f"{watched.base}/cohort?color_by=cohort")
    assert watched.problems == []


def test_the_numbers_and_the_picture_of_the_figure_are_saved(watched):
    page = open_cohort(watched)
    card = page.locator(".cg-card").filter(has=page.locator("#cohort-curves")).first
    with page.expect_download(timeout=60_000) as found:
        card.get_by_role("link", name="CSV").click()
    rows = list(csv.reader(io.StringIO(Path(found.value.path()).read_text("utf-8-sig"))))
    assert "usubjid" in rows[0]
    patients = {row[rows[0].index("usubjid")] for row in rows[1:] if len(row) == len(rows[0])}
    assert {point["patient"] for point in points(page)} <= patients
    with page.expect_download(timeout=60_000) as found:
        card.get_by_role("button", name="SVG").click()
    picture = Path(found.value.path()).read_text("utf-8")
    assert picture.startswith("<svg")
    assert "http://" not in picture.replace("http://www.w3.org/", "")
    assert watched.problems == []
