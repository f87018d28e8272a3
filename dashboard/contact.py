"""Last contact and last sample or scan of each patient, by one rule on every page."""

from collections.abc import Callable, Mapping

import polars as pl

from analysis.derive.follow_up import last_contact

MEASURED = {"scan": "scans", "sample": "kinetics", "laboratory": "labs"}
SEEN = {**MEASURED, "response": "responses", "lesion": "lesions"}
"""Word for a source of last contact, and the frame of the trial that holds it."""

Frames = Callable[[str], pl.DataFrame]


def last_contacts(frame: Frames) -> pl.DataFrame:
    """usubjid, last_day, source: the last day of which anything is known of a patient."""
    return last_contact(frame("survival"), timed(frame, SEEN))


def last_measurements(frame: Frames) -> pl.DataFrame:
    """usubjid, last_day, source: the last sample or scan of a patient."""
    return last_contact(None, timed(frame, MEASURED))


def timed(frame: Frames, sources: Mapping[str, str]) -> dict[str, pl.DataFrame]:
    """The frames behind some sources, by the source's word."""
    return {word: frame(name) for word, name in sources.items()}
