"""Every page in Chromium: accessible, silent, within its width, without another server."""

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe

from dashboard.pages import PAGES

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.xdist_group("browser")]

PATHS = [page.PATH for page in PAGES if "<" not in page.PATH]
LOOKS = [(scheme, size) for scheme in ("light", "dark") for size in ("desk", "phone")]


@pytest.mark.timeout(600)
@pytest.mark.parametrize("watched", LOOKS, indirect=True, ids=["-".join(look) for look in LOOKS])
def test_pages_are_accessible_silent_and_fit(watched):
    """All pages are looked at before the test fails: one run names everything to mend."""
    wrong: list[Any] = []
    for address in _addresses(watched):
        watched.open(address)
        wrong += [(address, fault) for fault in _faults(watched)]
    assert wrong == []


def _addresses(watched) -> list[str]:
    """Every page, and one patient."""
    watched.open("/patients")
    first = watched.page.locator(".cg-page a[href^='/patients/']").first
    return [*PATHS, str(first.get_attribute("href"))]


def _faults(watched) -> list[Any]:
    """What is wrong with the page that is open."""
    page = watched.page
    faults: list[Any] = ["the page failed"] if page.locator(".cg-broken").count() else []
    width = page.evaluate("() => document.documentElement.scrollWidth")
    if width > page.viewport_size["width"]:
        faults.append(f"{width} px wide")
    found = Axe().run(page)
    faults += [
        (item["id"], [node["html"][:160] for node in item["nodes"]][:4])
        for item in found.response["violations"]
    ]
    faults += watched.problems
    watched.problems.clear()
    return faults
