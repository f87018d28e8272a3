"""Speed of the mixed-model engine: medians of CPU time in one process, against statsmodels.

A fit is timed from the formula to the table with Satterthwaite degrees of freedom, without the
confirmation by statsmodels, which has a row of its own. statsmodels' default fit gives Wald tests.
R's lmer and lmerTest are named as missing where R is not installed."""

import shutil
import statistics
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl

from analysis import bootstrap, fit_mixed
from analysis.fits.replicates import retested
from analysis.fits.search import optimize
from benchmarks.row import Row
from benchmarks.trials import hard_trial, outcomes, trial

FORMULA = "y ~ day * group"
HARD_TRIALS, PEER_TRIALS = 1000, 100
WRONG = 1e-3
"""Gap in -2 log-likelihood to the best known optimum from which an optimum is wrong."""


def rows() -> list[Row]:
    """Every target of the engine; the largest takes a minute (statsmodels on 2,000 patients)."""
    found = [*_fits(40, 10, 15), *_fits(2000, 150, 3)]
    frame = trial(40)
    fit = fit_mixed(frame, FORMULA, "patient", "1 + day", verify=False)
    y = frame["y"].to_numpy()[None]
    everything = np.eye(4)
    seconds = cpu(lambda: retested(fit.design, y, everything), 50)
    found.append(Row("refit with tests on a cached design, 40 patients", 1e3 * seconds, "ms", 3.0))
    for name, data in (("irregular", frame), ("planned", trial(40, irregular=False))):
        fit = fit_mixed(data, FORMULA, "patient", "1 + day", verify=False)
        seconds = cpu(lambda fit=fit: bootstrap(fit, 1000, 1), 5)
        what = f"bootstrap, 1,000 replicates, 40 patients, {name} visits"
        found.append(Row(what, seconds, "s", 0.3))
    return [*found, _planning(1), _planning(2), *_optima()]


def cpu(task: Callable[[], Any], repeats: int) -> float:
    """Median CPU seconds of a task; it is run once before."""
    task()
    spent = []
    for _ in range(repeats):
        start = time.process_time()
        task()
        spent.append(time.process_time() - start)
    return statistics.median(spent)


def _fits(patients: int, target: float, repeats: int) -> list[Row]:
    frame = trial(patients)
    data = frame.to_dict(as_series=False)

    def ours(verify: bool) -> Callable[[], Any]:
        return lambda: fit_mixed(frame, FORMULA, "patient", "1 + day", verify=verify).table()

    mine = 1e3 * cpu(ours(False), max(repeats, 9))
    peer = 1e3 * cpu(lambda: statsmodels_default(data), repeats)
    checked = 1e3 * cpu(ours(True), repeats)
    what = f"fit + Satterthwaite from the formula, {patients:,} patients"
    import statsmodels

    found = [
        Row(what, mine, "ms", target, "ratio", f"statsmodels {statsmodels.__version__}", peer),
        Row(f"{what}, confirmed by statsmodels", checked, "ms"),
    ]
    if shutil.which("Rscript") is None:
        found += [
            Row(what, mine, "ms", least, "ratio", f"{name} (R)")
            for name, least in (("lmer", 4 if patients < 100 else 10), ("lmerTest", 10))
        ]
    return found


def statsmodels_default(data: Any) -> Any:
    """The bare fit a user would write."""
    import statsmodels.formula.api as smf

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return smf.mixedlm(FORMULA, data, groups="patient", re_formula="~day").fit()


def _planning(effects: int) -> Row:
    """20,000 trials of 12 patients and 5 visits: simulate, fit, test the group."""
    frame = trial(12, visits=5, irregular=False)
    random = "1" if effects == 1 else "1 + day"
    fit = fit_mixed(frame, FORMULA, "patient", random, verify=False)
    test = np.array([[0.0, 0.0, 1.0, 0.0]])

    def plan() -> float:
        return float(
            (retested(fit.design, outcomes(frame, 20_000, 0.5, 1), test).p_value < 0.05).mean()
        )

    name = "random intercept" if effects == 1 else "random intercept and slope"
    what = f"20,000 simulated trials of 12 patients with Satterthwaite p, {name}"
    return Row(what, cpu(plan, 3), "s", 2.0)


def _optima() -> list[Row]:
    """Ends that lie above the best of 24 random starts on the same likelihood."""
    wrong, wrong_peer, tried = 0, 0, 0
    rng = np.random.default_rng(0)
    for seed in range(HARD_TRIALS):
        frame = hard_trial(seed)
        fit = fit_mixed(frame, FORMULA, "patient", "1 + day", verify=False)
        best = best_known(fit, rng)
        wrong += fit.criterion is None or fit.criterion > best + WRONG
        if seed < PEER_TRIALS:
            tried += 1
            wrong_peer += -2 * peer_likelihood(frame) > best + WRONG
    share = 100 * wrong / HARD_TRIALS
    peer = f"statsmodels default, {tried} of them"
    return [
        Row(f"wrong optima on {HARD_TRIALS:,} simulated trials", share, "%", 0.0),
        Row(f"the same, {peer}", 100 * wrong_peer / tried, "%"),
    ]


def best_known(fit: Any, rng: np.random.Generator) -> float:
    """Smallest criterion from 24 random starts, on the scale of the data."""
    fitted = fit.design
    size = 10 ** rng.uniform(-2, 1.5, size=(24, 1))
    starts = list(size * rng.normal(size=(24, len(fitted.optimum.theta))))
    best = optimize(fitted.design, fitted.reml, starts).criterion
    return float(fitted.criterion + best - fitted.optimum.criterion)


def peer_likelihood(frame: pl.DataFrame) -> float:
    """REML log-likelihood where statsmodels ended; minus infinity when it failed."""
    try:
        return float(statsmodels_default(frame.to_dict(as_series=False)).llf)
    except (np.linalg.LinAlgError, ValueError):
        return -np.inf
