"""Callback bodies are untrusted: they are held against the callback they name, or refused.

Dash trusts the shape of a body and fails with a server error on most others. Here a body must
name a callback that exists, with the inputs and states that it was declared with, and values of a
type that their property can have.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from dash import Dash
from flask import request
from werkzeug.exceptions import BadRequest

_MAX_DEPTH = 40

_NUMBER = (int, float, type(None))
_TEXT = (str, type(None))
_FLAG = (bool, type(None))
_OBJECT = (dict, type(None))
_LIST = (list, type(None))

PROPERTY_TYPES: Mapping[str, tuple[type, ...]] = {
    "n_clicks": _NUMBER,
    "n_intervals": _NUMBER,
    "n_blur": _NUMBER,
    "n_submit": _NUMBER,
    "pathname": _TEXT,
    "search": _TEXT,
    "hash": _TEXT,
    "href": _TEXT,
    "opened": _FLAG,
    "checked": _FLAG,
    "disabled": _FLAG,
    "clickData": _OBJECT,
    "hoverData": _OBJECT,
    "selectedData": _OBJECT,
    "relayoutData": _OBJECT,
    "cellClicked": _OBJECT,
    "cellRendererData": _OBJECT,
    "figure": _OBJECT,
    "selectedRows": (list, dict, type(None)),
    "rowData": _LIST,
    "virtualRowData": _LIST,
    "id": (str, dict),
    "value": (str, int, float, bool, list, type(None)),
    "data": (str, int, float, bool, list, dict, type(None)),
}
"""What a property of a component may hold when a browser sends it. One that is not listed may
not be an input or a state of a callback (tests/dashboard/access holds every callback to it)."""


def install_callback_gate(app: Dash) -> None:
    """Wrap Dash's callback route; must run after all callbacks are registered."""
    endpoint = f"{app.config.routes_pathname_prefix}_dash-update-component"
    dispatch: Callable[[], Any] = app.server.view_functions[endpoint]

    def checked_dispatch() -> Any:
        check_body(_read_json(), app.callback_map)
        return dispatch()

    app.server.view_functions[endpoint] = checked_dispatch


def check_body(body: Any, callbacks: Mapping[str, Any]) -> None:
    """Raise BadRequest when `body` is not a call of one of `callbacks`."""
    if not isinstance(body, dict):
        raise BadRequest("a callback body is a JSON object")
    _check_depth(body)
    output = body.get("output")
    callback = callbacks.get(output) if isinstance(output, str) else None
    if callback is None or "callback" not in callback:
        raise BadRequest("no such callback")
    _check_dependencies(body.get("inputs", []), callback["inputs"], "inputs")
    _check_dependencies(body.get("state", []), callback["state"], "state")
    _check_outputs(body.get("outputs"), callback)
    _check_changed(body.get("changedPropIds", []))


def _read_json() -> Any:
    try:
        return json.loads(request.get_data(cache=True))
    except (ValueError, RecursionError):
        raise BadRequest("the body is not JSON") from None


def _check_dependencies(given: Any, declared: Sequence[Mapping[str, Any]], part: str) -> None:
    if not isinstance(given, list) or len(given) != len(declared):
        raise BadRequest(f"{part}: expected {len(declared)} entries")
    for entry, expected in zip(given, declared, strict=True):
        wildcard = str(expected["id"]).startswith("{")
        members = entry if wildcard and isinstance(entry, list) else [entry]
        for member in members:
            _check_member(member, expected, part, wildcard)


def _check_member(member: Any, expected: Mapping[str, Any], part: str, wildcard: bool) -> None:
    _check_identity(member, expected, part, wildcard)
    allowed = PROPERTY_TYPES.get(expected["property"], ())
    if not isinstance(member.get("value"), allowed):
        raise BadRequest(f"{part}: a value of another type")


def _check_identity(member: Any, expected: Mapping[str, Any], part: str, wildcard: bool) -> None:
    if not isinstance(member, dict) or member.get("property") != expected["property"]:
        raise BadRequest(f"{part}: expected the property {expected['property']}")
    if wildcard:
        known = _matches_pattern(member.get("id"), json.loads(expected["id"]))
    else:
        known = member.get("id") == expected["id"]
    if not known:
        raise BadRequest(f"{part}: another component")


def _matches_pattern(given: Any, pattern: Mapping[str, Any]) -> bool:
    """A wildcard id: the same keys, the same fixed values, a plain value for each wildcard."""
    if not isinstance(given, dict) or given.keys() != pattern.keys():
        return False
    return all(
        isinstance(given[key], (str, int, float))
        if isinstance(value, list)
        else given[key] == value
        for key, value in pattern.items()
    )


def _check_outputs(given: Any, callback: Mapping[str, Any]) -> None:
    """Outputs name what the callback writes: a forged list would be written back to the page."""
    if callback["no_output"]:
        return
    declared = callback["output"]
    several = isinstance(declared, (list, tuple))
    expected = list(declared) if several else [declared]
    entries = given if several else [given]
    if not isinstance(entries, list) or len(entries) != len(expected):
        raise BadRequest(f"outputs: expected {len(expected)} entries")
    for entry, output in zip(entries, expected, strict=True):
        pattern = output.to_dict()
        wildcard = isinstance(output.component_id, dict)
        for member in entry if wildcard and isinstance(entry, list) else [entry]:
            _check_identity(member, pattern, "outputs", wildcard)


def _check_changed(given: Any) -> None:
    if not isinstance(given, list) or not all(isinstance(item, str) for item in given):
        raise BadRequest("changedPropIds: expected a list of text")


def _check_depth(value: Any) -> None:
    """Nesting deeper than any component sends is refused before anything walks it."""
    level = [value]
    for _ in range(_MAX_DEPTH):
        level = [
            child
            for node in level
            for child in (
                node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
            )
        ]
        if not level:
            return
    raise BadRequest("the body is nested too deep")
