"""Every page in Chromium: accessible, silent, within its width, without another server."""

import pytest
from axe_playwright_python.sync_playwright import Axe

from dashboard.pages import PAGES

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.xdist_group("browser")]

PATHS = [page.PATH for page in PAGES if "<" not in page.PATH]
LOOKS = [(scheme, size) for scheme in ("light", "dark") for size in ("desk", "phone")]


def _addresses(watched) -> list[str]:
    """Every page, and one patient."""
    watched.open("/patients")
    first = watched.page.locator(".cg-page a[href^='/patients/']").first
    return [*PATHS, str(first.get_attribute("href"))]


@pytest.mark.parametrize("watched", LOOKS, indirect=True, ids=["-".join(look) for look in LOOKS])
def test_pages_are_accessible_silent_and_fit(watched):
    for address in _addresses(watched):
        page = watched.open(address)
        assert page.locator(".cg-broken").count() == 0, address
        width = page.evaluate("() => document.documentElement.scrollWidth")
        assert width <= page.viewport_size["width"], f"{address} is {width} px wide"
        found = Axe().run(page)
        violations = [
            (item["id"], [node["html"][:160] for node in item["nodes"]][:4])
            for item in found.response["violations"]
        ]
        assert violations == [], address
    assert watched.problems == []
