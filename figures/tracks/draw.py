"""Draws one track into a figure: the same strokes on the screen and in the exported sheet."""

import math
from collections.abc import Sequence

from figures.number_text import short_tick, whole_day
from figures.theme import RESPONSE_SYMBOLS, TICK_FONT_PX, rgba
from figures.tracks.labels import Placed, beside_marks, free_stretch, name_series
from figures.tracks.pen import Pen
from figures.tracks.track import (
    Mark,
    Point,
    Series,
    Span,
    Track,
    leading_segments,
    solid_segments,
)

WIDTH_PX = {"bold": 3.0, "normal": 2.0, "thin": 1.0}
MARKER_PX = {"bold": 7.0, "normal": 5.5, "thin": 3.0}
CHOSEN_PX = 9.5
BAND_PX, BAR_PX = 18.0, 5.5
"""Heights of a grade and of a course of a drug."""
DASH_PX = {
    "dash": "5px,3px",
    "dot": "1.5px,3px",
    "dashdot": "6px,3px,1.5px,3px",
    "longdash": "13px,5px",
    "longdashdot": "13px,3px,1.5px,3px",
}
PAD_PX = 6
"""Room above and below the value axis inside the height of a track."""


def draw_on(pen: Pen, track: Track, day: float | None) -> None:
    """All of one track: axis, guides, limits, spans, lines, marks, names."""
    _axis(pen, track)
    _guides(pen, track, day)
    for limit in track.limits:
        _limit(pen, track, limit.value, limit.text, pen.color(limit.color))
    lane_px = (track.height - 2 * PAD_PX) / max(len(track.lanes), 1)
    for span in track.spans:
        _span(pen, span, lane_px)
    for series in track.series:
        _series(pen, series, day)
    _marks(pen, track)
    _names(pen, track)


def y_of(track: Track, value: float) -> float:
    """A value as shapes and annotations of this axis need it (Plotly wants logs on a log axis)."""
    return math.log10(value) if track.scale == "log" else value


def _axis(pen: Pen, track: Track) -> None:
    if track.scale == "lanes":
        pen.axis = {
            "range": [len(track.lanes) - 0.5, -0.5],
            "tickmode": "array",
            "tickvals": list(range(len(track.lanes))),
            "ticktext": list(track.lanes),
            "showgrid": track.key in ("scans", "response"),
            "fixedrange": True,
        }
        return
    span = [y_of(track, track.low), y_of(track, track.high)]
    pen.axis = {
        "type": track.scale,
        "range": span,
        "tickmode": "array",
        "tickvals": list(track.ticks),
        "ticktext": [_tick_text(track, tick) for tick in track.ticks],
        "minor": {
            "tickmode": "array",
            "tickvals": list(track.minor_ticks),
            "showgrid": True,
            "gridcolor": rgba(pen.theme.grid, 0.6),
            "gridwidth": 1,
        },
        "fixedrange": True,
    }


def _tick_text(track: Track, tick: float) -> str:
    if track.scale == "log":
        return short_tick(tick)
    text = f"{tick:,.6g}"
    return text.replace("-", "\N{MINUS SIGN}")


def _guides(pen: Pen, track: Track, day: float | None) -> None:
    """Infusion hairline, dotted knees, the chosen day."""
    reach = pen.reach_px / max(track.height - 2 * PAD_PX, 1)
    at = {"yref": f"{pen.y} domain", "y0": -reach, "y1": 1 + reach, "type": "line"}
    for knee in pen.scale.knees:
        x = pen.scale.position(knee)
        pen.shape(x0=x, x1=x, line={"color": pen.theme.hairline, "width": 1, "dash": "dot"}, **at)
    pen.shape(x0=0, x1=0, line={"color": pen.theme.muted, "width": 1}, **at)
    if day is not None and pen.scale.low <= day <= pen.scale.high:
        x = pen.scale.position(day)
        pen.shape(x0=x, x1=x, line={"color": rgba(pen.theme.accent, 0.75), "width": 1.5}, **at)
    if track.reference is not None:
        y = y_of(track, track.reference) if track.scale != "log" else track.reference
        pen.shape(
            type="line", xref=f"{pen.x} domain", x0=0, x1=1, y0=y, y1=y,
            line={"color": rgba(pen.theme.muted, 0.7), "width": 1},
        )  # fmt: skip


def _limit(pen: Pen, track: Track, value: float, text: str, color: str) -> None:
    pen.shape(
        type="line", xref=f"{pen.x} domain", x0=0, x1=1, y0=value, y1=value,
        line={"color": rgba(color, 0.75), "width": 1, "dash": "3px,3px"},
    )  # fmt: skip
    pen.text(
        x=free_stretch(track, pen.scale, pen.width_px, value), y=y_of(track, value), text=text,
        yanchor="top" if _is_high(track, value) else "bottom", yshift=1,
        font={"size": TICK_FONT_PX, "color": pen.theme.muted},
        bgcolor=rgba(pen.theme.card, 0.8), borderpad=0,
    )  # fmt: skip


def _is_high(track: Track, value: float) -> bool:
    """Whether a line lies so high in its track that its word goes below it."""
    low, high = y_of(track, track.low), y_of(track, track.high)
    return (y_of(track, value) - low) / (high - low) > 0.75


def _series(pen: Pen, series: Series, day: float | None) -> None:
    color = pen.color(series.color)
    opacity = 0.5 if series.weight == "thin" else 1.0
    position = pen.scale.position
    lead = leading_segments(series.points)
    solid = solid_segments(series.points)
    for segments, width, dash, alpha in (
        (lead, 1.0, "solid", 0.7),
        (solid, WIDTH_PX[series.weight], series.dash, opacity),
    ):
        if segments.days:
            pen.trace(
                x=[None if one is None else position(one) for one in segments.days],
                y=list(segments.values),
                mode="lines",
                line={"color": rgba(color, alpha), "width": width, "dash": _dash(dash)},
                hoverinfo="skip",
            )
    _points(pen, series, color, day)


def _dash(dash: str) -> str:
    return DASH_PX.get(dash, dash)


def _points(pen: Pen, series: Series, color: str, day: float | None) -> None:
    if not series.points:
        return
    thin = series.weight == "thin"
    chosen = [day is not None and whole_day(p.day) == whole_day(day) for p in series.points]
    sizes = [_size(point, series, on) for point, on in zip(series.points, chosen, strict=True)]
    is_open = [point.censored != "none" for point in series.points]
    pen.trace(
        x=[pen.scale.position(point.day) for point in series.points],
        y=[point.value for point in series.points],
        mode="markers",
        marker={
            "size": sizes,
            "color": [pen.theme.card if hollow else color for hollow in is_open],
            "opacity": [1.0 if on or hollow or not thin else 0.55
                        for on, hollow in zip(chosen, is_open, strict=True)],
            "line": {
                "width": [1.6 if hollow else (1.5 if on and not thin else 0)
                          for on, hollow in zip(chosen, is_open, strict=True)],
                "color": [color if hollow else pen.theme.card for hollow in is_open],
            },
        },
        customdata=[whole_day(point.day) for point in series.points],
        hovertext=[point.hover for point in series.points],
        hoverinfo="text",
    )  # fmt: skip


def _size(point: Point, series: Series, chosen: bool) -> float:
    size = MARKER_PX[series.weight]
    if point.censored != "none":
        size = max(size, 7.0)
    if chosen:
        return CHOSEN_PX if series.weight != "thin" else 5.0
    return size


def _span(pen: Pen, span: Span, lane_px: float) -> None:
    first, last = pen.scale.extent
    start = max(pen.scale.position(span.start), first)
    end = last if span.open_end and not span.band else min(pen.scale.position(span.end), last)
    if end < first or start > last:
        return
    color = pen.color(span.color)
    half = min(0.42, (BAND_PX if span.band else BAR_PX) / 2 / lane_px)
    pen.shape(
        type="rect", x0=start, x1=end, y0=span.lane - half, y1=span.lane + half, layer="between",
        fillcolor=color, line={"width": 1 if span.band else 0, "color": pen.theme.card},
    )  # fmt: skip
    pen.trace(
        x=[(start + end) / 2], y=[span.lane], mode="text" if span.inside else "markers",
        text=[span.inside], textposition="middle center",
        textfont={"size": TICK_FONT_PX, "color": _ink_on(color), "weight": 600},
        marker={"size": 12, "opacity": 0}, hovertext=[span.hover], hoverinfo="text",
        customdata=[whole_day(span.start + 0.5)],
    )  # fmt: skip


def _ink_on(color: str) -> str:
    """Black or white, whichever reads on the fill."""
    red, green, blue = (int(color[i : i + 2], 16) for i in (1, 3, 5))
    return "#16212A" if 0.299 * red + 0.587 * green + 0.114 * blue > 130 else "#FFFFFF"


def _marks(pen: Pen, track: Track) -> None:
    if not track.marks:
        return
    lanes = track.scale == "lanes"
    floor = (
        track.low * 1.12 if track.scale == "log" else track.low + 0.06 * (track.high - track.low)
    )
    pen.trace(
        x=[pen.scale.position(mark.day) for mark in track.marks],
        y=[mark.lane if lanes else floor for mark in track.marks],
        mode="markers",
        marker={
            "symbol": [_symbol(mark) for mark in track.marks],
            "size": [_mark_px(mark) for mark in track.marks],
            "opacity": 1,
            "color": [pen.color(mark.color) for mark in track.marks],
            "line": {
                "width": [1.8 if "thin" in _symbol(mark) else 0 for mark in track.marks],
                "color": [pen.color(mark.color) for mark in track.marks],
            },
        },
        customdata=[whole_day(mark.day) for mark in track.marks],
        hovertext=[mark.hover for mark in track.marks],
        hoverinfo="text",
    )


def _symbol(mark: Mark) -> str:
    if mark.color.startswith("response:"):
        return RESPONSE_SYMBOLS.get(mark.symbol, mark.symbol)
    return mark.symbol


def _mark_px(mark: Mark) -> float:
    if mark.color.startswith("response:"):
        return 11.0
    return {"x-thin": 7.0, "triangle-down": 9.0}.get(mark.symbol, 7.5)


def _names(pen: Pen, track: Track) -> None:
    placed: Sequence[Placed] = (
        beside_marks(track, pen.scale, pen.width_px)
        if track.scale == "lanes"
        else name_series(track, pen.scale, pen.width_px)
    )
    for one in placed:
        pen.text(
            x=one.x, y=y_of(track, one.y) if track.scale != "lanes" else one.y, text=one.text,
            xanchor=one.anchor, xshift=one.shift_x, yshift=one.shift_y, yanchor="middle",
            bgcolor=rgba(pen.theme.card, 0.82), borderpad=0,
            font={"size": 13 if one.strong else TICK_FONT_PX, "color": pen.color(one.color),
                  "weight": 600 if one.strong else 400},
        )  # fmt: skip
