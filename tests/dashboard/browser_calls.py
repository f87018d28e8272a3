"""What the browser sends, for tests without one."""

import json
from typing import Any

from dash import Dash
from flask.testing import FlaskClient

ROUTER_INPUT = "shell-request.data"


def dependencies(client: FlaskClient, **arguments: Any) -> list[dict[str, Any]]:
    """Every callback as the browser knows it."""
    return client.get("/_dash-dependencies", **arguments).get_json()


def router_body(
    app: Dash, path: str = "/", search: str = "", scheme: str = "light"
) -> dict[str, Any]:
    """The call that draws a page."""
    output = next(key for key in app.callback_map if "shell-page.children" in key)
    outputs = [
        dict(zip(("id", "property"), part.rsplit(".", 1), strict=True))
        for part in output.strip(".").split("...")
    ]
    value = {"path": path, "search": search, "scheme": scheme, "narrow": False}
    return {
        "output": output,
        "outputs": outputs,
        "inputs": [{"id": "shell-request", "property": "data", "value": value}],
        "changedPropIds": [ROUTER_INPUT],
        "state": [],
    }


def draw(app: Dash, path: str = "/", search: str = "", scheme: str = "light") -> dict[str, Any]:
    """The answer of the router: component id -> properties."""
    client = app.server.test_client()
    client.get("/_dash-dependencies")  # the first request completes Dash's set-up
    answer = client.post("/_dash-update-component", json=router_body(app, path, search, scheme))
    assert answer.status_code == 200, answer.text[:300]
    return json.loads(answer.text)["response"]


def page_text(drawn: dict[str, Any]) -> str:
    """The page that was drawn, as JSON text."""
    return json.dumps(drawn["shell-page"]["children"], ensure_ascii=False)


def is_broken(drawn: dict[str, Any]) -> bool:
    """True when the page failed and the notice stands in its place."""
    return '"cg-broken"' in page_text(drawn)


def walk(node: Any) -> list[dict[str, Any]]:
    """Every component of a drawn tree, as dictionaries with type and props."""
    found: list[dict[str, Any]] = []
    if isinstance(node, dict):
        if "props" in node and "type" in node:
            found.append(node)
            node = node["props"]
        for value in node.values():
            found += walk(value)
    elif isinstance(node, list):
        for value in node:
            found += walk(value)
    return found
