"""Does response, or the time to an event, go with a parameter of the signal? At a landmark.

Response: logistic regression with Firth's penalty. Event: proportional hazards with the clock
started at the landmark. Both leave out, and count, patients whose outcome came before it.
"""

from collections.abc import Sequence
from math import exp
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis.checks.answer import Answer
from analysis.checks.conclusion import check_conclusion_by_rule
from analysis.exposure_rules import RESPONSES
from analysis.fits.exposure_rows import ExposureRows, exposure_rows
from analysis.fits.guards import Problem
from analysis.fits.mixed import judged, refused
from analysis.fits.recipe import named_signal, snippet
from analysis.fits.versions import provenance
from analysis.number_words import number
from analysis.results import Check, Excluded, Fit, SensitivityRow
from analysis.specs import ModelSpec, adjuster_column

if TYPE_CHECKING:
    import polars as pl

MINIMUM_PATIENTS = 5
RULES = ("half_lloq", "drop")
"""Rules for values below the limit that leave one number per patient."""
OVERLAP = (
    "The outcome is split by the exposure without overlap, so a ratio has no end. Compare the "
    "exposure between the groups instead (signal_by_group), and show the values of both."
)
LANDMARK = (
    "Anderson JR, Cain KC, Gelber RD. Analysis of survival by tumor response. J Clin Oncol 1983. "
    "doi:10.1200/JCO.1983.1.11.710"
)


def fit_exposure_question(
    frame: "pl.DataFrame",
    spec: ModelSpec,
    n_excluded: Sequence[Excluded | tuple[str, int]] = (),
    signal_words: Any = None,
) -> Fit:
    """Answer response_by_exposure or event_by_exposure; columns of the frame: `analysis.specs`.

    The estimate of the term `exposure` is a log odds ratio or log hazard ratio for ten times more
    (log10) or one unit more. Raises UserError for a frame without the columns of the question.
    """
    from analysis.sentences import exposure_sentence

    rows, fit = _answered(frame, spec)
    before = tuple(Excluded(str(reason), int(n)) for reason, n in n_excluded)
    fit = fit.replace(
        excluded=before + fit.excluded,
        spec=spec.to_dict(),
        provenance=provenance(spec.spec_hash()),
        method=_method(spec, fit),
        references=(*fit.references, LANDMARK),
        code=snippet(spec),
    )
    if fit.status == "not_estimable":
        return fit.replace(advice=OVERLAP) if fit.reason == "separation" else fit
    fit = fit.replace(sensitivity=_rule_table(frame, spec, fit))
    checks = (*_checks(rows, spec, fit), *fit.checks)
    status, reason, advice = judged(checks)
    fit = fit.replace(checks=checks, status=status, reason=reason, advice=advice)
    return fit.replace(sentence=exposure_sentence(fit, spec, signal_words))


def exposure_rule_table(frame: "pl.DataFrame", spec: ModelSpec) -> tuple[SensitivityRow, ...]:
    """The ratio of the exposure with values below the limit at half of it and left out; empty where
    there are none. A patient's one exposure has no censored likelihood."""
    return _rule_table(frame, spec, _answered(frame, spec)[1])


def _rule_table(frame: "pl.DataFrame", spec: ModelSpec, fit: Fit) -> tuple[SensitivityRow, ...]:
    """The same where the answer under the rule of the specification is known."""
    if not fit.n_censored:
        return ()
    return tuple(
        _rule_row(rule, fit if rule == spec.blq else _answered(frame, spec.replace(blq=rule))[1])
        for rule in RULES
    )


def _rule_row(rule: str, fit: Fit) -> SensitivityRow:
    own = next((item for item in fit.estimates if item.term == "exposure"), None)
    if own is None or own.estimate is None:
        nothing = (None, None, None, None, None)
        return SensitivityRow(rule, *nothing, fit.n_observations, "not_estimable")
    low, high = (None if end is None else exp(end) for end in (own.conf_low, own.conf_high))
    n = fit.n_observations
    return SensitivityRow(rule, None, exp(own.estimate), low, high, own.p_value, n, "ok")


def exposure_patients(frame: "pl.DataFrame", spec: ModelSpec) -> "pl.DataFrame":
    """The patients behind an answer, one row each: usubjid, exposure (in the unit of the signal),
    and `success` of a response, or event_day (days since infusion) and event (1, 0)."""
    import polars as pl

    rows, _ = _with_outcome(frame, spec)
    needed = ("exposure", *_outcome_columns(spec), *map(adjuster_column, spec.adjusters))
    kept = rows.frame.drop_nulls(needed)
    if spec.question == "event_by_exposure":
        kept = kept.filter(pl.col("event_day") > spec.landmark_day)
    shift = {"log10": 0.0, "log10_shift": spec.shift}.get(spec.transform)
    measured = pl.col("exposure") if shift is None else 10.0 ** pl.col("exposure") - shift
    outcome = ("success",) if "success" in kept.columns else ("event_day", "event")
    return kept.select("usubjid", measured.alias("exposure"), *outcome)


def _outcome_columns(spec: ModelSpec) -> tuple[str, ...]:
    return ("group",) if spec.question == "response_by_exposure" else ("event_day", "event")


def _with_outcome(
    frame: "pl.DataFrame", spec: ModelSpec
) -> tuple[ExposureRows, tuple[Excluded, ...]]:
    """The patients with an exposure, and who had answered before the landmark."""
    response = spec.question == "response_by_exposure"
    outcome = _outcome_columns(spec)
    if response and "response_day" in frame.columns:
        outcome = (*outcome, "response_day")
    rows = exposure_rows(frame, spec, outcome)
    return assessed_later(rows, spec) if response else (rows, ())


def _answered(frame: "pl.DataFrame", spec: ModelSpec) -> tuple[ExposureRows, Fit]:
    """The patients with an exposure and an outcome, and the fit to them under the rule asked."""
    rows, early = _with_outcome(frame, spec)
    fit = _fit(rows, spec, spec.question == "response_by_exposure")
    left_out = rows.excluded + early + fit.excluded
    return rows, fit.replace(excluded=left_out, n_censored=rows.n_censored)


def assessed_later(
    rows: ExposureRows, spec: ModelSpec
) -> tuple[ExposureRows, tuple[Excluded, ...]]:
    """Patients whose response is known, and was not assessed before the landmark."""
    import polars as pl

    kept, lost = rows.frame, []
    filters = [("patient: no known response", pl.col("group").is_not_null())]
    if "response_day" in kept.columns:
        late = (pl.col("response_day") >= spec.landmark_day).fill_null(True)
        filters.append((f"patient: assessed before day {spec.landmark_day:g}, the landmark", late))
    for reason, keep in filters:
        left = kept.filter(keep)
        if left.height < kept.height:
            lost.append(Excluded(reason, kept.height - left.height))
        kept = left
    level = RESPONSES[spec.outcome.partition(":")[2]][0]
    kept = kept.with_columns(success=(pl.col("group").cast(pl.String) == level))
    return rows._replace(frame=kept), tuple(lost)


def _fit(rows: ExposureRows, spec: ModelSpec, response: bool) -> Fit:
    from analysis.fits.response.logistic import KIND as LOGISTIC
    from analysis.fits.response.logistic import fit_logistic
    from analysis.fits.survival.cox import KIND as COX
    from analysis.fits.survival.cox import fit_cox

    right = " + ".join(("exposure", *(adjuster_column(name) for name in spec.adjusters)))
    known = {"exposure": float(spec.day_high or 0.0)}
    problem = _problem(rows)
    if problem is not None:
        shell = Fit(
            LOGISTIC if response else COX, "not_estimable", None, "", formula=right,
            group="usubjid", n_subjects=rows.frame.height, n_observations=rows.frame.height,
        )  # fmt: skip
        return refused(shell, problem)
    if response:
        return fit_logistic(
            rows.frame, f"success ~ {right}", subject="usubjid", penalty="firth",
            known_on_day=known, assessed_on_day=spec.landmark_day, level=spec.level,
        )  # fmt: skip
    return fit_cox(
        rows.frame, right, "event_day", "event", subject="usubjid", known_on_day=known,
        landmark_day=spec.landmark_day, level=spec.level,
    )  # fmt: skip


def _problem(rows: ExposureRows) -> Problem | None:
    n = rows.frame.height
    if n < MINIMUM_PATIENTS:
        lost = ", ".join(f"{item.n} with {item.reason}" for item in rows.excluded)
        return Problem(
            "too_few_subjects",
            f"{n} {'patient has' if n == 1 else 'patients have'} an exposure and an outcome; at "
            f"least {MINIMUM_PATIENTS} are needed" + (f" (left out: {lost})." if lost else "."),
            "Widen the day window or the selection, or show the patients one by one.",
        )
    if rows.frame["exposure"].n_unique() == 1:
        return Problem(
            "constant_exposure",
            "The exposure is the same in all patients, so nothing can go with it.",
            "Check the window and the limit; values at half the limit are all alike.",
        )
    return None


def _checks(rows: ExposureRows, spec: ModelSpec, fit: Fit) -> tuple[Check, ...]:
    found = [check_conclusion_by_rule(Answer(spec, rows.frame, fit, ())), *_step(rows, spec)]
    if spec.question == "response_by_exposure" and (
        "response_day" not in rows.frame.columns or rows.frame["response_day"].null_count()
    ):
        found.append(
            Check(
                "assessment_day",
                "warning",
                "The day of some responses is not known, so they may have been assessed before "
                f"day {spec.landmark_day:g}, the landmark; deliver the days of assessment.",
            )
        )
    if not any("burden" in name.lower() for name in spec.adjusters):
        found.append(
            Check(
                "confounding",
                "note",
                "Tumor burden drives both expansion and outcome; without it among the adjusters "
                "the relation is not that of the exposure alone.",
            )
        )
    return tuple(found)


def _step(rows: ExposureRows, spec: ModelSpec) -> list[Check]:
    """A warning where no two patients differ by the step that the ratio is for."""
    width = float(np.ptp(rows.frame["exposure"].to_numpy()))
    if not spec.transform.startswith("log10") or width >= 1:
        return []
    return [
        Check(
            "step", "warning",
            f"Highest and lowest exposure differ by a factor of {number(10**width)} only, so no "
            "patient has ten times the exposure of another; read the ratio as a slope, and compare "
            "the exposures of both outcomes.", width,
        )
    ]  # fmt: skip


def _method(spec: ModelSpec, fit: Fit) -> str:
    from analysis.exposure_rules import PARAMETERS
    from analysis.specs import BLQ_RULES, TRANSFORMS

    low, high = spec.day_low or 0.0, spec.day_high
    adjusted = f", adjusted for {', '.join(spec.adjusters)}" if spec.adjusters else ""
    parts = (
        f"Exposure: {named_signal(spec.exposure)}, {PARAMETERS[spec.parameter]}, "
        f"day {low:g} to {high:g}; {TRANSFORMS[spec.transform].partition(';')[0]}.",
        f"Outcome: {outcome_words(spec.outcome)} from day {spec.landmark_day:g}, the landmark"
        f"{adjusted}; patients whose outcome came before it are left out and counted.",
        f"Limits: {BLQ_RULES[spec.blq]}.",
        fit.method,
        fit.inference_note,
    )
    return " ".join(part for part in parts if part)


def outcome_words(outcome: str) -> str:
    """ "response CR or PR (response:responder)", "time to OS (event:OS)"."""
    kind, _, code = outcome.partition(":")
    words = RESPONSES[code][1] if kind == "response" else f"time to {code}"
    return f"{words} ({outcome})"
