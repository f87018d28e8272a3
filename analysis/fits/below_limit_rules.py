"""Does the rule for values below the limit matter? The key ratio under each rule."""

from typing import TYPE_CHECKING

from analysis.covariance_rules import is_structured
from analysis.errors import UserError
from analysis.fits.exposure_question import exposure_rule_table
from analysis.fits.question_fit import KIND, Core, fit_question
from analysis.fits.relabelled import as_shown
from analysis.frames import takes_frames
from analysis.results import Fit, GeometricMeanRatio, SensitivityRow
from analysis.specs import EXPOSURE_QUESTIONS, JOINT_QUESTIONS, ModelSpec

if TYPE_CHECKING:
    import polars as pl

RULES = ("censored", "half_lloq", "drop")
"""Likelihood of the limits, substitution, omission; the first is the one to believe: omission
takes the mean too high, substitution the spread too low (Beal 2001,
doi:10.1023/A:1012299115260)."""


@takes_frames
def below_limit_table(frame: "pl.DataFrame", spec: ModelSpec) -> tuple[SensitivityRow, ...]:
    """The key ratio of a specification with values below the limit censored, at half the limit and
    left out; empty where there are none, or where the outcome is not on a log scale. Of a question
    by exposure the odds or hazard ratio, at half the limit and left out.

    frame: as for `fit_specification`. A rule that cannot be fitted stands with its status and no
    number. Raises UserError for a question that must not be asked so.
    """
    spec.validate()
    if spec.question in EXPOSURE_QUESTIONS:
        return exposure_rule_table(frame, spec)
    if spec.question in JOINT_QUESTIONS:
        raise UserError(
            f"question {spec.question!r} has no rule for values below the limit to compare; ask "
            "for the signal by group"
        )
    core = fit_question(frame, spec)
    return rule_table(frame, spec, core._replace(fit=as_shown(core.fit, spec)))


def rule_table(frame: "pl.DataFrame", spec: ModelSpec, core: Core) -> tuple[SensitivityRow, ...]:
    """The same where the answer under the rule of the specification is known, with its joint tests
    `as_shown`."""
    if not core.rows.n_censored or spec.transform != "log10":
        return ()
    key = _identity(core.fit.key_ratio)
    rules = [rule for rule in RULES if rule != "censored" or not is_structured(spec)]
    return tuple(
        _row(rule, core.fit if rule == spec.blq else _refit(frame, spec, rule), key)
        for rule in rules
    )


def _row(rule: str, fit: Fit, key: tuple[float | None, str]) -> SensitivityRow:
    match = next((ratio for ratio in fit.ratios if _identity(ratio) == key), None)
    n = fit.n_observations
    if match is None:
        return SensitivityRow(rule, None, None, None, None, None, n, "not_estimable")
    return SensitivityRow(
        rule,
        match.day,
        match.ratio,
        match.conf_low,
        match.conf_high,
        match.p_value,
        n,
        "ok",
        fit.group_test.p_value if fit.group_test else None,
    )


def _refit(frame: "pl.DataFrame", spec: ModelSpec, rule: str) -> Fit:
    """The censored likelihood has methods of its own: any other than Wald becomes its default."""
    own = spec.inference if rule != "censored" or spec.inference == "wald" else "auto"
    asked = spec.replace(blq=rule, inference=own)
    try:
        return as_shown(fit_question(frame, asked).fit, asked)
    except UserError as error:
        return Fit(KIND, "not_estimable", "not_comparable", str(error))


def _identity(ratio: GeometricMeanRatio | None) -> tuple[float | None, str]:
    return (None, "") if ratio is None else (ratio.day, ratio.group)
