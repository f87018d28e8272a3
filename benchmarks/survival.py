"""Times to an event: medians of CPU time, against statsmodels and R's survival.

A task is timed from the frame to its result: ours includes the checks of the rows, Greenwood's
interval, the test of proportional hazards and the sentence; statsmodels gets arrays. R's own time
is measured inside R, without its start and the reading of the data. cmprsk is the peer of the
cumulative incidence with Gray's test; what is not installed is named as missing."""

import shutil
import warnings
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import numpy as np
import polars as pl

from analysis import cumulative_incidence, fit_cox, kaplan_meier, log_rank
from benchmarks.engine import cpu
from benchmarks.r_peers import run_r
from benchmarks.row import Row

SIZES = (100, 2000)
TASKS = ("Cox", "Kaplan-Meier", "log-rank", "cumulative incidence")
R_TASKS = r"""
usual <- function(task) cpu(task, 5, 20)
d <- read.csv(args[1])
d$cause <- factor(d$cause, levels = c("none", "crs", "death"))
if (found("survival")) {
  library(survival)
  v <- paste("survival", packageVersion("survival"))
  say("Cox", usual(function() { m <- coxph(Surv(t, e) ~ x + g, d); cox.zph(m); summary(m) }), v)
  say("Kaplan-Meier", usual(function() summary(survfit(Surv(t, e) ~ g, d))), v)
  say("log-rank", usual(function() survdiff(Surv(t, e) ~ g, d)), v)
  say("cumulative incidence", usual(function() summary(survfit(Surv(t, cause) ~ g, d))), v)
}
if (found("cmprsk")) {
  v <- paste("cmprsk", packageVersion("cmprsk"))
  say("Gray", cpu(function() cmprsk::cuminc(d$t, d$cause, d$g, cencode = "none"), 3, 3), v)
}
"""


def rows() -> list[Row]:
    """Each task at both sizes, one row for each peer."""
    return [row for patients in SIZES for row in _rows(patients)]


def trial(patients: int) -> pl.DataFrame:
    """Two groups with competing events and censoring, a covariate; times in days, some tied."""
    rng = np.random.default_rng(patients)
    g, x = np.arange(patients) % 2, rng.normal(size=patients)
    times = rng.exponential(1 / (0.01 * np.exp(0.4 * g + 0.3 * x)))
    days = np.ceil(np.minimum(times, rng.uniform(20, 200, patients)))
    cause = rng.choice(["none", "crs", "death"], patients, p=[0.3, 0.4, 0.3])
    event = (cause != "none").astype(int)
    return pl.DataFrame({"t": days, "e": event, "cause": cause, "g": g, "x": x})


def _rows(patients: int) -> list[Row]:
    frame = trial(patients)
    ours: dict[str, Callable[[], Any]] = {
        "Cox": lambda: fit_cox(frame, "x + g", "t", "e"),
        "Kaplan-Meier": lambda: kaplan_meier(frame, "t", "e", "g"),
        "log-rank": lambda: log_rank(frame, "t", "e", "g"),
        "cumulative incidence": lambda: cumulative_incidence(frame, "t", "e", "cause", "g"),
    }
    repeats = 15 if patients < 1000 else 5
    by_r, by_statsmodels = _r(frame), _statsmodels(frame)
    found = []
    for task in TASKS:
        what = f"{task}, {patients:,} patients"
        spent = 1e3 * cpu(ours[task], repeats)
        if task in by_statsmodels:
            name = f"statsmodels {version('statsmodels')}"
            with warnings.catch_warnings(), np.errstate(all="ignore"):
                warnings.simplefilter("ignore")
                peer = 1e3 * cpu(by_statsmodels[task], repeats)
            found.append(Row(what, spent, "ms", None, "value", name, peer))
        found.append(Row(what, spent, "ms", None, "value", *_peer(by_r, task, "survival (R)")))
        if task == "cumulative incidence":
            found.append(Row(what, spent, "ms", None, "value", *_peer(by_r, "Gray", "cmprsk (R)")))
    return found


def _statsmodels(frame: pl.DataFrame) -> dict[str, Callable[[], Any]]:
    from statsmodels.duration.hazard_regression import PHReg
    from statsmodels.duration.survfunc import CumIncidenceRight, SurvfuncRight, survdiff

    t, e, g, x = (frame[name].to_numpy() for name in ("t", "e", "g", "x"))
    cause = frame["cause"].replace_strict({"none": 0, "crs": 1, "death": 2}).to_numpy()
    design = np.column_stack([x, g]).astype(float)

    def by_group(curve: Callable[..., Any], status: Any) -> Any:
        return [curve(t[g == k], status[g == k]) for k in (0, 1)]

    return {
        "Cox": lambda: PHReg(t, design, status=e, ties="efron").fit().summary(),
        "Kaplan-Meier": lambda: [f.summary() for f in by_group(SurvfuncRight, e)],
        "log-rank": lambda: survdiff(t, e, g),
        "cumulative incidence": lambda: by_group(CumIncidenceRight, cause),
    }


def _peer(measured: dict[str, tuple[float, str]], task: str, name: str) -> tuple[str, float | None]:
    """Name with version and milliseconds; None where the package, or R, is not here."""
    if task not in measured:
        return name, None
    seconds, version = measured[task]
    return f"R, {version}", 1e3 * seconds


def _r(frame: pl.DataFrame) -> dict[str, tuple[float, str]]:
    return run_r(R_TASKS, (frame,)) if shutil.which("Rscript") else {}
