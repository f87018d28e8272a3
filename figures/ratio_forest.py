"""Ratios with their intervals, one row each, on a log axis around "no difference"."""

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import plotly.graph_objects as go

from analysis.number_words import number, p_words
from figures.canvas import Canvas
from figures.number_text import EN_DASH, plain, short_tick
from figures.theme import Theme, template

ROW_PX = 44
LINE_PX = 18
DECADES = (0.001, 0.01, 0.1, 1, 10, 100, 1000, 10_000)
TICKS = (0.01, 0.03, 0.1, 0.25, 0.5, 1, 2, 4, 10, 30, 100, 300, 1000, 10_000)


class ForestRow(NamedTuple):
    """One ratio; NaN where it cannot be estimated, with the reason in `note`. clear: whether it is
    drawn as a difference; None takes one whose interval excludes 1."""

    label: str
    note: str
    ratio: float
    conf_low: float
    conf_high: float
    p_value: float
    clear: bool | None = None


class ForestNumbers(NamedTuple):
    """Rows in drawing order and the range of the axis."""

    rows: tuple[ForestRow, ...]
    low: float
    high: float


def prepare_ratio_forest(rows: Iterable[ForestRow], *, sort: bool = True) -> ForestNumbers:
    """Rows sorted by ratio (those without one last) and an axis that holds every interval.

    Very wide intervals are cut at a factor of 300 beyond the estimates, so that one empty group
    does not flatten the rest.
    """
    ordered = list(rows)
    if sort:
        ordered.sort(key=lambda row: -row.ratio if math.isfinite(row.ratio) else math.inf)
    known = [row for row in ordered if math.isfinite(row.ratio)]
    if not known:
        return ForestNumbers(tuple(ordered), 0.4, 2.5)
    limit = 300.0
    low = max(min([0.8, *(row.conf_low for row in known)]), min(r.ratio for r in known) / limit)
    high = min(max([1.25, *(row.conf_high for row in known)]), max(r.ratio for r in known) * limit)
    return ForestNumbers(tuple(ordered), low / 1.1, high * 1.1)


def ratio_text(row: ForestRow) -> str:
    """ "2.6 (1.7-3.8)" as `number` writes it, a dash when not estimable."""
    if not math.isfinite(row.ratio):
        return EN_DASH
    return f"{number(row.ratio)} ({number(row.conf_low)}{EN_DASH}{number(row.conf_high)})"


def draw_ratio_forest(
    numbers: ForestNumbers, theme: Theme, *, narrow: bool = False, level: float = 0.95
) -> go.Figure:
    """Draw the forest; labels on the left, "ratio (interval)" and p on the right. level: of the
    intervals."""
    canvas = Canvas()
    canvas.vline(x=1, line={"color": theme.muted, "width": 1})
    characters = 15 if narrow else 24
    for index, row in enumerate(numbers.rows):
        draw_row(canvas, row, index, numbers, theme, label_characters=characters)
    ticks = axis_ticks(numbers.low, numbers.high)
    head = {"yref": "paper", "y": 1, "yanchor": "bottom", "yshift": 8,
            "font": {"size": 12, "color": theme.muted}}  # fmt: skip
    canvas.annotate("no difference", x=0, xanchor="center", **head)
    canvas.annotate(
        f"Ratio ({100 * level:g} % CI)",
        **{**head, "x": 1, "xref": "paper", "xanchor": "right", "xshift": 114},
    )
    return canvas.figure(
        {
            "template": template(theme),
            "height": row_height(numbers, characters) * len(numbers.rows) + 30 + 34,
            "margin": {"l": label_width(numbers, narrow=narrow), "r": 118, "t": 30, "b": 34},
            "xaxis": {
                "type": "log",
                "range": [math.log10(numbers.low), math.log10(numbers.high)],
                "tickvals": list(ticks),
                "ticktext": [(short_tick if narrow else plain)(tick) for tick in ticks],
                "tickangle": 0,
                "showgrid": False,
                "fixedrange": True,
            },
            "yaxis": {
                "range": [len(numbers.rows) - 0.5, -0.5],
                "visible": False,
                "fixedrange": True,
            },
        }
    )


def row_height(numbers: ForestNumbers, label_characters: int) -> int:
    """Room for the row with the most lines of label and note, px."""
    lines = [
        wrapped(row.label, label_characters).count("<br>") + 1
        + bool(row.note) * (wrapped(row.note, note_characters(label_characters)).count("<br>") + 1)
        for row in numbers.rows
    ]  # fmt: skip
    return max(ROW_PX, LINE_PX * max(lines, default=1) + 6)


def note_characters(label_characters: int) -> int:
    """How many of the smaller letters of a note stand in the room of a label."""
    return int(label_characters * 1.4)


def label_width(numbers: ForestNumbers, *, narrow: bool) -> int:
    """Room for the longest label or note, px; two lines of a long one when the screen is narrow."""
    longest = max((max(len(r.label) * 7.4, len(r.note) * 6.4) for r in numbers.rows), default=60)
    return int(min(longest + 20, 150 if narrow else 200))


def draw_row(
    canvas: Canvas,
    row: ForestRow,
    index: int,
    numbers: ForestNumbers,
    theme: Theme,
    *,
    label_characters: int,
) -> None:
    """One row: label, interval, square, numbers; a bold ink row for a clear difference."""
    outside = row.conf_low > 1 or row.conf_high < 1
    clear = math.isfinite(row.ratio) and (outside if row.clear is None else row.clear)
    color = theme.ink if clear else theme.secondary
    weight = ("<b>", "</b>") if clear else ("", "")
    label = wrapped(row.label, label_characters)
    small_words = wrapped(row.note, note_characters(label_characters))
    note = f'<br><span style="color:{theme.muted};font-size:12px">{small_words}</span>'
    canvas.annotate(
        x=0, xref="paper", xanchor="right", xshift=-8, y=index, align="right",
        text=f"{weight[0]}{label}{weight[1]}" + (note if row.note else ""),
        font={"size": 13, "color": color},
    )  # fmt: skip
    p_line = p_words(row.p_value)
    small = f'<br><span style="color:{theme.muted};font-size:12px">{p_line}</span>'
    canvas.annotate(
        x=1, xref="paper", xanchor="right", xshift=114, y=index, align="right",
        text=f"{weight[0]}{ratio_text(row)}{weight[1]}" + (small if p_line else ""),
        font={"size": 13, "color": color},
    )  # fmt: skip
    if not math.isfinite(row.ratio):
        return
    canvas.scatter(
        x=[max(row.conf_low, numbers.low), min(row.conf_high, numbers.high)],
        y=[index, index], mode="lines", line={"color": color, "width": 2}, hoverinfo="skip",
    )  # fmt: skip
    canvas.scatter(
        x=[row.ratio], y=[index], mode="markers", hoverinfo="skip",
        marker={"symbol": "square", "size": 10, "color": color},
    )  # fmt: skip


def wrapped(label: str, width: int) -> str:
    """A long label on two lines, parted at a comma or a space near its middle."""
    if len(label) <= width:
        return label
    breaks = [place for place, letter in enumerate(label) if letter == " "]
    if not breaks:
        return label
    middle = min(breaks, key=lambda place: abs(place - len(label) / 2))
    return f"{label[:middle]}<br>{label[middle + 1 :]}"


def axis_ticks(low: float, high: float) -> Sequence[float]:
    """Round ratios inside the axis, 1 always among them: powers of ten where there are three, else
    others. At most five."""
    decades = [tick for tick in DECADES if low <= tick <= high]
    others = [tick for tick in TICKS if low <= tick <= high]
    inside = decades if len(decades) >= 3 else others
    while len(inside) > 5:
        middle = inside.index(1)
        inside = [tick for i, tick in enumerate(inside) if (i - middle) % 2 == 0]
    return inside
