"""What a person hears who asks for a signal that the study does not have: which part, and which
signals there are."""

from collections.abc import Sequence

import polars as pl

from analysis.derive.signal import signal_catalog
from analysis.derive.signal_key import Signal, key_parts, part_word
from analysis.derive.signal_rows import signal_rows, source_frame
from analysis.errors import UserError

MOST = 12
"""Keys that a message lists; of the others it says how many there are."""


def require_signal(
    signal: Signal,
    *,
    kinetics: pl.DataFrame | None = None,
    quantifications: pl.DataFrame | None = None,
    labs: pl.DataFrame | None = None,
    lesions: pl.DataFrame | None = None,
) -> None:
    """Raises UserError, with the study's own keys, when no row of the study is of this signal."""
    source = source_frame(signal.domain, kinetics, quantifications, labs, lesions)
    if source is not None and not signal_rows(signal, source).is_empty():
        return
    catalog = signal_catalog(kinetics, quantifications, labs, lesions)
    raise UserError(f"signal: '{signal.key}' has no values in this study{_why(signal, catalog)}")


def _why(signal: Signal, catalog: Sequence[Signal]) -> str:
    if not catalog:
        return "; it has no signal at all: load a file that carries one"
    same = [one for one in catalog if one.domain == signal.domain]
    others = [one for one in catalog if one.domain != signal.domain]
    if not same:
        known = _few([one.key for one in others])
        return f": it has no {signal.domain} values; its signals are {known}"
    nearest = sorted(same, key=lambda one: -_likeness(signal, one))
    known = _few([one.key for one in nearest])
    rest = f"; and {len(others)} of other kinds" if others else ""
    return f": {_first_difference(signal, same)}; its signals of the kind are {known}{rest}"


def _first_difference(signal: Signal, same: Sequence[Signal]) -> str:
    """The first part in which no signal of the study is like the one asked for."""
    left = list(same)
    for part in (*key_parts(signal.domain), *signal.qualified_by):
        wanted = getattr(signal, part)
        like = [one for one in left if getattr(one, part) == wanted]
        if not like:
            there = _few(sorted({str(getattr(one, part) or "none") for one in left}))
            name = part if part in signal.qualified_by else part_word(signal.domain, part)
            asked = f"{name} '{wanted}' is not there" if wanted else f"{name} is missing"
            return f"{asked}, only {there}" if wanted else f"{asked}, it is {there}"
        left = like
    return "it has none with a value"


def _likeness(signal: Signal, other: Signal) -> int:
    parts = key_parts(signal.domain)
    return sum(getattr(signal, part) == getattr(other, part) for part in parts)


def _few(words: Sequence[str]) -> str:
    more = f" and {len(words) - MOST} more" if len(words) > MOST else ""
    return f"{', '.join(words[:MOST])}{more}"
