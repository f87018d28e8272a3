"""Restart of the clock at a landmark: who has left by then is left out, and counted."""

import numpy as np
import polars as pl

from analysis.fits.survival.rows import EventRows
from analysis.results import Excluded


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
