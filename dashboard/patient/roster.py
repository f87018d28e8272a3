"""The roster: every selected patient in a row, on scales that all rows share."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import polars as pl

from analysis.derive.signal import Signal
from analysis.derive.toxicity import maximum_grade
from dashboard.patient.page_data import natural_key, short_code
from dashboard.patient.records import CutRecords
from figures.day_scale import DayScale, scale_for
from figures.number_text import significant, whole_day
from figures.sparkline import (
    Sparkline,
    SparkPoint,
    SparkScale,
    prepare_sparkline,
    spark_scale,
)
from figures.tracks.burden import SHOWN, change_at
from figures.tracks.kinetics import kinetics_rank
from figures.tracks.patient_frames import Row
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
RESPONSE_RANK = {"CR": 0, "PR": 1, "SD": 2, "PD": 3, "NE": 4}
IMAGE_ORDER = ("reporter_gene", "direct_label", "pretargeting", "immune_target", "tumor_tracer")


class Spark(NamedTuple):
    """A line and the one number that stands beside it; `sort` orders the column."""

    line: Sparkline | None
    text: str
    sort: float | None


class RosterRow(NamedTuple):
    """One patient."""

    usubjid: str
    code: str
    who: str
    group: str
    response: str | None
    response_day: float | None
    crs: int | None
    has_crs: bool
    icans: int | None
    has_icans: bool
    blood: Spark
    uptake: Spark
    burden: Spark
    flags: int
    follow_up_day: float | None


class Column(NamedTuple):
    """A sparkline column: its name, unit and the meaning of its color; absent without a signal."""

    name: str
    unit: str
    color: str


class Roster(NamedTuple):
    """Rows in their order, and which sparkline columns the study has."""

    rows: tuple[RosterRow, ...]
    blood: Column | None
    uptake: Column | None
    burden: Column | None
    toxicity: frozenset[str]
    has_flags: bool


SORTS: dict[str, tuple[str, Callable[[RosterRow], Any]]] = {
    "patient": ("Patient", lambda row: natural_key(row.code)),
    "response": ("Best response", lambda row: (
        RESPONSE_RANK.get(row.response or "", 9), -(row.blood.sort or 0.0))),
    "blood": ("Blood peak", lambda row: (row.blood.sort is None, -(row.blood.sort or 0.0))),
    "uptake": ("Uptake", lambda row: (row.uptake.sort is None, -(row.uptake.sort or 0.0))),
    "burden": ("Tumor burden", lambda row: (row.burden.sort is None, row.burden.sort or 0.0)),
    "crs": ("Maximum CRS", lambda row: (not row.has_crs, -(row.crs or 0))),
    "icans": ("Maximum ICANS", lambda row: (not row.has_icans, -(row.icans or 0))),
    "flags": ("Flags", lambda row: -row.flags),
    "follow_up": ("Follow-up", lambda row: -(row.follow_up_day or 0.0)),
}  # fmt: skip
"""Orders of the roster: what the reader calls them and their key."""


def roster(
    records: CutRecords,
    subjects: Sequence[Row],
    flags: pl.DataFrame,
    criterion: str = "",
    reader: str = "",
    order: str = "patient",
) -> Roster:
    """All of `subjects` in the wanted order, ties by patient."""
    usubjids = [row["usubjid"] for row in subjects]
    blood = _first_signal(records, "kinetics")
    uptake = _image_signal(records)
    columns = {
        "blood": _sparks(_points(records, blood), usubjids, log=True),
        "uptake": _sparks(_uptake_points(records, uptake), usubjids, log=True),
        "burden": _sparks(_burden_points(records), usubjids, log=False),
    }
    best = records.best(criterion, reader)
    grades = _grades(records)
    counts = _counts(flags)
    last = _last_days(records)
    none = Spark(None, "", None)
    made = [
        RosterRow(
            usubjid=row["usubjid"],
            code=short_code(row),
            who=_who(row),
            group=str(row.get("cohort") or row.get("arm") or row.get("disease") or ""),
            response=best.get(row["usubjid"], {}).get("best_category"),
            response_day=best.get(row["usubjid"], {}).get("best_response_day"),
            crs=grades.get((row["usubjid"], "CRS")),
            has_crs=(row["usubjid"], "CRS") in grades,
            icans=grades.get((row["usubjid"], "ICANS")),
            has_icans=(row["usubjid"], "ICANS") in grades,
            blood=columns["blood"].get(row["usubjid"], none),
            uptake=columns["uptake"].get(row["usubjid"], none),
            burden=columns["burden"].get(row["usubjid"], none),
            flags=counts.get(row["usubjid"], 0),
            follow_up_day=last.get(row["usubjid"]),
        )
        for row in subjects
    ]
    made.sort(key=lambda row: (natural_key(row.code), natural_key(row.usubjid)))
    made.sort(key=SORTS.get(order, SORTS["patient"])[1])
    return Roster(
        rows=tuple(made),
        blood=_column(blood, "Blood", "blood") if columns["blood"] else None,
        uptake=_column(uptake, "Uptake", "") if columns["uptake"] else None,
        burden=Column("Tumor burden", "% change", "tumor_tracer") if columns["burden"] else None,
        toxicity=frozenset(category for _, category in grades),
        has_flags=bool(counts),
    )


def _first_signal(records: CutRecords, domain: str) -> Signal | None:
    found = [one for one in records.catalog if one.domain == domain and one.matrix == "BLOOD"]
    return min(found, key=lambda one: kinetics_rank(one.code, one.unit), default=None)


def _image_signal(records: CutRecords) -> Signal | None:
    """Lesions of the most specific tracer, else the first organ of it."""
    found = [one for one in records.catalog if one.domain == "uptake" and one.code in CELL_METRICS]

    def rank(signal: Signal) -> tuple[int, int, int]:
        tracer = tracer_of(signal.tracer_id)
        kind = tracer.tracer_class if tracer else "tumor_tracer"
        place = IMAGE_ORDER.index(kind) if kind in IMAGE_ORDER else len(IMAGE_ORDER)
        is_lesion = signal.region_kind == "lesion"
        return place, 0 if is_lesion else 1, CELL_METRICS.index(signal.code)

    return min(found, key=rank, default=None)


def _points(records: CutRecords, signal: Signal | None) -> dict[str, list[SparkPoint]]:
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


def _uptake_points(records: CutRecords, signal: Signal | None) -> dict[str, list[SparkPoint]]:
    """Lesions; bone marrow of the same tracer and metric for patients without a lesion."""
    found = _points(records, signal)
    marrow = next((one for one in records.catalog if signal is not None
                   and (one.tracer_id, one.code, one.region_code)
                   == (signal.tracer_id, signal.code, "MARROW")), None)  # fmt: skip
    return {**_points(records, marrow), **found}


def _burden_points(records: CutRecords) -> dict[str, list[SparkPoint]]:
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


def _sparks(
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


def _column(signal: Signal | None, name: str, color: str) -> Column | None:
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


def _grades(records: CutRecords) -> dict[tuple[str, str], int | None]:
    def make() -> dict[tuple[str, str], int | None]:
        found: dict[tuple[str, str], int | None] = {}
        for row in maximum_grade(records.frame("adverse_events")).iter_rows(named=True):
            key = (row["usubjid"], row["category"])
            grades = [g for g in (found.get(key), row["max_grade"]) if g is not None]
            found[key] = max(grades, default=None)
        return found

    return records.kept("grades", make)


def _counts(flags: pl.DataFrame) -> dict[str, int]:
    if flags.is_empty():
        return {}
    serious = flags.filter(pl.col("severity") != "info")
    return dict(serious.group_by("usubjid").len().iter_rows())


def _last_days(records: CutRecords) -> dict[str, float]:
    """Last day with any record, or the end of overall-survival follow-up."""

    def make() -> dict[str, float]:
        parts = []
        for name in ("kinetics", "labs", "scans", "responses", "lesions"):
            frame = records.frame(name)
            if {"usubjid", "rel_day"} <= set(frame.columns):
                parts.append(frame.select("usubjid", day=pl.col("rel_day").cast(pl.Float64)))
        survival = records.frame("survival")
        if {"usubjid", "time_day"} <= set(survival.columns):
            parts.append(survival.select("usubjid", day=pl.col("time_day").cast(pl.Float64)))
        if not parts:
            return {}
        every = pl.concat(parts).filter(pl.col("day").is_not_null())
        return dict(every.group_by("usubjid").agg(pl.col("day").max()).iter_rows())

    return records.kept("last days", make)


def _who(row: Row) -> str:
    age = row.get("age_year")
    sex = {"F": "F", "M": "M"}.get(str(row.get("sex")), "")
    return ", ".join(part for part in (f"{whole_day(age)}" if age is not None else "", sex) if part)


def roster_sentence(found: Roster, total: int) -> str:
    """How many patients, how many with which data: the finding of the page."""
    n = len(found.rows)
    if not n:
        return "No patient is left after the filters."
    shown = f"{n} of {total} patients" if n != total else f"{n} patients"
    parts = [f"{shown}"]
    imaged = sum(row.uptake.line is not None for row in found.rows)
    if imaged:
        parts.append(f"{imaged} with cell or tumor images")
    assessed = [row for row in found.rows if row.response in ("CR", "PR", "SD", "PD")]
    responders = sum(row.response in ("CR", "PR") for row in assessed)
    complete = sum(row.response == "CR" for row in assessed)
    if assessed:
        parts.append(
            f"{responders} of {n} responded, {complete} completely"
            if len(assessed) == n
            else f"{responders} of {len(assessed)} assessed responded, {complete} completely"
        )
    return "; ".join(parts) + "."
