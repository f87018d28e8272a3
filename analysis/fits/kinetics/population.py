"""Kinetic curves of all patients together. `fit_kinetics_population` is the entry point."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from analysis.compute.confidence_level import require_level
from analysis.engine.structure import Array
from analysis.errors import UserError
from analysis.fits.guards import Problem
from analysis.fits.kinetics.cohort import Columns, Patients, patients_of, problem_of
from analysis.fits.kinetics.curves import (
    CMAX,
    CONTRACTION,
    FOLD,
    FORMS,
    LAG,
    NAMES,
    SHARE,
    SLOW,
    TMAX,
    Form,
)
from analysis.fits.kinetics.expectation import (
    Limits,
    Optimum,
    Population,
    fitted_population,
    information,
    normal_points,
)
from analysis.fits.kinetics.growing_signal import growing_signal
from analysis.fits.kinetics.population_report import reported
from analysis.fits.mixed import refused
from analysis.fits.versions import provenance
from analysis.frames import takes_frames
from analysis.results import Fit
from analysis.tracers.context import SignalContext

if TYPE_CHECKING:
    import polars as pl

KIND = "population cellular kinetics"
METHOD = (
    "Nonlinear mixed model of {words}, by maximum likelihood: parameters log-normal over patients "
    "(shares logit-normal), {covariance} covariance; integrals over each patient's posterior by "
    "importance sampling with quasi-random draws, EM steps; samples below or above a limit enter by"
    " the probability of lying there (M3); standard errors by Louis's observed information, the "
    "covariance over patients held."
)
REFERENCES = (
    "Stein AM et al. Tisagenlecleucel model-based cellular kinetic analysis of chimeric antigen "
    "receptor-T cells. CPT Pharmacometrics Syst Pharmacol 2019. doi:10.1002/psp4.12388",
    "Beal SL. Ways to fit a PK model with some data below the quantification limit. "
    "J Pharmacokinet Pharmacodyn 2001. doi:10.1023/A:1012299115260",
    "Louis TA. Finding the observed information matrix when using the EM algorithm. "
    "J R Stat Soc B 1982. doi:10.1111/j.2517-6161.1982.tb01203.x",
)
SLOWEST = 0.05
"""Share that the slow decline takes at least from the typical patient up to the last sample."""
WIDEST = 2.0
"""Standard deviation of the log of the slow decline over patients, at most: one patient in 20 has
one 50 times faster or slower than the typical."""
DRAWS = (512, 2048)
"""Quasi-random draws per patient while searching, and for the last rounds and the errors."""


@takes_frames
def fit_kinetics_population(
    frame: "pl.DataFrame",
    *,
    time: str = "rel_day",
    value: str = "value",
    lower: str = "lower",
    upper: str = "upper",
    group: str = "usubjid",
    form: str = "stein",
    covariates: Mapping[str, Sequence[str]] | None = None,
    covariance: str = "diagonal",
    level: float = 0.95,
    seed: int = 0,
    context: str | SignalContext = "",
) -> Fit:
    """Typical curve, its spread over patients, and what covariates do to its parameters.

    frame: one row per patient and sample; value missing where only bounds are known (as
    `fit_kinetics`). covariates: parameter -> columns with one value per patient, numbers taken
    less their mean, text and flags against their first level. covariance: "diagonal" or "full".
    seed: of the quasi-random draws. Estimates of part "population" are on the log (logit) scale;
    of part "typical value" in the parameter's own unit, at the reference of the covariates.
    Intervals: t with as many degrees of freedom as patients beyond the coefficients of that
    parameter. A parameter the samples do not determine has no row. context: what the signal is, as
    `fit_kinetics` takes it. Raises UserError for a column, parameter or option that does not exist,
    a signal that cannot grow, or samples that make no sense.
    """
    require_level(level)
    signal = growing_signal(context)
    if form not in FORMS:
        raise UserError(f"kinetics: form {form!r} does not exist; use {', '.join(FORMS)}")
    if covariance not in ("diagonal", "full"):
        raise UserError(f"covariance {covariance!r} does not exist; use 'full' or 'diagonal'")
    curve, effects = FORMS[form], dict(covariates or {})
    patients = patients_of(frame, Columns(time, value, lower, upper, group), curve, effects)
    shell = Fit(
        kind=KIND,
        status="not_estimable",
        reason=None,
        sentence="",
        formula="; ".join(f"{name} ~ {' + '.join(terms)}" for name, terms in effects.items()),
        group=group,
        random=" + ".join(curve.names),
        covariance=covariance,
        reml=False,
        n_subjects=len(patients.names),
        n_observations=sum(item.t.size for item in patients.samples),
        n_censored=sum(int(np.sum(~item.exact)) for item in patients.samples),
        excluded=patients.excluded,
        seed=seed,
        conf_level=level,
        context=signal,
        method=METHOD.format(words=curve.words, covariance=covariance),
        references=REFERENCES,
        provenance=provenance(),
    )
    problem = problem_of(patients)
    if problem:
        return refused(shell, problem)
    try:
        optimum = _searched(patients, curve, covariance == "diagonal", seed)
        observed = information(patients.cohort, optimum)
    except np.linalg.LinAlgError:
        return refused(shell, NOT_CONVERGED)
    if not optimum.converged or not np.isfinite(optimum.posterior.log_likelihood):
        return refused(shell, NOT_CONVERGED)
    return reported(shell, patients, curve, optimum, observed)


NOT_CONVERGED = Problem(
    "not_converged",
    "No maximum of the likelihood was found.",
    "Take a curve with fewer parameters, a diagonal covariance, or the fits of single patients.",
)


def _searched(patients: Patients, form: Form, diagonal: bool, seed: int) -> Optimum:
    size = len(form.parameters)
    start, center = _start(patients, form)
    spread = np.repeat(0.5 * start.omega[None], len(patients.samples), axis=0)
    n = len(patients.samples)
    points = (normal_points(n, DRAWS[0], size, seed), normal_points(n, DRAWS[1], size, seed))
    return fitted_population(
        patients.cohort, form, start, center, spread, points, diagonal, _limits(patients, form)
    )


def _limits(patients: Patients, form: Form) -> Limits:
    """Of the slow decline. A decline that takes less than `SLOWEST` over all the days draws a flat
    curve, and so does every slower one: where many patients' is not seen, the likelihood rises a
    little for ever toward a typical decline of zero with a boundless spread."""
    last = max(float(item.t[-1]) for item in patients.samples)
    slow = (NAMES[SLOW], "")
    least = [np.log(SLOWEST / last) if item == slow else -np.inf for item in patients.coefficients]
    widest = [WIDEST if index == SLOW else np.inf for index in form.parameters]
    return Limits(np.array(least), np.array(widest))


def _start(patients: Patients, form: Form) -> tuple[Population, Array]:
    """Medians over patients of what the samples show; the decline from the typical patient."""
    peaks, days, rises = [], [], []
    for item in patients.samples:
        known = item.exact
        if known.sum() < 2:
            continue
        y, t = item.low[known], item.t[known]
        at = int(np.argmax(y))
        peaks.append(float(y[at]))
        days.append(float(np.log(t[at])))
        if at > 0:
            rises.append(float((y[at] - y[0]) / (t[at] - t[0]) * t[at]))
    typical = {
        FOLD: float(np.median(rises)) if rises else 7.0,
        TMAX: float(np.median(days)), CMAX: float(np.median(peaks)) + 0.2,
        CONTRACTION: float(np.log(0.15)), SHARE: -4.5, SLOW: float(np.log(0.005)), LAG: -1.0,
    }  # fmt: skip
    sd = {FOLD: 1.5, TMAX: 0.3, CMAX: 1.0, CONTRACTION: 0.6, SHARE: 1.0, SLOW: 0.8, LAG: 0.7}
    design = patients.cohort.design
    beta = np.zeros(design.shape[2])
    at = 0
    for k, index in enumerate(form.parameters):
        beta[at] = typical[index]
        at += int(design[:, k].any(axis=0).sum())
    omega = np.diag([sd[index] ** 2 for index in form.parameters])
    return Population(beta, omega, float(np.log(0.5))), design @ beta
