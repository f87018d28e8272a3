"""What the loads found: what asks for a look stands open, the rest is folded by kind."""

from pathlib import PurePath
from typing import Any

import polars as pl
from dash import html
from dash.development.base_component import Component

from analysis.number_words import count
from dashboard.components.icon import icon
from dashboard.components.text import sentence_case

_ORDER = {"error": 0, "warning": 1, "info": 2}
_ICONS = {"error": "cross", "warning": "warning", "info": "info"}
_MOST = 60
_OPEN = 3
"""A kind with up to this many findings stands open even when it is only information."""


def short_path(path: str | None) -> str:
    """The last two parts of a file's name as given: enough to tell it, without the machine's."""
    return "/".join(PurePath(path.replace("\\", "/")).parts[-2:]) if path else ""


def finding_list(findings: pl.DataFrame) -> Component:
    """Findings by severity, then kind; many of one kind fold into one line with their number."""
    kinds: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in findings.iter_rows(named=True):
        kinds.setdefault((row["severity"], row["code"]), []).append(row)
    ordered = sorted(
        kinds.items(), key=lambda item: (_ORDER[item[0][0]], -len(item[1]), item[0][1])
    )
    items: list[Component] = []
    for (severity, code), rows in ordered:
        rows.sort(key=lambda row: -row["count"])
        if len(rows) <= _OPEN or (severity != "info" and len(rows) <= 2 * _OPEN):
            items += [finding_item(severity, _title(code), row) for row in rows]
        else:
            items.append(_folded(severity, code, rows))
    return html.Ul(items, className="cg-findings")


def finding_item(severity: str, title: str | None, row: dict[str, Any]) -> Component:
    """One finding: what, how often, where."""
    place = " · ".join(
        part for part in (short_path(row["source_file"]), row["column_name"]) if part
    )
    times = html.Span(f" {row['count']:,} ×", className="cg-times") if row["count"] > 1 else None
    message = sentence_case(row["message"])
    return html.Li(
        [
            _mark(severity),
            html.Div(
                [
                    html.P([html.Strong(title), times]) if title else None,
                    html.P(message),
                    html.P(place, className="cg-muted") if place else None,
                ]
            ),
        ]
    )


def _folded(severity: str, code: str, rows: list[dict[str, Any]]) -> Component:
    head = [html.Strong(_title(code)), html.Span(f" {count(len(rows), 'finding')}")]
    inner = html.Ul([finding_item(severity, None, row) for row in rows[:_MOST]])
    rest = len(rows) - _MOST
    more = html.P(f"and {rest:,} more", className="cg-muted") if rest > 0 else None
    return html.Li([_mark(severity), html.Details([html.Summary(head), inner, more])])


def _mark(severity: str) -> Component:
    mark = icon(_ICONS[severity], 17)
    mark.className += f" cg-severity-{severity}"
    return mark


def _title(code: str) -> str:
    return code.replace("_", " ").capitalize()
