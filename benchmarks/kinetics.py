"""Cellular kinetics: time of a fit, and recovery of known truth by the population fit.

Trials are simulated with the published typical values and spread of Stein 2019 (table 2): 24
patients, 12 samples over a year, a limit of quantification that hides about a third of the samples,
and a Cmax that is 1.74 times higher in responders. Bias is of the logarithm, in percent; coverage
is of 95 % intervals. The number of trials is in the row."""

import statistics
import time

import numpy as np
import polars as pl

from analysis import Fit, fit_kinetics, fit_kinetics_population
from analysis.compute.stein import TYPICAL, SteinParameters, stein_curve
from benchmarks.row import Row

DAYS = np.array([1, 3, 7, 10, 14, 21, 28, 60, 90, 180, 270, 365.0])
SPREAD = {
    "fold": 2.4, "tmax_day": 0.38, "cmax": 0.65, "contraction_per_day": 0.91,
    "memory_fraction": 0.8, "memory_per_day": 0.86,
}  # fmt: skip
RESIDUAL, LIMIT, EFFECT = 0.56, 100.0, 1.74
SEEDS = range(7000, 7200)
"""Set before any of them was fitted."""


def trial(seed: int, patients: int = 24, limit: float = LIMIT) -> pl.DataFrame:
    """Samples of simulated patients: usubjid, rel_day, value, lower, upper, responder."""
    rng = np.random.default_rng(seed)
    rows = []
    for patient in range(patients):
        responder = patient % 2 == 1
        own = {
            name: getattr(TYPICAL, name) * float(np.exp(sd * rng.standard_normal()))
            for name, sd in SPREAD.items()
        }
        odds = own["memory_fraction"] / (1 - TYPICAL.memory_fraction)
        own["memory_fraction"] = odds / (1 + odds)
        own["fold"] = max(own["fold"], 1.001)
        own["cmax"] *= EFFECT if responder else 1.0
        values = stein_curve(DAYS, SteinParameters(**own))
        values = values * np.exp(RESIDUAL * rng.standard_normal(DAYS.size))
        for day, value in zip(DAYS, values, strict=True):
            hidden = value < limit
            rows.append(
                (
                    f"P{patient:02d}", day, None if hidden else value, 0.0 if hidden else None,
                    limit if hidden else None, responder,
                )
            )  # fmt: skip
    names = ["usubjid", "rel_day", "value", "lower", "upper", "responder"]
    return pl.DataFrame(rows, schema=names, orient="row", infer_schema_length=None)


def population(seed: int) -> Fit:
    """The fit that the rows are about."""
    return fit_kinetics_population(trial(seed), covariates={"cmax": ["responder"]})


def rows() -> list[Row]:
    """Times of one patient and of 24, then bias and coverage over the trials."""
    one = trial(1).filter(pl.col("usubjid") == "P01").fill_null(float("nan"))
    vectors = [one[name].to_numpy() for name in ("rel_day", "value", "lower", "upper")]
    seconds = _cpu(lambda: fit_kinetics(*vectors), 3)
    found = [Row("one patient, 12 samples, three forms and intervals", seconds, "s", 2.0)]
    found.append(Row("24 patients with a covariate", _cpu(lambda: population(1), 3), "s", 10.0))
    fits = [population(seed) for seed in SEEDS]
    usable = [fit for fit in fits if fit.status != "not_estimable"]
    share = 100.0 * len(usable) / len(SEEDS)
    found.append(
        Row(f"population fits with numbers, {len(SEEDS)} trials", share, "% covered", 95.0)
    )
    hidden = float(np.mean([fit.n_censored / fit.n_observations for fit in fits]))
    found.append(Row("samples below the limit in them", 100 * hidden, "%"))
    truth = {f"log({n})": float(np.log(getattr(TYPICAL, n))) for n in SPREAD}
    truth["logit(memory_fraction)"] = float(
        np.log(TYPICAL.memory_fraction / (1 - TYPICAL.memory_fraction))
    )
    truth["log(cmax):responder[True]"] = float(np.log(EFFECT))
    del truth["log(memory_fraction)"]
    for term, true in truth.items():
        found += _recovery(usable, term, true)
    return found


def _recovery(fits: list[Fit], term: str, true: float) -> list[Row]:
    estimates = [item for fit in fits for item in fit.estimates if item.term == term]
    bias = 100.0 * float(np.mean([item.estimate for item in estimates]) - true)
    inside = [
        item.conf_low <= true <= item.conf_high
        for item in estimates
        if item.conf_low is not None and item.conf_high is not None
    ]
    name = f"{term}, {len(estimates)} estimates"
    return [
        Row(f"bias of {name}", bias, "%"),
        Row(f"coverage of {name}", 100.0 * float(np.mean(inside)), "% covered", 88.0),
    ]


def _cpu(action: object, repeats: int) -> float:
    spent = []
    for _ in range(repeats):
        before = time.process_time()
        action()  # type: ignore[operator]
        spent.append(time.process_time() - before)
    return statistics.median(spent)
