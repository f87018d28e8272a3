"""Tumor burden as percent change from baseline: volumes and diameter sums share one true axis."""

import polars as pl

from figures.number_text import EN_DASH, signed_percent, significant
from figures.tracks.patient_frames import Choices, PatientFrames, Row, hover_text, rows
from figures.tracks.reading import point_at, unit_text, value_text
from figures.tracks.tracer_text import tracer_short
from figures.tracks.track import Censored, Dash, Point, ReadRow, Series, Track
from figures.tracks.value_axis import linear_axis

SHOWN: tuple[tuple[str, str, Dash], ...] = (
    ("TMTV", "TMTV", "solid"),
    ("mtv_ml", "MTV", "solid"),
    ("mtv41_ml", "MTV 41 %", "solid"),
    ("mtv40_ml", "MTV 4.0", "solid"),
    ("mtv25_ml", "MTV 2.5", "solid"),
    ("SUMDIAM", "SLD", "dash"),
    ("SUMPPD", "SPD", "dot"),
)
"""Metric, short name and dash; of the volumes only the first that exists is drawn."""


def burden_tracks(patient: PatientFrames, choices: Choices, day: float | None) -> tuple[Track, ...]:
    """At most one track: metrics with a baseline and at least one later value."""
    chosen = _chosen(patient.burden)
    series = tuple(_series(patient, *one) for one in chosen)
    heights = [point.value for one in series for point in one.points]
    if not heights:
        return ()
    axis = linear_axis(heights)
    return (
        Track(
            key="burden",
            name="Tumor burden",
            note="% change from baseline",
            scale="linear",
            height=116,
            low=axis.low,
            high=axis.high,
            ticks=axis.ticks,
            series=series,
            reference=0.0,
            rows=_rows(series, day),
        ),
    )


def _chosen(burden: pl.DataFrame) -> list[tuple[str, Dash, list[Row]]]:
    found = rows(burden)
    made: list[tuple[str, Dash, list[Row]]] = []
    for metric, name, dash in SHOWN:
        if dash == "solid" and any(chosen[1] == "solid" for chosen in made):
            continue
        members = _one_read([row for row in found if row["metric"] == metric])
        if any(row.get("change_percent") is not None for row in members):
            tracer = next((row["tracer_id"] for row in members if row.get("tracer_id")), None)
            made.append((f"{name}, {tracer_short(tracer)}" if tracer else name, dash, members))
    return made


def _one_read(found: list[Row]) -> list[Row]:
    """Rows of the reader, method and tracer with the most values."""
    reads: dict[tuple[object, ...], list[Row]] = {}
    for row in found:
        key = (row.get("reader"), row.get("method"), row.get("tracer_id"))
        reads.setdefault(key, []).append(row)
    return max(reads.values(), key=len, default=[])


def _series(patient: PatientFrames, name: str, dash: Dash, members: list[Row]) -> Series:
    baseline_day = max(
        (row["rel_day"] for row in members if row["rel_day"] <= 0 and row["value"] is not None),
        default=None,
    )
    made = []
    for row in members:
        change, censored = change_at(row)
        if row["rel_day"] == baseline_day:
            change = 0.0
        if change is None:
            continue
        text = value_text(row)
        words = "baseline" if row["rel_day"] == baseline_day else signed_percent(change)
        hover = hover_text(patient, row, f"{name} {text}, {words}")
        made.append(
            Point(float(row["rel_day"]), change, censored, value_text(row, False),
                  unit_text(row["unit"]), hover)
        )  # fmt: skip
    return Series(
        f"burden-{name}",
        name,
        tuple(made),
        "tumor_tracer",
        dash,
        named=name.split(",", maxsplit=1)[0],
    )


def change_at(row: Row) -> tuple[float | None, Censored]:
    """Change in percent; of a sum known only up to a limit, the change at that limit."""
    if row.get("change_percent") is not None:
        return float(row["change_percent"]), "none"
    upper, base = row.get("upper"), row.get("baseline")
    if upper is not None and base and row["rel_day"] > 0:
        return 100.0 * (upper - base) / base, "left"
    return None, "none"


def _rows(series: tuple[Series, ...], day: float | None) -> tuple[ReadRow, ...]:
    made = []
    for one in series:
        point = point_at(one, day)
        value = f"{point.text} {point.unit}".strip() if point else EN_DASH
        made.append(ReadRow(one.label, value, one.key))
        if point is not None:
            sign = "≤ " if point.censored == "left" else ""
            change = signed_percent(point.value) if point.value else "baseline"
            made.append(ReadRow("Change", f"{sign}{change}"))
    if all(point_at(one, day) is None for one in series):
        made += _last(series, day)
    return tuple(made)


def _last(series: tuple[Series, ...], day: float | None) -> list[ReadRow]:
    """The last change before the chosen day, when nothing was measured on it."""
    earlier = [
        (point.day, point) for one in series[:1] for point in one.points
        if day is not None and 0 < point.day < day
    ]  # fmt: skip
    if not earlier:
        return []
    last = earlier[-1][1]
    return [ReadRow(f"Last, day {significant(round(last.day))}", signed_percent(last.value))]
