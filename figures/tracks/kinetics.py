"""Cells in the blood: transgene by PCR and CAR+ cells by flow, each on its own axis.

The two are different quantities and are never converted into each other. A value below its limit
is drawn open on the limit, and no line runs between two of them.
"""

from figures.number_text import EN_DASH, signed_percent, whole_day
from figures.tracks.patient_frames import Choices, PatientFrames, SignalRows, at_day
from figures.tracks.reading import limits, peak, point_at, points, read_row, unit_text
from figures.tracks.track import Dash, ReadRow, Series, Track
from figures.tracks.value_axis import linear_axis, log_axis

NAMES: dict[str, str] = {"CARTG": "Transgene", "CARFLOW": "CAR+ T cells"}
MATRIX_DASH: dict[str, Dash] = {"MARROW": "dot", "CSF": "dashdot", "TISSUE": "dashdot"}


def kinetics_tracks(
    patient: PatientFrames, choices: Choices, day: float | None
) -> tuple[Track, ...]:
    """One track per analyte and unit: qPCR before flow, matrices of one unit together."""
    groups: dict[tuple[str, str], list[SignalRows]] = {}
    for found in patient.of_domain("kinetics"):
        groups.setdefault((found.signal.code, found.signal.unit or ""), []).append(found)
    ordered = sorted(groups.items(), key=lambda item: kinetics_rank(*item[0]))
    made = (_track(patient, code, unit, found, choices, day) for (code, unit), found in ordered)
    return tuple(track for track in made if track is not None)


def kinetics_rank(code: str, unit: str | None) -> tuple[bool, bool, str]:
    """Order of kinetics signals: transgene first, numbers of cells before their share; units of
    one quantity stay as the catalog has them, the study's own first."""
    return code != "CARTG", unit == "%", code


def _track(
    patient: PatientFrames,
    code: str,
    unit: str,
    found: list[SignalRows],
    choices: Choices,
    day: float | None,
) -> Track | None:
    found = sorted(found, key=lambda one: one.signal.matrix != "BLOOD")
    series = tuple(one for one in (_series(patient, s, choices.log) for s in found) if one.points)
    heights = [point.value for one in series for point in one.points]
    if not heights:
        return None
    blood = next((s for s in found if s.signal.matrix == "BLOOD"), found[0])
    lines = limits(list(blood.rows), "blood")
    lines = tuple(line for line in lines if line.value <= max(heights))
    axis = log_axis([*heights, *(line.value for line in lines)]) if choices.log else (
        linear_axis(heights)
    )  # fmt: skip
    assay = blood.signal.assay or ""
    where = (blood.signal.matrix or "").lower()
    return Track(
        key=f"kinetics-{code}-{unit}",
        name=NAMES.get(code, blood.signal.name or code),
        note=f"{where} {assay}, {unit_text(unit)}".strip(" ,"),
        scale="log" if choices.log else "linear",
        height=122 if code == "CARTG" else 108,
        low=axis.low,
        high=axis.high,
        ticks=axis.ticks,
        minor_ticks=axis.minor_ticks,
        series=series,
        limits=lines,
        rows=_rows(series, day),
    )


def _series(patient: PatientFrames, found: SignalRows, log: bool) -> Series:
    signal = found.signal
    matrix = signal.matrix or "BLOOD"
    flow = (signal.assay or "").lower() == "flow" or signal.code == "CARFLOW"
    name = signal.assay or signal.code
    label = name[:1].upper() + name[1:] if name.islower() else name
    if matrix != "BLOOD":
        label = f"{label}, {matrix.lower()}"
    return Series(
        key=f"{signal.key}:{matrix}" if not signal.key.endswith(f":{matrix}") else signal.key,
        label=label,
        points=points(patient, found.rows, signal.label, log),
        color="blood",
        dash="dash" if flow and matrix == "BLOOD" else MATRIX_DASH.get(matrix, "solid"),
        named="" if matrix == "BLOOD" else matrix.capitalize(),
    )


def _rows(series: tuple[Series, ...], day: float | None) -> tuple[ReadRow, ...]:
    made = [read_row(one, day) for one in series]
    main = next((one for one in series if one.key.endswith(":BLOOD")), series[0])
    top, here = peak(main), point_at(main, day)
    change = EN_DASH
    if top is not None and here is not None and here.censored == "none" and here.day >= top.day:
        change = signed_percent(100.0 * (here.value / top.value - 1.0))
        if at_day(top.day, day):
            change = "at peak"
    if top is not None:
        made.append(ReadRow("Change from peak", change))
        made.append(ReadRow("Peak", f"{top.text} on day {whole_day(top.day)}"))
    return tuple(made)
