"""Chosen values in the words of the question: a day, whatever the model makes of it."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis.errors import UserError
from analysis.fits.model_rows import visit_name
from analysis.results import Fit

if TYPE_CHECKING:
    from analysis.fits.censored_fitted import FittedCensored
    from analysis.fits.fitted_model import FittedModel

DAYS = ("rel_day", "day", "nominal_day")


def model_values(
    fit: Fit, fitted: "FittedModel | FittedCensored", at: Mapping[str, Any], purpose: str
) -> dict[str, Any]:
    """The setting in columns of the model: the day of a specification becomes its time or visit.

    Raises UserError for a visit that was not planned, or a day in a model without time.
    """
    names = [name for name in DAYS if name in at]
    if fit.spec is None or not names:
        return dict(at)
    rest = {name: value for name, value in at.items() if name not in names}
    day, frame = float(at[names[0]]), fitted.design.frame
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
