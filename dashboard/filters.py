"""The filters of one view as data: which there are, what is chosen, where each choice leads."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any, NamedTuple

import polars as pl

from analysis.selection import Selection
from dashboard.view import View

DEFAULTS = Selection()

_SETS = {
    "infused": "all infused",
    "imaging": "imaging-evaluable",
    "efficacy": "efficacy-evaluable",
    "safety": "safety",
}
_COLORS = {
    "response": "best response",
    "cohort": "cohort",
    "dose_level": "dose level",
    "arm": "arm",
    "site": "site",
}
_BELOW = {"censored": "censored", "half_lloq": "half the limit", "drop": "left out"}
_WINDOWS = ((None, None), (-14.0, 28.0), (-14.0, 90.0), (0.0, 28.0), (0.0, 90.0), (0.0, 365.0))


class Choice(NamedTuple):
    """One option of a filter: its words, where choosing it leads, and whether it holds now."""

    text: str
    href: str
    chosen: bool
    detail: str = ""


class Filter(NamedTuple):
    """One filter. `clear` is the address without it, None when it stands at its default;
    `several` lets choices be combined."""

    name: str
    label: str
    value: str
    choices: tuple[Choice, ...]
    clear: str | None = None
    several: bool = False


def page_filters(view: View, names: Collection[str] | None = None) -> tuple[Filter, ...]:
    """The filters that this study's data can answer; one without a choice is left out, but for
    study and cut, which say what is shown. `names`: those that the page applies, None for all."""
    trial = view.trial
    subjects = trial.subjects
    filters = [
        _study(view),
        _cut(view),
        _single(view, "analysis_set", "Analysis set", _SETS),
        _several(view, "cohort", "Cohort", subjects, "cohort"),
        _several(view, "arm", "Arm", subjects, "arm"),
        _several(view, "dose_level", "Dose level", subjects, "dose_level"),
        _several(view, "site", "Site", subjects, "siteid"),
        _single(view, "tracer", "Tracer", _delivered(trial.scans, "tracer_id"), unset="all"),
        _single(view, "metric", "Metric", _delivered(trial.quantifications, "metric"), unset="all"),
        _single(view, "assay", "Assay", _delivered(trial.kinetics, "assay"), unset="all"),
        _single(
            view,
            "criterion",
            "Criterion",
            _delivered(trial.responses, "criterion"),
            unset="as delivered",
        ),
        _single(view, "reader", "Read by", _delivered(trial.responses, "reader"), unset="any"),
        _window(view),
        _color_by(view, subjects),
        _single(view, "scale", "Scale", {"log": "log", "linear": "linear"}),
        _single(view, "blq", "Below limit", _BELOW),
    ]
    return tuple(
        item for item in filters if item is not None and (names is None or item.name in names)
    )


def _study(view: View) -> Filter:
    studies = view.reader.studies()
    choices = tuple(
        Choice(
            row["studyid"],
            view.href(view.path if not view.path_rest else "/", Selection(study=row["studyid"])),
            row["studyid"] == view.trial.study["studyid"],
            row["title"] or "",
        )
        for row in studies.iter_rows(named=True)
    )
    studyid = str(view.trial.study["studyid"])
    named = f"{studyid}, synthetic" if view.trial.study["is_synthetic"] else studyid
    return Filter("study", "Study", named, choices)


def _cut(view: View) -> Filter:
    current = view.trial.cut.name
    cuts = view.trial.cuts.sort("load_id", descending=True)
    choices = tuple(
        Choice(
            row["name"],
            view.href(cut="" if place == 0 else row["name"]),
            row["name"] == current,
            "latest" if place == 0 else "",
        )
        for place, row in enumerate(cuts.iter_rows(named=True))
    )
    older = bool(choices) and not choices[0].chosen
    return Filter("cut", "Cut", current, choices, view.href(cut="") if older else None)


def _single(
    view: View, name: str, label: str, options: Mapping[str, str], unset: str | None = None
) -> Filter | None:
    """A filter with one value. `unset` is the word for no restriction, where that is possible."""
    if len(options) < 2 and not getattr(view.selection, name):
        return None
    value = getattr(view.selection, name)
    default = getattr(DEFAULTS, name)
    rows = list(options.items())
    if unset is not None:
        rows.insert(0, ("", unset))
    choices = tuple(Choice(text, view.href(**{name: key}), key == value) for key, text in rows)
    shown = dict(rows).get(value, value)
    clear = view.href(**{name: default}) if value != default else None
    return Filter(name, label, shown, choices, clear)


def _several(
    view: View, name: str, label: str, subjects: pl.DataFrame, column: str
) -> Filter | None:
    """A filter with any number of values of a column of the subjects; none chosen is all."""
    counts = _counts(subjects, column)
    if len(counts) < 2:
        return None
    chosen: tuple[str, ...] = getattr(view.selection, name)
    choices = tuple(
        Choice(value, view.href(**{name: _toggled(chosen, value)}), value in chosen, f"{n}")
        for value, n in counts
    )
    shown = ", ".join(getattr(view.applied, name)) or "all"
    clear = view.href(**{name: ()}) if chosen else None
    return Filter(name, label, shown, choices, clear, several=True)


def _window(view: View) -> Filter:
    low, high = view.selection.day_low, view.selection.day_high
    choices = tuple(
        Choice(window_text(a, b), view.href(day_low=a, day_high=b), (a, b) == (low, high))
        for a, b in _WINDOWS
    )
    default = (DEFAULTS.day_low, DEFAULTS.day_high)
    clear = view.href(day_low=default[0], day_high=default[1]) if (low, high) != default else None
    return Filter("window", "Window", window_text(low, high), choices, clear)


def _color_by(view: View, subjects: pl.DataFrame) -> Filter | None:
    columns = {"cohort": "cohort", "dose_level": "dose_level", "arm": "arm", "site": "siteid"}
    options = {
        name: text
        for name, text in _COLORS.items()
        if name == "response" or len(_counts(subjects, columns[name])) > 1
    }
    return _single(view, "color_by", "Color by", options)


def window_text(low: float | None, high: float | None) -> str:
    """A day window in words: `−14 to 28 d`, `all days`."""
    if low is None and high is None:
        return "all days"
    if high is None:
        return f"from day {low:g}".replace("-", "−")
    if low is None:
        return f"to day {high:g}".replace("-", "−")
    return f"{low:g} to {high:g} d".replace("-", "−")


def _toggled(chosen: tuple[str, ...], value: str) -> tuple[str, ...]:
    return tuple(v for v in chosen if v != value) if value in chosen else (*chosen, value)


def _counts(frame: pl.DataFrame, column: str) -> list[tuple[str, int]]:
    if column not in frame.columns:
        return []
    counted = frame.group_by(column).len().drop_nulls(column).sort(column)
    return [(str(value), int(n)) for value, n in counted.iter_rows()]


def _delivered(frame: pl.DataFrame, column: str) -> dict[str, str]:
    values: Iterable[Any] = frame[column].drop_nulls().unique().sort() if column in frame else ()
    return {str(value): _word(str(value)) for value in values}


def _word(code: str) -> str:
    """A code of ours as words (`suv_mean` -> `SUV mean`); a delivered code stands as it is."""
    if not code.islower():
        return code
    text = code.replace("_", " ")
    return text.replace("suv ", "SUV ").replace("mtv ", "MTV ")
