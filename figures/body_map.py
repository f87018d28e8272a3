"""Uptake of one scan on a drawn body: organs and ringed lesions in one logarithmic ramp.

Colors are comparable between the days of one patient and tracer, because the ramp spans all of
that patient's scans. Physiologic uptake is hatched: it says nothing about cells.
"""

from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go

from figures.body.labels import label_slots, label_traces
from figures.body.physiologic import physiologic_organs
from figures.body.places import lesion_place, spread
from figures.body.region import BodyMap, Region
from figures.body.shapes import HEIGHT, MIDDLE, WIDTH, drawn_code, organs
from figures.body.strokes import (
    fade_trace,
    organ_traces,
    outline_trace,
    ramp_trace,
    ring_trace,
)
from figures.number_text import whole_day
from figures.theme import TICK_FONT_PX, Theme, template
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

FIGURE_PX = 452


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


def draw_body_map(numbers: BodyMap, theme: Theme) -> go.Figure:
    """Body, organs, rings, labels with leader lines, and the ramp below."""
    shapes = organs()
    data = [outline_trace(theme)]
    for region in numbers.organs:
        data += organ_traces(region, shapes[region.code], numbers, theme)
    data.append(fade_trace(theme))
    if numbers.lesions:
        data.append(ring_trace(numbers, theme))
    slots = label_slots(numbers, shapes)
    lines, dots, texts = label_traces(numbers, shapes, slots, theme)
    data += [lines, dots, ramp_trace(numbers, theme)]
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
