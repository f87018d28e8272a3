"""Values and peaks of the patients that the filters leave, of one signal."""

import polars as pl

from analysis.derive.signal import Signal
from analysis.selection import in_day_window
from dashboard.trial_signals import trial_peaks, trial_series
from dashboard.view import View


def series_of(view: View, signal: Signal) -> pl.DataFrame:
    """One row per patient and time for the selected patients."""
    chosen = view.selected.subjects.get_column("usubjid")
    return trial_series(view.trial, signal).filter(pl.col("usubjid").is_in(chosen.implode()))


def peaks_of(view: View, signal: Signal) -> pl.DataFrame:
    """The peaks of the selected patients."""
    chosen = view.selected.subjects.get_column("usubjid")
    return trial_peaks(view.trial, signal).filter(pl.col("usubjid").is_in(chosen.implode()))


def windowed(view: View, series: pl.DataFrame) -> pl.DataFrame:
    """Only the days of the chosen window."""
    return in_day_window(view.selection, series)
