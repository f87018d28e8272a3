"""Restart of the clock at a landmark: who has left by then is left out, and counted."""

import numpy as np
import polars as pl

from analysis.fits.guards import Problem
from analysis.fits.survival.rows import EventRows
from analysis.number_words import count
from analysis.results import Excluded

LEAST_AT_RISK = 2


def at_landmark(rows: EventRows, day: float) -> EventRows:
    """Rows still at risk after `day`, with time counted from it."""
    stays = rows.time > day
    lost = [
        Excluded(f"{words} by day {day:g}, the landmark", int((~stays & here).sum()))
        for words, here in (("event", rows.event), ("end of follow-up", ~rows.event))
    ]
    return EventRows(
        rows.frame.filter(pl.Series(stays)),
        np.maximum(rows.entry[stays] - day, np.where(np.isfinite(rows.entry[stays]), 0.0, -np.inf)),
        rows.time[stays] - day,
        rows.event[stays],
        (*rows.excluded, *(one for one in lost if one.n)),
    )


def landmark_problem(
    before: EventRows, rows: EventRows, day: float, subject: str | None
) -> Problem | None:
    """Fewer than two patients at risk after `day`; rows: what `at_landmark` left of `before`."""
    left, all_of = (
        len(found.time) if subject is None else found.frame[subject].n_unique()
        for found in (rows, before)
    )
    if left >= LEAST_AT_RISK:
        return None
    lost = rows.excluded[len(before.excluded) :]
    who = "row" if subject is None else "patient"
    return Problem(
        "none_at_risk",
        f"{left} of {count(all_of, who)} {'is' if left == 1 else 'are'} at risk after day {day:g}, "
        f"the landmark; {', '.join(f'{one.n} left out ({one.reason})' for one in lost)}.",
        "Take an earlier landmark, or wait for longer follow-up.",
    )
