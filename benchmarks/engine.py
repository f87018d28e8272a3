"""Speed of the mixed-model engine: medians of CPU time, against statsmodels and R.

A fit is timed from the formula to the table with Satterthwaite degrees of freedom, without the
confirmation by statsmodels, which has a row of its own. A formula is parsed once per process.
statsmodels' default fit gives Wald tests, R's lmer none; lmerTest gives the same table. R's own
time is measured inside R, without its start; what is not installed is named as missing."""

import statistics
import time
import warnings
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import polars as pl

from analysis import bootstrap, cluster_bootstrap, fit_mixed, patient_influence
from analysis.fits.replicates import retested
from analysis.fits.search import optimize
from benchmarks.fit_memory import peak_mib
from benchmarks.r_peers import Peer, measured
from benchmarks.row import Row
from benchmarks.trials import hard_trial, outcomes, trial

FORMULA = "y ~ day * group"
HARD_TRIALS, PEER_TRIALS = 1000, 100
REPLICATES, PEER_REPLICATES = 1000, 15
WARM_S = 0.3
WRONG = 1e-3
"""Gap in -2 log-likelihood to the best known optimum from which an optimum is wrong."""


def rows() -> list[Row]:
    """Every target of the engine; the peers take two minutes. A small fit runs as often as R's."""
    peers = measured(trial(40), trial(2000), REPLICATES)
    found = [*_fits(40, 10, 70, peers), *_fits(2000, 150, 3, peers), *_kenward_roger(peers)]
    fit = fit_mixed(trial(40), FORMULA, "patient", "1 + day", verify=False)
    y = trial(40)["y"].to_numpy()[None]
    seconds = cpu(lambda: retested(fit.design, y, np.eye(4)), 50)
    found.append(Row("refit with tests on a cached design, 40 patients", 1e3 * seconds, "ms", 3.0))
    seconds = cpu(lambda: patient_influence(fit), 9)
    found.append(Row("the model without each of 40 patients in turn", 1e3 * seconds, "ms"))
    found += _bootstraps(peers)
    memory = peak_mib(20_000)
    found.append(
        Row("peak memory of a fit of 20,000 patients, whole process", memory, "MiB", 500.0)
    )
    return [*found, _planning(1), _planning(2), *_optima()]


def _bootstraps(peers: Mapping[str, Peer]) -> list[Row]:
    found = []
    for name, data in (("irregular", trial(40)), ("planned", trial(40, irregular=False))):
        fit = fit_mixed(data, FORMULA, "patient", "1 + day", verify=False)
        seconds = cpu(lambda fit=fit: bootstrap(fit, REPLICATES, 1), 5)
        what = f"bootstrap, 1,000 replicates, 40 patients, {name} visits"
        found.append(Row(what, seconds, "s", 0.3))
        if name == "irregular":
            peer = peers["bootMer"]
            found.append(Row(what, seconds, "s", 50, "ratio", *peer))
            spent = REPLICATES / PEER_REPLICATES * _statsmodels_bootstrap(fit, data)
            named = f"statsmodels refits, {PEER_REPLICATES} of them scaled up"
            found.append(Row(what, seconds, "s", 500, "ratio", named, spent))
            drawn = cpu(lambda fit=fit: cluster_bootstrap(fit, REPLICATES, 1), 5)
            found.append(Row(f"cluster {what}", drawn, "s"))
    return found


def _statsmodels_bootstrap(fit: Any, frame: pl.DataFrame) -> float:
    """CPU seconds of some refits to simulated outcomes."""
    rng = np.random.default_rng(0)
    spread = np.sqrt(fit.design.sigma2)
    start = time.process_time()
    for _ in range(PEER_REPLICATES):
        y = fit.design.fitted + rng.normal(0, spread, frame.height)
        statsmodels_default(frame.with_columns(y=pl.Series(y)).to_dict(as_series=False))
    return time.process_time() - start


def _kenward_roger(peers: Mapping[str, Peer]) -> list[Row]:
    frame = trial(40)

    def ours() -> Any:
        return fit_mixed(
            frame, FORMULA, "patient", "1 + day", inference="kenward_roger", verify=False
        ).table()

    peer = peers["Kenward-Roger 40"]
    what = "fit + Kenward-Roger from the formula, 40 patients"
    return [Row(what, 1e3 * cpu(ours, 15), "ms", None, "value", peer.name, _ms(peer))]


def _ms(peer: Peer) -> float | None:
    return None if peer.seconds is None else 1e3 * peer.seconds


def cpu(task: Callable[[], Any], repeats: int) -> float:
    """Median CPU seconds of a task, after `WARM_S` of it: the peers' loops are as long."""
    ready = time.process_time() + WARM_S
    task()
    while time.process_time() < ready:
        task()
    spent = []
    for _ in range(repeats):
        start = time.process_time()
        task()
        spent.append(time.process_time() - start)
    return statistics.median(spent)


def _fits(patients: int, target: float, repeats: int, peers: Mapping[str, Peer]) -> list[Row]:
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
    for name, least in (("lmer", 4 if patients < 100 else 10), ("lmerTest", 10)):
        other = peers[f"{name} {patients}"]
        found.append(Row(what, mine, "ms", least, "ratio", other.name, _ms(other)))
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
