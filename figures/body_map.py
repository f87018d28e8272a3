"""Uptake of one scan on a drawn body: organs and ringed lesions in one logarithmic ramp.

Colors are comparable between the days of one patient and tracer, because the ramp spans all of
that patient's scans. Physiologic uptake is hatched: it says nothing about cells.
"""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import plotly.graph_objects as go

from figures.body.label_columns import Slot, Wanted, place_labels
from figures.body.physiologic import physiologic_organs
from figures.body.places import lesion_place, spread
from figures.body.shapes import HEIGHT, MIDDLE, WIDTH, Organ, drawn_code, organs, outline
from figures.number_text import short_tick, whole_day
from figures.theme import TICK_FONT_PX, Theme, rgba, template
from figures.tracks.patient_frames import (
    Choices,
    PatientFrames,
    Row,
    SignalRows,
    at_day,
    hover_text,
)
from figures.tracks.reading import drawn_value, value_text
from figures.tracks.tracer_text import TRACK_NAME, class_rank, metric_text, tracer_of
from figures.tracks.uptake import choose_metric, natural
from figures.unchecked import unchecked_figure

TOP, BOTTOM, LINE = 24.0, 372.0, 37.0
FIGURE_PX = 452


class Region(NamedTuple):
    """One labelled region of the map; `value` colors it, `text` is printed."""

    code: str
    name: str
    value: float | None
    text: str
    hover: str
    physiologic: bool = False
    place: tuple[float, float] | None = None
    """Center of a lesion; None for an organ, and for a lesion whose place is not known."""


class BodyMap(NamedTuple):
    """One scan of one tracer."""

    title: str
    unit: str
    tracer_id: str
    tracer_class: str
    day: int
    organs: tuple[Region, ...]
    lesions: tuple[Region, ...]
    unplaced: tuple[Region, ...]
    low: float
    high: float


def prepare_body_map(
    patient: PatientFrames, choices: Choices, day: float | None, places: Sequence[Row] = ()
) -> BodyMap | None:
    """The scan at `day`, else the last before it, else the first after it; None without images.

    `places` are rows of the region table: region_code, label, location, laterality.
    """
    by_tracer: dict[str, list[SignalRows]] = {}
    for found in patient.of_domain("uptake"):
        by_tracer.setdefault(found.signal.tracer_id or "", []).append(found)
    chosen = _choose(by_tracer, choices, day)
    if chosen is None:
        return None
    tracer_id, signals, scan_day = chosen
    tracer = tracer_of(tracer_id)
    tracer_class = tracer.tracer_class if tracer else "reporter_gene"
    heights = [value for found in signals for row in (*found.rows, *found.regions)
               if (value := drawn_value(row)) is not None and value > 0]  # fmt: skip
    if not heights:
        return None
    low, high = _bounds(min(heights), max(heights))
    lesions = _lesions(patient, signals, scan_day, places)
    signal = signals[0].signal
    return BodyMap(
        title=f"{TRACK_NAME[tracer_class]}, day {whole_day(scan_day)}".replace(
            "-", "\N{MINUS SIGN}"
        ),
        unit=metric_text(signal.code, signal.unit),
        tracer_id=tracer_id,
        tracer_class=tracer_class,
        day=whole_day(scan_day),
        organs=_organs(patient, signals, scan_day, tracer_id),
        lesions=tuple(one for one in lesions if one.place is not None),
        unplaced=tuple(one for one in lesions if one.place is None),
        low=low,
        high=high,
    )


def _choose(
    by_tracer: dict[str, list[SignalRows]], choices: Choices, day: float | None
) -> tuple[str, list[SignalRows], float] | None:
    best: tuple[tuple[float, ...], str, list[SignalRows], float] | None = None
    for tracer_id, found in by_tracer.items():
        tracer = tracer_of(tracer_id)
        kind = tracer.tracer_class if tracer else "reporter_gene"
        signals = choose_metric(found, kind, choices.metric)
        days = {float(row["rel_day"]) for one in signals for row in (*one.rows, *one.regions)}
        if not days:
            continue
        scan_day = min(days, key=lambda one: _distance(one, day))
        wanted = 0 if choices.tracer == tracer_id else 1
        rank = (*_distance(scan_day, day)[:1], wanted, class_rank(kind), *_distance(scan_day, day))
        if best is None or rank < best[0]:
            best = (rank, tracer_id, signals, scan_day)
    return None if best is None else best[1:]


def _distance(scan_day: float, day: float | None) -> tuple[float, float]:
    """On the day first, then before it, then after it; nearest first."""
    if day is None or at_day(scan_day, day):
        return 0.0, 0.0
    return (1.0, day - scan_day) if scan_day < day else (2.0, scan_day - day)


def _bounds(low: float, high: float) -> tuple[float, float]:
    """The ramp's ends: round numbers around all values of the patient."""
    steps = [step * 10.0**power for power in range(-4, 6) for step in (1, 2, 3, 5)]
    below = max((step for step in steps if step <= low), default=low)
    above = min((step for step in steps if step >= high), default=high)
    return below, above if above > below else below * 10


def _organs(
    patient: PatientFrames, signals: Sequence[SignalRows], day: float, tracer_id: str
) -> tuple[Region, ...]:
    physiologic = physiologic_organs(tracer_id)
    made: dict[str, Region] = {}
    for found in signals:
        signal = found.signal
        if signal.region_kind not in ("organ", "blood_pool"):
            continue
        code = drawn_code(signal.region_code or "BLOOD_POOL")
        here = [row for row in found.rows if at_day(row["rel_day"], day)]
        if code is None or not here or code in made:
            continue
        name = organs()[code].name
        made[code] = _region(patient, code, name, here[-1], physiologic=code in physiologic)
    if "BLADDER" in physiologic and "BLADDER" not in made:
        made["BLADDER"] = Region("BLADDER", "Bladder", None, "not scored",
                                 "Bladder: physiologic uptake, not scored", True)  # fmt: skip
    return tuple(made[code] for code in organs() if code in made)


def _lesions(
    patient: PatientFrames, signals: Sequence[SignalRows], day: float, places: Sequence[Row]
) -> list[Region]:
    found = next((one for one in signals if one.signal.region_kind == "lesion"), None)
    if found is None:
        return []
    known = {row["region_code"]: row for row in places}
    here = {row["region_code"]: row for row in found.regions if at_day(row["rel_day"], day)}
    codes = sorted(here, key=natural)
    spots = [_spot(known.get(code, {}), patient.region_labels.get(code, "")) for code in codes]
    moved = iter(spread([spot for spot in spots if spot is not None]))
    placed = [None if spot is None else next(moved) for spot in spots]
    return [
        _region(patient, code, _lesion_name(code, known.get(code, {})), here[code], place=spot)
        for code, spot in zip(codes, placed, strict=True)
    ]


def _spot(row: Row, label: str) -> tuple[float, float] | None:
    text = " ".join(str(row.get(name) or "") for name in ("location", "label")) or label
    return lesion_place(text, row.get("laterality"))


def _lesion_name(code: str, row: Row) -> str:
    """ "L3 para-aortic": the code and the location in a word or two."""
    place = str(row.get("label") or row.get("location") or "").strip()
    words = place.lower().replace(" node", "").replace(" mass", "").replace(" lymph", "")
    text = f"{code} {words}".strip()
    return text if len(text) <= 17 else text[:16].rstrip(" ,-") + "\N{HORIZONTAL ELLIPSIS}"


def _region(
    patient: PatientFrames,
    code: str,
    name: str,
    row: Row,
    *,
    physiologic: bool = False,
    place: tuple[float, float] | None = None,
) -> Region:
    note = "Physiologic uptake of the tracer, not cells" if physiologic else ""
    return Region(
        code=code,
        name=name,
        value=drawn_value(row),
        text=value_text(row, with_unit=False),
        hover=hover_text(patient, row, f"{name} {value_text(row)}", note),
        physiologic=physiologic,
        place=place,
    )


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


def draw_body_map(numbers: BodyMap, theme: Theme) -> go.Figure:
    """Body, organs, rings, labels with leader lines, and the ramp below."""
    shapes = organs()
    data = [_outline_trace(theme)]
    for region in numbers.organs:
        data += _organ_traces(region, shapes[region.code], numbers, theme)
    data.append(_fade_trace(theme))
    if numbers.lesions:
        data.append(_ring_trace(numbers, theme))
    slots = _slots(numbers, shapes)
    lines, dots, texts = _labels(numbers, shapes, slots, theme)
    data += [lines, dots, _ramp_trace(numbers, theme)]
    side = {"size": TICK_FONT_PX, "color": theme.muted}
    texts += [
        {"x": MIDDLE - 62, "y": 62, "text": "R", "showarrow": False, "font": side},
        {"x": MIDDLE + 62, "y": 62, "text": "L", "showarrow": False, "font": side},
    ]
    layout: dict[str, Any] = {
        "template": template(theme).to_plotly_json(),
        "height": FIGURE_PX,
        "margin": {"l": 0, "r": 0, "t": 0, "b": 40},
        "xaxis": {"range": [0, WIDTH], "visible": False, "fixedrange": True},
        "yaxis": {"range": [HEIGHT, 0], "visible": False, "fixedrange": True, "automargin": False},
        "annotations": texts,
        "dragmode": False,
        "hovermode": "closest",
    }
    return unchecked_figure(data, layout)


def _outline_trace(theme: Theme) -> dict[str, Any]:
    points = outline()
    return {
        "type": "scatter", "mode": "lines", "fill": "toself", "hoverinfo": "skip",
        "x": [x for x, _ in points], "y": [y for _, y in points],
        "line": {"color": theme.hairline, "width": 1.5},
        "fillcolor": rgba(theme.grid, 0.55),
    }  # fmt: skip


def _organ_traces(
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


def _fade_trace(theme: Theme) -> dict[str, Any]:
    """The legs fade out: the body is drawn to the thighs."""
    top, clear, solid = HEIGHT - 46, rgba(theme.card, 0.0), rgba(theme.card, 1.0)
    return {
        "type": "scatter", "mode": "lines", "fill": "toself", "hoverinfo": "skip",
        "x": [90, 236, 236, 90, 90], "y": [top, top, HEIGHT, HEIGHT, top], "line": {"width": 0},
        "fillgradient": {"type": "vertical", "start": top, "stop": HEIGHT,
                         "colorscale": [[0, clear], [1, solid]]},
    }  # fmt: skip


def _ring_trace(numbers: BodyMap, theme: Theme) -> dict[str, Any]:
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


def _slots(numbers: BodyMap, shapes: dict[str, Organ]) -> dict[str, Slot]:
    wanted = [
        Wanted(one.code, shapes[one.code].anchor, shapes[one.code].left_label)
        for one in numbers.organs
    ]
    wanted += [
        Wanted(one.code, one.place, one.place[0] < MIDDLE - 1)
        for one in numbers.lesions
        if one.place is not None
    ]
    return {slot.key: slot for slot in place_labels(wanted, TOP, BOTTOM, LINE)}


def _labels(
    numbers: BodyMap, shapes: dict[str, Organ], slots: dict[str, Slot], theme: Theme
) -> tuple[dict[str, Any], dict[str, Any], list[dict[str, Any]]]:
    xs: list[float | None] = []
    ys: list[float | None] = []
    dots: list[tuple[float, float]] = []
    texts: list[dict[str, Any]] = []
    lesion_codes = {one.code for one in numbers.lesions}
    for region in (*numbers.organs, *numbers.lesions):
        slot = slots[region.code]
        end = region.place or shapes[region.code].anchor
        is_lesion = region.code in lesion_codes
        start = _text_end(region, slot)
        bend = start + (12 if slot.left else -12)
        stop = _before_ring(end, (bend, slot.y + 8)) if is_lesion else end
        xs += [start, bend, stop[0], None]
        ys += [slot.y + 8, slot.y + 8, stop[1], None]
        if not is_lesion:
            dots.append(end)
        texts += _words(region, slot, is_lesion, theme)
    line = {
        "type": "scatter", "mode": "lines", "x": xs, "y": ys, "hoverinfo": "skip",
        "line": {"color": theme.secondary, "width": 1},
    }  # fmt: skip
    dot = {
        "type": "scatter", "mode": "markers", "hoverinfo": "skip",
        "x": [x for x, _ in dots], "y": [y for _, y in dots],
        "marker": {"size": 4.5, "color": theme.ink, "line": {"width": 1, "color": theme.card}},
    }  # fmt: skip
    return line, dot, texts


def _text_end(region: Region, slot: Slot) -> float:
    width = 7.4 * len(region.text) + 6
    return width if slot.left else WIDTH - width


def _before_ring(end: tuple[float, float], start: tuple[float, float]) -> tuple[float, float]:
    """The leader line ends at the ring, not in it."""
    dx, dy = start[0] - end[0], start[1] - end[1]
    length = math.hypot(dx, dy) or 1.0
    return end[0] + dx / length * 8, end[1] + dy / length * 8


def _words(region: Region, slot: Slot, is_lesion: bool, theme: Theme) -> list[dict[str, Any]]:
    base: dict[str, Any] = {
        "x": 0 if slot.left else WIDTH,
        "xanchor": "left" if slot.left else "right",
        "showarrow": False,
        "bgcolor": rgba(theme.card, 0.8),
        "borderpad": 0,
    }
    name_color = theme.ink if is_lesion else theme.secondary
    value_color = theme.ink if region.value is not None else theme.muted
    return [
        {**base, "y": slot.y - 8, "text": region.name,
         "font": {"size": TICK_FONT_PX, "color": name_color, "weight": 600 if is_lesion else 400}},
        {**base, "y": slot.y + 8, "text": region.text,
         "font": {"size": 13, "color": value_color, "weight": 600 if region.value else 400}},
    ]  # fmt: skip


def _ramp_trace(numbers: BodyMap, theme: Theme) -> dict[str, Any]:
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
    every = [step * 10.0**power for power in range(-4, 6) for step in (1, 3)]
    inside = [tick for tick in every if low * 1.25 < tick < high / 1.25]
    return [low, *inside, high]
