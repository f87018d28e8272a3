"""Proportional hazards regression. `fit_cox` is the entry point."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from analysis.checks.proportional_hazards import proportional_hazards_check
from analysis.compute.confidence_level import require_level
from analysis.engine.partial_likelihood import RiskSets
from analysis.errors import UserError
from analysis.fits.guards import Problem
from analysis.fits.mixed import judged, refused
from analysis.fits.survival.cox_fit import FittedCox, diverges, fit_cox_core
from analysis.fits.survival.design import covariate_names, covariates_of
from analysis.fits.survival.known_on import require_known
from analysis.fits.survival.landmark import at_landmark, landmark_problem
from analysis.fits.survival.rows import (
    EventRows,
    event_rows,
    events_problem,
    one_time_problem,
    subject_problem,
)
from analysis.fits.versions import provenance
from analysis.frames import takes_frames
from analysis.number_words import count, number
from analysis.results import Check, Fit

if TYPE_CHECKING:
    import polars as pl

KIND = "Cox model"
TIES = ("efron", "breslow")
PENALTIES = ("auto", "none", "firth")
METHOD = (
    "Proportional hazards model by maximum partial likelihood, ties by {ties}; exact derivatives, "
    "Newton's method on centered columns of unit size."
)
FIRTH = " Firth's penalty."
FIRTH_TESTS = " Tests and intervals by penalized likelihood ratio."
ROBUST = " Standard errors are robust, grouped by {cluster} (Lin, Wei 1989)."
REFERENCES = (
    "Cox DR. Regression models and life-tables. J R Stat Soc B 1972. "
    "doi:10.1111/j.2517-6161.1972.tb00899.x",
    "Heinze G, Schemper M. A solution to the problem of monotone likelihood in Cox regression. "
    "Biometrics 2001. doi:10.1111/j.0006-341X.2001.00114.x",
)


@takes_frames
def fit_cox(
    frame: "pl.DataFrame",
    formula: str,
    time: str,
    event: str,
    *,
    entry: str | None = None,
    subject: str | None = None,
    strata: Sequence[str] | str = (),
    cluster: str | None = None,
    ties: str = "efron",
    penalty: str = "auto",
    level: float = 0.95,
    known_on_day: Mapping[str, float] | None = None,
    landmark_day: float | None = None,
) -> Fit:
    """Fit a proportional hazards model; estimates are log hazard ratios.

    formula: right side only, "age + sex" or "~ age + sex". time: end of follow-up, event 1 or 0.
    entry: start of a row's time at risk, for late entry and for covariates that change (several
    rows of one `subject`). strata: columns with a baseline hazard of their own. cluster: column
    whose rows belong together; standard errors are robust then.
    penalty: "firth", "none", or "auto" for Firth's where an estimate has no end (monotone
    likelihood). known_on_day: covariate -> day on which its value was known; one that is later
    than the start of the clock is refused unless `landmark_day` restarts the clock behind it or
    `entry` makes it a covariate that changes. landmark_day: patients with an earlier end are left
    out and counted, time counts from there.
    A model that cannot be fitted comes back not_estimable and without number. Raises UserError for
    a column or option that does not exist, and for a covariate from the future.
    """
    require_level(level)
    strata = (strata,) if isinstance(strata, str) else tuple(strata)
    _require_options(ties, penalty)
    require_known(known_on_day, landmark_day, entry, frame.columns)
    names = covariate_names(formula, frame.columns, event)
    extra = [*names, *strata, *([cluster] if cluster else []), *([subject] if subject else [])]
    shell = Fit(
        kind=KIND, status="not_estimable", reason=None, sentence="", formula=formula,
        group=subject or "", reml=False, inference="wald", conf_level=level,
        inference_note="Normal intervals from the information.",
        method=METHOD.format(ties=ties.capitalize()), references=REFERENCES,
        provenance=provenance(),
    )  # fmt: skip
    rows = event_rows(frame, time, event, entry, extra)
    if isinstance(rows, Problem):
        return refused(shell, rows)
    repeated = subject_problem(rows, subject)
    if repeated is not None:
        return refused(shell, repeated)
    problem = None
    if landmark_day is not None:
        before, rows = rows, at_landmark(rows, landmark_day)
        problem = landmark_problem(before, rows, landmark_day, subject)
    shell = shell.replace(
        excluded=rows.excluded,
        n_subjects=rows.frame[subject].n_unique() if subject else len(rows.time),
        n_observations=len(rows.time),
        n_events=rows.n_events,
    )
    problem = problem or events_problem(rows) or one_time_problem(rows)
    design = problem or covariates_of(rows.frame, formula, event)
    if isinstance(design, Problem):
        return refused(shell, design)
    sets = RiskSets(
        design.scaled, rows.entry, rows.time, rows.event, _numbers(rows, strata), ties == "efron"
    )
    groups = None if cluster is None else _numbers(rows, (cluster,))
    return _answered(shell, FittedCox(design, sets, rows, groups, level), penalty, cluster)


def _answered(shell: Fit, fitted: FittedCox, penalty: str, cluster: str | None) -> Fit:
    found = fit_cox_core(fitted.sets, firth=penalty == "firth")
    monotone = penalty == "auto" and diverges(found, fitted.sets)
    if monotone:
        found = fit_cox_core(fitted.sets, firth=True)
    fitted.found, fitted.firth = found, monotone or penalty == "firth"
    if not found.converged or diverges(found, fitted.sets):
        return refused(shell, NO_END)
    if not np.isfinite(fitted.std_error).all():
        return refused(shell, NOT_IDENTIFIED)
    checks = (*_checks(fitted, monotone), proportional_hazards_check(fitted))
    status, reason, advice = judged(checks)
    if fitted.firth:
        why = ", as the estimate would have no end without the penalty" if monotone else ""
        shell = shell.replace(method=shell.method + FIRTH)
        if not cluster:
            shell = shell.replace(
                method=shell.method + FIRTH_TESTS, inference="penalized_likelihood_ratio",
                inference_note=f"Penalized likelihood ratio{why}.",
            )  # fmt: skip
    if cluster:
        shell = shell.replace(
            method=shell.method + ROBUST.format(cluster=cluster),
            inference_note="Normal intervals from the robust variance.",
        )
    fit = shell.replace(
        estimates=fitted.estimates(), log_likelihood=fitted.log_likelihood,
        criterion=-2 * fitted.log_likelihood,
        checks=checks, status=status, reason=reason, advice=advice, design=fitted,
    )  # fmt: skip
    return fit.replace(sentence=cox_sentence(fit))


NO_END = Problem(
    "monotone_likelihood",
    "An estimate has no end: the covariate orders the events completely.",
    "Ask for penalty='firth', or describe the groups with their curves.",
)
NOT_IDENTIFIED = Problem(
    "not_identified",
    "The events do not tell the covariates apart.",
    "Leave out a covariate that hardly varies among the patients at risk.",
)


def _checks(fitted: FittedCox, monotone: bool) -> tuple[Check, ...]:
    events, p = fitted.rows.n_events, len(fitted.design.names)
    each = events / p
    words = f"{count(events, 'event')} for {count(p, 'estimate')}"
    found = [
        Check("events_per_estimate", "ok", f"{words}.", each)
        if each >= 10
        else Check(
            "events_per_estimate",
            "warning" if each < 5 else "note",
            f"{words}: fewer than {'five' if each < 5 else 'ten'} for each. Estimates are biased "
            "away from no effect; ask for fewer covariates.",
            each,
        )
    ]
    if monotone:
        found.append(
            Check(
                "separation",
                "warning",
                "Without a penalty an estimate has no end (monotone likelihood), so Firth's "
                "penalty was taken; read the interval, not the estimate.",
            )
        )
    return tuple(found)


def cox_sentence(fit: Fit) -> str:
    """One covariate: its hazard ratio; several: how many patients and events there are."""
    events = count(fit.n_events or 0, "event")
    facts = f"{count(fit.n_subjects, 'patient')}, {events}"
    caution = "" if fit.status == "ok" else f" Caution: {fit.advice}"
    if len(fit.estimates) != 1:
        return f"The Cox model was fitted to {facts}.{caution}"
    row = fit.estimates[0]
    low, high = (
        "without end" if end is None else number(float(np.exp(end)))
        for end in (row.conf_low, row.conf_high)
    )
    level = f"{100 * fit.conf_level:g} % CI {low} to {high}"
    ratio = number(float(np.exp(row.estimate)))
    return f"The hazard ratio of {row.term} was {ratio} ({level}; {facts}).{caution}"


def hazard_ratios(fit: Fit) -> "pl.DataFrame":
    """term, hazard_ratio, conf_low, conf_high, p_value of a Cox model."""
    import polars as pl

    def ratio(value: float | None) -> float | None:
        return None if value is None else float(np.exp(value))

    rows = [
        (one.term, ratio(one.estimate), ratio(one.conf_low), ratio(one.conf_high), one.p_value)
        for one in fit.estimates
    ]
    numbers = ("hazard_ratio", "conf_low", "conf_high", "p_value")
    schema = {"term": pl.String, **dict.fromkeys(numbers, pl.Float64)}
    return pl.DataFrame(rows, schema=schema, orient="row")


def _require_options(ties: str, penalty: str) -> None:
    if ties not in TIES:
        raise UserError(f"ties {ties!r} does not exist; use one of {', '.join(TIES)}")
    if penalty not in PENALTIES:
        raise UserError(f"penalty {penalty!r} does not exist; use one of {', '.join(PENALTIES)}")


def _numbers(rows: EventRows, columns: Sequence[str]) -> np.ndarray:
    if not columns:
        return np.zeros(len(rows.time), dtype=np.intp)
    keys = rows.frame.select(columns).rows()
    known = {key: number for number, key in enumerate(dict.fromkeys(keys))}
    return np.array([known[key] for key in keys], dtype=np.intp)
