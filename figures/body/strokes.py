"""What is drawn of the body map: outline, organs, rings and the ramp, as finished traces."""

import math
from typing import Any

from figures.body.region import BodyMap, Region
from figures.body.shapes import HEIGHT, Organ, outline
from figures.number_text import short_tick
from figures.theme import TICK_FONT_PX, Theme, rgba


def ramp_color(value: float | None, numbers: BodyMap, theme: Theme) -> str:
    """Color of a value on the logarithmic ramp; the card's own when there is no value."""
    if value is None or value <= 0:
        return theme.card
    span = math.log(numbers.high / numbers.low)
    share = min(max(math.log(value / numbers.low) / span, 0.0), 1.0) * (len(theme.ramp) - 1)
    index = min(int(share), len(theme.ramp) - 2)
    return _mix(theme.ramp[index], theme.ramp[index + 1], share - index)


def _mix(first: str, second: str, share: float) -> str:
    pairs = [(int(first[i : i + 2], 16), int(second[i : i + 2], 16)) for i in (1, 3, 5)]
    return "#" + "".join(f"{round(a + (b - a) * share):02X}" for a, b in pairs)


def outline_trace(theme: Theme) -> dict[str, Any]:
    points = outline()
    return {
        "type": "scatter", "mode": "lines", "fill": "toself", "hoverinfo": "skip",
        "x": [x for x, _ in points], "y": [y for _, y in points],
        "line": {"color": theme.hairline, "width": 1.5},
        "fillcolor": rgba(theme.grid, 0.55),
    }  # fmt: skip


def organ_traces(
    region: Region, organ: Organ, numbers: BodyMap, theme: Theme
) -> list[dict[str, Any]]:
    color = ramp_color(region.value, numbers, theme)
    xs: list[float | None] = []
    ys: list[float | None] = []
    for points in organ.outlines:
        xs += [*(x for x, _ in points), None]
        ys += [*(y for _, y in points), None]
    trace: dict[str, Any] = {
        "type": "scatter", "mode": "lines", "fill": "toself", "x": xs, "y": ys,
        "line": {"color": theme.muted if region.value is None else theme.card, "width": 1},
        "fillcolor": color, "hoveron": "fills", "hoverinfo": "text", "text": region.hover,
    }  # fmt: skip
    if region.physiologic:
        light = theme.scheme == "light"
        hatch = theme.muted if region.value is None else ("#FFFFFF" if light else "#0E1418")
        trace["fillpattern"] = {
            "shape": "/", "size": 6, "solidity": 0.24, "fillmode": "replace", "bgcolor": color,
            "fgcolor": rgba(hatch, 0.75),
        }  # fmt: skip
    return [trace]


def fade_trace(theme: Theme) -> dict[str, Any]:
    """The legs fade out: the body is drawn to the thighs."""
    top, clear, solid = HEIGHT - 46, rgba(theme.card, 0.0), rgba(theme.card, 1.0)
    return {
        "type": "scatter", "mode": "lines", "fill": "toself", "hoverinfo": "skip",
        "x": [90, 236, 236, 90, 90], "y": [top, top, HEIGHT, HEIGHT, top], "line": {"width": 0},
        "fillgradient": {"type": "vertical", "start": top, "stop": HEIGHT,
                         "colorscale": [[0, clear], [1, solid]]},
    }  # fmt: skip


def ring_trace(numbers: BodyMap, theme: Theme) -> dict[str, Any]:
    spots = [one.place for one in numbers.lesions if one.place is not None]
    return {
        "type": "scatter", "mode": "markers", "cliponaxis": False,
        "x": [spot[0] for spot in spots], "y": [spot[1] for spot in spots],
        "marker": {
            "size": 13, "opacity": 1,
            "color": [ramp_color(one.value, numbers, theme) for one in numbers.lesions],
            "line": {"width": 2.2, "color": theme.ink},
        },
        "hoverinfo": "text", "hovertext": [one.hover for one in numbers.lesions],
    }  # fmt: skip


def ramp_trace(numbers: BodyMap, theme: Theme) -> dict[str, Any]:
    """A trace without a visible mark that carries the horizontal ramp."""
    low, high = math.log10(numbers.low), math.log10(numbers.high)
    steps = len(theme.ramp) - 1
    ticks = _ramp_ticks(numbers.low, numbers.high)
    return {
        "type": "scatter", "mode": "markers", "x": [-50], "y": [-50], "hoverinfo": "skip",
        "marker": {
            "color": [low], "cmin": low, "cmax": high, "size": 0.1,
            "colorscale": [[i / steps, color] for i, color in enumerate(theme.ramp)],
            "showscale": True,
            "colorbar": {
                "orientation": "h", "x": 0.5, "xanchor": "center", "y": 0, "yanchor": "top",
                "len": 1.0, "thickness": 9, "outlinewidth": 0, "xpad": 6, "ypad": 12,
                "tickvals": _inside([math.log10(tick) for tick in ticks]),
                "ticktext": [short_tick(tick) for tick in ticks], "ticklabeloverflow": "allow",
                "tickfont": {"size": TICK_FONT_PX, "color": theme.muted}, "ticks": "",
            },
        },
    }  # fmt: skip


def _inside(ticks: list[float]) -> list[float]:
    """Ticks with both ends a hair inside: Plotly leaves out one that rounding puts outside."""
    return [ticks[0] + 1e-4, *ticks[1:-1], ticks[-1] - 1e-4]


def _ramp_ticks(low: float, high: float) -> list[float]:
    steps = (1.0, 3.0) if high / low > 6 else (1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 7.0)
    every = [step * 10.0**power for power in range(-4, 6) for step in steps]
    inside = [tick for tick in every if low * 1.25 < tick < high / 1.25]
    return [low, *inside, high]
