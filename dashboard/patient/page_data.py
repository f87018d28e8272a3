"""Everything that one patient page is made of, prepared once per request."""

from typing import Any, NamedTuple
from urllib.parse import quote

import polars as pl

from analysis.derive.flags import quantification_flags
from dashboard.patient.facts import PatientFacts, patient_facts
from dashboard.patient.records import CutRecords, patient_frames, records_of
from dashboard.view import View
from figures.patient_tracks import PatientTracks, prepare_patient_tracks
from figures.tracks.patient_frames import Choices, PatientFrames, Row, rows


class PageData(NamedTuple):
    """One patient as the page shows them; `order` are the patients that the filters keep."""

    subject: Row
    records: CutRecords
    patient: PatientFrames
    choices: Choices
    numbers: PatientTracks
    facts: PatientFacts
    order: tuple[str, ...]


def page_data(view: View, usubjid: str) -> PageData | None:
    """None when the study has no such patient in this cut."""
    found = view.trial.subjects.filter(pl.col("usubjid") == usubjid).to_dicts()
    if not found:
        return None
    records = records_of(view.trial)
    patient = patient_frames(records, usubjid, patient_label(found[0]))
    choices = choices_of(view)
    numbers = prepare_patient_tracks(patient, choices, asked_day(view))
    selection = view.selection
    facts = patient_facts(records, patient, numbers, selection.criterion, selection.reader)
    return PageData(found[0], records, patient, choices, numbers, facts, tuple(patient_order(view)))


def choices_of(view: View) -> Choices:
    """The reader's filters that bear on one patient's page."""
    selection = view.selection
    return Choices(
        tracer=view.params.get("map", "") or selection.tracer,
        metric=selection.metric,
        criterion=selection.criterion,
        reader=selection.reader,
        log=selection.scale == "log",
        day_low=selection.day_low,
        day_high=selection.day_high,
    )


def asked_day(view: View) -> float | None:
    """The day of the address; None for no day and for text that is no number."""
    try:
        day = float(view.params["day"])
    except (KeyError, ValueError):
        return None
    return day if abs(day) < 100_000 else None


def patient_order(view: View) -> list[str]:
    """The selected patients in the order of the roster's first column."""
    subjects = view.selected.subjects.to_dicts()
    return [row["usubjid"] for row in sorted(subjects, key=roster_key)]


def roster_key(subject: Row) -> tuple[Any, ...]:
    """By the code that is shown, then by the unique one."""
    return natural_key(short_code(subject)), natural_key(subject["usubjid"])


def natural_key(usubjid: str) -> tuple[tuple[int, int | str], ...]:
    """Sort key that puts patient 9 before patient 10."""
    parts: list[tuple[int, int | str]] = []
    digits = ""
    text = ""
    for char in usubjid + "\0":
        if char.isdecimal():
            if text:
                parts.append((1, text))
                text = ""
            digits += char
        else:
            if digits:
                parts.append((0, int(digits)))
                digits = ""
            text += char
    return tuple(parts)


def patient_label(subject: Row) -> str:
    """ "Patient 014": the code inside the study, else the last part of the unique one."""
    return f"Patient {short_code(subject)}"


def short_code(subject: Row) -> str:
    """ "014": what people call the patient."""
    return str(subject.get("subjid") or str(subject["usubjid"]).rsplit("-", 1)[-1])


def patient_path(usubjid: str) -> str:
    """The address of a patient's page."""
    return f"/patients/{quote(usubjid, safe='')}"


def patient_flags(data: PageData, view: View) -> list[Row]:
    """`derive.flags.quantification_flags` of this patient; the study's are kept with the cut."""
    trial = view.trial

    def make() -> pl.DataFrame:
        return quantification_flags(
            trial.scans,
            trial.quantifications,
            trial.lesions,
            trial.labs,
            trial.interventions,
            tracer_administrations=trial.tracer_administrations,
            infusions=trial.infusions,
            kinetics=trial.kinetics,
        )

    flags = data.records.kept("flags", make)
    return flags.filter(pl.col("usubjid") == data.patient.usubjid).to_dicts()


def measured_lesions(data: PageData) -> list[Row]:
    """Lesion measurements of this patient in order of day."""
    return rows(data.records.patient("lesions", data.patient.usubjid))
