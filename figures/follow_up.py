"""How long each patient was followed, with what happened on the way: a short swimmer plot."""

from collections.abc import Mapping
from typing import NamedTuple

import plotly.graph_objects as go
import polars as pl

from analysis.derive.follow_up import last_contact
from analysis.derive.response import best_response, response_category
from figures.number_text import EN_DASH
from figures.theme import RESPONSE_SYMBOLS, Theme, template

WORD_PX = 17
_ORDER = ("CR", "PR", "SD", "PD", "NE", None)


class FollowUpNumbers(NamedTuple):
    """One lane per patient, best responders first; `calls` are (lane, day, category)."""

    patients: tuple[str, ...]
    responses: tuple[str | None, ...]
    last_day: tuple[float, ...]
    died: tuple[bool, ...]
    calls: tuple[tuple[int, float, str], ...]


def prepare_follow_up(
    survival: pl.DataFrame, responses: pl.DataFrame, timed: Mapping[str, pl.DataFrame]
) -> FollowUpNumbers | None:
    """Lanes sorted by best response, then by length. None when no patient has a day."""
    contact = last_contact(survival, {**timed, "response": responses})
    if contact.is_empty():
        return None
    best = best_response(responses).select("usubjid", "best_category")
    lanes = contact.join(best, on="usubjid", how="left").to_dicts()
    lanes.sort(
        key=lambda row: (_ORDER.index(row["best_category"]), -row["last_day"], row["usubjid"])
    )
    place = {row["usubjid"]: number for number, row in enumerate(lanes)}
    calls = []
    for row in responses.iter_rows(named=True):
        day = row["rel_day"] if row["rel_day"] is not None else row["nominal_day"]
        category = response_category(row["response"])
        if row["usubjid"] in place and day is not None and category is not None:
            calls.append((place[row["usubjid"]], float(day), category))
    return FollowUpNumbers(
        patients=tuple(place),
        responses=tuple(row["best_category"] for row in lanes),
        last_day=tuple(row["last_day"] for row in lanes),
        died=tuple(row["source"] == "death" for row in lanes),
        calls=tuple(dict.fromkeys(calls)),
    )


def draw_follow_up(
    numbers: FollowUpNumbers, theme: Theme, links: Mapping[str, str] | None = None
) -> go.Figure:
    """Bars in the color of the best response; response calls as their symbols, death as a cross."""
    figure = go.Figure()
    _add_bars(figure, numbers, theme, links or {})
    _add_calls(figure, numbers, theme)
    _add_deaths(figure, numbers, theme)
    lanes = len(numbers.patients)
    inner = max(220, min(14 * lanes, 560))
    name_responses(figure, numbers, theme, px_per_lane=inner / lanes)
    height = inner + 8 + 52
    figure.update_layout(
        template=template(theme),
        height=height,
        bargap=0,
        margin={"l": 58, "r": 16, "t": 8, "b": 52},
    )
    figure.update_yaxes(
        range=[lanes - 0.4, -0.6], showticklabels=False, showgrid=False, fixedrange=True
    )
    figure.update_xaxes(
        title={"text": "Days from infusion", "standoff": 8},
        rangemode="tozero",
        showgrid=True,
        fixedrange=True,
    )
    return figure


def _add_bars(
    figure: go.Figure, numbers: FollowUpNumbers, theme: Theme, links: Mapping[str, str]
) -> None:
    figure.add_bar(
        x=list(numbers.last_day),
        y=list(range(len(numbers.patients))),
        orientation="h",
        width=0.5,
        marker={
            "color": [theme.response.get(r or "", theme.muted) for r in numbers.responses],
            "opacity": 0.4,
        },
        text=[
            f"<b>Patient {name}</b><br>best response {response or 'not assessed'}<br>"
            f"last contact day {day:.0f}"
            for name, response, day in zip(
                numbers.patients, numbers.responses, numbers.last_day, strict=True
            )
        ],
        textposition="none",
        customdata=[links.get(name) for name in numbers.patients],
        hovertemplate="%{text}<extra></extra>",
    )


def _add_calls(figure: go.Figure, numbers: FollowUpNumbers, theme: Theme) -> None:
    """Response calls as their symbols."""
    for category, symbol in RESPONSE_SYMBOLS.items():
        points = [(day, lane) for lane, day, found in numbers.calls if found == category]
        figure.add_scatter(
            x=[day for day, _ in points],
            y=[lane for _, lane in points],
            mode="markers",
            marker={
                "symbol": symbol, "size": 7, "color": theme.response[category],
                "line": {"width": 1.5 if symbol.endswith("thin") else 0,
                         "color": theme.response[category]},
            },
            hovertemplate=f"{category}, day %{{x:.0f}}<extra></extra>",
        )  # fmt: skip


def _add_deaths(figure: go.Figure, numbers: FollowUpNumbers, theme: Theme) -> None:
    """A cross at the last day of who died."""
    ends = enumerate(zip(numbers.last_day, numbers.died, strict=True))
    dead = [(day, lane) for lane, (day, died) in ends if died]
    figure.add_scatter(
        x=[day for day, _ in dead], y=[lane for _, lane in dead], mode="markers",
        marker={"symbol": "x-thin", "size": 7, "line": {"width": 2, "color": theme.ink}},
        hovertemplate="death, day %{x:.0f}<extra></extra>",
    )  # fmt: skip


def name_responses(
    figure: go.Figure, numbers: FollowUpNumbers, theme: Theme, *, px_per_lane: float
) -> None:
    """The category and its number of patients beside its lanes, in the color of its bars."""
    lowest = -WORD_PX / px_per_lane
    for response in dict.fromkeys(numbers.responses):
        lanes = [i for i, one in enumerate(numbers.responses) if one == response]
        # A category of one patient moves down rather than stand on its neighbor.
        middle = max((lanes[0] + lanes[-1]) / 2, lowest + WORD_PX / px_per_lane)
        lowest = middle
        color = theme.response.get(response or "", theme.muted)
        figure.add_annotation(
            x=0, xref="paper", xanchor="right", xshift=-8, y=middle, showarrow=False,
            text=f'<b><span style="color:{color}">{response or EN_DASH}</span></b> {len(lanes)}',
            font={"size": 12, "color": theme.secondary},
        )  # fmt: skip
