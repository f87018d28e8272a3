"""Curves of patients and of groups: the parts that every trajectory figure is made of.

Ten thousand patients are drawn as one trace per group with gaps between them: a trace each would
take half a minute in a browser.
"""

import math
from collections.abc import Iterable, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any, Literal, NamedTuple

import numpy as np
import polars as pl

from analysis.compute.intervals import MIN_FOR_MEAN
from figures.canvas import Canvas
from figures.day_scale import DayScale
from figures.number_text import day_text, significant
from figures.theme import CATEGORY_SYMBOLS, RESPONSE_SYMBOLS, Theme, rgba

BAND_FROM = 5
WIDEST_INTERVAL = 1e4
MARKED_POINTS = 15
"""A mean of more points than visits is a smooth curve and is drawn without marks."""


class PatientLine(NamedTuple):
    """One patient's curve: a value and its limit flag at each day, in time order."""

    usubjid: str
    group: str
    days: tuple[float, ...]
    values: tuple[float, ...]
    censored: tuple[bool, ...]
    sources: tuple[str, ...]


class GroupMean(NamedTuple):
    """A group's summary: geometric mean and interval per nominal day; NaN below three patients."""

    group: str
    n_patients: int
    days: tuple[float, ...]
    means: tuple[float, ...]
    lows: tuple[float, ...]
    highs: tuple[float, ...]
    counts: tuple[int, ...]


def patient_lines(series: pl.DataFrame, groups: Sequence[str]) -> Iterable[PatientLine]:
    """One line per patient, in the order of the groups, then of the patients."""
    place = {group: number for number, group in enumerate(groups)}
    columns = ("usubjid", "group", "rel_day", "drawn", "censored", "source")
    rows = series.sort("usubjid", "rel_day").select(columns).rows()
    lines = (
        PatientLine(usubjid, group, *tuple(zip(*of_patient, strict=True))[2:])
        for (usubjid, group), of_patient in groupby(rows, key=itemgetter(0, 1))
        if group in place
    )
    return sorted(lines, key=lambda line: (place[line.group], line.usubjid))


def group_means(
    series: pl.DataFrame, summary: pl.DataFrame, groups: Sequence[str]
) -> Iterable[GroupMean]:
    """One summary per group that has patients."""
    patients = dict(series.group_by("group").agg(pl.col("usubjid").n_unique()).rows())
    values = [
        pl.col(name).cast(pl.Float64).fill_null(math.nan)
        for name in ("geometric_mean", "conf_low", "conf_high")
    ]
    rows = summary.sort("nominal_day").select("group", "nominal_day", *values, "n")
    parts = {group: tuple(part) for group, part in by_group(rows)}
    for group in groups:
        if not patients.get(group) or group not in parts:
            continue
        _, days, mean, low, high, counts = zip(*parts[group], strict=True)
        yield GroupMean(group, patients[group], days, mean, low, high, counts)


def by_group(rows: pl.DataFrame) -> Iterable[tuple[str, Iterable[tuple[Any, ...]]]]:
    """Rows of each group (first column), in the order in which they stand."""
    ordered = rows.sort("group", maintain_order=True).rows()
    return groupby(ordered, key=itemgetter(0))


def group_color(group: str, index: int, theme: Theme) -> str:
    """The color of a response category, else one of five that stay apart in both themes."""
    meaning = RESPONSE_MEANING.get(group, group)
    if meaning in theme.response:
        return theme.response[meaning]
    palette = (
        theme.response["CR"],
        theme.response["PD"],
        theme.signal["reporter_gene"],
        theme.signal["immune_target"],
        theme.signal["tumor_tracer"],
    )
    return theme.muted if group in NO_GROUP else palette[index % len(palette)]


RESPONSE_MEANING = {"responder": "CR", "non-responder": "PD", "no CR": "PD"}
"""Groups that are made of response categories wear the color of the category they stand for."""

NO_GROUP = frozenset({"Not assessed", "Not recorded", "All patients"})


def group_symbol(group: str, index: int) -> str:
    """The symbol that goes with the color."""
    meaning = RESPONSE_MEANING.get(group, group)
    return RESPONSE_SYMBOLS.get(meaning, CATEGORY_SYMBOLS[index % len(CATEGORY_SYMBOLS)])


def draw_patients(
    canvas: Canvas,
    lines_of_all: Sequence[PatientLine],
    scale: DayScale,
    colors: dict[str, str],
    *,
    marks: Literal["all", "below limit"] = "all",
) -> None:
    """One trace per group, lines parted by gaps: ten thousand traces would take half a minute.
    Values below the limit are always marked: between two of them there is no line to show them."""
    for group, color in colors.items():
        lines = [line for line in lines_of_all if line.group == group]
        x, y = gapped(lines, scale)
        # Arrays travel as binary; lists are walked value by value.
        canvas.scatter(
            x=np.array(x, float), y=np.array(y, float), mode="lines",
            line={"color": rgba(color, 0.32), "width": 1},
            hoverinfo="skip", connectgaps=False,
        )  # fmt: skip
        for open_symbol in (False, True) if marks == "all" else (True,):
            draw_points(canvas, lines, scale, color, open_symbol, 5 if marks == "all" else 3)


def draw_points(
    canvas: Canvas,
    lines: Sequence[PatientLine],
    scale: DayScale,
    color: str,
    open_symbol: bool,
    size: int,
) -> None:
    """A small mark per sample, open those below their limit; hover tells whose it is."""
    points = [
        (scale.position(line.days[i]), line.values[i], point_facts(line, i))
        for line in lines
        for i in range(len(line.days))
        if line.censored[i] is open_symbol
    ]
    canvas.scatter(
        x=np.array([point[0] for point in points], float),
        y=np.array([point[1] for point in points], float),
        mode="markers",
        marker={
            "size": size,
            "color": rgba(color, 0.0 if open_symbol else 0.32),
            "line": {"color": rgba(color, 0.6), "width": 1 if open_symbol else 0},
        },
        customdata=np.array([point[2] for point in points], str),
        hovertemplate="<b>Patient %{customdata[0]}</b>, %{customdata[1]}<br>"
        "Day %{customdata[2]}: %{customdata[3]}<br>%{customdata[4]}<extra></extra>",
    )


class PointFacts(NamedTuple):
    """What a point says on hover and in the table of brushed points, as finished text."""

    usubjid: str
    group: str
    day: str
    value: str
    source: str


def point_facts(line: PatientLine, index: int) -> PointFacts:
    """The facts of one point; a value below the limit is written as "< limit"."""
    below = "< " if line.censored[index] else ""
    value = f"{below}{significant(line.values[index])}"
    day = day_text(line.days[index])
    return PointFacts(line.usubjid, line.group, day, value, line.sources[index])


def gapped(
    lines: Sequence[PatientLine], scale: DayScale
) -> tuple[list[float | None], list[float | None]]:
    """Coordinates of many lines in one trace; a gap after each and between two censored points."""
    x: list[float | None] = []
    y: list[float | None] = []
    for line in lines:
        was_censored = False
        for day, value, flag in zip(line.days, line.values, line.censored, strict=True):
            if was_censored and flag:
                x.append(None)
                y.append(None)
            x.append(scale.position(day))
            y.append(value)
            was_censored = flag
        x.append(None)
        y.append(None)
    return x, y


def is_precise(low: float | None, high: float | None) -> bool:
    """Whether an interval says anything: both ends known, and less than four decades apart."""
    if low is None or high is None or not (math.isfinite(low) and math.isfinite(high)):
        return False
    return low <= 0 or high / low <= WIDEST_INTERVAL


def draw_band(canvas: Canvas, mean: GroupMean, scale: DayScale, color: str) -> None:
    """The 95 % interval as a band, where there is one of at least `BAND_FROM` patients: of fewer it
    would cover the panel and hide the patients themselves."""
    known = [
        i
        for i, low in enumerate(mean.lows)
        if mean.counts[i] >= BAND_FROM and is_precise(low, mean.highs[i])
    ]
    if len(known) < 2:
        return
    there = [scale.position(mean.days[i]) for i in known]
    canvas.scatter(
        x=[*there, *reversed(there)],
        y=[*(mean.highs[i] for i in known), *(mean.lows[i] for i in reversed(known))],
        mode="none", fill="toself", fillcolor=rgba(color, 0.13), hoverinfo="skip",
    )  # fmt: skip


def draw_mean(
    canvas: Canvas,
    mean: GroupMean,
    index: int,
    scale: DayScale,
    color: str,
    theme: Theme,
    *,
    size: int = 8,
) -> None:
    """The bold mean line with the group's symbol. It is open at a visit where enough patients were
    measured and most lie below the limit: a line across would show what nobody has seen."""
    known = [i for i, value in enumerate(mean.means) if math.isfinite(value)]
    drawn = [i for i, n in enumerate(mean.counts) if i in known or n >= MIN_FOR_MEAN]
    canvas.scatter(
        x=[scale.position(mean.days[i]) for i in drawn],
        y=[mean.means[i] if i in known else None for i in drawn],
        connectgaps=False,
        mode="lines" if len(known) > MARKED_POINTS else "lines+markers",
        line={"color": color, "width": 2.5 if size > 6 else 1.75},
        marker={
            "symbol": group_symbol(mean.group, index),
            "size": size,
            "color": color,
            "line": {"color": theme.card, "width": 1},
        },
        hovertext=[
            f"<b>{mean.group}</b>, n = {mean.counts[i]}<br>Day {day_text(mean.days[i])}: "
            f"{significant(mean.means[i])} "
            f"({significant(mean.lows[i])} to {significant(mean.highs[i])})"
            for i in drawn
        ],
        hovertemplate="%{hovertext}<extra></extra>",
    )
