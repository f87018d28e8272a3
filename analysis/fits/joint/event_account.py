"""Which events of a joint model count, and why the others do not."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from analysis.fits import design as designs
from analysis.fits.column_values import present
from analysis.fits.guards import Problem
from analysis.joint_rules import OF_A_PATIENT
from analysis.number_words import count

if TYPE_CHECKING:
    import polars as pl

    from analysis.fits.joint.rows import Columns, JointRows

MINIMUM_EVENTS = 15
Steps = Sequence[tuple[str, "pl.Expr"]]
"""Words and what must hold, in the order in which rows fail them."""


class LeftOut(NamedTuple):
    """Events that do not count. why: "came by day 7", or "of a patient ..." (`OF_A_PATIENT`)."""

    why: str
    n: int


def events_left(events: "pl.DataFrame", steps: Steps) -> tuple["pl.DataFrame", tuple[LeftOut, ...]]:
    """Rows that pass every step (why one that fails does not count, what holds of the others), and
    the others counted by the first step that they fail."""
    lost = []
    for why, holds in steps:
        kept = events.filter(holds.fill_null(False))
        lost.append(LeftOut(why, events.height - kept.height))
        events = kept
    return events, tuple(item for item in lost if item.n)


def follow_up_needs(
    events: "pl.DataFrame", event_formula: str, columns: "Columns"
) -> list[tuple[str, "pl.Expr"]]:
    """What a row of follow-up needs: name of the column and whether its value is there; a patient
    without an event needs no cause."""
    import polars as pl

    formula = f"{columns.event_time[0]} ~ {event_formula}"
    variables = designs.complete_rows(events, formula, "1", columns.group, ()).variables
    names = (*sorted(variables), columns.group, columns.event, columns.entry)
    needs = [(name, present(events, name)) for name in dict.fromkeys(names) if name is not None]
    if columns.cause is not None:
        free = pl.col(columns.event).cast(pl.Float64) == 0
        needs.append((columns.cause, free | present(events, columns.cause)))
    return needs


def too_few_events(
    rows: "JointRows", events: "pl.DataFrame", columns: "Columns", needs: Steps
) -> Problem | None:
    """The refusal of the first cause with too few events. events: as delivered."""
    import polars as pl

    measured = pl.col(columns.group).cast(pl.String).is_in(list(rows.labels))
    steps = [(f"{OF_A_PATIENT} without {name}", has) for name, has in needs]
    steps.append((f"{OF_A_PATIENT} without a measurement", measured))
    counts = np.bincount(rows.cause[rows.event > 0], minlength=len(rows.causes))
    for name, n in zip(rows.causes, counts, strict=True):
        seen, of = _events_of(events, columns, name)
        problem = few_events(int(n), events_left(seen, steps)[1], of)
        if problem:
            return problem
    return None


def _events_of(
    events: "pl.DataFrame", columns: "Columns", cause: str
) -> tuple["pl.DataFrame", str]:
    """Events of the cause, if one is given, and how they are called; one that lacks its cause may
    be of any."""
    import polars as pl

    seen = events.filter(pl.col(columns.event).cast(pl.Float64) == 1)
    if columns.cause is None or not cause:
        return seen, ""
    unknown = " or of none named" if seen[columns.cause].null_count() else ""
    own = pl.col(columns.cause).cast(pl.String)
    return seen.filter((own == cause) | own.is_null()), f" of cause '{cause}'{unknown}"


def few_events(n: int, lost: Sequence[LeftOut], of: str = "") -> Problem | None:
    """The refusal of so few events, with an account of those that do not count; None where they are
    enough. of: " of cause 'relapse'"."""
    if n >= MINIMUM_EVENTS:
        return None
    return Problem(
        "too_few_events",
        _sentence(n, lost, of),
        "Show the curves by event instead, or compare at a landmark day with an exact test."
        if not of
        else "Join causes that mean the same, or censor the rare one and say so.",
    )


def _sentence(n: int, lost: Sequence[LeftOut], of: str) -> str:
    if not lost:
        return (
            f"{count(n, 'event')}{of} cannot carry a joint model; about {MINIMUM_EVENTS} are "
            "needed."
        )
    total = n + sum(item.n for item in lost)
    *others, last = (_said(item) for item in lost)
    listed = f"{', '.join(others)} and {last}" if others else last
    return (
        f"{n} of {count(total, 'event')}{of} count: {listed}; about {MINIMUM_EVENTS} are needed to "
        "carry a joint model."
    )


def _said(item: LeftOut) -> str:
    """'9 came by day 14', '1 belongs to a patient without a value'."""
    if not item.why.startswith(OF_A_PATIENT):
        return f"{item.n} {item.why}"
    rest = item.why.removeprefix(OF_A_PATIENT)
    return f"1 belongs to a patient{rest}" if item.n == 1 else f"{item.n} belong to patients{rest}"
