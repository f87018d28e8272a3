"""One patient over time: stacked tracks on one axis of days from infusion.

Every track is a figure of its own with the same margins and the same range of positions, so that
a day stands at the same pixel in all of them, beside text that a screen reader can read and above
a day axis that stays in sight. `draw_patient_sheet` puts the same tracks into one figure for a
report or a download.
"""

import math
from functools import cache
from typing import Any, NamedTuple

import plotly.graph_objects as go

from figures.day_scale import DayScale, Tick, scale_for
from figures.number_text import day_text, whole_day
from figures.theme import THEMES, TICK_FONT_PX, Theme, template
from figures.tracks import TRACKS
from figures.tracks.draw import PAD_PX, draw_on
from figures.tracks.labels import NARROW_PX, WIDE_PX
from figures.tracks.patient_frames import Choices, PatientFrames, rows
from figures.tracks.pen import Pen
from figures.tracks.track import Track
from figures.unchecked import unchecked_figure

LEFT_PX = 56
RIGHT_PX = 12


class PatientTracks(NamedTuple):
    """Everything that is drawn of one patient; `day` is the chosen day, None when there is none."""

    usubjid: str
    label: str
    scale: DayScale
    day: int | None
    days: tuple[int, ...]
    """Whole days on which anything was measured, in order: where the cursor can stand."""
    ticks: tuple[Tick, ...]
    tracks: tuple[Track, ...]


def prepare_patient_tracks(
    patient: PatientFrames, choices: Choices, day: float | None = None
) -> PatientTracks:
    """Numbers and words of every track that this patient has data for.

    Without a `day` the cursor stands where the lesion or blood signal peaked.
    """
    made = tuple(track for prepare in TRACKS for track in prepare(patient, choices, day))
    if day is None and made:
        day = default_day(made)
        made = tuple(track for prepare in TRACKS for track in prepare(patient, choices, day))
    infusion_days = [row["rel_day"] for row in rows(patient.infusions)]
    found = [one for track in made for one in track.days] + infusion_days
    scale = scale_for(found, choices.day_low, choices.day_high)
    days = sorted({whole_day(one) for one in found if scale.low - 0.5 <= one <= scale.high + 0.5})
    return PatientTracks(
        usubjid=patient.usubjid,
        label=patient.label,
        scale=scale,
        day=None if day is None else whole_day(day),
        days=tuple(days),
        ticks=scale.ticks(found),
        tracks=tuple(_cut(track, scale) for track in made),
    )


def default_day(tracks: tuple[Track, ...]) -> float | None:
    """Day of the highest lesion mean or lesion of the first uptake track, else of the highest
    value in blood, else the last day with anything."""
    for wanted in ("lesion-mean", "lesion", "", "kinetics"):
        for track in tracks:
            is_uptake = track.key.startswith("uptake")
            if is_uptake == (wanted == "kinetics") or not (
                is_uptake or track.key.startswith("kinetics")
            ):
                continue
            points = [
                point
                for series in track.series
                if series.key.startswith(wanted)
                for point in series.points
                if point.day >= 0
            ]
            if points:
                return max(points, key=lambda point: (point.censored == "none", point.value)).day
    days = [day for track in tracks for day in track.days]
    return max(days) if days else None


def _cut(track: Track, scale: DayScale) -> Track:
    """The track without what lies outside the chosen day window."""

    def inside(day: float) -> bool:
        return scale.low - 0.5 <= day <= scale.high + 0.5

    return track._replace(
        series=tuple(
            series._replace(points=tuple(p for p in series.points if inside(p.day)))
            for series in track.series
        ),
        marks=tuple(mark for mark in track.marks if inside(mark.day)),
    )


def screen_height(track: Track) -> int:
    """Height in pixels of a track beside its name and its read-out, whichever needs the most."""
    name = 14 + 18 + 16 * math.ceil(len(track.note) / 17)
    return max(track.height, name, 14 + 20 * len(track.rows))


def draw_track(
    numbers: PatientTracks, track: Track, theme: Theme, *, narrow: bool = False
) -> go.Figure:
    """One track as its own figure: fixed margins, hidden day axis, height from the track.

    The plot is as high as the figure, so that the day lines of stacked tracks meet. On a `narrow`
    screen words have half the room and name and read-out stand above.
    """
    if not narrow:
        track = track._replace(height=screen_height(track))
    width = NARROW_PX if narrow else WIDE_PX
    pen = Pen(numbers.scale, theme, reach_px=PAD_PX, width_px=width)
    draw_on(pen, track, numbers.day)
    pad = PAD_PX / track.height
    layout = {
        "template": _template(theme),
        "height": track.height,
        "margin": {"l": LEFT_PX, "r": RIGHT_PX, "t": 0, "b": 0},
        "dragmode": False,
        "hoverdistance": 12,
        "xaxis": {"range": list(numbers.scale.extent), "visible": False, "fixedrange": True},
        "yaxis": {**pen.axis, "domain": [pad, 1 - pad], "automargin": False,
                  "title": {"text": ""}},
        "shapes": pen.shapes,
        "annotations": pen.annotations,
        "meta": {"y_title": f"{track.name}, {track.note}".rstrip(", ")},
    }  # fmt: skip
    return unchecked_figure(pen.data, layout)


def draw_patient_sheet(numbers: PatientTracks, theme: Theme) -> go.Figure:
    """All tracks in one figure with their names at the left, for a report or a download."""
    top, bottom, gap, width = 64, 52, 20, 1180
    height = top + bottom + sum(track.height + gap for track in numbers.tracks)
    inner = height - top - bottom
    pens = []
    layout: dict[str, Any] = {}
    offset = 0.0
    for number, track in enumerate(numbers.tracks, start=1):
        high, low = 1 - (offset + PAD_PX) / inner, 1 - (offset + track.height - PAD_PX) / inner
        reach = PAD_PX + (gap / 2 if number < len(numbers.tracks) else 0)
        pen = Pen(numbers.scale, theme, number, reach_px=reach)
        draw_on(pen, track, numbers.day)
        pen.annotations.append(_sheet_name(track, high, theme))
        layout[pen.y_name] = {**pen.axis, "domain": [max(0.0, low), high], "anchor": pen.x,
                              "automargin": False}  # fmt: skip
        layout[pen.x_name] = _sheet_axis(numbers, pen, number == len(numbers.tracks))
        pens.append(pen)
        offset += track.height + gap
    day = "" if numbers.day is None else f", cursor at day {day_text(numbers.day)}"
    layout |= {
        "template": _template(theme),
        "title": {"text": f"{numbers.label}{day}", "x": 0.01, "xanchor": "left",
                  "font": {"size": 18, "color": theme.ink}},
        "width": width, "height": height, "paper_bgcolor": theme.card,
        "margin": {"l": 250, "r": 40, "t": top, "b": bottom},
        "shapes": [shape for pen in pens for shape in pen.shapes],
        "annotations": [text for pen in pens for text in pen.annotations],
    }  # fmt: skip
    return unchecked_figure([trace for pen in pens for trace in pen.data], layout)


def _sheet_axis(numbers: PatientTracks, pen: Pen, lowest: bool) -> dict[str, Any]:
    return {
        "range": list(numbers.scale.extent),
        "anchor": pen.y,
        "showgrid": False,
        "showticklabels": lowest,
        "tickmode": "array",
        "tickvals": [tick.position for tick in numbers.ticks],
        "ticktext": [tick.text for tick in numbers.ticks],
        "title": {"text": axis_title(numbers.scale) if lowest else ""},
    }


@cache
def _template_of(scheme: str) -> dict[str, Any]:
    return template(THEMES[scheme]).to_plotly_json()


def _template(theme: Theme) -> dict[str, Any]:
    """The house template, made once per scheme: its checks cost as much as a track."""
    return _template_of(theme.scheme)


def axis_title(scale: DayScale) -> str:
    """ "Days from infusion", with the change of scale in words."""
    note = f" ({scale.note[0].lower()}{scale.note[1:]})" if scale.note else ""
    return f"Days from infusion{note}"


def _sheet_name(track: Track, top: float, theme: Theme) -> dict[str, Any]:
    note = f"<br><span style='color:{theme.muted}'>{track.note}</span>" if track.note else ""
    return {
        "xref": "paper", "yref": "paper", "x": 0, "xshift": -236, "y": top, "yanchor": "top",
        "xanchor": "left", "text": f"<b>{track.name}</b>{note}", "showarrow": False,
        "align": "left", "font": {"size": TICK_FONT_PX + 1, "color": theme.ink},
    }  # fmt: skip
