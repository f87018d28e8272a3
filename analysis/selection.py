"""What a page looks at: one frozen value that is the URL's query and the filter of the patients.

Every field is optional in the URL; a field at its default is not written, so that a short URL is
a plain view. Unknown parameters are left to the page.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Literal, Self, get_args
from urllib.parse import parse_qsl, urlencode

import polars as pl

from analysis.derive.columns import ensure
from analysis.errors import UserError

AnalysisSet = Literal["infused", "imaging", "efficacy", "safety"]
ColorBy = Literal["response", "cohort", "dose_level", "arm", "site"]
Scale = Literal["log", "linear"]
BlqRule = Literal["censored", "half_lloq", "drop"]

SET_COLUMN: Mapping[str, str] = {
    "infused": "infused",
    "imaging": "imaging_evaluable",
    "efficacy": "efficacy_evaluable",
    "safety": "safety",
}
SET_LABEL: Mapping[str, str] = {
    "infused": "All infused",
    "imaging": "Imaging-evaluable",
    "efficacy": "Efficacy-evaluable",
    "safety": "Safety",
}
GROUP_COLUMN: Mapping[str, str] = {
    "cohort": "cohort",
    "dose_level": "dose_level",
    "site": "siteid",
    "arm": "arm",
}
"""Selection field -> column of the subjects frame."""
BLQ_LABEL: Mapping[str, str] = {
    "censored": "below limit kept as censored",
    "half_lloq": "below limit at half the limit",
    "drop": "below limit left out",
}
_CHOICES: Mapping[str, tuple[str, ...]] = {
    "analysis_set": get_args(AnalysisSet),
    "color_by": get_args(ColorBy),
    "scale": get_args(Scale),
    "blq": get_args(BlqRule),
}


@dataclass(frozen=True)
class Selection:
    """The global filters. Empty text or an empty tuple means "no restriction".

    study, cut: names; an empty cut is the latest. cohort, dose_level, site, arm: values kept.
    tracer, metric, assay, criterion, reader: the one looked at. day_low, day_high: window of days
    since infusion, both ends included.
    """

    study: str = ""
    cut: str = ""
    analysis_set: AnalysisSet = "infused"
    cohort: tuple[str, ...] = ()
    dose_level: tuple[str, ...] = ()
    site: tuple[str, ...] = ()
    arm: tuple[str, ...] = ()
    tracer: str = ""
    metric: str = ""
    assay: str = ""
    criterion: str = ""
    reader: str = ""
    day_low: float | None = None
    day_high: float | None = None
    color_by: ColorBy = "response"
    scale: Scale = "log"
    blq: BlqRule = "censored"

    @classmethod
    def from_query(cls, query: str) -> Self:
        """The selection of a URL query, with or without its "?"; other parameters are ignored.

        Raises UserError for a value that the field cannot have.
        """
        values: dict[str, Any] = {}
        for name, text in parse_qsl(query.removeprefix("?"), keep_blank_values=False):
            if name in _MANY:
                values[name] = (*values.get(name, ()), text)
            elif name in _FIELDS:
                values[name] = _read(name, text)
        return cls(**values)

    @classmethod
    def from_filters(cls, query: str) -> Self:
        """The same where every parameter must be a filter, as in a command.

        Raises UserError also for a parameter that is none.
        """
        text = query.removeprefix("?")
        for part in filter(None, text.split("&")):
            name, equals, _ = part.partition("=")
            if name not in _FIELDS or not equals:
                raise UserError(
                    f"filter {part!r} is not one; expected NAME=VALUE joined by &, with a name of "
                    f"{', '.join(_FIELDS)}"
                )
        return cls.from_query(text)

    def to_query(self) -> str:
        """The query without "?", fields in a fixed order, defaults left out."""
        pairs: list[tuple[str, str]] = []
        for name in _FIELDS:
            value = getattr(self, name)
            if value == getattr(_DEFAULT, name):
                continue
            if name in _MANY:
                pairs += [(name, item) for item in value]
            else:
                pairs.append((name, f"{value:g}" if float(f"{value:g}") == value else repr(value))
                             if name in _DAYS else (name, str(value)))  # fmt: skip
        return urlencode(pairs)

    def replace(self, **changes: Any) -> Self:
        """A copy with some fields changed; lists become tuples."""
        plain: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value
            for name, value in changes.items()
        }
        return replace(self, **plain)

    def chips(self) -> tuple[tuple[str, str, str], ...]:
        """(field, label, value) of every field that restricts or changes what is shown."""
        found: list[tuple[str, str, str]] = []
        for name in _FIELDS:
            value = getattr(self, name)
            if name in {"study", "cut", *_DAYS} or value == getattr(_DEFAULT, name):
                continue
            found.append((name, _LABEL[name], _shown(name, value)))
        if self.day_low is not None or self.day_high is not None:
            low = "start" if self.day_low is None else f"{self.day_low:g}"
            high = "end" if self.day_high is None else f"{self.day_high:g}"
            found.append(("day_low", "Days", f"{low} to {high}"))
        return tuple(found)


_FIELDS = tuple(item.name for item in fields(Selection))
_MANY = ("cohort", "dose_level", "site", "arm")
_DAYS = ("day_low", "day_high")
_DEFAULT = Selection()
_LABEL: Mapping[str, str] = {
    "analysis_set": "Set",
    "cohort": "Cohort",
    "dose_level": "Dose level",
    "site": "Site",
    "arm": "Arm",
    "tracer": "Tracer",
    "metric": "Metric",
    "assay": "Assay",
    "criterion": "Criterion",
    "reader": "Reader",
    "color_by": "Color by",
    "scale": "Scale",
    "blq": "Below limit",
}


def select_subjects(
    selection: Selection, subjects: pl.DataFrame, sets: pl.DataFrame
) -> tuple[str, ...]:
    """Patients of the selection, sorted: in its analysis set and in every group it names.

    sets: `derive.sets.analysis_sets`.
    """
    chosen = sets.filter(pl.col(SET_COLUMN[selection.analysis_set]).fill_null(False))
    in_set = set(chosen["usubjid"])
    return tuple(name for name in enrolled_subjects(selection, subjects) if name in in_set)


def enrolled_subjects(selection: Selection, subjects: pl.DataFrame) -> tuple[str, ...]:
    """Enrolled patients of every group that the selection names, sorted, infused or not: what a
    count of its patients is out of."""
    kept = ensure(subjects, "usubjid", *GROUP_COLUMN.values())
    for name, column in GROUP_COLUMN.items():
        wanted = getattr(selection, name)
        if wanted:
            kept = kept.filter(pl.col(column).is_in(wanted))
    return tuple(kept["usubjid"].sort().to_list())


def in_day_window(
    selection: Selection, frame: pl.DataFrame, column: str = "rel_day"
) -> pl.DataFrame:
    """Rows within the day window; rows without a day fall out once a window is set."""
    if selection.day_low is not None:
        frame = frame.filter(pl.col(column) >= selection.day_low)
    if selection.day_high is not None:
        frame = frame.filter(pl.col(column) <= selection.day_high)
    return frame


def _read(name: str, text: str) -> Any:
    if name in _DAYS:
        try:
            day = float(text)
        except ValueError:
            day = float("nan")
        if not abs(day) < float("inf"):
            raise UserError(f"link: {name}={text!r} is not a day; expected a number such as 28")
        return day
    allowed = _CHOICES.get(name)
    if allowed and text not in allowed:
        raise UserError(f"link: {name}={text!r} is not one of {', '.join(allowed)}")
    return text


def _shown(name: str, value: Any) -> str:
    if name == "analysis_set":
        return SET_LABEL[value]
    if name == "blq":
        return BLQ_LABEL[value]
    return ", ".join(value) if isinstance(value, tuple) else str(value).replace("_", " ")
