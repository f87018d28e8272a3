"""Residual structures, weights and crossed effects: medians of CPU time, against nlme and lme4.

A fit is timed from the formula to the table with Satterthwaite degrees of freedom, without the
confirmation by statsmodels. 40 patients have six visits; readers read 1,200 and 5,000 values. R's
own time is measured inside R, without its start; nlme and lmer give no degrees of freedom of that
kind. What is not installed is named as missing."""

import shutil
from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl

from analysis import Fit, bootstrap, fit_mixed, patient_influence, permutation_test
from benchmarks.engine import cpu
from benchmarks.r_peers import run_r
from benchmarks.row import Row
from benchmarks.trials import trial

FORMULA = "y ~ day * group"
REPLICATES = 100
FITS: Mapping[str, Mapping[str, str]] = {
    "CAR(1)": {"residual": "car1:day"},
    "variance by group": {"residual": "by:group"},
    "weights": {"weights": "weight"},
    "unstructured": {"residual": "unstructured:visit"},
}
R_TASKS = r"""
usual <- function(task) cpu(task, 5, 3)
d <- read.csv(args[1]); small <- read.csv(args[2]); large <- read.csv(args[3])
f <- y ~ day * group
if (found("nlme")) {
  library(nlme)
  v <- paste("nlme", packageVersion("nlme"))
  c1 <- lmeControl(opt = "optim", maxIter = 200, msMaxIter = 200)
  say("CAR(1)", usual(function() summary(lme(f, d, ~1 | patient,
    correlation = corCAR1(form = ~day | patient), control = c1))), v)
  say("variance by group", usual(function() summary(lme(f, d, ~1 | patient,
    weights = varIdent(form = ~1 | group), control = c1))), v)
  say("weights", usual(function() summary(lme(f, d, ~1 | patient,
    weights = varFixed(~1 / weight), control = c1))), v)
  say("unstructured", usual(function() summary(gls(f, d,
    correlation = corSymm(form = ~visit | patient), weights = varIdent(form = ~1 | visit),
    control = glsControl(opt = "optim", maxIter = 200, msMaxIter = 200)))), v)
}
if (found("lme4")) {
  v <- paste("lme4", packageVersion("lme4"))
  crossed <- function(data) function() lme4::lmer(y ~ day + (1 | patient) + (1 | reader), data)
  say("1,200 values of readers", usual(crossed(small)), v)
  say("5,000 values of readers", usual(crossed(large)), v)
}
"""


def rows() -> list[Row]:
    """Fits beside their peers, then what refits: bootstrap, influence, permutation."""
    frame, small, large = _visits(), _readings(60, 20), _readings(250, 20)
    peers = run_r(R_TASKS, (frame, small, large)) if shutil.which("Rscript") else {}
    found = []
    for name, asked in FITS.items():
        seconds = cpu(lambda asked=asked: _fit(frame, **asked), 9)
        found.append(_row(f"fit, {name}, 40 patients", 1e3 * seconds, "ms", name, peers))
    for name, data in (("1,200", small), ("5,000", large)):
        task = f"{name} values of readers"
        seconds = cpu(lambda data=data: _crossed(data), 3)
        found.append(_row(f"fit, {task}", 1e3 * seconds, "ms", task, peers))
    for name, asked in FITS.items():
        fit = _fit(frame, **asked)
        seconds = cpu(lambda fit=fit: bootstrap(fit, REPLICATES, 1), 3) / REPLICATES
        found.append(Row(f"bootstrap, one replicate, {name}", 1e3 * seconds, "ms"))
    fit = _fit(frame, **FITS["CAR(1)"])
    seconds = cpu(lambda: patient_influence(fit), 3)
    found.append(Row("the model without each of 40 patients in turn, CAR(1)", seconds, "s"))
    seconds = cpu(lambda: permutation_test(fit, "group", 999, variances="null"), 3)
    found.append(Row("permutation of labels, 999 trials, null variances, CAR(1)", seconds, "s"))
    return found


def _visits() -> pl.DataFrame:
    """40 patients with noise that goes together over days, a visit number and weights."""
    frame, rng = trial(40, slope_sd=0.0), np.random.default_rng(3)
    noise = np.empty(frame.height)
    for row, (patient, day) in enumerate(frame.select("patient", "day").rows()):
        first = row == 0 or frame["patient"][row - 1] != patient
        kept = 0.0 if first else 0.3 ** (day - frame["day"][row - 1])
        before = 0.0 if first else noise[row - 1]
        noise[row] = kept * before + np.sqrt(1 - kept**2) * rng.normal(0, 0.5)
    return frame.with_columns(
        y=pl.col("y") + noise,
        visit=1 + pl.int_range(pl.len()) % 6,
        weight=1 + pl.int_range(pl.len()) % 3,
    )


def _readings(patients: int, visits: int) -> pl.DataFrame:
    """Every value read by one of eight readers, each with a level of its own (SD 0.4)."""
    rng = np.random.default_rng(patients)
    frame = trial(patients, visits, slope_sd=0.0)
    reader = rng.integers(0, 8, frame.height)
    return frame.with_columns(reader=reader, y=frame["y"] + rng.normal(0, 0.4, 8)[reader])


def _fit(frame: pl.DataFrame, **asked: Any) -> Fit:
    return fit_mixed(frame, FORMULA, "patient", verify=False, **asked)


def _crossed(frame: pl.DataFrame) -> Fit:
    return fit_mixed(frame, "y ~ day", "patient", crossed="reader", verify=False)


def _row(
    what: str, value: float, unit: str, task: str, peers: Mapping[str, tuple[float, str]]
) -> Row:
    """Beside the peer's milliseconds of the same task."""
    if task not in peers:
        return Row(what, value, unit, peer="lme4 (R)" if "readers" in task else "nlme (R)")
    seconds, version = peers[task]
    return Row(what, value, unit, peer=version, peer_value=1e3 * seconds)
