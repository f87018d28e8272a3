"""Marginal means and their contrasts over a grid of chosen values, in one family.

weights "equal": factors that are not chosen are averaged over their levels with equal weight and
numbers stand at their mean, as in a balanced trial (Searle SR, Speed FM, Milliken GA 1980,
doi:10.1080/00031305.1980.10483031). "observed": every observation is taken as it is, with the
chosen columns set: the mean of this trial's patients.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, product
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np

from analysis.compute.multiplicity import adjust_p_values
from analysis.engine.structure import Array
from analysis.errors import UserError
from analysis.fits.chosen_values import extrapolation, model_values
from analysis.fits.inference import Tested, tested
from analysis.fits.marginal import checked_values, mean_row, named_values
from analysis.fits.restored_censored import mean_fitted_of
from analysis.frames import takes_frames
from analysis.results import Fit, finite
from analysis.serialized import Serialized

if TYPE_CHECKING:
    import polars as pl

    from analysis.fits.censored_fitted import FittedCensored
    from analysis.fits.fitted_model import FittedModel

WEIGHTS = ("equal", "observed")
MOST = 400
"""Rows of a grid, and contrasts of it, that are still a table."""


class MarginalMean(NamedTuple):
    """One mean (kind "mean") or difference of two ("contrast"), on the scale of the fit.

    df is None for a normal reference and the bootstrap. p_value: of being zero; p_adjusted: over
    the contrasts of this result. caution: where a chosen number lies outside what was observed.
    """

    kind: str
    term: str
    estimate: float
    std_error: float | None
    df: float | None
    conf_low: float | None
    conf_high: float | None
    p_value: float | None
    p_adjusted: float | None = None
    caution: str = ""


@dataclass(frozen=True)
class MarginalMeans(Serialized):
    """Result of `marginal_means`."""

    ROWS: ClassVar = {"rows": MarginalMean}

    weights: str
    inference: str
    conf_level: float
    rows: tuple[MarginalMean, ...]
    adjustment: str

    def table(self) -> "pl.DataFrame":
        """kind, term, estimate, std_error, df, conf_low, conf_high, p_value, p_adjusted,
        caution."""
        return self.rows_table("rows")


@takes_frames
def marginal_means(
    fit: Fit,
    at: Mapping[str, Sequence[Any]],
    *,
    contrast: str | None = None,
    weights: str = "equal",
    adjust: str = "holm",
    frame: "pl.DataFrame | None" = None,
) -> MarginalMeans:
    """Means at every combination of the values of `at`, such as
    `{"group": ["responder", "non-responder"], "rel_day": [7.0, 14.0]}`.

    contrast: a column of `at`; its values are compared pair by pair (later less earlier) at every
    combination of the others. adjust: a method of `adjust_p_values`, over all contrasts.
    frame: the data, for a fit restored from JSON.
    Raises UserError for a column, value, weight or method that does not exist.
    """
    if weights not in WEIGHTS:
        raise UserError(f"marginal means: weights {weights!r}; use {' or '.join(WEIGHTS)}")
    if contrast is not None and contrast not in at:
        raise UserError(f"marginal means: contrast {contrast!r} is not in 'at' ({', '.join(at)})")
    fitted = mean_fitted_of(fit, frame, "marginal means")
    grid = [dict(zip(at, values, strict=True)) for values in product(*at.values())]
    if not grid or len(grid) > MOST:
        raise UserError(
            f"marginal means: {len(grid)} combinations; between 1 and {MOST} are a table"
        )
    settings = [model_values(fit, fitted, setting, "marginal means") for setting in grid]
    for setting in settings:
        checked_values(fitted, setting, "marginal means")
    take = _equal_row if weights == "equal" else mean_row
    rows = np.array([take(fitted, setting) for setting in settings])
    found = [
        _row("mean", named_values(setting), one, extrapolation(fit, fitted, [setting]))
        for setting, one in zip(grid, _each(tested(fitted, rows)), strict=True)
    ]
    adjustment = ""
    if contrast is not None:
        pairs = _pairs(grid, contrast)
        names = [f"{named_values(grid[j])} - {named_values(grid[i])}" for i, j in pairs]
        gaps = np.array([rows[j] - rows[i] for i, j in pairs])
        numbers = list(_each(tested(fitted, gaps)))
        family = adjust_p_values([one["p_value"] for one in numbers], adjust, "contrasts shown")
        found += [
            _row("contrast", name, one, extrapolation(fit, fitted, [grid[i], grid[j]]), adjusted)
            for name, one, adjusted, (i, j) in zip(
                names, numbers, family.adjusted, pairs, strict=True
            )
        ]
        adjustment = family.note
    return MarginalMeans(weights, fitted.inference, fit.conf_level, tuple(found), adjustment)


def _each(found: Tested) -> list[dict[str, float | None]]:
    columns = found._asdict()
    return [
        {name: finite(column[index]) for name, column in columns.items()}
        for index in range(len(found.estimate))
    ]


def _row(
    kind: str,
    term: str,
    one: Mapping[str, float | None],
    caution: str,
    adjusted: float | None = None,
) -> MarginalMean:
    estimate = one["estimate"]
    assert estimate is not None
    return MarginalMean(
        kind,
        term,
        estimate,
        one["std_error"],
        one["df"],
        one["conf_low"],
        one["conf_high"],
        one["p_value"],
        adjusted,
        caution,
    )


def _pairs(grid: list[dict[str, Any]], contrast: str) -> list[tuple[int, int]]:
    """Places in the grid that differ in the compared column only."""
    return [
        (i, j)
        for i, j in combinations(range(len(grid)), 2)
        if all(grid[i][name] == grid[j][name] for name in grid[i] if name != contrast)
    ]


def _equal_row(fitted: "FittedModel | FittedCensored", setting: Mapping[str, Any]) -> Array:
    """Mean row of the reference grid: every level of each factor once, numbers at their mean."""
    import polars as pl

    frame = fitted.design.frame
    known = [
        name
        for name in frame.columns
        if any(name in names for _, names, _ in fitted.design.matrices.x_terms)
    ]
    values: dict[str, list[Any]] = {}
    for name in known:
        series = frame[name]
        if name in setting:
            values[name] = [setting[name]]
        elif series.dtype.is_numeric():
            values[name] = [series.mean()]
        else:
            values[name] = series.unique().sort().to_list()
    cells = list(product(*values.values())) or [()]
    columns = {
        name: pl.Series(
            [cell[index] for cell in cells],
            dtype=pl.Float64 if frame.schema[name].is_numeric() else frame.schema[name],
        )
        for index, name in enumerate(values)
    }
    rows = pl.DataFrame(columns) if columns else pl.DataFrame({"row": [0]})
    return np.asarray(fitted.design.fixed_rows(rows).mean(axis=0))
