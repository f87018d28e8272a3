"""What a population fit says: estimates, spread, typical curve, checks and one sentence."""

import numpy as np
from scipy.special import expit
from scipy.stats import norm
from scipy.stats import t as student

from analysis.engine.structure import Array
from analysis.fits.guards import Problem
from analysis.fits.kinetics.cohort import Patients
from analysis.fits.kinetics.curves import (
    CONTRACTION,
    FOLD,
    LAG,
    LOGIT,
    SLOW,
    TMAX,
    Form,
    log_curve_gradient,
)
from analysis.fits.kinetics.expectation import Optimum
from analysis.fits.kinetics.population_checks import population_checks, shrinkage_of
from analysis.fits.mixed import judged, refused
from analysis.number_words import count, number
from analysis.results import CurvePoint, Estimate, Fit, ResidualPoint, VarianceComponent

UNKNOWN = 1.5
"""Standard error on the log scale (a factor of 20 either way) from which nothing is known."""
CURVE_POINTS = 60
LN2 = float(np.log(2.0))


def reported(shell: Fit, patients: Patients, form: Form, optimum: Optimum, observed: Array) -> Fit:
    """The fit with its numbers; parameters that are not determined keep no row."""
    free = np.append(~optimum.held, True)
    observed = observed[np.ix_(free, free)]
    values = np.linalg.eigvalsh(observed)
    if not np.isfinite(values).all() or values[0] <= 1e-8 * values[-1]:
        return refused(
            shell,
            Problem(
                "not_identified",
                "The samples do not determine all parameters of this curve.",
                "Take a curve with fewer parameters, or sample the missing part of the course.",
            ),
        )
    size = optimum.population.beta.size
    covariance = np.zeros((size, size))
    covariance[np.ix_(free[:-1], free[:-1])] = np.linalg.inv(observed)[:-1, :-1]
    errors = np.where(optimum.held, np.inf, np.sqrt(np.diag(covariance)))
    unknown = tuple(
        label if not term else f"{term} on {label}"
        for (label, term), error in zip(patients.coefficients, errors, strict=True)
        if error > UNKNOWN
    )
    population = _population(shell, patients, optimum, errors)
    typical = _typical(shell, patients, form, optimum, covariance, errors)
    shrinkage = shrinkage_of(patients, optimum)
    checks = population_checks(patients, form, optimum, unknown, shrinkage)
    status, reason, advice = judged(checks)
    return shell.replace(
        status=status,
        reason=reason,
        advice=advice,
        estimates=(*population, *typical),
        variance_components=_components(form, optimum, shell),
        log_likelihood=optimum.posterior.log_likelihood,
        criterion=-2.0 * optimum.posterior.log_likelihood,
        inference="t",
        inference_note="t with the patients beyond the coefficients of a parameter as degrees of "
        "freedom; standard errors by observed information.",
        curves=_curve(shell, patients, form, optimum, covariance) if not unknown else (),
        residuals=_residuals(patients, form, optimum),
        checks=checks,
        sentence=_sentence(shell, typical, population, unknown),
    )


def _df(patients: Patients, label: str) -> float:
    used = sum(1 for name, _ in patients.coefficients if name == label)
    return float(max(len(patients.names) - used, 1))


def _population(
    shell: Fit, patients: Patients, optimum: Optimum, errors: Array
) -> tuple[Estimate, ...]:
    rows = []
    for k, (label, term) in enumerate(patients.coefficients):
        if errors[k] > UNKNOWN:
            continue
        value, error, df = float(optimum.population.beta[k]), float(errors[k]), _df(patients, label)
        half = float(student.ppf((1 + shell.conf_level) / 2, df)) * error
        scale = "logit" if label in ("memory_fraction", "lag_share") else "log"
        rows.append(
            Estimate(
                f"{scale}({label})" + (f":{term}" if term else ""),
                value,
                error,
                df,
                value / error if term else None,
                float(2 * student.sf(abs(value / error), df)) if term else None,
                value - half,
                value + half,
                part="population",
            )
        )
    return tuple(rows)


def _typical(
    shell: Fit,
    patients: Patients,
    form: Form,
    optimum: Optimum,
    covariance: Array,
    errors: Array,
) -> tuple[Estimate, ...]:
    """Values in their own units, with intervals carried over from the log scale."""
    at = [k for k, (_, term) in enumerate(patients.coefficients) if not term]
    u, within = optimum.population.beta[at], covariance[np.ix_(at, at)]
    df = float(len(patients.names) - 1)
    wide = float(student.ppf((1 + shell.conf_level) / 2, df))
    known = errors[at] <= UNKNOWN
    rows = []
    for k, index in enumerate(form.parameters):
        if known[k]:
            ends = u[k] + wide * errors[at][k] * np.array([0.0, -1.0, 1.0])
            rows.append((form.names[k], expit(ends) if index in LOGIT else np.exp(ends)))
    if known[[FOLD, TMAX]].all() and u[FOLD] > 0:
        share = float(expit(u[LAG])) if LAG in form.parameters else 0.0
        slope = np.zeros(u.size)
        slope[FOLD], slope[TMAX] = -1.0 / u[FOLD], 1.0
        if LAG in form.parameters:
            slope[LAG] = -share
        value = float(np.log(LN2) + u[TMAX] + np.log1p(-share) - np.log(u[FOLD]))
        error = float(np.sqrt(slope @ within @ slope))
        rows.append(
            ("doubling_time_day", np.exp(value + wide * error * np.array([0.0, -1.0, 1.0])))
        )
    for index, name in ((CONTRACTION, "initial_half_life_day"), (SLOW, "terminal_half_life_day")):
        if index in form.parameters and known[index]:
            ends = -u[index] + wide * errors[at][index] * np.array([0.0, -1.0, 1.0])
            rows.append((name, LN2 * np.exp(ends)))
    return tuple(
        Estimate(
            name, float(ends[0]), df=df, conf_low=float(ends[1]), conf_high=float(ends[2]),
            part="typical value",
        )
        for name, ends in rows
    )  # fmt: skip


def _components(form: Form, optimum: Optimum, shell: Fit) -> tuple[VarianceComponent, ...]:
    omega, sigma = optimum.population.omega, float(np.exp(optimum.population.log_sigma))
    sd = np.sqrt(np.diag(omega))
    rows = [
        VarianceComponent(shell.group, name, None, float(omega[k, k]), float(sd[k]))
        for k, name in enumerate(form.names)
    ]
    if shell.covariance == "full":
        rows += [
            VarianceComponent(
                shell.group, form.names[a], form.names[b], float(omega[a, b]),
                float(omega[a, b] / (sd[a] * sd[b])),
            )
            for a in range(sd.size)
            for b in range(a + 1, sd.size)
        ]  # fmt: skip
    return (*rows, VarianceComponent("Residual", None, None, sigma**2, sigma))


def _curve(
    shell: Fit, patients: Patients, form: Form, optimum: Optimum, covariance: Array
) -> tuple[CurvePoint, ...]:
    """The typical patient's curve with its interval, on days up to the last sample."""
    at = [k for k, (_, term) in enumerate(patients.coefficients) if not term]
    u, within = optimum.population.beta[at], covariance[np.ix_(at, at)]
    last = max(float(item.t[-1]) for item in patients.samples)
    days = np.unique(np.concatenate([np.geomspace(0.5, last, CURVE_POINTS), np.exp(u[[TMAX]])]))
    value, slope = log_curve_gradient(u, days, form)
    wide = float(student.ppf((1 + shell.conf_level) / 2, max(len(patients.names) - 1, 1)))
    half = wide * np.sqrt(np.einsum("ta,ab,tb->t", slope, within, slope))
    return tuple(
        CurvePoint("typical patient", float(d), *(float(np.exp(v + k * h)) for k in (0, -1, 1)))
        for d, v, h in zip(days, value, half, strict=True)
    )


def _residuals(patients: Patients, form: Form, optimum: Optimum) -> tuple[ResidualPoint, ...]:
    """Individual weighted residuals of the exact values, at each patient's posterior mean."""
    sigma = float(np.exp(optimum.population.log_sigma))
    rows = []
    for name, item, u in zip(patients.names, patients.samples, optimum.posterior.mean, strict=True):
        mean = log_curve_gradient(u, item.t, form)[0]
        rows += [
            (name, float(t), float(m), float((y - m) / sigma))
            for t, m, y, known in zip(item.t, mean, item.low, item.exact, strict=True)
            if known
        ]
    ranks = np.argsort(np.argsort([row[3] for row in rows], kind="stable"), kind="stable") + 1
    normal = norm.ppf((ranks - 0.375) / (len(rows) + 0.25))
    return tuple(ResidualPoint(*row, float(q)) for row, q in zip(rows, normal, strict=True))


def _sentence(
    shell: Fit,
    typical: tuple[Estimate, ...],
    population: tuple[Estimate, ...],
    unknown: tuple[str, ...],
) -> str:
    known = {item.term: item for item in typical}
    parts = []
    for name, words, unit in (
        ("cmax", "peak", ""), ("tmax_day", "Tmax", " days"),
        ("doubling_time_day", "doubling time", " days"),
        ("initial_half_life_day", "initial half-life", " days"),
        ("terminal_half_life_day", "terminal half-life", " days"),
    ):  # fmt: skip
        item = known.get(name)
        if item is not None and item.conf_low is not None and item.conf_high is not None:
            parts.append(
                f"{words} {number(item.estimate)}{unit} ({shell.conf_level:.0%} CI "
                f"{number(item.conf_low)} to {number(item.conf_high)})"
            )
    what = f"kinetics ({shell.context})" if shell.context else "cellular kinetics"
    text = f"Typical {what} of {count(shell.n_subjects, 'patient')}: {', '.join(parts)}."
    for row in population:
        if ":" in row.term and row.conf_low is not None and row.conf_high is not None:
            label, term = row.term.split(":", 1)
            what = "odds of " if label.startswith("logit") else ""
            ends = [number(float(np.exp(v))) for v in (row.estimate, row.conf_low, row.conf_high)]
            text += (
                f" {term}: {what}{label[label.index('(') + 1 : -1]} x{ends[0]} "
                f"({shell.conf_level:.0%} CI {ends[1]} to {ends[2]})."
            )
    if unknown:
        text += f" Not identifiable: {', '.join(unknown)}."
    return text
