"""A real trial from its published workbook to the screen: 59 patients of the CD22 CAR-T trial.

43 of the 58 whose response is known responded (Lichtenstein et al., Blood 2021,
doi 10.1182/blood.2021011898); the numbers are read off the pages here.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.e2e.conftest import Watched, open_context
from tests.e2e.test_model import wait_for_result
from tests.e2e.test_serve import cartograph, serving

pytestmark = [
    pytest.mark.browser, pytest.mark.slow, pytest.mark.xdist_group("browser"),
    pytest.mark.timeout(600),
]  # fmt: skip

STUDY = "NCT02315612"


@pytest.fixture(scope="module")
def truth(shared: Path) -> dict:
    return json.loads((shared / "data" / "TRUTH.json").read_text())["python"]["car22"]


@pytest.fixture(scope="module")
def link(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The printed link of a server over the trial; its default model is fitted once."""
    folder = tmp_path_factory.mktemp("car22")
    workbook = shared / "data" / "car22_nci_ball" / "clinical_data_05-12-20_v1.xlsx"
    database = f"sqlite:///{folder / 'car22.db'}"
    cartograph("db", "upgrade", "--database", database)
    cartograph(
        "load", str(workbook), "--study", STUDY, "--profile", "car22", "--database", database
    )
    with serving(database, folder / "serve.log") as printed:
        yield printed


@pytest.fixture
def opened(browser: Browser, link: str) -> Iterator[Watched]:
    base = link.partition("/?")[0]
    context = open_context(browser, "light", "desk")
    watched = Watched(context.new_page(), base)
    watched.open(link.removeprefix(base))
    yield watched
    context.close()


def test_overview_and_patients_show_the_published_counts(opened, truth):
    page = opened.page
    expect(page.get_by_role("heading", level=1)).to_contain_text(STUDY)
    main = page.get_by_role("main")
    expect(page.locator(".cg-header .cg-attrition li").first).to_contain_text(f"{truth['n']} ")
    for label, (yes, assessed) in (("Objective", truth["ORR"]), ("Complete", truth["CR"])):
        tile = main.get_by_role("link", name=re.compile(f"^{label} response"))
        expect(tile).to_contain_text(f"{yes} of {truth['n']} infused")
        expect(tile).to_contain_text(f"of {assessed} evaluable")
        expect(tile).to_contain_text(re.compile(rf"{100 * yes / assessed:.0f}\s*%"))
    opened.open("/patients")
    expect(page.locator(".cg-roster tbody tr")).to_have_count(truth["n"])
    assert opened.problems == []


def test_a_patient_has_a_page_with_tracks(opened):
    page = opened.open("/patients")
    first = page.locator(".cg-roster-link").first
    code = first.inner_text()
    first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(code)
    expect(page.locator(".cg-tracks .main-svg").first).to_be_visible()
    opened.settle()
    assert page.locator(".cg-broken").count() == 0
    assert opened.problems == []


def test_trajectories_and_model_stand_on_its_values(opened, truth):
    page = opened.open("/cohort")
    expect(page.locator("#cohort-curves .main-svg").first).to_be_visible()
    expect(page.locator(".cg-sentence").first).to_contain_text(
        re.compile(rf"\d\d of {truth['n']} patients have values")
    )
    opened.open("/model")
    wait_for_result(page)
    opened.settle()
    expect(page.get_by_role("heading", name="Estimates", exact=True)).to_be_visible()
    expect(page.get_by_role("main")).to_contain_text(re.compile(r"n = \d\d"))
    opened.open("/data")
    expect(page.get_by_role("main")).to_contain_text("clinical_data_05-12-20_v1.xlsx")
    assert page.locator(".cg-broken").count() == 0
    assert opened.problems == []
