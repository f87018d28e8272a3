"""CRS and ICANS as bands by grade: the highest grade of each day, on the days it held."""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import polars as pl

from analysis.number_words import count
from figures.number_text import day_range, whole_day
from figures.tracks.patient_frames import Choices, PatientFrames, Row, hover_text, rows
from figures.tracks.track import ReadRow, Span, Track

CATEGORIES: tuple[str, ...] = ("CRS", "ICANS", "HLH")


class Run(NamedTuple):
    """Days `start` to `end` (both included) with one highest grade."""

    start: int
    end: int
    grade: int | None
    open_end: bool
    row: Row


def toxicity_tracks(
    patient: PatientFrames, choices: Choices, day: float | None
) -> tuple[Track, ...]:
    """One lane per category that was recorded for this patient; CRS and ICANS stay together."""
    found = graded_events(patient)
    by_category = {category: of_category(found, category) for category in CATEGORIES}
    if not any(by_category.values()) and not patient.recorded_toxicity & {"CRS", "ICANS"}:
        return ()
    always = patient.recorded_toxicity & {"CRS", "ICANS"}
    lanes = [name for name in CATEGORIES if by_category[name] or name in always]
    spans = tuple(
        _span(patient, category, lane, run)
        for lane, category in enumerate(lanes)
        for run in runs(by_category[category])
    )
    drawn = [row for lane in lanes for row in by_category[lane]]
    set_aside = patient.grades_set_aside.to_dicts()
    aside = [row for lane in lanes for row in of_category(set_aside, lane)]
    return (
        Track(
            key="toxicity",
            name="Toxicity",
            note=_note(_scales(drawn), _grades_on(aside)),
            scale="lanes",
            height=23 * len(lanes) + 10,
            lanes=tuple(lanes),
            spans=spans,
            rows=tuple(_row(category, by_category[category], day) for category in lanes),
        ),
    )


def graded_events(patient: PatientFrames) -> list[Row]:
    """Every adverse event: those with a day in order of day, then those without one."""
    frame = patient.adverse_events
    dated = rows(frame)
    if frame.is_empty():
        return dated
    days = [name for name in ("rel_day", "nominal_day") if name in frame.columns]
    undated = frame.filter(pl.all_horizontal([pl.lit(True), *(pl.col(d).is_null() for d in days)]))
    return [*dated, *undated.to_dicts()]


def of_category(events: Sequence[Row], category: str) -> list[Row]:
    """The events of one category."""
    return [row for row in events if row.get("category") == category]


def scales_note(events: Sequence[Row], aside: Sequence[Row]) -> str:
    """The scales of the grades where there are several, and what was set aside: "on ASTCT 2019 and
    Penn", "1 grade on Penn for the same days set aside"; "" for one scale."""
    scales = _scales([row for row in events if row.get("grade") is not None])
    left = _grades_on(aside)
    parts = [
        f"on {' and '.join(scales)}" if len(scales) > 1 else "",
        f"{left} for the same days set aside" if left else "",
    ]
    return "; ".join(part for part in parts if part)


def _note(scales: Sequence[str], aside: str) -> str:
    if not scales:
        return "grade as delivered"
    return f"{' / '.join(scales)} grade" + (f", {aside} set aside" if aside else "")


def _scales(events: Sequence[Row]) -> list[str]:
    return sorted({str(row["scale"]) for row in events if row.get("scale")})


def _grades_on(events: Sequence[Row]) -> str:
    """ "2 grades on Penn, 1 grade on CTCAE 5.0"."""
    counted = sorted(Counter(str(row["scale"]) for row in events).items())
    return ", ".join(f"{count(n, 'grade')} on {scale}" for scale, n in counted)


def runs(found: Sequence[Row]) -> tuple[Run, ...]:
    """Runs of whole days with the same highest grade, in order.

    A record without an end counts on its first day and is marked as open; one without a day has
    no run.
    """
    best: dict[int, tuple[int, bool, Row]] = {}
    for row in found:
        if row.get("rel_day") is None:
            continue
        start = whole_day(row["rel_day"])
        end = row.get("end_rel_day")
        last = whole_day(end) if end is not None else start
        for one in range(start, max(last, start) + 1):
            grade = -1 if row.get("grade") is None else int(row["grade"])
            is_open = end is None and one == last
            if one not in best or grade > best[one][0]:
                best[one] = (grade, is_open, row)
    made: list[Run] = []
    for one in sorted(best):
        grade, is_open, row = best[one]
        before = -1 if not made or made[-1].grade is None else made[-1].grade
        if made and made[-1].end == one - 1 and before == grade:
            made[-1] = made[-1]._replace(end=one, open_end=is_open)
        else:
            made.append(Run(one, one, None if grade < 0 else grade, is_open, row))
    return tuple(made)


NONE_RECORDED = "none recorded"
"""Said where the trial recorded the category and this patient has no event of it."""


def grade_words(grade: int | None) -> str:
    """ "grade 2", "grade 0 recorded" (looked for, none seen), "ungraded"."""
    if grade is None:
        return "ungraded"
    return "grade 0 recorded" if grade == 0 else f"grade {grade}"


def highest_grade(events: Sequence[Row]) -> int | None:
    """The highest grade of the events, those without a day too; None when none has a grade."""
    return max((int(row["grade"]) for row in events if row.get("grade") is not None), default=None)


def _span(patient: PatientFrames, category: str, lane: int, run: Run) -> Span:
    grade = "?" if run.grade is None else str(run.grade)
    days = day_range(run.start, None if run.open_end and run.start == run.end else run.end)
    end = ", end not recorded" if run.open_end else ""
    words = f"{category} grade {grade}, {days}{end}"
    step = min(max(run.grade or 1, 1), 3)
    return Span(
        start=run.start - 0.5,
        end=run.end + 0.5,
        lane=lane,
        color=f"{'icans' if category == 'ICANS' else 'crs'}:{step}",
        hover=hover_text(patient, run.row, words),
        inside=grade,
        open_end=run.open_end,
        band=True,
    )


def _row(category: str, events: Sequence[Row], day: float | None) -> ReadRow:
    if not events:
        return ReadRow(category, NONE_RECORDED)
    highest, found = highest_grade(events), runs(events)
    if highest == 0 or not found:
        return ReadRow(category, grade_words(highest))
    return ReadRow(category, f"{_state(found, day)}, max {'?' if highest is None else highest}")


def _state(found: Sequence[Run], day: float | None) -> str:
    """The grade of the day; "unknown" after an event whose end nobody recorded."""
    if day is None:
        return "none"
    for run in found:
        if run.start <= whole_day(day) <= run.end:
            return f"grade {'?' if run.grade is None else run.grade}"
    lasting = any(run.open_end and run.end < whole_day(day) for run in found)
    return "unknown" if lasting else "none"
