"""Closed by default: every route for every identity, against one table."""

import re

import pytest
from flask.testing import FlaskClient

from analysis.errors import UserError
from dashboard.access.gate import cookie_name
from dashboard.access.modes import check_mode, session_value
from tests.dashboard.browser_calls import router_body
from tests.dashboard.conftest import TOKEN

HOST = "127.0.0.1:8050"
ROUTES = (
    "/",
    "/patients",
    "/data",
    "/patients/TINY-01-01-001",
    "/not/a/page",
    "/_dash-layout",
    "/_dash-dependencies",
    "/_dash-component-suites/dash/deps/react@18.3.1.min.js",
    "/_reload-hash",
    "/_favicon.ico",
    "/assets/20-shell.css",
    "/assets/fonts/inter-variable.woff2",
    "/download/data/refused.csv",
)

IDENTITIES = {
    "nobody": {},
    "wrong token": {"query": "token=wrong"},
    "empty token": {"query": "token="},
    "wrong cookie": {"cookie": "0" * 64},
    "the token as cookie": {"cookie": TOKEN},
    "session": {"cookie": session_value(TOKEN)},
}


def _get(client: FlaskClient, path: str, identity: str):
    who = IDENTITIES[identity]
    if "cookie" in who:
        client.set_cookie(cookie_name(HOST), who["cookie"], domain="127.0.0.1")
    return client.get(path, query_string=who.get("query", ""), headers={"Host": HOST})


@pytest.mark.parametrize("identity", IDENTITIES)
@pytest.mark.parametrize("path", ROUTES)
def test_local_mode_answers_the_session_only(local_client, path, identity):
    answer = _get(local_client, path, identity)
    if identity == "session":
        assert answer.status_code != 401
    else:
        assert answer.status_code == 401
        assert "TINY" not in answer.text
        assert "Set-Cookie" not in answer.headers


def test_the_routes_tested_are_all_routes_of_the_program(local):
    """A route added later must be added to the table above."""
    known = {
        "/", "/<path:path>", "/_dash-layout", "/_dash-dependencies", "/_dash-update-component",
        "/_reload-hash", "/_favicon.ico", "/assets/<path:filename>",
        "/_dash-component-suites/<string:package_name>/<path:fingerprinted_path>",
        "/download/<path:page_path>/<name>.csv",
    }  # fmt: skip
    assert {str(rule) for rule in local.server.url_map.iter_rules()} == known


def test_callbacks_are_closed_too(local, local_client):
    body = router_body(local)
    answer = local_client.post("/_dash-update-component", json=body, headers={"Host": HOST})
    assert answer.status_code == 401
    local_client.set_cookie(cookie_name(HOST), session_value(TOKEN), domain="127.0.0.1")
    local_client.get("/", headers={"Host": HOST})
    answer = local_client.post("/_dash-update-component", json=body, headers={"Host": HOST})
    assert answer.status_code == 200


def test_the_link_sets_the_cookie_and_leaves_a_clean_address(local_client):
    answer = local_client.get(f"/data?cohort=A&token={TOKEN}", headers={"Host": HOST})
    assert answer.status_code == 303
    assert answer.headers["Location"] == "/data?cohort=A"
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith(f"cartograph_session_8050={session_value(TOKEN)}")
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert TOKEN not in cookie
    again = local_client.get("/data", headers={"Host": HOST})
    assert again.status_code == 200


@pytest.mark.parametrize("field", ["study", "cut", "day_low"])
def test_text_of_an_address_is_never_markup(demo_client, field):
    form = '<form action="https://evil.example"><input name="token"></form>'
    answer = demo_client.get("/download/data/refused.csv", query_string={field: form})
    assert answer.status_code in {400, 404}
    assert "<form" not in answer.text
    assert "&lt;form" in answer.text


def test_the_link_cannot_send_to_another_site(local_client):
    answer = local_client.get(f"//evil.example/x?token={TOKEN}", headers={"Host": HOST})
    assert answer.status_code in {303, 308, 404}
    assert not re.match(r"(https?:)?//evil", answer.headers.get("Location", "/"))


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:8050", 200),
        ("localhost:8050", 200),
        ("[::1]:8050", 200),
        ("evil.example", 421),
        ("127.0.0.1.evil.example:8050", 421),
        ("localhost.:8050", 421),
        ("", 421),
        ("[::1", 421),
    ],
)
def test_host_header_is_checked_against_rebinding(demo_client, host, status):
    assert demo_client.get("/", headers={"Host": host}).status_code in {
        status,
        400 if status == 421 else status,
    }


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Origin": "http://127.0.0.1:8050"}, 200),
        ({"Sec-Fetch-Site": "same-origin"}, 200),
        ({"Origin": "http://127.0.0.1:9999"}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site", "Origin": "http://127.0.0.1:8050"}, 403),
    ],
)
def test_posts_of_other_sites_are_refused(demo, demo_client, headers, status):
    demo_client.get("/", headers={"Host": HOST})
    answer = demo_client.post(
        "/_dash-update-component", json=router_body(demo), headers={"Host": HOST, **headers}
    )
    assert answer.status_code == status


def test_a_form_cannot_post(demo_client):
    answer = demo_client.post(
        "/_dash-update-component", data={"output": "x"}, headers={"Host": HOST}
    )
    assert answer.status_code == 415


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
def test_other_methods_are_refused(demo_client, method):
    assert demo_client.open("/", method=method, headers={"Host": HOST}).status_code == 405


def test_a_body_of_more_than_a_megabyte_is_refused(demo_client):
    answer = demo_client.post(
        "/_dash-update-component",
        data=b" " * 1_100_000,
        content_type="application/json",
        headers={"Host": HOST},
    )
    assert answer.status_code == 413


def test_modes_that_cannot_be_served_say_why():
    with pytest.raises(UserError, match="accounts and roles"):
        check_mode("server", None)
    with pytest.raises(UserError, match="token"):
        check_mode("local", None)
    with pytest.raises(UserError, match="token"):
        check_mode("local", "")
    with pytest.raises(UserError, match="expected one of"):
        check_mode("open", None)
    assert check_mode("local", TOKEN) == "local"
