"""What the simpler analyses beside a joint model share: risk sets, fitted course, answer."""

from collections.abc import Callable
from dataclasses import dataclass
from math import erfc, sqrt
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np

from analysis.engine.structure import Array, Index
from analysis.errors import UserError
from analysis.fits.censored_fitted import FittedCensored
from analysis.fits.censored_mixed import fit_censored_mixed
from analysis.fits.fitted import FittedMixed
from analysis.fits.joint.assembly import Problem
from analysis.fits.joint.event_account import MINIMUM_EVENTS
from analysis.fits.joint.reported import FittedJoint
from analysis.fits.joint.risk_sets import RiskSet, cox_fit
from analysis.fits.joint.sentences import association_phrase
from analysis.fits.joint.trajectory import feature
from analysis.fits.mixed import fit_mixed
from analysis.number_words import count
from analysis.results import Estimate, Fit, Status

if TYPE_CHECKING:
    import polars as pl

BIAS = {
    "two-stage": (
        "The fitted course is used as if it were known and was fitted without the events: the "
        "association usually comes out too weak and its interval too narrow."
    ),
    "carried forward": (
        "The last value stands until the next one, with its measurement error: the association "
        "is drawn toward none, the more the longer between visits."
    ),
    "landmark": (
        "Only what was known at the landmark is used, so nothing is borrowed from the future; the "
        "events before it do not count, and the association is with the signal on that day, not "
        "with the current one: another number, weaker or stronger."
    ),
}


LIMITED = (
    " Values beyond a limit enter the course by their probability; where a patient has many of "
    "them, the course used is mostly that of all patients."
)


@dataclass(frozen=True)
class CoxAlternative:
    """One of the simpler analyses. estimates: covariates (part "event") and the signal's features
    (part "association"); bias: what it gets wrong. No number where it is not estimable."""

    rule: str
    status: Status
    reason: str | None
    sentence: str
    bias: str
    advice: str = ""
    estimates: tuple[Estimate, ...] = ()
    n_subjects: int = 0
    n_events: int = 0


def usable(fit: Fit, rule: str) -> tuple[FittedJoint, CoxAlternative | None]:
    """The joint fit, and why its data cannot be analyzed by a Cox model; None where they can."""
    fitted = fitted_of(fit)
    rows = fitted.problem.rows
    if rows.interval:
        return fitted, refused(rule, "interval_events", "the event times are known between two "
                                "visits only.", "Compare with exact times.")  # fmt: skip
    if len(rows.causes) > 1:
        return fitted, refused(rule, "several_causes", "it is computed for one cause at a time.",
                                "Fit one cause with the others censored.")  # fmt: skip
    return fitted, None


def fitted_of(fit: Fit) -> FittedJoint:
    """The joint model with its data. Raises UserError for a fit that holds none."""
    if not isinstance(fit.design, FittedJoint) or fit.design.outcome_part != "event":
        raise UserError(
            "the simpler analyses need a joint model of an event as fitted in this session; one "
            "read from a file does not hold its data: fit it again"
        )
    return fit.design


def mixed_alone(fitted: FittedJoint, frame: "pl.DataFrame", random: str = "") -> Fit:
    """The mixed model without the events, with the limits of values in its likelihood; few early
    visits carry a random intercept only."""
    design, limited = fitted.problem.design, fitted.problem.rows.limits is not None
    random = random or design.random
    if limited:
        lower, upper = fitted.columns.lower, fitted.columns.upper
        return fit_censored_mixed(
            frame, design.formula, design.group, random, (), lower, upper, inference="wald"
        )
    return fit_mixed(frame, design.formula, design.group, random, inference="wald", verify=False)


def fitted_course(
    p: Problem,
    alone: FittedMixed | FittedCensored,
    patient: Index,
    time: Array,
    association: tuple[str, ...],
    number: Index | None = None,
) -> Array:
    """Features of the fitted course, (rows, features). number: of the patient in `alone`."""
    trajectory = p.trajectory._replace(
        x_encoder=alone.design.matrices.x_encoder, z_encoder=alone.design.matrices.z_encoder
    )
    effects = alone.random_effects @ np.linalg.inv(alone.design.z_transform).T
    own = effects[patient if number is None else number]
    found = []
    for name in association:
        x, z = feature(trajectory, name, patient, time)
        found.append(x @ alone.beta + np.einsum("rq,rq->r", z, own))
    return np.column_stack(found)


def risk_sets(
    p: Problem, features: Callable[[Index, Array], Array], after: float = 0.0
) -> list[RiskSet]:
    """One risk set per distinct event time later than `after`; patients without a value drop out.

    features: (patients, times) -> (rows, features).
    """
    rows = p.rows
    times = np.unique(rows.first[(rows.event > 0) & (rows.first > after)])
    risk = (rows.entry[None, :] < times[:, None]) & (rows.first[None, :] >= times[:, None])
    if after > 0:
        risk &= (rows.entry <= after)[None, :]
    number, patient = np.nonzero(risk)
    values = features(patient, times[number])
    found = []
    for index, time in enumerate(times):
        here = np.flatnonzero(number == index)
        here = here[np.isfinite(values[here]).all(axis=1)]
        who = patient[here]
        event = (rows.event[who] > 0) & (rows.first[who] == time)
        if event.any():
            covariates = p.covariates.scaled[who] * p.covariates.scale + p.covariates.center
            found.append(RiskSet(np.column_stack([covariates, values[here]]), event))
    return found


def answer(
    fit: Fit,
    rule: str,
    sets: list[RiskSet],
    association: tuple[str, ...],
    n: int,
    day: float | None = None,
) -> CoxAlternative:
    """The Cox fit of these risk sets in numbers and words."""
    n_events = int(sum(item.event.sum() for item in sets))
    if n_events < MINIMUM_EVENTS:
        return refused(rule, "too_few_events", f"{count(n_events, 'event')} left; about "
                        f"{MINIMUM_EVENTS} are needed.", "Take an earlier landmark.")  # fmt: skip
    found = cox_fit(sets)
    if found is None:
        return refused(rule, "no_maximum", "the partial likelihood has no maximum.",
                        "Leave out the covariate that orders the events.")  # fmt: skip
    covariates = fitted_of(fit).problem.covariates.names
    names = [*(("event", name) for name in covariates), *(("association", a) for a in association)]
    error = np.sqrt(np.diag(found.covariance))
    estimates = tuple(
        _estimate(part, term, float(value), float(se), fit.conf_level)
        for (part, term), value, se in zip(names, found.coefficients, error, strict=True)
    )
    fitted = fitted_of(fit)
    bias = BIAS[rule] + LIMITED * (fitted.problem.rows.limits is not None)
    shown = [association_phrase(e, fitted, fit.conf_level) for e in estimates if e.part != "event"]
    where = f"From {day:g} on, " if day is not None else ""
    text = f"{where}{'; '.join(shown)} ({count(n, 'patient')}, {count(n_events, 'event')}; {rule})."
    return CoxAlternative(
        rule,
        "ok",
        None,
        f"{text[0].upper()}{text[1:]} {bias}{fitted.name.caution}",
        bias,
        estimates=estimates,
        n_subjects=n,
        n_events=n_events,
    )


def _estimate(part: str, term: str, value: float, error: float, level: float) -> Estimate:
    width = NormalDist().inv_cdf(0.5 + level / 2) * error
    statistic = value / error
    return Estimate(
        term, value, error, None, statistic, erfc(abs(statistic) / sqrt(2.0)), value - width,
        value + width, part=part,
    )  # fmt: skip


def refused(rule: str, reason: str, sentence: str, advice: str) -> CoxAlternative:
    """The analysis without a number: why, and what to do."""
    text = sentence.removeprefix("Not estimable: ")
    return CoxAlternative(
        rule, "not_estimable", reason, f"Not estimable: {text}", BIAS[rule], advice
    )
