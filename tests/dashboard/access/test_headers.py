"""What every answer carries, and that the policy fits the page that is served."""

import re

import pytest

from dashboard.access.gate import cookie_name
from dashboard.access.headers import inline_script_hashes
from dashboard.access.modes import session_value
from tests.dashboard.app_fixture import demo_app, local_app
from tests.dashboard.conftest import TOKEN

EVERYWHERE = (
    "/",
    "/data",
    "/_dash-layout",
    "/assets/20-shell.css",
    "/assets/none.css",
    "/download/x/y.csv",
)


@pytest.mark.parametrize("path", EVERYWHERE)
def test_every_answer_is_covered(demo_client, path):
    headers = demo_client.get(path).headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "connect-src 'self'" in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["X-Frame-Options"] == "DENY"


def test_scripts_run_by_file_or_hash_only(demo_client):
    answer = demo_client.get("/")
    scripts = re.search(r"script-src ([^;]*)", answer.headers["Content-Security-Policy"]).group(1)
    assert "unsafe" not in scripts
    assert "http" not in scripts
    hashes = inline_script_hashes(answer.text)
    assert len(hashes) == 2  # the theme before paint, and Dash's renderer
    assert set(hashes) <= set(scripts.split())


def policy_of(answer):
    return answer.headers["Content-Security-Policy"]


def test_text_of_an_address_never_changes_the_policy():
    """The first answer of a fresh program repeats a script that the address asked for."""
    client = demo_app().server.test_client()
    asked = {"study": "<script>alert(1)</script><script id=_dash-renderer>x()</script>"}
    first = client.get("/download/data/refused.csv", query_string=asked)
    assert first.status_code == 404
    assert "alert(1)" in first.text
    page = client.get("/")
    assert policy_of(first) == policy_of(page)
    assert policy_of(page).count("'sha256-") == 2
    assert all(code in policy_of(page) for code in inline_script_hashes(page.text))


def test_the_first_page_of_local_mode_has_the_right_hashes():
    client = local_app(TOKEN).server.test_client()
    client.set_cookie(cookie_name("localhost"), session_value(TOKEN))
    page = client.get("/")
    assert page.status_code == 200
    assert len(inline_script_hashes(page.text)) == 2
    assert all(code in policy_of(page) for code in inline_script_hashes(page.text))


def test_the_page_asks_for_nothing_elsewhere(demo_client):
    page = demo_client.get("/").text
    sources = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert sources
    assert all(source.startswith("/") and not source.startswith("//") for source in sources)


def test_the_page_has_a_language_and_the_theme_script_first(demo_client):
    page = demo_client.get("/").text
    assert page.startswith('<!DOCTYPE html>\n<html lang="en">')
    assert page.index("data-mantine-color-scheme") < page.index("<body>")
    assert "Loading..." not in page


def test_pages_with_data_are_not_kept_by_the_browser(demo_client):
    assert demo_client.get("/").headers["Cache-Control"] == "no-store"
    assert demo_client.get("/download/data/refused.csv").headers["Cache-Control"] == "no-store"


def test_dash_tools_are_off(demo, demo_client):
    assert demo._enable_mcp is False
    assert not demo._dev_tools.ui
    assert demo_client.get("/_mcp").headers["Content-Type"].startswith("text/html")
    config = re.search(r'id="_dash-config"[^>]*>(.*?)</script>', demo_client.get("/").text).group(1)
    assert '"hot_reload"' not in config
