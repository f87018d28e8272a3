"""Complete, checked rows of a time to an event."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.engine.structure import Array
from analysis.errors import UserError
from analysis.fits.column_values import as_booleans, without_missing
from analysis.fits.guards import Problem
from analysis.number_words import count
from analysis.results import Excluded

if TYPE_CHECKING:
    import polars as pl


class EventRows(NamedTuple):
    """frame: complete rows. entry: -inf where none is given; time and event of each row."""

    frame: "pl.DataFrame"
    entry: Array
    time: Array
    event: NDArray[np.bool_]
    excluded: tuple[Excluded, ...]

    @property
    def n_events(self) -> int:
        return int(self.event.sum())


def event_rows(
    frame: "pl.DataFrame",
    time: str,
    event: str,
    entry: str | None = None,
    needed: Sequence[str] = (),
) -> EventRows | Problem:
    """Rows with every needed value, the others counted by column.

    event: 1 or true where the event was seen, 0 or false where follow-up ended without it.
    Returns a Problem for times that cannot be; raises UserError for a missing column or an event
    column that is not coded so.
    """
    import polars as pl

    columns = [name for name in dict.fromkeys((time, event, entry, *needed)) if name]
    for name in columns:
        if name not in frame.columns:
            raise UserError(
                f"survival: there is no column '{name}'; the columns are {', '.join(frame.columns)}"
            )
    kept, excluded = without_missing(frame, columns)
    expected = "1 for an event and 0 for none; make such a column first"
    seen = as_booleans("survival", kept[event], expected)
    for name in filter(None, (time, entry)):
        if not kept.schema[name].is_numeric():
            raise UserError(f"survival: column '{name}' must be a number of days, not text or date")
    ends = kept[time].cast(pl.Float64).to_numpy()
    starts = (
        np.full(kept.height, -np.inf) if entry is None else kept[entry].cast(pl.Float64).to_numpy()
    )
    problem = _times(ends, starts, entry is not None, time, entry or "")
    if problem is not None:
        return problem
    return EventRows(kept, starts, ends, seen, excluded)


def _times(ends: Array, starts: Array, entered: bool, time: str, entry: str) -> Problem | None:
    if not len(ends):
        return Problem(
            "no_observations",
            "There is no complete observation to analyze.",
            "Check the filters and the missing values.",
        )
    if not np.isfinite(ends).all():
        return Problem(
            "infinite_values",
            f"{int((~np.isfinite(ends)).sum())} values of {time} are not finite.",
            "Correct these values or leave them out.",
        )
    if not entered and (ends < 0).any():
        return Problem(
            "negative_time",
            f"{int((ends < 0).sum())} values of {time} lie before the start of the clock.",
            "Check the start: time is counted from infusion, or from the landmark.",
        )
    if entered and (starts >= ends).any():
        return Problem(
            "entry_after_exit",
            f"In {int((starts >= ends).sum())} rows {entry} is not before {time}.",
            "A row is under observation from its entry up to its time; correct or drop these rows.",
        )
    return None


def subject_problem(rows: EventRows, subject: str | None) -> Problem | None:
    """Rows of one patient that would count the patient twice: without a start of each, with times
    at risk that overlap, or with more than one event or an event before the last row."""
    if subject is None:
        return None
    names = rows.frame[subject].cast(str).to_numpy()
    order = np.lexsort((rows.time, names))
    names, starts, ends, events = (
        column[order] for column in (names, rows.entry, rows.time, rows.event)
    )
    same = names[1:] == names[:-1]
    for reason, wrong, sentence, advice in (
        (
            "repeated_patients",
            same & ~np.isfinite(starts[1:]),
            "have several rows without a start of each",
            "Give one row per patient, or entry= for rows that follow each other.",
        ),
        (
            "overlapping_rows",
            same & (starts[1:] < ends[:-1]),
            "have rows whose times at risk overlap",
            "A row begins where the patient's row before it ends; correct entry and time.",
        ),
        (
            "repeated_events",
            same & events[:-1],
            "go on after an event",
            "Follow a patient to the first event only.",
        ),
    ):
        if wrong.any():
            patients = sorted(set(names[1:][wrong]))
            return Problem(
                reason, f"{len(patients)} of the patients, as {patients[0]}, {sentence}.", advice
            )
    return None


def one_time_problem(rows: EventRows) -> Problem | None:
    """All rows end at one time: nobody outlives an event of another."""
    if np.unique(rows.time).size > 1:
        return None
    return Problem(
        "one_time",
        f"All {len(rows.time)} rows end at the same time ({rows.time[0]:g}), so nobody outlives "
        "the event of another and there is no order to explain.",
        "Compare how many had the event (fit_logistic), or check how the time was made.",
    )


def events_problem(rows: EventRows, least: int = 1) -> Problem | None:
    """Too few patients or events to say anything."""
    if len(rows.time) < 2:
        return Problem(
            "too_few_subjects",
            "One patient is no sample.",
            "Show the single course instead.",
        )
    if rows.n_events < least:
        found = (
            "No event was"
            if not rows.n_events
            else f"Only {count(rows.n_events, 'event')} {'was' if rows.n_events == 1 else 'were'}"
        )
        return Problem(
            "no_events" if not rows.n_events else "too_few_events",
            f"{found} seen in {count(len(rows.time), 'row')}.",
            "Wait for longer follow-up, or show the times themselves.",
        )
    return None
