"""The answer to a `ModelSpec`: fit, ratios on the scale of the outcome, checks, one sentence."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis.checks import specification_checks
from analysis.checks.answer import Answer
from analysis.checks.conclusion import CONCLUSIONS
from analysis.checks.residuals import normal_scores
from analysis.fits.below_limit_rules import rule_table
from analysis.fits.censored_fitted import FittedCensored
from analysis.fits.censored_influence import leave_one_out_censored
from analysis.fits.contrasts import Setting, fitted_curves, mean_rows
from analysis.fits.exposure_question import fit_exposure_question
from analysis.fits.fitted import FittedMixed
from analysis.fits.influence import MAXIMUM_SUBJECTS, KeyContrast, leave_one_out
from analysis.fits.joint_question import fit_joint_question
from analysis.fits.mixed import judged, refused
from analysis.fits.question_fit import fit_question
from analysis.fits.question_guards import left_out_before
from analysis.fits.recipe import method_text, snippet
from analysis.fits.relabelled import as_shown
from analysis.fits.structured import FittedStructured
from analysis.fits.versions import provenance
from analysis.frames import takes_frames
from analysis.results import (
    Check,
    Excluded,
    Fit,
    GeometricMeanRatio,
    InfluencePoint,
    ResidualPoint,
)
from analysis.sentences import answer_sentence
from analysis.specs import EXPOSURE_QUESTIONS, JOINT_QUESTIONS, ModelSpec

if TYPE_CHECKING:
    import polars as pl


@takes_frames
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
    before = tuple(Excluded(str(reason), int(n)) for reason, n in n_excluded)
    if spec.question in JOINT_QUESTIONS:
        return _said_why(fit_joint_question(frame, spec, before, signal_words), frame, before)
    if spec.question in EXPOSURE_QUESTIONS:
        return _said_why(fit_exposure_question(frame, spec, before, signal_words), frame, before)
    core = fit_question(frame, spec)
    fit = core.fit.replace(
        excluded=before + core.rows.excluded + core.fit.excluded,
        n_censored=core.rows.n_censored,
        spec=spec.to_dict(),
        provenance=provenance(spec.spec_hash()),
        method=method_text(spec, core.recipe, core.fit),
        code=snippet(spec),
    )
    if fit.status == "not_estimable":
        return _said_why(fit, frame, before)
    if not isinstance(fit.design, (FittedMixed, FittedCensored, FittedStructured)):
        return fit
    setting = Setting(spec, core.rows.frame, core.rows.groups)
    fit = as_shown(fit, spec)
    fit = fit.replace(
        sensitivity=rule_table(frame, spec, core._replace(fit=fit)),
        curves=fitted_curves(fit.design, setting),
        residuals=_residuals(fit.design),
    )
    points: tuple[InfluencePoint, ...] = ()
    if influence and fit.n_subjects <= MAXIMUM_SUBJECTS and fit.ratios:
        key = _key_contrast(fit.design, setting, fit.key_ratio)
        own = isinstance(fit.design, FittedCensored)
        points = (leave_one_out_censored if own else leave_one_out)(fit.design, key)
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


def _said_why(fit: Fit, frame: "pl.DataFrame", before: Sequence[Excluded]) -> Fit:
    """A fit of no row at all says what was left out before it, too, not only what its own window
    and groups left out."""
    if not before or not (frame.is_empty() or fit.reason == "no_observations"):
        return fit
    problem = left_out_before(fit.excluded or before)
    return refused(fit, problem) if problem else fit


def _concluded(fit: Fit, answer: Answer, signal_words: Any) -> Fit:
    """Checks of the question in front of those of the model, then status and sentence."""
    checks = specification_checks(answer) + tuple(
        _softened(_of_all_left_out(check, fit), answer.spec) for check in fit.checks
    )
    status, reason, advice = judged(checks)
    fit = fit.replace(checks=checks, status=status, reason=reason, advice=_advice(checks) or advice)
    return fit.replace(sentence=answer_sentence(fit, answer.spec, signal_words))


def _of_all_left_out(check: Check, fit: Fit) -> Check:
    """The check of what was left out counts what the question left out too, as the method does."""
    if check.name != "missing" or not fit.excluded:
        return check
    parts = ", ".join(f"{item.n} ({item.reason})" for item in fit.excluded)
    return Check("missing", "note", f"Left out: {parts}.", float(fit.n_excluded))


def _advice(checks: Sequence[Check]) -> str:
    """What the sentence cautions of: whatever turns the conclusion, then the first other check
    that was raised; "" where the conclusion stands."""
    raised = [check for check in checks if check.status == "warning"]
    turned = [check.message for check in raised if check.name in CONCLUSIONS]
    others = [check.message for check in raised if check.name not in CONCLUSIONS]
    return " ".join([*turned, *others[:1]]) if turned else ""


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


def _key_contrast(
    fitted: FittedMixed | FittedCensored, setting: Setting, ratio: GeometricMeanRatio | None
) -> KeyContrast:
    assert ratio is not None
    days = [ratio.day or 0.0]
    row = (
        mean_rows(fitted, setting, ratio.group, days)
        - mean_rows(fitted, setting, ratio.reference, days)
    )[0]
    return KeyContrast(row, float(row @ fitted.beta), setting.spec.transform != "none")


def _residuals(
    fitted: FittedMixed | FittedCensored | FittedStructured,
) -> tuple[ResidualPoint, ...]:
    """Of every value; of a value known by its limits only there is none. Of a residual structure
    from the mean of all patients, decorrelated and in units of the standard deviation."""
    frame = fitted.design.frame
    exact = np.arange(len(fitted.design.patient))
    if isinstance(fitted, FittedCensored):
        exact = np.flatnonzero(~fitted.limits.censored)
    if isinstance(fitted, FittedStructured):
        means, values = fitted.design.matrices.x @ fitted.beta, fitted.residuals
    else:
        means = fitted.fitted[exact]
        values = fitted.design.matrices.y[exact] - means
    labels, codes = fitted.design.labels, fitted.design.patient[exact]
    days = frame["day"][exact].to_list() if "day" in frame.columns else [None] * len(values)
    return tuple(
        ResidualPoint(labels[code], day, float(mean), float(value), float(score))
        for code, day, mean, value, score in zip(
            codes, days, means, values, normal_scores(values), strict=True
        )
    )
