"""What was given and when: a bar for a course, a triangle for a single dose, a lane for each."""

from collections.abc import Sequence
from typing import NamedTuple

from figures.number_text import day_range, plain, whole_day
from figures.tracks.patient_frames import Choices, PatientFrames, Row, hover_text, rows
from figures.tracks.track import Mark, ReadRow, Span, Track

LANE_PX = 20
MOST = 7
CLASS_TEXT: dict[str, str] = {
    "lymphodepletion": "Lymphodepletion",
    "bridging": "Bridging",
    "tocilizumab": "Tocilizumab",
    "corticosteroid": "Corticosteroid",
    "anakinra": "Anakinra",
    "transplant": "Transplant",
    "anticancer": "New anticancer therapy",
}


class Course(NamedTuple):
    """All records of one drug: single doses and stretches."""

    text: str
    members: tuple[Row, ...]


def intervention_tracks(
    patient: PatientFrames, choices: Choices, day: float | None
) -> tuple[Track, ...]:
    """At most one track; classes that bear on the cells come first when lanes are short."""
    courses = _courses(rows(patient.interventions))
    undated = _undated(patient)
    if not courses and not undated:
        return ()
    shown = courses[:MOST]
    marks: list[Mark] = []
    spans: list[Span] = []
    for lane, course in enumerate(shown):
        lane_marks, lane_spans = _drawn(patient, course, lane)
        marks += lane_marks
        spans += lane_spans
    more = len(courses) - len(shown)
    return (
        Track(
            key="interventions",
            name="Interventions",
            note=f"{more} more not drawn" if more > 0 else "",
            scale="lanes",
            height=LANE_PX * max(len(shown), 1) + 12,
            lanes=tuple("" for _ in shown) or ("",),
            marks=tuple(marks),
            spans=tuple(spans),
            rows=(*(_rows(courses, day) if courses else ()), *undated),
        ),
    )


def _undated(patient: PatientFrames) -> tuple[ReadRow, ...]:
    """Drugs that were given on a day that nobody recorded: said, since they cannot be drawn."""
    found = patient.interventions
    if found.is_empty() or "rel_day" not in found.columns:
        return ()
    nowhere = [row for row in found.to_dicts()
               if row["rel_day"] is None and row.get("nominal_day") is None]  # fmt: skip
    return tuple(ReadRow(name, "undated") for name in dict.fromkeys(map(_term, nowhere)))


def _courses(found: Sequence[Row]) -> list[Course]:
    grouped: dict[tuple[str, str], list[Row]] = {}
    for row in found:
        kind = str(row.get("intervention_class") or "other")
        term = str(row.get("term") or CLASS_TEXT.get(kind, kind))
        grouped.setdefault((kind, term.strip().lower()), []).append(row)
    ordered = sorted(
        grouped.values(), key=lambda members: (members[0]["rel_day"], _term(members[0]))
    )
    return [Course(_text(members), tuple(members)) for members in ordered]


def _term(row: Row) -> str:
    kind = str(row.get("intervention_class") or "other")
    term = str(row.get("term") or CLASS_TEXT.get(kind, kind)).strip()
    return term[:1].upper() + term[1:].lower() if term.isupper() else term[:1].upper() + term[1:]


def _text(members: Sequence[Row]) -> str:
    """ "Tocilizumab 8 mg/kg, 2 doses": the drug, its dose when there is one dose, how often."""
    doses = {(float(row["dose"]), row.get("dose_unit")) for row in members if row.get("dose")}
    parts = [_term(members[0])]
    if len(doses) == 1:
        dose, unit = next(iter(doses))
        parts[0] += f" {plain(dose)} {(unit or '').replace('m2', 'm²')}".rstrip()
    singles = [row for row in members if _is_single(row)]
    if len(singles) > 1:
        parts.append(f"{len(singles)} doses")
    return ", ".join(parts)


def _is_single(row: Row) -> bool:
    end = row.get("end_rel_day")
    if row.get("ongoing"):
        return False
    return end is None or whole_day(end) <= whole_day(row["rel_day"])


def _drawn(patient: PatientFrames, course: Course, lane: int) -> tuple[list[Mark], list[Span]]:
    marks: list[Mark] = []
    spans: list[Span] = []
    for row in course.members:
        start, end = float(row["rel_day"]), row.get("end_rel_day")
        if _is_single(row):
            words = f"{course.text}, {day_range(start, start)}"
            marks.append(Mark(start, lane, "triangle-down", "secondary",
                              hover_text(patient, row, words)))  # fmt: skip
            continue
        ongoing = bool(row.get("ongoing")) or end is None
        words = f"{course.text}, {day_range(start, None if ongoing else end)}"
        if ongoing:
            words += ", ongoing"
        last = start if end is None else float(end)
        spans.append(Span(start, last, lane, "secondary", hover_text(patient, row, words),
                          open_end=ongoing))  # fmt: skip
    last_day = max([mark.day for mark in marks] + [span.end for span in spans])
    first_day = min([mark.day for mark in marks] + [span.start for span in spans])
    if spans:
        spans[-1] = spans[-1]._replace(beside=course.text, first_day=first_day, last_day=last_day)
    else:
        marks[-1] = marks[-1]._replace(text=course.text, first_day=first_day)
    return marks, spans


def _rows(courses: Sequence[Course], day: float | None) -> tuple[ReadRow, ...]:
    given = [row for course in courses for row in course.members if _given_on(row, day)]
    names = list(dict.fromkeys(map(_term, given)))
    if not names:
        return (ReadRow("None on this day", ""),)
    return tuple(ReadRow(name, "") for name in names[:4])


def _given_on(row: Row, day: float | None) -> bool:
    """Whether a drug was being given on the whole day."""
    if day is None or whole_day(row["rel_day"]) > whole_day(day):
        return False
    end = row.get("end_rel_day")
    last = row["rel_day"] if end is None else end
    return bool(row.get("ongoing")) or whole_day(last) >= whole_day(day)
