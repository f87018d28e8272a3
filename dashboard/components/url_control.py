"""Controls whose value lives in the address: choosing one is a new address, nothing else."""

from collections.abc import Mapping, Sequence
from typing import Any

import dash_mantine_components as dmc
from dash import ALL, Dash, Input, State, html
from dash.dependencies import ClientsideFunction
from dash.development.base_component import Component

from dashboard.view import View

_TYPE = "url-control"


def control_id(name: str) -> dict[str, str]:
    """The id of the control that writes the parameter `name`; one per page and name."""
    return {"type": _TYPE, "name": name}


def url_select(
    name: str,
    value: str | None,
    options: Sequence[str | dict[str, Any]],
    *,
    label: str,
    width: int | None = 220,
    searchable: bool = False,
    clearable: bool = False,
) -> Component:
    """A select that writes `?name=value`. `label` is spoken, and drawn above the box."""
    return dmc.Select(
        id=control_id(name),
        value=value,
        data=list(options),
        label=label,
        w=width,
        size="sm",
        searchable=searchable,
        clearable=clearable,
        allowDeselect=False,
        comboboxProps={"shadow": "md"},
        className="cg-select",
    )


def url_segmented(
    view: View,
    name: str,
    value: str,
    options: Sequence[tuple[str, str]],
    *,
    label: str,
    alone: Mapping[str, str | None] | None = None,
) -> Component:
    """One choice of a few, as links beside each other; an option is (value, text), "" for none.

    alone: the page's parameters that a choice keeps; all of them when not given.
    """
    path = None if alone is None else view.path
    links = [
        html.A(
            text,
            href=view.href(path, **{**(alone or {}), name: option or None}),
            className="cg-segment",
            **({"aria-current": "true"} if option == value else {}),
        )
        for option, text in options
    ]
    return html.Div(links, className="cg-segmented", role="group", **{"aria-label": label})


def register_url_controls(app: Dash) -> None:
    """Every `url_select` of every page through one function in the browser."""
    app.clientside_callback(
        ClientsideFunction("cartograph", "writeUrl"),
        Input({"type": _TYPE, "name": ALL}, "value"),
        State({"type": _TYPE, "name": ALL}, "id"),
        prevent_initial_call=True,
    )
