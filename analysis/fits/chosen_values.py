"""Chosen values in the words of the question: a day, whatever the model makes of it.

One rule for every answer at chosen values. A value of the wrong kind is refused; a number outside
what was observed in the chosen groups is answered, with the caution that it is extrapolated.
"""

import re
from collections.abc import Iterable, Mapping
from math import isfinite
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis.errors import UserError
from analysis.fits.visit_factor import visit_name
from analysis.results import Fit

if TYPE_CHECKING:
    import polars as pl

    from analysis.fits.censored_fitted import FittedCensored
    from analysis.fits.fitted_model import FittedModel

DAYS = ("rel_day", "day", "nominal_day")
CAUTION = (
    "Extrapolated: {name} = {value:g} lies outside what was observed ({low:g} to {high:g}), so the "
    "answer rests on the shape of the model alone."
)


def model_values(
    fit: Fit, fitted: "FittedModel | FittedCensored", at: Mapping[str, Any], purpose: str
) -> dict[str, Any]:
    """The setting in columns of the model: the day of a specification becomes its time or visit.

    Raises UserError for a value of the wrong kind, a level that is not there, a visit that was not
    planned, or a day in a model without time.
    """
    frame = fitted.design.frame
    _require_kinds(fit, frame, at, purpose)
    names = [name for name in DAYS if name in at]
    if fit.spec is None or not names:
        return dict(at)
    rest = {name: value for name, value in at.items() if name not in names}
    day = float(at[names[0]])
    time = fit.spec["time"]
    if time == "none":
        raise UserError(f"{purpose}: the question has no time, so no day can be chosen")
    if time == "visit":
        visits = frame["visit"].unique().sort().to_list()
        if visit_name(day) not in visits:
            raise UserError(
                f"{purpose}: day {day:g} is no planned visit of the fit; it has {', '.join(visits)}"
            )
        return {**rest, "visit": visit_name(day)}
    lowest = frame["day"].min()
    after = lowest is not None and float(lowest) >= 0  # type: ignore[arg-type]
    if after and day < 0:
        raise UserError(f"{purpose}: day {day:g} lies before the infusion")
    return {**rest, "time": float(np.log1p(day)) if after else day}


def extrapolation(
    fit: Fit, fitted: "FittedModel | FittedCensored", settings: Iterable[Mapping[str, Any]]
) -> str:
    """The caution of settings with a number outside what was observed in their groups; empty where
    all lie inside. Settings are in the words of the question, checked by `model_values`."""
    frame = fitted.design.frame
    found: list[str] = []
    for at in settings:
        chosen = [name for name in at if name in frame.columns and not _number(frame, name)]
        rows = frame.filter(*(frame[name].cast(str) == str(at[name]) for name in chosen))
        rows = frame if rows.is_empty() else rows
        for name, value in at.items():
            column = "day" if fit.spec is not None and name in DAYS else name
            if column not in rows.columns or not _number(rows, column):
                continue
            low, high = (float(bound) for bound in (rows[column].min(), rows[column].max()))  # type: ignore[arg-type]
            slack = 1e-9 * max(abs(low), abs(high))
            if not low - slack <= float(value) <= high + slack:
                found.append(CAUTION.format(name=name, value=float(value), low=low, high=high))
    return " ".join(dict.fromkeys(found))


def _require_kinds(fit: Fit, frame: "pl.DataFrame", at: Mapping[str, Any], purpose: str) -> None:
    """Raises UserError for a value that a column cannot hold. Columns that the frame does not have
    are left to the caller."""
    for name, value in at.items():
        is_day = fit.spec is not None and name in DAYS
        if not is_day and name not in frame.columns:
            continue
        if is_day or _number(frame, name):
            if not isinstance(value, Real) or not isfinite(value):
                raise UserError(
                    f"{purpose}: '{name}' must be a finite number, such as "
                    f"{_example(frame, 'day' if is_day else name)}; it is {value!r}"
                )
            # A number that the formula takes as a factor has levels.
            if is_day or not re.search(rf"\bC\(\s*{re.escape(name)}\s*[,)]", fit.formula):
                continue
        levels = frame[name].drop_nulls().unique().sort().to_list()
        if value not in levels:
            shown = ", ".join(str(level) for level in levels)
            raise UserError(f"{purpose}: '{name}' has no level {value!r}; it has {shown}")


def _number(frame: "pl.DataFrame", name: str) -> bool:
    return frame.schema[name].is_numeric()


def _example(frame: "pl.DataFrame", name: str) -> str:
    if name not in frame.columns or frame[name].drop_nulls().is_empty():
        return "14"
    return f"{float(frame[name].drop_nulls()[0]):g}"
