"""Cytokines and acute-phase proteins as folds of the upper limit of normal, on one axis.

Substances in pg/mL, ug/L and mg/L share no axis, their folds do. Where a trial delivered no
limit of normal the measured concentrations are drawn, those in the commonest unit only.
"""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from analysis.derive.labels import TEST_LABELS
from figures.tracks.patient_frames import Choices, PatientFrames, SignalRows
from figures.tracks.reading import drawn_value, points, read_row, unit_text
from figures.tracks.track import Dash, ReadRow, Series, Track
from figures.tracks.value_axis import log_axis

MOST = 4
FIRST: tuple[str, ...] = ("INTLK6", "FERRITIN", "CRP", "IFNG", "INTLK10", "INTLK15", "INTLK18")
"""Tests that are drawn before others, in this order."""
ACUTE_PHASE = frozenset({"CRP", "FERRITIN"})
SHORT: dict[str, str] = {"CRP": "CRP", "FERRITIN": "Ferritin", "IL2R": "sIL-2R", "IL2RA": "sIL-2Rα"}
STYLES: tuple[tuple[str, Dash], ...] = (
    ("ink", "solid"),
    ("secondary", "dash"),
    ("muted", "dot"),
    ("secondary", "dashdot"),
)


class _Drawn(NamedTuple):
    name: str
    found: SignalRows
    factor: float


def cytokine_tracks(
    patient: PatientFrames, choices: Choices, day: float | None
) -> tuple[Track, ...]:
    """At most one track with up to four substances; the rest are counted in the right column."""
    candidates = [
        found
        for found in patient.of_domain("laboratory")
        if patient.lab_categories.get(found.signal.code) == "cytokine"
        or found.signal.code in ACUTE_PHASE
    ]
    drawn, note = _folds(patient, candidates)
    if not drawn:
        drawn, note = _concentrations(candidates)
    series = _series(patient, drawn)
    if not series:
        return ()
    fold = note.startswith("×")
    heights = [point.value for one in series for point in one.points]
    axis = log_axis([*heights, 1.0] if fold else heights)
    rows = tuple(read_row(one, day, with_unit=True) for one in series)
    others = len({found.signal.code for found in candidates}) - len(series)
    if others > 0:
        rows += (ReadRow(f"{others} more not drawn", ""),)
    return (
        Track(
            key="cytokines",
            name="Cytokines",
            note=note,
            scale="log",
            height=126,
            low=axis.low,
            high=axis.high,
            ticks=axis.ticks,
            minor_ticks=axis.minor_ticks,
            series=series,
            reference=1.0 if fold else None,
            rows=rows,
        ),
    )


def _series(patient: PatientFrames, drawn: Sequence[_Drawn]) -> tuple[Series, ...]:
    """A line of its own style for each substance that has a point."""
    series = tuple(
        Series(
            key=f"lab-{one.found.signal.code}",
            label=one.name,
            points=points(patient, one.found.rows, one.name, True, one.factor),
            color=color,
            dash=dash,
            named=one.name,
        )
        for one, (color, dash) in zip(drawn, STYLES, strict=False)
    )
    return tuple(one for one in series if one.points)


def _folds(patient: PatientFrames, candidates: Sequence[SignalRows]) -> tuple[list[_Drawn], str]:
    limits = patient.upper_limits
    found = [
        _Drawn(_name(one), one, 1.0 / limits[one.signal.code])
        for one in _ranked(candidates)
        if limits.get(one.signal.code, 0) > 0
    ]
    return found[:MOST], "× upper limit of normal"


def _concentrations(candidates: Sequence[SignalRows]) -> tuple[list[_Drawn], str]:
    units = Counter(one.signal.unit or "" for one in candidates if one.rows)
    if not units:
        return [], ""
    unit = units.most_common(1)[0][0]
    found = [_Drawn(_name(one), one, 1.0) for one in _ranked(candidates) if one.signal.unit == unit]
    return found[:MOST], unit_text(unit) or "as delivered"


def _ranked(candidates: Sequence[SignalRows]) -> list[SignalRows]:
    """Known drivers first, then by how far the substance rose; one matrix per test."""
    seen: set[str] = set()
    made = []
    for one in sorted(candidates, key=_rank):
        if one.signal.code not in seen:
            seen.add(one.signal.code)
            made.append(one)
    return made


def _rank(found: SignalRows) -> tuple[int, float, str]:
    code = found.signal.code
    known = FIRST.index(code) if code in FIRST else len(FIRST)
    heights = [value for row in found.rows if (value := drawn_value(row)) is not None and value > 0]
    rise = max(heights) / min(heights) if heights else 0.0
    return known, -rise, found.signal.key


def _name(found: SignalRows) -> str:
    code = found.signal.code
    return SHORT.get(code) or TEST_LABELS.get(code) or found.signal.name or code
