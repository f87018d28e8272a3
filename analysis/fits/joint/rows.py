"""The rows of a joint model: one per visit and one per patient, checked against each other."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from analysis.engine.structure import Array, Index
from analysis.errors import UserError
from analysis.fits import design as designs
from analysis.fits.guards import Problem, rows_problem
from analysis.fits.joint.event_account import events_left, follow_up_needs, too_few_events
from analysis.fits.joint.limits import Limits, limits_of, with_stand_in
from analysis.results import Excluded

if TYPE_CHECKING:
    import polars as pl

NAMED = 3
"""Patients named in a refusal."""


class Columns(NamedTuple):
    """Names of the columns that a joint model reads, beside those of its formulas."""

    group: str
    long_time: str
    event_time: tuple[str, ...]
    event: str
    entry: str | None = None
    cause: str | None = None
    lower: str | None = None
    upper: str | None = None


@dataclass(frozen=True, eq=False)
class JointRows:
    """Patients in alphabetical order, each with visits and one event row.

    first, last: bounds of the event time, equal where it is known; last is infinite where an
    event was not seen. event: 0 or 1; cause: number of the cause of an event, 0 where none.
    """

    visits: designs.Rows
    events: "pl.DataFrame"
    labels: tuple[str, ...]
    first: Array
    last: Array
    event: Array
    cause: Index
    causes: tuple[str, ...]
    entry: Array
    limits: Limits | None
    excluded: tuple[Excluded, ...]

    @property
    def interval(self) -> bool:
        """Whether some event is known only to lie between two times."""
        return bool(((self.event > 0) & (self.last > self.first)).any())

    @property
    def follow_up(self) -> Array:
        """Last time each patient's hazard is evaluated at."""
        return np.where(self.event > 0, self.last, self.first)


def joint_rows(
    longitudinal: "pl.DataFrame",
    events: "pl.DataFrame",
    formula: str,
    random: str,
    event_formula: str,
    columns: Columns,
) -> JointRows | Problem:
    """Rows that can be fitted, or why there are none. Raises UserError for unknown columns."""
    check_columns(longitudinal, "longitudinal", (columns.group, columns.long_time))
    check_columns(longitudinal, "longitudinal", (columns.lower, columns.upper))
    needed = (columns.group, *columns.event_time, columns.event, columns.entry, columns.cause)
    check_columns(events, "events", needed)
    check_numbers(longitudinal, "longitudinal", (columns.long_time, columns.lower, columns.upper))
    check_numbers(events, "events", (*columns.event_time, columns.event, columns.entry))
    limits = None
    if columns.lower is not None or columns.upper is not None:
        longitudinal = with_stand_in(longitudinal, formula, columns.lower, columns.upper)
    visits = designs.complete_rows(longitudinal, formula, random, columns.group, ())
    visits = timed_visits(visits, columns.long_time)
    needs = follow_up_needs(events, event_formula, columns)
    kept, lost_rows = events_left(events, [(f"no value of {name}", has) for name, has in needs])
    excluded = tuple(Excluded(*item) for item in lost_rows)
    twice = kept[columns.group].filter(kept[columns.group].is_duplicated())
    if twice.len():
        return Problem(
            "duplicate_subject",
            f"{named(twice)} {'has' if twice.n_unique() == 1 else 'have'} more than one row of "
            "follow-up.",
            "Give one row per patient: the first event, or the end of follow-up.",
        )
    visits, kept, lost = matched(visits, kept, columns.group)
    excluded += lost
    if not kept.height:
        return Problem(
            "no_observations",
            "No patient has both a measurement and a follow-up time.",
            "Check that both tables name the patients alike, and the missing values.",
        )
    problem = rows_problem(visits, columns.group)
    if problem:
        return problem
    if columns.lower is not None or columns.upper is not None:
        limits = limits_of(visits.frame, formula, columns.lower, columns.upper)
    found = _followed(visits, kept, columns, limits, (*visits.excluded, *excluded))
    return _checked(found, columns) or too_few_events(found, events, columns, needs) or found


def _followed(
    visits: designs.Rows,
    events: "pl.DataFrame",
    columns: Columns,
    limits: Limits | None,
    excluded: tuple[Excluded, ...],
) -> JointRows:
    labels, order = designs.numbered(events[columns.group])
    events = events[np.argsort(order)]
    event = events[columns.event].cast(float).to_numpy()
    if not np.isin(event, (0.0, 1.0)).all():
        raise UserError(
            f"event column '{columns.event}' must hold 1 (event) or 0 (not seen); it holds "
            f"{sorted({float(v) for v in event})[:4]}"
        )
    first = events[columns.event_time[0]].cast(float).to_numpy()
    last = np.where(event > 0, first, np.inf)
    if len(columns.event_time) > 1:
        upper = events[columns.event_time[1]].cast(float).fill_null(np.inf).to_numpy()
        last = np.where(event > 0, upper, np.inf)
    causes: tuple[str, ...] = ("",)
    cause = np.zeros(len(event), dtype=np.intp)
    if columns.cause is not None:
        texts = events[columns.cause].cast(str)
        causes = tuple(sorted({str(c) for c, e in zip(texts, event, strict=True) if e > 0}))
        number = {name: k for k, name in enumerate(causes)}
        cause = np.array([number.get(str(name), 0) for name in texts], dtype=np.intp)
    entry = np.zeros(len(event))
    if columns.entry is not None:
        entry = events[columns.entry].cast(float).to_numpy()
    return JointRows(
        visits, events, labels, first, last, event, cause, causes, entry, limits, excluded
    )


def _checked(rows: JointRows, columns: Columns) -> Problem | None:
    labels = np.array(rows.labels)
    end = rows.follow_up
    finite = np.isfinite(rows.first) & (np.isfinite(rows.last) | (rows.event == 0))
    checks = (
        (~finite, "infinite_values", "a follow-up time that is not a finite number",
         "Correct these times or leave the patients out."),
        (rows.last < rows.first, "time_reversed", "an upper time before the lower one",
         "Give the last time known without the event, then the first time known with it."),
        (end <= 0, "event_at_start", "an event or end of follow-up at or before time 0",
         "Count time from the same start in both tables, before every event."),
        ((rows.entry < 0) | (rows.entry > rows.first) | (rows.entry >= end), "entry_after_event",
         "an entry that is not between 0 and the end of follow-up",
         "Entry is the time from which an event of the patient could have been seen."),
    )  # fmt: skip
    for bad, reason, what, advice in checks:
        if bad.any():
            return Problem(reason, f"{named(labels[bad])} with {what}.", advice)
    patient = designs.numbered(rows.visits.frame[columns.group])[1]
    time = rows.visits.frame[columns.long_time].cast(float).to_numpy()
    late = time > end[patient]
    if late.any():
        return Problem(
            "measurement_after_event",
            f"{int(late.sum())} measurements lie after the event or end of follow-up, of "
            f"{named(labels[np.unique(patient[late])])}.",
            "Correct the times; a signal measured after the event cannot explain it.",
        )
    if (time < 0).any():
        return Problem(
            "measurement_before_start",
            f"{int((time < 0).sum())} measurements lie before time 0, when nobody was at risk.",
            "Leave them out, or use the value before the start as a covariate.",
        )
    if rows.interval and len(rows.causes) > 1:
        return Problem(
            "interval_with_causes",
            "Event times known between two visits and several causes at once are not fitted.",
            "Fit one cause at a time, or give the time of every event.",
        )
    return None


def check_columns(frame: "pl.DataFrame", table: str, names: Sequence[str | None]) -> None:
    """Raises UserError for a name that is no column of the table."""
    for name in names:
        if name is not None and name not in frame.columns:
            raise UserError(
                f"{table}: there is no column '{name}'; the columns are {', '.join(frame.columns)}"
            )


def check_numbers(frame: "pl.DataFrame", table: str, names: Sequence[str | None]) -> None:
    """Raises UserError for a column of text or dates."""
    import polars as pl

    for name in names:
        if name is None or frame.schema[name].is_numeric() or frame.schema[name] == pl.Boolean:
            continue
        if frame[name].null_count() < frame.height:
            raise UserError(
                f"{table}: column '{name}' holds {frame.schema[name]} and must hold numbers: times "
                "as days from the same start, events as 1 and 0"
            )


def timed_visits(visits: designs.Rows, long_time: str) -> designs.Rows:
    """Visits with a time, the others counted."""
    time = visits.frame[long_time].cast(float)
    kept = visits.frame.filter(time.is_not_null() & time.is_not_nan())
    lost = visits.frame.height - kept.height
    more = (Excluded(f"no value of {long_time}", lost),) if lost else ()
    return replace(visits, frame=kept, excluded=(*visits.excluded, *more))


def matched(
    visits: designs.Rows, events: "pl.DataFrame", group: str
) -> tuple[designs.Rows, "pl.DataFrame", tuple[Excluded, ...]]:
    """Patients of both tables; the others are counted."""
    import polars as pl

    visits = replace(visits, frame=visits.frame.with_columns(pl.col(group).cast(pl.String)))
    events = events.with_columns(pl.col(group).cast(pl.String))
    followed = visits.frame.filter(pl.col(group).is_in(events[group].implode()))
    measured = events.filter(pl.col(group).is_in(followed[group].implode()))
    lost = []
    if followed.height < visits.frame.height:
        n = visits.frame[group].n_unique() - followed[group].n_unique()
        lost.append(Excluded(f"visits of {n} patients without follow-up time",
                             visits.frame.height - followed.height))  # fmt: skip
    if measured.height < events.height:
        lost.append(Excluded("patients without a measurement", events.height - measured.height))
    return replace(visits, frame=followed), measured, tuple(lost)


def named(labels: "Sequence[str] | Array | pl.Series") -> str:
    """'patient P1', '2 patients (P1, P2)', '9 patients (P1, P2, P3, ...)'."""
    unique = sorted({str(label) for label in labels})
    if len(unique) == 1:
        return f"patient {unique[0]}"
    dots = ", ..." if len(unique) > NAMED else ""
    return f"{len(unique)} patients ({', '.join(unique[:NAMED])}{dots})"
