"""What follows from the whole trial and a signal alone: made once, and gone with the trial.

The records of a cut never change, so a filter only chooses among patients whose series are there.
"""

from collections.abc import Callable, Hashable
from threading import Lock
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

import polars as pl

from analysis.derive.default_question import default_question
from analysis.derive.peak import peaks
from analysis.derive.signal import Signal, signal_catalog, signal_series
from analysis.specs import ModelSpec
from models.trial import Trial

MOST = 400
"""Answers kept for one trial; a study has a few dozen signals."""
_kept: WeakKeyDictionary[Trial, dict[Hashable, Any]] = WeakKeyDictionary()
_lock = Lock()
Answer = TypeVar("Answer")


def _once(trial: Trial, key: Hashable, make: Callable[[], Answer]) -> Answer:
    with _lock:
        answers = _kept.setdefault(trial, {})
        if key in answers:
            kept: Answer = answers[key]
            return kept
    made = make()
    with _lock:
        if len(answers) >= MOST:
            answers.clear()
        answers[key] = made
    return made


def trial_signals(trial: Trial) -> tuple[Signal, ...]:
    """What the study can draw and model, most useful first."""
    return _once(
        trial,
        "signals",
        lambda: signal_catalog(trial.kinetics, trial.quantifications, trial.labs, trial.lesions),
    )


def first_question(trial: Trial, signal: str = "") -> ModelSpec:
    """The first question of this study, or about a signal, before anyone has chosen anything.

    Raises UserError where there is no signal, or `signal` is no key of one.
    """
    return _once(
        trial,
        ("question", signal),
        lambda: default_question(
            subjects=trial.subjects,
            kinetics=trial.kinetics,
            quantifications=trial.quantifications,
            labs=trial.labs,
            lesions=trial.lesions,
            responses=trial.responses,
            outcome=signal,
        ),
    )


def trial_series(trial: Trial, signal: Signal) -> pl.DataFrame:
    """One row per patient and time of every patient (`analysis.derive.signal.signal_series`).

    An assumed limit is the smallest value of the whole study, whatever the filters show.
    Raises UserError for a signal that is not one variable.
    """
    return _once(
        trial,
        ("series", signal),
        lambda: signal_series(
            signal,
            kinetics=trial.kinetics,
            quantifications=trial.quantifications,
            labs=trial.labs,
            lesions=trial.lesions,
        ),
    )


def trial_peaks(trial: Trial, signal: Signal) -> pl.DataFrame:
    """The peak of every patient in the days of the peak (`analysis.derive.peak.peaks`)."""
    return _once(trial, ("peaks", signal), lambda: peaks(trial_series(trial, signal)))
