"""The windows of days that a question on the model page can have."""

from collections.abc import Mapping

from analysis.errors import UserError
from analysis.specs import ModelSpec
from dashboard.components.text import sentence_case
from dashboard.filters import window_text

WINDOWS: Mapping[str, tuple[float | None, float | None]] = {
    "0-28": (0.0, 28.0),
    "7-28": (7.0, 28.0),
    "14-28": (14.0, 28.0),
    "0-90": (0.0, 90.0),
    "from-0": (0.0, None),
    "from-14": (14.0, None),
    "all": (None, None),
}
OWN_WINDOW = "own"
"""A window without a name here: that of the address, or of the study's first question."""


def window(name: str) -> tuple[float | None, float | None]:
    """First and last day of a named window. Raises UserError for another name."""
    if name not in WINDOWS:
        raise UserError(f"window '{name}' is not one of {', '.join(WINDOWS)}; choose one above")
    return WINDOWS[name]


def window_name(spec: ModelSpec) -> str | None:
    """The name of a specification's window, None when it is one of its own."""
    ends = (spec.day_low, spec.day_high)
    return next((name for name, days in WINDOWS.items() if days == ends), None)


def window_options(spec: ModelSpec) -> list[dict[str, str]]:
    """The windows that the question may have, with its own when that has no name."""
    refused = set(spec.problems())
    named = [
        {"value": name, "label": _words(*days)}
        for name, days in WINDOWS.items()
        if name == window_name(spec) or not set(_moved(spec, days).problems()) - refused
    ]
    if window_name(spec) is not None:
        return named
    return [*named, {"value": OWN_WINDOW, "label": _words(spec.day_low, spec.day_high)}]


def _moved(spec: ModelSpec, days: tuple[float | None, float | None]) -> ModelSpec:
    """The question in another window, with a landmark at the end of its window there too."""
    landmark = spec.landmark_day
    if landmark is not None and landmark == spec.day_high and days[1] is not None:
        landmark = days[1]
    return spec.replace(day_low=days[0], day_high=days[1], landmark_day=landmark)


def _words(low: float | None, high: float | None) -> str:
    if low is not None and high is not None:
        return f"Days {low:g} to {high:g}".replace("-", "\N{MINUS SIGN}")
    return sentence_case(window_text(low, high))
