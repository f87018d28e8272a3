"""Uptake over time, one track per tracer: lesions thin, their geometric mean bold, organs dashed.

Tracers never share an axis: a value of one is no value of another. A scan that is not evaluable
is out of every line and mean; it stays as a cross under the axis.
"""

from collections.abc import Sequence

import polars as pl

from figures.number_text import day_text, significant
from figures.tracks.patient_frames import (
    Choices,
    PatientFrames,
    Row,
    SignalRows,
    exact_day,
    rows,
)
from figures.tracks.reading import point_at, points, read_row
from figures.tracks.tracer_text import (
    CELL_METRICS,
    SIGNAL_COLOR,
    TRACK_NAME,
    TUMOR_METRICS,
    metric_name,
    metric_text,
    tracer_of,
    tracer_rank,
    tracer_short,
)
from figures.tracks.track import Dash, Mark, Point, ReadRow, Series, Track
from figures.tracks.value_axis import linear_axis, log_axis

FIRST_PX, LATER_PX = 168, 124
"""Height of the first tracer's track and of the others."""
MEAN_FROM = 3
"""No mean is drawn of fewer lesions."""

ORGANS: tuple[tuple[tuple[str, ...], str, Dash], ...] = (
    (("SPLEEN",), "Spleen", "dash"),
    (("MARROW", "BONE_MARROW", "BONEMARROW"), "Bone marrow", "dot"),
    (("LIVER",), "Liver", "dashdot"),
    (("LUNG", "LUNGS"), "Lung", "longdash"),
    (("BLOOD_POOL", "BLOOD", "AORTA"), "Blood pool", "longdashdot"),
)
"""Region codes of the organs that are worth a line, in order, with their dash."""


def uptake_tracks(patient: PatientFrames, choices: Choices, day: float | None) -> tuple[Track, ...]:
    """One track per tracer that this patient was scanned with, the most specific first and
    highest."""
    by_tracer: dict[str, list[SignalRows]] = {}
    for found in patient.of_domain("uptake"):
        by_tracer.setdefault(found.signal.tracer_id or "", []).append(found)
    made = (
        _track(patient, tracer_id, by_tracer[tracer_id], choices, day)
        for tracer_id in sorted(by_tracer, key=tracer_rank)
    )
    found_tracks = [track for track in made if track is not None]
    return tuple(
        track if place == 0 else track._replace(height=min(track.height, LATER_PX))
        for place, track in enumerate(found_tracks)
    )


def choose_metric(found: Sequence[SignalRows], tracer_class: str, wanted: str) -> list[SignalRows]:
    """The signals of one metric, method and reader: the reader's metric when this tracer has it,
    else the usual one of its class, in the read with the most values."""
    usual = TUMOR_METRICS if tracer_class == "tumor_tracer" else CELL_METRICS
    have = {one.signal.code for one in found}
    metric = next((code for code in (wanted, *usual) if code in have), None)
    groups: dict[tuple[str, str, str], list[SignalRows]] = {}
    for one in found:
        signal = one.signal
        key = (signal.method or "", signal.reader or "", signal.unit or "")
        if signal.code == metric:
            groups.setdefault(key, []).append(one)
    return max(groups.values(), key=lambda group: sum(len(g.rows) for g in group), default=[])


def lesion_signal(found: Sequence[SignalRows]) -> SignalRows | None:
    """The signal of the lesions among the signals of one metric."""
    return next((one for one in found if one.signal.region_kind == "lesion"), None)


def _track(
    patient: PatientFrames,
    tracer_id: str,
    found: Sequence[SignalRows],
    choices: Choices,
    day: float | None,
) -> Track | None:
    tracer = tracer_of(tracer_id)
    tracer_class = tracer.tracer_class if tracer else "reporter_gene"
    chosen = choose_metric(found, tracer_class, choices.metric)
    series = _series(patient, chosen, tracer_class, choices.log)
    heights = [point.value for one in series for point in one.points]
    if not heights:
        return None
    axis = log_axis(heights) if choices.log else linear_axis(heights)
    signal = chosen[0].signal
    has_lesions = any(one.key.startswith("lesion") for one in series)
    return Track(
        key=f"uptake-{tracer_id}",
        name=TRACK_NAME[tracer_class],
        note=f"{tracer_short(tracer_id)}, {metric_text(signal.code, signal.unit)}",
        scale="log" if choices.log else "linear",
        height=FIRST_PX if has_lesions and tracer_class != "tumor_tracer" else LATER_PX,
        low=axis.low,
        high=axis.high,
        ticks=axis.ticks,
        minor_ticks=axis.minor_ticks,
        series=series,
        marks=_unread(patient, tracer_id),
        rows=_rows(series, day),
    )


def _series(
    patient: PatientFrames, chosen: Sequence[SignalRows], tracer_class: str, log: bool
) -> tuple[Series, ...]:
    color = SIGNAL_COLOR[tracer_class]
    lesions = lesion_signal(chosen)
    mean = _mean_series(patient, lesions, color, log) if lesions else None
    made = _lesion_series(patient, lesions, color, log, bool(mean)) if lesions else []
    if tracer_class != "tumor_tracer":
        made += _organ_series(patient, chosen, color, log, 3 if lesions else 4)
    if mean:
        made.append(mean)
    return tuple(one for one in made if one.points)


def _lesion_series(
    patient: PatientFrames, lesions: SignalRows, color: str, log: bool, with_mean: bool
) -> list[Series]:
    metric = metric_name(lesions.signal.code)
    by_region: dict[str, list[Row]] = {}
    for row in lesions.regions:
        by_region.setdefault(str(row["region_code"]), []).append(row)
    return [
        Series(
            key=f"lesion-{code}",
            label=code,
            points=points(patient, members, f"{region_name(patient, code)}, {metric}", log),
            color=color,
            weight="thin" if with_mean else "normal",
        )
        for code, members in sorted(by_region.items(), key=lambda item: natural(item[0]))
    ]


def region_name(patient: PatientFrames, code: str) -> str:
    """ "L3, para-aortic mass": the code, and the label when it says more."""
    label = patient.region_labels.get(code)
    return f"{code}, {label}" if label and label != code else code


def natural(code: str) -> tuple[str, int]:
    """Sort key that puts L2 before L10."""
    digits = "".join(char for char in code if char.isdigit())
    return code.rstrip("0123456789"), int(digits or 0)


def _organ_series(
    patient: PatientFrames, chosen: Sequence[SignalRows], color: str, log: bool, most: int
) -> list[Series]:
    regions = {
        (one.signal.region_code or one.signal.region_kind or "").upper(): one
        for one in chosen
        if one.signal.region_kind in ("organ", "blood_pool")
    }
    made: list[Series] = []
    for codes, name, dash in ORGANS:
        found = next((regions[code] for code in codes if code in regions), None)
        if found is not None and len(made) < most:
            what = f"{name}, {metric_name(found.signal.code)}"
            drawn = points(patient, found.rows, what, log)
            made.append(Series(f"organ-{codes[0]}", name, drawn, color, dash, named=name))
    return made


def _mean_series(
    patient: PatientFrames, lesions: SignalRows, color: str, log: bool
) -> Series | None:
    """Geometric mean of three lesions or more, scan by scan.

    Where a lesion lies below its limit the mean is an interval; it is drawn open at its upper end.
    """
    rows_ = [row for row in lesions.rows if (row.get("n_regions") or 0) >= MEAN_FROM]
    if not rows_:
        return None
    made: list[Point] = []
    for row in rows_:
        what = f"Geometric mean of {row['n_regions']} lesions, {metric_name(lesions.signal.code)}"
        made += points(patient, [{**row, "n_regions": 1, "source_file": None, "source_sheet": None,
                                  "source_row": None}], what, log)  # fmt: skip
    return Series(
        "lesion-mean",
        "Lesions, mean",
        tuple(made),
        color,
        weight="bold",
        named="Lesions",
    )


def _unread(patient: PatientFrames, tracer_id: str) -> tuple[Mark, ...]:
    found = patient.scans
    if found.is_empty() or "evaluable" not in found.columns:
        return ()
    bad = found.filter((pl.col("tracer_id") == tracer_id) & ~pl.col("evaluable").fill_null(True))
    return tuple(
        Mark(
            day=float(row["rel_day"]),
            lane=-1,
            symbol="x-thin",
            color="muted",
            hover=f"<b>Day {exact_day(row['rel_day'])}</b>, {patient.label}<br>Not evaluable: "
            f"{row.get('not_evaluable_reason') or 'no reason given'}",
            text=f"day {day_text(row['rel_day'])} not evaluable",
        )
        for row in rows(bad)
    )


def _rows(series: tuple[Series, ...], day: float | None) -> tuple[ReadRow, ...]:
    made = []
    mean = next((one for one in series if one.key == "lesion-mean"), None)
    lesions = [one for one in series if one.key.startswith("lesion-") and one is not mean]
    if mean:
        made.append(read_row(mean, day))
    made += _extremes(lesions, day) if mean else [
        read_row(one, day) for one in lesions[:3]
    ]  # fmt: skip
    organs = [one for one in series if one.key.startswith("organ-")]
    made += [read_row(one, day) for one in organs]
    if mean and organs:
        made += _ratios(mean, organs, day)
    return tuple(made)


def _extremes(lesions: list[Series], day: float | None) -> list[ReadRow]:
    here = [(point, one) for one in lesions if (point := point_at(one, day)) is not None]
    if not here:
        return []
    high = max(here, key=lambda pair: pair[0].value)
    low = min(here, key=lambda pair: pair[0].value)
    return [
        ReadRow(f"Highest, {high[1].label}", high[0].text, high[1].key),
        ReadRow(f"Lowest, {low[1].label}", low[0].text, low[1].key),
    ]


def _ratios(mean: Series, organs: list[Series], day: float | None) -> list[ReadRow]:
    point = point_at(mean, day)
    if point is None or point.censored != "none":
        return []
    made = []
    for key, name in (("organ-LIVER", "liver"), ("organ-BLOOD_POOL", "blood pool")):
        base = next((point_at(one, day) for one in organs if one.key == key), None)
        if base is not None and base.censored == "none":
            made.append(ReadRow(f"Lesion to {name}", significant(point.value / base.value, 2)))
    return made
