"""The data page in a browser: refusals, findings, and the way there from a number."""

import re

import pytest
from playwright.sync_api import expect

pytestmark = [
    pytest.mark.browser, pytest.mark.slow, pytest.mark.xdist_group("browser"),
    pytest.mark.timeout(600),
]  # fmt: skip


def test_refused_rows_stand_in_a_grid_as_delivered(watched):
    page = watched.open("/data")
    heading = page.get_by_role("heading", name=re.compile("refused rows?, as delivered"))
    count = int(re.match(r"[\d,]+", heading.inner_text())[0].replace(",", ""))
    grid = page.get_by_role("region", name="Refused rows with rule and place")
    expect(grid.get_by_role("columnheader", name="As delivered")).to_be_visible()
    rows = grid.locator(".ag-center-cols-container [role=row]")
    expect(rows.first).to_be_visible()
    assert 0 < rows.count() <= count
    first = rows.first.locator("[col-id=row]").inner_text()
    assert first.replace(",", "").isdigit()
    for _ in range(2):
        grid.get_by_role("columnheader", name="As delivered").click()
    expect(grid.locator("[aria-sort=descending]")).to_have_count(1)
    assert watched.problems == []


def test_findings_unfold(watched):
    page = watched.open("/data")
    findings = page.locator(".cg-findings")
    expect(findings.locator(":scope > li").first).to_be_visible()
    folded = findings.locator("details")
    if folded.count():
        folded.first.locator("summary").click()
        expect(folded.first.locator("li").first).to_be_visible()
    assert watched.problems == []


def test_a_flag_of_a_patient_leads_to_its_row_in_the_data(watched):
    page = watched.open("/patients")
    links = page.locator(".cg-roster-link")
    for address in [link.get_attribute("href") for link in links.all()[:12]]:
        watched.open(address)
        source = page.get_by_role("link", name="Source row").first
        if source.count() and source.is_visible():
            break
    else:
        pytest.fail("none of twelve patients has a flag with a source row")
    row = source.get_attribute("title")
    source.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Data and quality")
    assert page.url.startswith(f"{watched.base}/data")
    assert re.search(r"row \d+", row)
    watched.settle()
    page.go_back()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Patient")
    assert watched.problems == []
