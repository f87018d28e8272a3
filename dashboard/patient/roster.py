"""The roster: every selected patient in a row, on scales that all rows share."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import polars as pl

from analysis.derive.signal import Signal
from analysis.derive.toxicity import maximum_grade
from dashboard.contact import Frames, last_contacts, last_measurements
from dashboard.patient.blood import odd_samples
from dashboard.patient.page_data import natural_key, short_code
from dashboard.patient.records import CutRecords
from dashboard.patient.roster_sparks import (
    Column,
    Spark,
    blood_signal,
    burden_points,
    image_signal,
    signal_points,
    spark_column,
    sparks,
    uptake_points,
)
from figures.number_text import whole_day
from figures.tracks.patient_frames import Row

RESPONSE_RANK = {"CR": 0, "PR": 1, "SD": 2, "PD": 3, "NE": 4}


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
    last_measured_day: float | None
    odd: str = ""
    """Samples of the blood signal in another unit than the column's."""


class Roster(NamedTuple):
    """Rows in their order, and which sparkline columns the study has."""

    rows: tuple[RosterRow, ...]
    blood: Column | None
    uptake: Column | None
    burden: Column | None
    toxicity: frozenset[str]
    has_flags: bool
    odd: str = ""
    """Samples of the blood signal in another unit than the column's; they are not in it."""


class Facts(NamedTuple):
    """What the study holds of its patients, by patient; grades by patient and category."""

    best: Mapping[str, Row]
    grades: Mapping[tuple[str, str], int | None]
    flags: Mapping[str, int]
    contact: Mapping[str, float]
    measured: Mapping[str, float]


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
    "follow_up": ("Last contact", lambda row: -(row.follow_up_day or 0.0)),
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
    blood = blood_signal(records)
    uptake = image_signal(records)
    columns = {
        "blood": sparks(signal_points(records, blood), usubjids, log=True),
        "uptake": sparks(uptake_points(records, uptake), usubjids, log=True),
        "burden": sparks(burden_points(records), usubjids, log=False),
    }
    facts = Facts(
        best=records.best(criterion, reader),
        grades=_grades(records),
        flags=_counts(flags),
        contact=_last_days(records, last_contacts),
        measured=_last_days(records, last_measurements),
    )
    made = [_row(row, records, blood, columns, facts) for row in subjects]
    made.sort(key=lambda row: (natural_key(row.code), natural_key(row.usubjid)))
    made.sort(key=SORTS.get(order, SORTS["patient"])[1])
    return Roster(
        rows=tuple(made),
        blood=spark_column(blood, "Blood", "blood") if columns["blood"] else None,
        uptake=spark_column(uptake, "Uptake", "") if columns["uptake"] else None,
        burden=Column("Tumor burden", "% change", "tumor_tracer") if columns["burden"] else None,
        toxicity=frozenset(category for _, category in facts.grades),
        has_flags=bool(facts.flags),
        odd=odd_samples(records, blood) if blood is not None else "",
    )


def _row(
    subject: Row,
    records: CutRecords,
    blood: Signal | None,
    columns: Mapping[str, Mapping[str, Spark]],
    facts: Facts,
) -> RosterRow:
    name = subject["usubjid"]
    best, none = facts.best.get(name, {}), Spark(None, "", None)
    return RosterRow(
        usubjid=name,
        code=short_code(subject),
        who=_who(subject),
        group=str(subject.get("cohort") or subject.get("arm") or subject.get("disease") or ""),
        response=best.get("best_category"),
        response_day=best.get("best_response_day"),
        crs=facts.grades.get((name, "CRS")),
        has_crs=(name, "CRS") in facts.grades,
        icans=facts.grades.get((name, "ICANS")),
        has_icans=(name, "ICANS") in facts.grades,
        blood=columns["blood"].get(name, none),
        odd=odd_samples(records, blood, name) if blood is not None else "",
        uptake=columns["uptake"].get(name, none),
        burden=columns["burden"].get(name, none),
        flags=facts.flags.get(name, 0),
        follow_up_day=facts.contact.get(name),
        last_measured_day=facts.measured.get(name),
    )


def _grades(records: CutRecords) -> dict[tuple[str, str], int | None]:
    def make() -> dict[tuple[str, str], int | None]:
        found: dict[tuple[str, str], int | None] = {}
        for row in maximum_grade(records.toxicity).iter_rows(named=True):
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


def _last_days(records: CutRecords, last: Callable[[Frames], pl.DataFrame]) -> dict[str, float]:
    """The last contact, or the last sample or scan, by patient."""

    def make() -> dict[str, float]:
        return dict(last(records.frame).select("usubjid", "last_day").iter_rows())

    return records.kept(("last days", last.__name__), make)


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
