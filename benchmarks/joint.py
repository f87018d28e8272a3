"""Joint model: speed against JM, agreement with it, and coverage of its intervals.

The fit to the aids data (467 patients, 188 events) is timed from the formula to the table, median
CPU seconds of one process. JM 1.5-2 is timed in the same run where R has the package; else its
time on the machine that made the reference values stands as the peer and says so. Coverage: 300
trials of each size simulated from a known model, the share of 95 % intervals that hold the truth,
and how often a true absence of association is rejected (about 1.3 % either way by chance)."""

import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import polars as pl

from analysis import Fit, fit_joint, predict_event_free
from analysis.fits.joint.cox_alternative import CoxAlternative
from analysis.fits.joint.two_stage import two_stage
from benchmarks.engine import cpu
from benchmarks.joint_trials import Truth, joint_trial
from benchmarks.row import Row

SHARED = Path(__file__).resolve().parent.parent.parent / "shared"
TRIALS = 300
R_PROGRAM = """
suppressMessages({library(nlme); library(survival); library(JM)})
lmeFit <- lme(CD4 ~ obstime + obstime:drug, random = ~ obstime | patient, data = aids)
coxFit <- coxph(Surv(Time, death) ~ drug, data = aids.id, x = TRUE)
cat(system.time(jointModel(lmeFit, coxFit, timeVar = "obstime", method = "piecewise-PH-aGH"))[[1]])
"""


def rows() -> list[Row]:
    """Speed and agreement where the reference data are present; coverage always."""
    found = _aids() if (SHARED / "golden" / "jm_aids.json").is_file() else []
    return [
        *found,
        *_large(),
        *_coverage(60, 1),
        *_coverage(150, 2),
        *_no_association(60, 3),
        *_no_association(150, 4),
    ]


def fit_aids(aids: pl.DataFrame, patients: pl.DataFrame) -> Fit:
    return fit_joint(
        aids, patients, "CD4 ~ obstime + obstime:drug", "patient", "1 + obstime", "obstime", "Time",
        "death", "drug",
    )  # fmt: skip


def _aids() -> list[Row]:
    aids = pl.read_csv(SHARED / "golden" / "aids.csv")
    patients = pl.read_csv(SHARED / "golden" / "aids_id.csv")
    golden = json.loads((SHARED / "golden" / "jm_aids.json").read_text())["piecewise-PH-aGH"]
    seconds = cpu(lambda: fit_aids(aids, patients).table(), 7)
    fit = fit_aids(aids, patients)
    here = jm_seconds()
    peer, peer_value = ("JM 1.5-2 (R)", here) if here else (
        "JM 1.5-2 when the reference was made (not installed here)", golden["cpu_s"]
    )  # fmt: skip
    found = next(item for item in fit.estimates if item.part == "association")
    wanted = next(item for item in golden["event"] if item["_row"] == "Assoct")
    assert found.std_error is not None
    gap = 100 * abs(found.estimate / wanted["Value"] - 1)
    gap_se = 100 * abs(found.std_error / wanted["Std.Err"] - 1)
    at_two = cpu(lambda: predict_event_free(fit, 6.0, [12.0, 18.0]), 3)
    return [
        Row("aids, fit to table", seconds, "s", 1.0),
        Row("aids, fit to table, against JM", seconds, "s", 10, "ratio", peer, peer_value),
        Row("aids, association: apart from JM", gap, "%", 1.0),
        Row("aids, its standard error: apart from JM", gap_se, "%", 1.0),
        Row("aids, predictions known at 6 of all patients, 200 draws", at_two, "s"),
    ]


def jm_seconds() -> float | None:
    """User CPU seconds of JM's fit; None where R or the package is missing."""
    if shutil.which("Rscript") is None:
        return None
    done = subprocess.run(["Rscript", "-e", R_PROGRAM], capture_output=True, text=True, check=False)
    return float(done.stdout) if done.returncode == 0 else None


def _large() -> list[Row]:
    trial = joint_trial(2000, seed=1)
    seconds = cpu(lambda: fit_trial(trial.longitudinal, trial.events), 3)
    return [Row("2,000 patients, fit", seconds, "s")]


def fit_trial(longitudinal: pl.DataFrame, events: pl.DataFrame) -> Fit:
    return fit_joint(
        longitudinal, events, "y ~ day", "patient", "1 + day", "day", "time", "event", "x"
    )


def _coverage(patients: int, seed: int) -> list[Row]:
    """Share of intervals that hold the truth: the course, the covariate, the association; and
    the two-stage interval of the association."""
    truth = Truth(log_hazard=-2.8)
    wanted = {
        ("longitudinal", "day"): truth.slope,
        ("event", "x"): truth.effect,
        ("association", "value"): truth.value,
    }
    held: dict[tuple[str, str], list[bool]] = {key: [] for key in wanted}
    staged: list[bool] = []
    for number in range(TRIALS):
        trial = joint_trial(patients, seed=1000 * seed + number, truth=truth)
        fit = fit_trial(trial.longitudinal, trial.events)
        for item in fit.estimates:
            if (item.part, item.term) in wanted:
                held[item.part, item.term].append(holds(item, wanted[item.part, item.term]))
        if fit.estimates:
            staged += alternative_holds(two_stage(fit), truth.value)
    named = {f"{part} {term}": values for (part, term), values in held.items()}
    named["association value, two-stage"] = staged
    return [
        Row(
            f"coverage of 95 % intervals, {patients} patients: {name}",
            100 * float(np.mean(values)),
            "%",
        )
        for name, values in named.items()
    ]


def holds(item: object, truth: float) -> bool:
    """Whether an estimate's interval holds the truth."""
    return bool(item.conf_low <= truth <= item.conf_high)  # type: ignore[attr-defined]


def alternative_holds(answer: CoxAlternative, truth: float) -> list[bool]:
    return [holds(item, truth) for item in answer.estimates if item.part == "association"]


def _no_association(patients: int, seed: int) -> list[Row]:
    """Rejections of a true absence of association at 5 %."""
    rejected = []
    for number in range(TRIALS):
        trial = joint_trial(
            patients, seed=1000 * seed + number, truth=Truth(log_hazard=-1.8, value=0.0)
        )
        fit = fit_trial(trial.longitudinal, trial.events)
        rejected += [
            item.p_value is not None and item.p_value < 0.05
            for item in fit.estimates
            if item.part == "association"
        ]
    share = 100 * float(np.mean(rejected))
    what = f"no association rejected at 5 %, {patients} patients"
    return [Row(what, share, "%")]
