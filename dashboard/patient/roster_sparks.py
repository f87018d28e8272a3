"""Sparklines of the roster: one signal per column, on one scale for all patients."""

from collections.abc import Sequence
from typing import NamedTuple

import polars as pl

from analysis.derive.signal import Signal
from dashboard.patient.blood import blood_signals
from dashboard.patient.records import CutRecords
from figures.day_scale import DayScale, scale_for
from figures.number_text import significant
from figures.sparkline import Sparkline, SparkPoint, SparkScale, prepare_sparkline, spark_scale
from figures.tracks.burden import SHOWN, change_at
from figures.tracks.reading import drawn_value, unit_text
from figures.tracks.tracer_text import (
    CELL_METRICS,
    SIGNAL_COLOR,
    metric_name,
    tracer_of,
    tracer_short,
)

WINDOW = (-14.0, 90.0)
"""Days that the sparklines show."""
MOST_PERCENT = 100.0
"""Where lines of tumor burden are cut, so that one progression does not flatten the rest."""
IMAGE_ORDER = ("reporter_gene", "direct_label", "pretargeting", "immune_target", "tumor_tracer")


class Spark(NamedTuple):
    """A line and the one number that stands beside it; `sort` orders the column."""

    line: Sparkline | None
    text: str
    sort: float | None


class Column(NamedTuple):
    """A sparkline column: its name, unit and the meaning of its color; absent without a signal."""

    name: str
    unit: str
    color: str


def blood_signal(records: CutRecords) -> Signal | None:
    """The first blood signal in the order of the patient page, in the unit of the study."""
    return next(iter(blood_signals(records)), None)


def image_signal(records: CutRecords) -> Signal | None:
    """Lesions of the most specific tracer, else the first organ of it."""
    found = [one for one in records.catalog if one.domain == "uptake" and one.code in CELL_METRICS]

    def rank(signal: Signal) -> tuple[int, int, int]:
        tracer = tracer_of(signal.tracer_id)
        kind = tracer.tracer_class if tracer else "tumor_tracer"
        place = IMAGE_ORDER.index(kind) if kind in IMAGE_ORDER else len(IMAGE_ORDER)
        is_lesion = signal.region_kind == "lesion"
        return place, 0 if is_lesion else 1, CELL_METRICS.index(signal.code)

    return min(found, key=rank, default=None)


def signal_points(records: CutRecords, signal: Signal | None) -> dict[str, list[SparkPoint]]:
    made: dict[str, list[SparkPoint]] = {}
    if signal is None:
        return made
    for usubjid, found in records.patient_rows(signal).items():
        made[usubjid] = [
            SparkPoint(float(row["rel_day"]), value, (row.get("censored") or "none") != "none")
            for row in found
            if (value := drawn_value(row)) is not None
        ]
    return made


def uptake_points(records: CutRecords, signal: Signal | None) -> dict[str, list[SparkPoint]]:
    """Lesions; bone marrow of the same tracer and metric for patients without a lesion."""
    found = signal_points(records, signal)
    marrow = next((one for one in records.catalog if signal is not None
                   and (one.tracer_id, one.code, one.region_code)
                   == (signal.tracer_id, signal.code, "MARROW")), None)  # fmt: skip
    return {**signal_points(records, marrow), **found}


def burden_points(records: CutRecords) -> dict[str, list[SparkPoint]]:
    """Change from baseline in percent, of the first burden metric that a patient has."""
    made: dict[str, list[SparkPoint]] = {}
    for metric, _, _ in SHOWN:
        part = records.burden.filter((pl.col("metric") == metric) & (pl.col("rel_day") > 0))
        by_patient: dict[str, list[SparkPoint]] = {}
        for row in part.iter_rows(named=True):
            change, censored = change_at(row)
            if change is not None:
                point = SparkPoint(float(row["rel_day"]), change, censored != "none")
                by_patient.setdefault(row["usubjid"], [SparkPoint(0.0, 0.0, False)]).append(point)
        for usubjid, points in by_patient.items():
            made.setdefault(usubjid, points)
    return made


def sparks(
    points: dict[str, list[SparkPoint]], usubjids: Sequence[str], log: bool
) -> dict[str, Spark]:
    kept = {usubjid: points[usubjid] for usubjid in usubjids if points.get(usubjid)}
    if not kept:
        return {}
    days = _days(kept)
    scale = spark_scale(_inside(kept, days), days, log)
    if not log:
        scale = scale._replace(low=max(scale.low, -100.0), high=min(scale.high, MOST_PERCENT))
    return {usubjid: _spark(found, scale) for usubjid, found in kept.items()}


def _days(points: dict[str, list[SparkPoint]]) -> DayScale:
    return scale_for([point.day for found in points.values() for point in found], *WINDOW)


def _inside(points: dict[str, list[SparkPoint]], days: DayScale) -> list[list[SparkPoint]]:
    return [
        [point for point in found if days.low - 0.5 <= point.day <= days.high + 0.5]
        for found in points.values()
    ]


def _spark(found: Sequence[SparkPoint], scale: SparkScale) -> Spark:
    line = prepare_sparkline(found, scale)
    if scale.log:
        exact = [point for point in found if not point.at_limit and point.day >= 0]
        top = max(exact, key=lambda point: point.value, default=None)
        if top is None:
            return Spark(line, "below limit", None)
        return Spark(line, significant(top.value), top.value)
    last = max(found, key=lambda point: point.day)
    sign = "≤ " if last.at_limit else ("+" if last.value > 0.5 else "")
    return Spark(line, f"{sign}{significant(round(last.value))}", last.value)


def spark_column(signal: Signal | None, name: str, color: str) -> Column | None:
    if signal is None:
        return None
    if signal.domain == "kinetics":
        assay = signal.assay or ""
        return Column(name, f"{assay}, {unit_text(signal.unit)}".strip(", "), color)
    tracer = tracer_of(signal.tracer_id)
    where = "lesions, else marrow" if signal.region_kind == "lesion" else "organ"
    kind = tracer.tracer_class if tracer else "tumor_tracer"
    title = f"{tracer_short(signal.tracer_id)} uptake"
    return Column(title, f"{metric_name(signal.code)}, {where}", SIGNAL_COLOR[kind])
