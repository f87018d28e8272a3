"""The lane of scans: one line per tracer, a dot per scan, a cross where it cannot be read."""

from itertools import groupby

from figures.number_text import significant
from figures.tracks.patient_frames import Choices, PatientFrames, Row, at_day, hover_text, rows
from figures.tracks.tracer_text import SIGNAL_COLOR, class_rank, tracer_of, tracer_short
from figures.tracks.track import Mark, ReadRow, Track

LANE_PX = 21


def scan_tracks(patient: PatientFrames, choices: Choices, day: float | None) -> tuple[Track, ...]:
    """At most one track; none for a trial without scans."""
    found = rows(patient.scans)
    lanes = _lanes(found)
    if not lanes:
        return ()
    names = tuple(name for name, _ in lanes)
    marks = tuple(
        _mark(patient, row, lane) for lane, (_, members) in enumerate(lanes) for row in members
    )
    return (
        Track(
            key="scans",
            name="Scans",
            note="",
            scale="lanes",
            height=LANE_PX * len(lanes) + 12,
            lanes=names,
            marks=marks,
            rows=_rows(found, day),
        ),
    )


def is_evaluable(row: Row) -> bool:
    """A scan counts unless it was marked as not evaluable."""
    return row.get("evaluable") is not False


def _lanes(found: list[Row]) -> list[tuple[str, list[Row]]]:
    ordered = sorted(found, key=lambda row: (_rank(row), _lane_name(row), row["rel_day"]))
    grouped = groupby(ordered, key=lambda row: (_rank(row), _lane_name(row)))
    return [(key[1], list(members)) for key, members in grouped]


def _lane_name(row: Row) -> str:
    return tracer_short(row.get("tracer_id"), row.get("modality"))


def _rank(row: Row) -> int:
    tracer = tracer_of(row.get("tracer_id"))
    return class_rank(tracer.tracer_class) if tracer else 99


def _mark(patient: PatientFrames, row: Row, lane: int) -> Mark:
    tracer = tracer_of(row.get("tracer_id"))
    color = SIGNAL_COLOR[tracer.tracer_class] if tracer else "secondary"
    reason = "" if is_evaluable(row) else f"Not evaluable: {row.get('not_evaluable_reason') or '-'}"
    lines = (tracer.name if tracer else _lane_name(row), _uptake_time(row), reason)
    return Mark(
        day=float(row["rel_day"]),
        lane=lane,
        symbol="circle" if is_evaluable(row) else "x-thin",
        color=color if is_evaluable(row) else "muted",
        hover=hover_text(patient, row, *(line for line in lines if line)),
    )


def _uptake_time(row: Row) -> str:
    hours = row.get("uptake_time_h")
    return f"Uptake time {uptake_time_text(hours)}" if hours is not None else ""


def uptake_time_text(hours: float) -> str:
    """Minutes up to four hours, then hours."""
    if hours <= 4:
        return f"{round(hours * 60)} min"
    return f"{significant(hours)} h"


def _rows(found: list[Row], day: float | None) -> tuple[ReadRow, ...]:
    here = sorted((row for row in found if at_day(row["rel_day"], day)), key=_rank)
    if not here:
        return (ReadRow("No scan", ""),)
    if len(here) == 1 and is_evaluable(here[0]) and here[0].get("uptake_time_h") is not None:
        return (ReadRow("Uptake time", uptake_time_text(here[0]["uptake_time_h"])),)
    return tuple(ReadRow(_lane_name(row), _state(row)) for row in here[:3])


def _state(row: Row) -> str:
    if not is_evaluable(row):
        return "not evaluable"
    hours = row.get("uptake_time_h")
    return "scanned" if hours is None else uptake_time_text(hours)
