"""A specification turned into one fit with its ratios, before checks and sentences."""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from analysis.day_support import supported_days
from analysis.engine.structure import Array
from analysis.errors import UserError
from analysis.fits.censored_fitted import FittedCensored
from analysis.fits.censored_question import fit_censored_question
from analysis.fits.contrasts import Setting, joint_test, ratios_at
from analysis.fits.fitted import FittedMixed
from analysis.fits.mixed import fit_mixed, refused
from analysis.fits.model_rows import ModelRows, model_rows
from analysis.fits.question_guards import question_problem
from analysis.fits.recipe import Recipe, recipe_for
from analysis.fits.structured import FittedStructured
from analysis.fits.structured.shares import between_share
from analysis.fits.visit_factor import visit_name
from analysis.results import Fit, GeometricMeanRatio, WaldTest
from analysis.specs import ModelSpec

if TYPE_CHECKING:
    import polars as pl

KIND = "linear mixed model"
USUAL_DAYS = (7.0, 14.0, 28.0)
KEY_DAY = 14.0


class Core(NamedTuple):
    """One fit of the question with its rows, before checks and sentences."""

    rows: ModelRows
    recipe: Recipe
    fit: Fit
    key: int


def fit_question(frame: "pl.DataFrame", spec: ModelSpec) -> Core:
    rows = model_rows(frame, spec)
    recipe = recipe_for(spec, rows)
    problem = question_problem(rows, spec)
    if problem:
        shell = Fit(
            kind=KIND,
            status="not_estimable",
            reason=None,
            sentence="",
            formula=recipe.formula,
            group="usubjid",
            random=recipe.random,
            nested=recipe.nested,
            n_subjects=rows.frame["usubjid"].n_unique(),
            n_observations=rows.frame.height,
        )
        return Core(rows, recipe, refused(shell, problem), 0)
    fit, note = _fitted(rows, recipe, spec)
    recipe = recipe._replace(note=" ".join(part for part in (recipe.note, note) if part))
    if not isinstance(fit.design, (FittedMixed, FittedCensored, FittedStructured)):
        return Core(rows, recipe, fit, 0)
    setting = Setting(spec, rows.frame, rows.groups)
    ratios = ratios_at(fit.design, setting, _days(spec, rows))
    key = _key(ratios, spec)
    fit = fit.replace(
        ratios=ratios,
        key_index=key,
        interaction=_joint(fit, spec, "group by time", {"group", recipe.time_column}),
        group_test=_joint(fit, spec, "group at any time", {"group"}),
        icc=_icc(fit.design, rows, ratios[key].day),
    )
    return Core(rows, recipe, fit, key)


def _joint(fit: Fit, spec: ModelSpec, name: str, needed: set[str]) -> WaldTest | None:
    """A joint test of the course; None under the censored likelihood, whose reduced random part
    lets it reject null trials 10 to 30 % of the time (docs/decisions/014)."""
    if spec.blq == "censored" and spec.time != "none":
        return None
    return joint_test(fit.design, name, needed)


def _fitted(rows: ModelRows, recipe: Recipe, spec: ModelSpec) -> tuple[Fit, str]:
    """The fit of the rows, and what of the random part had to be simplified for it."""
    if spec.blq == "censored":
        return fit_censored_question(rows.frame, recipe, spec)
    columns = [name for name in recipe.columns if name in rows.frame.columns]
    fit = fit_mixed(
        rows.frame.select(columns),
        recipe.formula,
        "usubjid",
        recipe.random,
        recipe.nested,
        inference=recipe.inference,
        covariance=recipe.covariance,
        seed=spec.seed,
        level=spec.level,
        residual=recipe.residual,
        crossed=spec.crossed,
        weights=spec.weights,
    )
    return fit, ""


def _days(spec: ModelSpec, rows: ModelRows) -> list[float]:
    """Days to report; never outside what every group was observed at, and of the usual ones only
    those near which each was."""
    import polars as pl

    if spec.time == "none":
        return [0.0]
    seen = rows.frame.group_by("group").agg(low=pl.col("day").min(), high=pl.col("day").max())
    low, high = float(seen["low"].max()), float(seen["high"].min())  # type: ignore[arg-type]
    if spec.time == "visit":
        visits = sorted({float(day) for day in rows.frame["day"]})
        wanted = [day for day in spec.days if day in visits] or visits
        missing = [day for day in spec.days if day not in visits]
    else:
        wanted = [day for day in (spec.days or USUAL_DAYS) if low <= day <= high]
        wanted = wanted if spec.days else supported_days(rows.frame, wanted)
        missing = [day for day in spec.days if not low <= day <= high]
    if missing:
        raise UserError(
            f"specification: day {missing[0]:g} was not observed in every group "
            f"(day {low:g} to {high:g} was); ratios are never extrapolated"
        )
    return wanted or [float(np.median(rows.frame["day"].to_numpy()))]


def _key(ratios: tuple[GeometricMeanRatio, ...], spec: ModelSpec) -> int:
    """The ratio of the sentence: first day asked for or nearest to 14, of CR or the last group."""
    groups = list(dict.fromkeys(ratio.group for ratio in ratios))
    group = "CR" if "CR" in groups else groups[-1]
    wanted = spec.days[0] if spec.days else KEY_DAY
    own = [index for index, ratio in enumerate(ratios) if ratio.group == group]
    return min(own, key=lambda index: abs((ratios[index].day or 0.0) - wanted))


def _icc(
    fitted: FittedMixed | FittedCensored | FittedStructured, rows: ModelRows, day: float | None
) -> float | None:
    """Share of the variance between patients on the day of the key ratio; None without effects of
    the patient."""
    import polars as pl

    if fitted.design.matrices.z.shape[1] == 1 or day is None:
        return _share(fitted, fitted.design.matrices.z.mean(axis=0))
    after = float(rows.frame["day"].min() or 0.0) >= 0  # type: ignore[arg-type]
    row = fitted.design.random_rows(
        pl.DataFrame({"time": [float(np.log1p(day)) if after else day], "visit": [visit_name(day)]})
    )
    return _share(fitted, row[0])


def _share(fitted: FittedMixed | FittedCensored | FittedStructured, row: Array) -> float | None:
    if isinstance(fitted, FittedStructured):
        return between_share(fitted, row)
    return fitted.between_share(row)
