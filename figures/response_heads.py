"""Best responses above columns of patients: symbol, code and number over the first of each."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import plotly.graph_objects as go

from figures.theme import RESPONSE_SYMBOLS, Theme, rgba

ROW = -0.55
"""Where the heads stand, in rows above the first."""
MARK_PX = 9
"""Room that a symbol takes."""
NAME_PX = 38
"""Room that a symbol, two letters and the next symbol take."""


class ResponseRun(NamedTuple):
    """A run of patients with one best response: its columns, and the room above them in px."""

    response: str | None
    start: int
    n: int
    room: float


def response_runs(responses: Sequence[str | None], column_px: float) -> list[ResponseRun]:
    """Patients in the order of their columns, each `column_px` wide."""
    found: list[ResponseRun] = []
    start = 0
    for end in range(1, len(responses) + 1):
        if end == len(responses) or responses[end] != responses[start]:
            n = end - start
            found.append(ResponseRun(responses[start], start, n, n * column_px))
            start = end
    return found


def response_marks(runs: list[ResponseRun], theme: Theme) -> list[go.Scatter]:
    """The symbol of each response above its first patient."""
    marks = []
    for run in runs:
        symbol = RESPONSE_SYMBOLS.get(run.response or "")
        if symbol is None or run.room < MARK_PX:
            continue
        color = theme.response[run.response or ""]
        outline = {"width": 2 if symbol.endswith("thin") else 0, "color": color}
        marks.append(
            go.Scatter(
                x=[run.start],
                y=[ROW],
                mode="markers",
                marker={"symbol": symbol, "size": 9, "color": color, "line": outline},
                cliponaxis=False,
                hovertemplate=f"{run.response}, n = {run.n}<extra></extra>",
            )
        )
    return marks


def response_names(runs: list[ResponseRun], theme: Theme) -> list[dict[str, Any]]:
    """The code and n of each response, where there is room for them."""
    names = []
    for run in runs:
        if run.room <= NAME_PX:
            continue
        symbol = run.response in RESPONSE_SYMBOLS
        name = run.response or ("not assessed" if run.room > 90 else "–")
        text = f"<b>{name}</b> {run.n}" if run.room > 52 else f"<b>{name}</b>"
        names.append(
            {
                "x": run.start, "y": ROW, "xref": "x", "yref": "y", "xanchor": "left",
                "xshift": 8 if symbol else -4, "showarrow": False, "text": text,
                "font": {"size": 12, "color": theme.ink},
            }
        )  # fmt: skip
    return names


def response_lines(runs: list[ResponseRun], theme: Theme) -> list[dict[str, Any]]:
    """A hairline between one response and the next."""
    return [
        {
            "type": "line", "xref": "x", "yref": "y domain", "y0": 0, "y1": 1,
            "x0": run.start - 0.5, "x1": run.start - 0.5,
            "line": {"width": 1, "color": rgba(theme.muted, 0.5)},
        }
        for run in runs
        if run.start
    ]  # fmt: skip
