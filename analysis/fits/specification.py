"""The answer to a `ModelSpec`: fit, ratios on the scale of the outcome, checks, one sentence."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from analysis.checks import specification_checks
from analysis.checks.answer import Answer
from analysis.checks.residuals import normal_scores
from analysis.errors import UserError
from analysis.fits.contrasts import (
    Setting,
    fitted_curves,
    joint_test,
    mean_rows,
    ratios_at,
)
from analysis.fits.exposure_question import fit_exposure_question
from analysis.fits.fitted import FittedMixed
from analysis.fits.influence import MAXIMUM_SUBJECTS, KeyContrast, leave_one_out
from analysis.fits.mixed import fit_mixed, judged, refused
from analysis.fits.model_rows import ModelRows, model_rows, visit_name
from analysis.fits.question_guards import question_problem
from analysis.fits.recipe import Recipe, method_text, recipe_for, snippet
from analysis.fits.relabelled import relabelled_tests
from analysis.fits.versions import provenance
from analysis.results import (
    Check,
    Excluded,
    Fit,
    GeometricMeanRatio,
    InfluencePoint,
    ResidualPoint,
    SensitivityRow,
)
from analysis.sentences import answer_sentence
from analysis.specs import EXPOSURE_QUESTIONS, ModelSpec

if TYPE_CHECKING:
    import polars as pl

KIND = "linear mixed model"
USUAL_DAYS = (7.0, 14.0, 28.0)
KEY_DAY = 14.0
SENSITIVITY_RULES = ("half_lloq", "drop")


class Core(NamedTuple):
    """One fit of the question with its rows, before checks and sentences."""

    rows: ModelRows
    recipe: Recipe
    fit: Fit
    key: int


def fit_specification(
    frame: "pl.DataFrame",
    spec: ModelSpec,
    n_excluded: Sequence[Excluded | tuple[str, int]] = (),
    signal_words: Any = None,
    *,
    influence: bool = True,
) -> Fit:
    """Answer a specification on its model frame (columns: see `analysis.specs`).

    n_excluded: patients or rows left out before (reason, n), shown with the others.
    signal_words: words of the outcome's tracer class; looked up in the registry when not given.
    influence: refit without each patient in turn (60 patients at most).
    Raises UserError for a question that must not be asked so, or a frame that mixes variables.
    """
    spec.validate()
    if spec.question in EXPOSURE_QUESTIONS:
        return fit_exposure_question(frame, spec, n_excluded, signal_words)
    core = _fit_core(frame, spec)
    before = tuple(Excluded(str(reason), int(n)) for reason, n in n_excluded)
    fit = core.fit.replace(
        excluded=before + core.rows.excluded + core.fit.excluded,
        n_censored=core.rows.n_censored,
        spec=spec.to_dict(),
        provenance=provenance(spec.spec_hash()),
        method=method_text(spec, core.recipe, core.fit),
        code=snippet(spec),
    )
    if fit.status == "not_estimable" or not isinstance(fit.design, FittedMixed):
        return fit
    setting = Setting(spec, core.rows.frame, core.rows.groups)
    fit = relabelled_tests(fit, spec)
    fit = fit.replace(
        sensitivity=_sensitivity(frame, spec, core),
        curves=fitted_curves(fit.design, setting),
        residuals=_residuals(fit.design, core.rows.frame),
    )
    points: tuple[InfluencePoint, ...] = ()
    if influence and fit.n_subjects <= MAXIMUM_SUBJECTS and fit.ratios:
        points = leave_one_out(fit.design, _key_contrast(fit.design, setting, fit.key_ratio))
    fit = fit.replace(influence=points)
    answer = Answer(
        spec,
        core.rows.frame,
        fit,
        core.rows.groups,
        core.rows.left_out,
        core.rows.n_assumed,
        core.recipe.note,
        points,
    )
    return _concluded(fit, answer, signal_words)


def _concluded(fit: Fit, answer: Answer, signal_words: Any) -> Fit:
    """Checks of the question in front of those of the model, then status and sentence."""
    checks = specification_checks(answer) + tuple(
        _softened(check, answer.spec) for check in fit.checks
    )
    status, reason, advice = judged(checks)
    fit = fit.replace(checks=checks, status=status, reason=reason, advice=advice)
    return fit.replace(sentence=answer_sentence(fit, answer.spec, signal_words))


def _softened(check: Check, spec: ModelSpec) -> Check:
    """A singular matching random part is the price of a safe comparison, not a defect of it."""
    if check.name == "boundary" and check.status == "warning" and spec.random == "matching":
        return Check(
            check.name,
            "note",
            f"{check.message} With the matching basis this is usual "
            "in small trials and leaves the comparison of groups safe.",
            check.value,
        )
    return check


def _fit_core(frame: "pl.DataFrame", spec: ModelSpec) -> Core:
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
    columns = [name for name in recipe.columns if name in rows.frame.columns]
    fit = fit_mixed(
        rows.frame.select(columns),
        recipe.formula,
        "usubjid",
        recipe.random,
        recipe.nested,
        inference=spec.inference,
        covariance=recipe.covariance,
    )
    if fit.status == "not_estimable":
        return Core(rows, recipe, fit, 0)
    setting = Setting(spec, rows.frame, rows.groups)
    ratios = ratios_at(fit.design, setting, _days(spec, rows))
    key = _key(ratios, spec)
    fit = fit.replace(
        ratios=ratios,
        key_index=key,
        interaction=joint_test(fit.design, "group by time", {"group", recipe.time_column}),
        group_test=joint_test(fit.design, "group at any time", {"group"}),
        icc=_icc(fit.design, rows, ratios[key].day),
    )
    return Core(rows, recipe, fit, key)


def _days(spec: ModelSpec, rows: ModelRows) -> list[float]:
    """Days to report; never outside what every group was observed at."""
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


def _icc(fitted: FittedMixed, rows: ModelRows, day: float | None) -> float | None:
    """Share of the variance between patients on the day of the key ratio."""
    import polars as pl

    if fitted.design.matrices.z.shape[1] == 1 or day is None:
        return fitted.between_share(fitted.design.matrices.z.mean(axis=0))
    after = float(rows.frame["day"].min() or 0.0) >= 0  # type: ignore[arg-type]
    row = fitted.design.random_rows(
        pl.DataFrame({"time": [float(np.log1p(day)) if after else day], "visit": [visit_name(day)]})
    )
    return fitted.between_share(row[0])


def _key_contrast(
    fitted: FittedMixed, setting: Setting, ratio: GeometricMeanRatio | None
) -> KeyContrast:
    assert ratio is not None
    days = [ratio.day or 0.0]
    row = (
        mean_rows(fitted, setting, ratio.group, days)
        - mean_rows(fitted, setting, ratio.reference, days)
    )[0]
    return KeyContrast(row, float(row @ fitted.beta), setting.spec.transform != "none")


def _residuals(fitted: FittedMixed, frame: "pl.DataFrame") -> tuple[ResidualPoint, ...]:
    values = fitted.residuals
    scores = normal_scores(values)
    labels, codes = fitted.design.labels, fitted.design.patient
    days = (
        fitted.design.frame["day"].to_list()
        if "day" in fitted.design.frame.columns
        else [None] * len(values)
    )
    return tuple(
        ResidualPoint(labels[code], day, float(mean), float(value), float(score))
        for code, day, mean, value, score in zip(
            codes, days, fitted.fitted, values, scores, strict=True
        )
    )


def _sensitivity(frame: "pl.DataFrame", spec: ModelSpec, core: Core) -> tuple[SensitivityRow, ...]:
    """The key ratio under each rule for values below the limit; empty without such values."""
    if not core.rows.n_censored or spec.transform != "log10":
        return ()
    rows = []
    for rule in SENSITIVITY_RULES:
        fit = core.fit if rule == spec.blq else _refit(frame, spec.replace(blq=rule))
        match = next(
            (
                ratio
                for ratio in fit.ratios
                if (ratio.day, ratio.group) == _identity(core.fit.key_ratio)
            ),
            None,
        )
        n = fit.n_observations
        rows.append(
            SensitivityRow(rule, None, None, None, None, None, n, "not_estimable")
            if match is None
            else SensitivityRow(
                rule,
                match.day,
                match.ratio,
                match.conf_low,
                match.conf_high,
                match.p_value,
                n,
                "ok",
            )
        )
    return tuple(rows)


def _refit(frame: "pl.DataFrame", spec: ModelSpec) -> Fit:
    try:
        return _fit_core(frame, spec).fit
    except UserError as error:
        return Fit(KIND, "not_estimable", "not_comparable", str(error))


def _identity(ratio: GeometricMeanRatio | None) -> tuple[float | None, str]:
    return (None, "") if ratio is None else (ratio.day, ratio.group)
