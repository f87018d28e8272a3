"""The frame under a person's hands: links, filters, back, theme, keyboard, phone."""

import pytest
from playwright.sync_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.xdist_group("browser")]


def test_navigation_is_without_a_reload_and_back_works(watched):
    page = watched.open("/")
    page.evaluate("() => { window.stayed = true; }")
    page.get_by_role("link", name="Data and quality").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Data and quality")
    expect(page).to_have_title("Data and quality · Cartograph")
    page.go_back()
    expect(page).to_have_title("Overview · Cartograph")
    assert page.evaluate("() => window.stayed") is True
    assert watched.problems == []


def test_a_filter_is_an_address_and_a_chip_removes_it(watched):
    page = watched.open("/")
    page.get_by_role("button", name="Analysis set").click()
    page.get_by_role("link", name="efficacy-evaluable").click()
    expect(page).to_have_url(f"{watched.base}/?analysis_set=efficacy")
    watched.settle()
    expect(page.locator(".cg-header .cg-attrition li")).to_have_count(3)
    # the popover gives the focus back only when its own closing has ended
    expect(page.locator("[data-focus=chip-analysis_set]").first).to_be_focused()
    page.get_by_role("link", name="Remove Analysis set efficacy-evaluable").click()
    expect(page).to_have_url(f"{watched.base}/")
    expect(page.locator(".cg-header .cg-attrition li")).to_have_count(2)
    page.go_back()
    expect(page.locator(".cg-header .cg-attrition li")).to_have_count(3)
    assert watched.problems == []


def hold_the_answer(page) -> list:
    """From now on the router's answers wait; the list fills with them, to be let go."""
    held = []

    def keep(route) -> None:  # the browser's program does not take a method of a list
        held.append(route)

    page.route("**/_dash-update-component**", keep)
    return held


def let_go(page, held) -> None:
    """What was held is answered, and nothing is held any more."""
    for route in held:
        route.continue_()
    page.unroute("**/_dash-update-component**")


def test_the_focus_waits_for_a_list_that_is_still_open(watched):
    page = watched.open("/")
    page.get_by_role("button", name="Analysis set").click()
    held = hold_the_answer(page)
    page.get_by_role("link", name="efficacy-evaluable").click()
    expect(page).to_have_url(f"{watched.base}/?analysis_set=efficacy")
    # As on a slow machine: the title is there, and the browser has not drawn the new bar.
    page.evaluate("() => window.dash_clientside.cartograph.setTitle(document.title)")
    page.wait_for_timeout(300)
    expect(page.locator(".mantine-Popover-dropdown")).to_have_count(1)
    let_go(page, held)
    page.get_by_role("link", name="Remove Analysis set efficacy-evaluable").wait_for()
    expect(page.locator("[data-focus=chip-analysis_set]").first).to_be_focused()


def test_the_focus_is_not_taken_from_who_moved_on(watched):
    page = watched.open("/")
    page.get_by_role("button", name="Analysis set").click()
    held = hold_the_answer(page)
    page.get_by_role("link", name="efficacy-evaluable").click()
    expect(page).to_have_url(f"{watched.base}/?analysis_set=efficacy")
    page.keyboard.press("Escape")
    expect(page.locator(".mantine-Popover-dropdown")).to_have_count(0)
    expect(page.locator("[data-focus=chip-analysis_set]").first).to_be_focused()
    page.keyboard.press("Tab")
    moved_to = page.evaluate("() => document.activeElement.dataset.focus")
    assert moved_to not in {None, "chip-analysis_set"}
    let_go(page, held)
    page.get_by_role("link", name="Remove Analysis set efficacy-evaluable").wait_for()
    watched.settle()
    expect(page.locator(f"[data-focus={moved_to}]").first).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.locator(f"[data-focus={moved_to}]").first).not_to_be_focused()
    page.wait_for_timeout(500)
    expect(page.locator(f"[data-focus={moved_to}]").first).not_to_be_focused()


def test_a_choice_of_a_few_keeps_the_focus(watched):
    page = watched.open("/cohort")
    page.get_by_role("link", name="Cohort", exact=True).focus()
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{watched.base}/cohort?color_by=cohort")
    page.locator(".cg-segment[aria-current]", has_text="Cohort").wait_for()
    expect(page.locator(".cg-segment[aria-current]", has_text="Cohort")).to_be_focused()


def test_a_filter_by_keyboard_alone(watched):
    page = watched.open("/")
    page.get_by_role("button", name="Scale").focus()
    page.keyboard.press("Enter")
    page.locator(".mantine-Popover-dropdown").get_by_role("link", name="linear").wait_for()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{watched.base}/?scale=linear")
    page.get_by_role("link", name="Remove Scale linear").wait_for()
    watched.settle()
    page.get_by_role("button", name="Scale").first.focus()
    page.keyboard.press("Enter")
    page.locator(".mantine-Popover-dropdown").get_by_role("link", name="linear").wait_for()
    page.keyboard.press("Escape")
    expect(page.locator(".mantine-Popover-dropdown")).to_have_count(0)


def test_the_first_tab_stop_skips_to_the_content(watched):
    page = watched.open("/data")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    page.keyboard.press("Enter")
    assert page.evaluate("() => document.activeElement.id") == "content"


def test_theme_is_remembered_and_painted_before_the_program_runs(watched):
    page = watched.open("/")
    page.get_by_role("button", name="Dark theme").click()
    expect(page.locator("html")).to_have_attribute("data-mantine-color-scheme", "dark")
    page.route("**/_dash-component-suites/**", lambda route: route.abort())
    page.goto(watched.base + "/")
    assert page.evaluate("() => document.documentElement.dataset.mantineColorScheme") == "dark"
    ground = page.evaluate("() => getComputedStyle(document.body).backgroundColor")
    assert ground == "rgb(14, 20, 24)"


def test_automatic_theme_follows_the_computer(watched):
    page = watched.open("/")
    page.emulate_media(color_scheme="dark")
    expect(page.locator("html")).to_have_attribute("data-mantine-color-scheme", "dark")
    expect(page.locator("html")).to_have_attribute("data-ag-theme-mode", "dark")


@pytest.mark.parametrize("watched", [("light", "phone")], indirect=True)
def test_phone_has_its_pages_and_filters_in_drawers(watched):
    page = watched.open("/")
    expect(page.locator(".cg-filter-bar")).to_be_hidden()
    page.get_by_role("button", name="Pages").click()
    page.get_by_role("dialog").get_by_role("link", name="Data and quality").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Data and quality")
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.get_by_role("button", name="Filters").click()
    drawer = page.get_by_role("dialog")
    drawer.locator("summary", has_text="Scale").click()
    drawer.get_by_role("link", name="linear").click()
    expect(page).to_have_url(f"{watched.base}/data?scale=linear")
    assert watched.problems == []


def test_a_table_downloads_with_its_provenance(watched):
    page = watched.open("/data")
    with page.expect_download() as caught:
        page.get_by_role("link", name="CSV").first.click()
    text = open(caught.value.path(), encoding="utf-8-sig").read()  # noqa: SIM115, PTH123
    assert text.startswith("load_id,path,")
    assert "cut " in text


def test_a_figure_downloads_as_svg_without_leaving_the_machine(watched):
    page = watched.open("/")
    with page.expect_download() as caught:
        page.get_by_role("button", name="SVG").first.click()
    assert caught.value.suggested_filename.endswith(".svg")
    assert watched.problems == []
