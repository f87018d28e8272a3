"""Joint model of a longitudinal signal and a time to event. `fit_joint` is the entry point."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from analysis.compute.confidence_level import require_level
from analysis.errors import UserError
from analysis.fits import guards
from analysis.fits.joint.assembly import (
    Problem,
    assembled,
    covariates_of,
    trajectory_of,
)
from analysis.fits.joint.baseline import baseline_of
from analysis.fits.joint.checks import joint_checks
from analysis.fits.joint.refusals import (
    NOT_CONVERGED,
    NOT_IDENTIFIED,
    covariate_problem,
    joint_design,
    separation,
)
from analysis.fits.joint.reported import FittedJoint
from analysis.fits.joint.rows import Columns, JointRows, joint_rows
from analysis.fits.joint.search import search
from analysis.fits.joint.sentences import SignalName, joint_sentence
from analysis.fits.joint.starts import start_of
from analysis.fits.mixed import judged, refused
from analysis.fits.versions import provenance
from analysis.frames import takes_frames
from analysis.results import Fit, finite

if TYPE_CHECKING:
    import polars as pl

KIND = "joint model"
FEATURES = ("value", "slope")
METHOD = (
    "Joint model by maximum likelihood: linear mixed model of the signal, proportional hazards "
    "with {baseline} baseline and {association} association. Random effects integrated by "
    "adaptive Gauss-Hermite quadrature ({nodes} nodes per patient), time at risk by "
    "Gauss-Legendre; exact score and observed information, Newton's method."
)
REFERENCES = (
    "Wulfsohn MS, Tsiatis AA. A joint model for survival and longitudinal data measured with "
    "error. Biometrics 1997. doi:10.2307/2533118",
    "Rizopoulos D. JM: an R package for the joint modelling of longitudinal and time-to-event "
    "data. J Stat Softw 2010. doi:10.18637/jss.v035.i09",
    "Rizopoulos D. Fast fitting of joint models using a pseudo-adaptive Gaussian quadrature rule. "
    "Comput Stat Data Anal 2012. doi:10.1016/j.csda.2011.09.007",
)


@takes_frames
def fit_joint(
    longitudinal: "pl.DataFrame",
    events: "pl.DataFrame",
    formula: str,
    group: str,
    random: str,
    long_time: str,
    event_time: str | tuple[str, str],
    event: str,
    event_formula: str = "1",
    association: Sequence[str] = ("value",),
    baseline: str = "piecewise",
    entry: str | None = None,
    cause: str | None = None,
    lower: str | None = None,
    upper: str | None = None,
    *,
    knots: Sequence[float] | None = None,
    nodes: int | None = None,
    time_nodes: int | None = None,
    level: float = 0.95,
    signal: str = "",
    tracer_class: str | None = None,
) -> Fit:
    """Fit a joint model: the course of a signal, and the hazard of an event that depends on it.

    longitudinal: one row per visit; formula "outcome ~ terms", random "1 + rel_day" as in
    `fit_mixed`, long_time the column of the visit's time. events: one row per patient; event_time
    its end of follow-up on the same clock, event 1 or 0; a pair of columns where an event is known
    only to lie after the first and up to the second time. event_formula: covariates of the hazard.
    association: "value" and/or "slope" of the true course at that time. baseline: "piecewise",
    "spline" or "weibull"; knots: inner cuts, else quantiles. entry: time from which the patient
    was under observation (left truncation, time 0 is the start of risk). cause: which event it
    was; each cause has its own hazard. lower, upper: limits of the outcome's column where a value
    is below or above one (exact where both are missing or equal).
    nodes, time_nodes: quadrature per random effect, and per piece of time.
    signal, tracer_class: how the sentence calls the signal.
    A model that cannot be fitted comes back not_estimable and without number. Raises UserError for
    a formula, column or option that does not exist.
    """
    require_level(level)
    times = (event_time,) if isinstance(event_time, str) else tuple(event_time)
    association = _known_features(association, times)
    name = SignalName(formula, signal, tracer_class)
    columns = Columns(group, long_time, times, event, entry, cause, lower, upper)
    rows = joint_rows(longitudinal, events, formula, random, event_formula, columns)
    shell = Fit(
        kind=KIND, status="not_estimable", reason=None, sentence="", formula=formula, group=group,
        random=random, reml=False, inference="wald", conf_level=level,
        inference_note="Normal intervals from the observed information.",
        references=REFERENCES, provenance=provenance(),
    )  # fmt: skip
    if isinstance(rows, guards.Problem):
        return refused(shell, rows)
    shell = counted(shell, rows)
    design = joint_design(rows, formula, random, group, long_time)
    if isinstance(design, guards.Problem):
        return refused(shell, design)
    covariates = covariates_of(rows.events, event, event_formula)
    problem = covariate_problem(covariates)
    if problem:
        return refused(shell, problem)
    baselines = tuple(
        baseline_of(
            baseline,
            np.where(np.isfinite(rows.follow_up), rows.follow_up, rows.first),
            rows.event * (rows.cause == number),
            None if knots is None else np.asarray(knots, dtype=float),
        )
        for number in range(len(rows.causes))
    )
    trajectory = trajectory_of(design, rows, long_time, group)
    joint = assembled(
        rows, design, trajectory, covariates, baselines, association, nodes, time_nodes
    )
    shell = shell.replace(
        method=METHOD.format(
            baseline=baseline,
            association=" and ".join(association),
            nodes=len(joint.likelihood.grid.nodes),
        )
    )
    return _fitted(shell, joint, name, columns)


def _fitted(shell: Fit, joint: Problem, name: SignalName, columns: Columns) -> Fit:
    try:
        found = search(joint.likelihood, start_of(joint))
    except np.linalg.LinAlgError:
        return refused(shell, NOT_CONVERGED)
    fitted = FittedJoint(joint, found, shell.conf_level, columns, name)
    if not found.converged:
        return refused(shell, NOT_CONVERGED)
    if fitted.covariance is None:
        return refused(shell, NOT_IDENTIFIED)
    if fitted.runaway:
        return refused(shell, separation(fitted))
    fit = shell.replace(
        estimates=fitted.estimates(),
        variance_components=fitted.variance_components(columns.group),
        log_likelihood=finite(log_likelihood(fitted)),
        criterion=finite(-2 * log_likelihood(fitted)),
        design=fitted,
    )
    checks = joint_checks(fitted)
    status, reason, advice = judged(checks)
    fit = fit.replace(checks=checks, status=status, reason=reason, advice=advice)
    return fit.replace(sentence=joint_sentence(fit, fitted))


def log_likelihood(fitted: FittedJoint) -> float:
    """On the scale of the outcome: every exact value was divided by `y_scale`."""
    rows = fitted.problem.rows
    exact = len(fitted.problem.design.y_scaled)
    exact -= 0 if rows.limits is None else int(rows.limits.censored.sum())
    return fitted.found.evaluation.value - exact * float(np.log(fitted.problem.y_scale))


def _known_features(association: Sequence[str], times: tuple[str, ...]) -> tuple[str, ...]:
    named = (association,) if isinstance(association, str) else tuple(association)
    for name in named:
        if name not in FEATURES:
            raise UserError(f"association {name!r} does not exist; use 'value', 'slope' or both")
    if not named or len(set(named)) < len(named):
        raise UserError("association must name 'value', 'slope' or both, each once")
    if len(times) > 2:
        raise UserError("event_time is one column, or a pair of columns for the two bounds")
    return named


def counted(shell: Fit, rows: JointRows) -> Fit:
    """The fit with the numbers of patients and rows that went in and that were left out."""
    return shell.replace(
        n_subjects=len(rows.labels),
        n_observations=rows.visits.frame.height,
        n_events=int(rows.event.sum()),
        n_censored=0 if rows.limits is None else int(rows.limits.censored.sum()),
        excluded=rows.excluded,
    )
