"""The stacked tracks: names at the left, one graph each, legend and read-out at the right.

The grid of the card is CSS, so that the same parts become one column on a phone, where the day
axis stays in sight. All graphs have the same margins and range: a day is the same pixel in each.
"""

import json
from collections.abc import Callable
from typing import Any

import polars as pl
from dash import html
from dash.development.base_component import Component

from analysis.number_words import count
from dashboard.components.card import card
from dashboard.components.graph import graph
from dashboard.components.icon import icon
from figures.number_text import day_text
from figures.patient_tracks import (
    LEFT_PX,
    RIGHT_PX,
    PatientTracks,
    axis_title,
    draw_track,
)
from figures.svg_text import data_uri, svg_document
from figures.theme import Theme
from figures.tracks.draw import DASH_PX, WIDTH_PX
from figures.tracks.pen import color_of
from figures.tracks.track import ReadRow, Series, Track

Link = Callable[[int], str]
"""The address of this page with the cursor at a day."""


def tracks_card(
    numbers: PatientTracks,
    title: str,
    theme: Theme,
    link: Link,
    footer: Component,
    *,
    narrow: bool = False,
) -> Component:
    """The card with every track that this patient has."""
    has_open = any(
        point.censored != "none"
        for track in numbers.tracks
        for series in track.series
        for point in series.points
    )
    note = "Open points: below the limit of quantification" if has_open else None
    rows = [_row(numbers, track, theme, narrow) for track in numbers.tracks]
    body = html.Div(
        [_axis(numbers, link), *rows, _foot_axis(numbers)],
        className="cg-tracks",
        **{
            "data-left": str(LEFT_PX),
            "data-right": str(RIGHT_PX),
            "data-days": json.dumps(
                [[day, round(numbers.scale.fraction(day), 5)] for day in numbers.days]
            ),
        },
    )
    return card(title, body, note=note, footer=footer, class_name="cg-tracks-card")


def _axis(numbers: PatientTracks, link: Link) -> Component:
    return html.Div(
        [
            html.Div("Days from infusion", className="cg-track-name cg-axis-title"),
            html.Div([*_ticks(numbers), *_pill(numbers)], className="cg-day-axis"),
            html.Div(_stepper(numbers, link), className="cg-track-read cg-at-day"),
        ],
        className="cg-track cg-track-axis",
    )


def _ticks(numbers: PatientTracks) -> list[Component]:
    chosen = None if numbers.day is None else numbers.scale.fraction(numbers.day)
    made = []
    for tick in numbers.ticks:
        here = numbers.scale.fraction(tick.day)
        hidden = chosen is not None and abs(here - chosen) < 0.07
        tight = chosen is not None and abs(here - chosen) < 0.15  # beside the chosen day's mark
        classes = [
            "cg-tick",
            "" if tick.narrow and not tight else "cg-tick-wide",
            "cg-tick-quiet" if hidden else "",
        ]
        text = html.Span(tick.text)
        made.append(html.Div(text, className=" ".join(filter(None, classes)), style=_left(here)))
    return made


def _pill(numbers: PatientTracks) -> list[Component]:
    if numbers.day is None:
        return []
    here = numbers.scale.fraction(numbers.day)
    text = f"Day {day_text(numbers.day)}"
    edge = " cg-day-pill-first" if here < 0.05 else " cg-day-pill-last" if here > 0.93 else ""
    return [html.Div(html.Span(text), className=f"cg-day-pill{edge}", style=_left(here))]


def _left(fraction: float) -> dict[str, str]:
    inner = LEFT_PX + RIGHT_PX
    return {"left": f"calc({LEFT_PX}px + (100% - {inner}px) * {fraction:.5f})"}


def _stepper(numbers: PatientTracks, link: Link) -> list[Component]:
    if numbers.day is None:
        return []
    before = [day for day in numbers.days if day < numbers.day]
    after = [day for day in numbers.days if day > numbers.day]
    return [
        html.Span(f"At day {day_text(numbers.day)}", className="cg-at-day-text"),
        html.Span(
            [
                _step(before[-1] if before else None, "left", "Previous day with data", link),
                _step(after[0] if after else None, "right", "Next day with data", link),
            ],
            className="cg-steps",
        ),
    ]


def _step(day: int | None, picture: str, words: str, link: Link) -> Component:
    if day is None:
        return html.Span(icon(picture, 14), className="cg-step cg-step-off")
    label = f"{words}: day {day_text(day)}"
    return html.A(
        icon(picture, 14),
        href=link(day),
        className="cg-step",
        title=label,
        **{"aria-label": label, "data-focus": f"step-{picture}"},
    )


def _foot_axis(numbers: PatientTracks) -> Component:
    note = numbers.scale.note
    ticks = [
        html.Div(
            html.Span(tick.text),
            className="cg-tick" if tick.narrow else "cg-tick cg-tick-wide",
            style=_left(numbers.scale.fraction(tick.day)),
        )
        for tick in numbers.ticks
    ]
    return html.Div(
        [
            html.Div("Days from infusion", className="cg-track-name cg-axis-title"),
            html.Div(ticks, className="cg-day-axis cg-day-axis-foot"),
            html.Div(note, className="cg-track-read cg-axis-note"),
        ],
        className="cg-track cg-track-foot",
    )


def _row(numbers: PatientTracks, track: Track, theme: Theme, narrow: bool) -> Component:
    figure = draw_track(numbers, track, theme, narrow=narrow)
    return html.Div(
        [
            html.Div(
                [html.H3(track.name), html.Span(track.note) if track.note else None],
                className="cg-track-name",
            ),
            graph(figure, f"patient-track-{_slug(track.key)}", alt_text(numbers, track)),
            html.Div([_read(row, track, theme) for row in track.rows], className="cg-track-read"),
        ],
        className=f"cg-track cg-track-{track.scale}",
    )


def _slug(key: str) -> str:
    return "".join(char if char.isalnum() else "-" for char in key).lower()


def alt_text(numbers: PatientTracks, track: Track) -> str:
    """One sentence for someone who cannot see the track."""
    names = ", ".join(series.label for series in track.series) or ", ".join(
        lane for lane in track.lanes if lane
    )
    what = f"{track.name}, {track.note}".rstrip(", ")
    days = len({round(day) for day in track.days})
    shown = f": {names}" if names else ""
    return f"{what}{shown}; {count(days, 'day')} with data; {axis_title(numbers.scale)}."


def _read(row: ReadRow, track: Track, theme: Theme) -> Component:
    series = next((one for one in track.series if one.key == row.series), None)
    mark: Component | None = None
    if series is not None:
        mark = html.Img(src=data_uri(legend_mark(series, theme)), alt="", className="cg-legend")
    elif row.symbol in ("CR", "PR", "SD", "PD", "NE"):
        symbol = f"cg-symbol cg-symbol-{row.symbol.lower()} cg-read-symbol"
        mark = html.Span(className=symbol, **{"aria-hidden": "true"})
    return html.Div(
        [
            html.Span([mark, row.label], className="cg-read-label"),
            html.Span(
                [html.Span(row.at, className="cg-read-at") if row.at else None, row.value],
                className="cg-read-value",
            ),
        ],
        className="cg-read-row" if series is not None else "cg-read-row cg-read-plain",
    )


def legend_mark(series: Series, theme: Theme) -> str:
    """A short stroke in the series' own color, dash and weight, as SVG."""
    color = color_of(series.color, theme)
    width = WIDTH_PX[series.weight]
    dash = DASH_PX.get(series.dash, "").replace("px,", " ").removesuffix("px")
    style = f' stroke-dasharray="{dash}"' if dash else ""
    faint = ' stroke-opacity=".6"' if series.weight == "thin" else ""
    line = (
        f'<path d="M0 6H22" stroke="{color}" stroke-width="{width:g}"{style}{faint} fill="none"/>'
    )
    dot = "" if series.weight == "thin" else f'<circle cx="11" cy="6" r="3" fill="{color}"/>'
    return svg_document(22, 12, line + dot)


def drawn_points(numbers: PatientTracks) -> pl.DataFrame:
    """Every drawn sample: patient, track, series, day, value as shown, unit, censoring, source."""
    rows: list[dict[str, Any]] = []
    for track in numbers.tracks:
        for series in track.series:
            for point in series.points:
                rows.append(
                    {
                        "usubjid": numbers.usubjid,
                        "track": track.name,
                        "axis": track.note,
                        "series": series.label,
                        "rel_day": point.day,
                        "drawn": point.value,
                        "censored": point.censored,
                        "as_reported": f"{point.text} {point.unit}".strip(),
                        "source": point.hover.rsplit("<br>", 1)[-1],
                    }
                )
        for mark in track.marks:
            words = mark.hover.split("<br>")
            rows.append(
                {
                    "usubjid": numbers.usubjid,
                    "track": track.name,
                    "axis": track.note,
                    "series": track.lanes[mark.lane] if 0 <= mark.lane < len(track.lanes) else "",
                    "rel_day": mark.day,
                    "drawn": None,
                    "censored": "none",
                    "as_reported": words[1] if len(words) > 1 else mark.symbol,
                    "source": words[-1],
                }
            )
    schema = {
        "usubjid": pl.String, "track": pl.String, "axis": pl.String, "series": pl.String,
        "rel_day": pl.Float64, "drawn": pl.Float64, "censored": pl.String,
        "as_reported": pl.String, "source": pl.String,
    }  # fmt: skip
    return pl.DataFrame(rows, schema=schema)
