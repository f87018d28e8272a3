"""Every cell-tracking system: its nuclide, clock, window, flags and the words that fit it."""

from analysis.tracers.context import SignalContext, signal_name
from analysis.tracers.registry import (
    FLAGS,
    NUCLIDES,
    TRACER_CLASSES,
    TRACERS,
    Flag,
    Nuclide,
    Tracer,
    TracerClass,
    tracer_rows,
)
from analysis.tracers.words import WORDS, SignalWords, check_words, words_for

__all__ = [
    "FLAGS",
    "NUCLIDES",
    "TRACERS",
    "TRACER_CLASSES",
    "WORDS",
    "Flag",
    "Nuclide",
    "SignalContext",
    "SignalWords",
    "Tracer",
    "TracerClass",
    "check_words",
    "signal_name",
    "tracer_rows",
    "words_for",
]
