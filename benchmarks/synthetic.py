"""Is the synthetic truth found again, and how fast is the generator?

Simple estimators over many seeds: bias, coverage of their 95 % intervals (92.5-97 %), rejection of
a true null (3-7 %). Then the time to simulate and to write about a million measurements.

    python -m benchmarks.synthetic --seeds 500
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from benchmarks.row import Row
from benchmarks.synthetic_estimates import (
    Found,
    event_association,
    event_by_course,
    expansion_log_odds,
    log_ratio_by_model,
    log_ratio_by_welch,
    log_ratio_given_burden,
    response_by_course,
)
from etl.synthetic import TrialDesign, stream_trial
from etl.synthetic.design import COHORTS, LYMPHOMA, Cohort
from etl.synthetic.trial import simulate_blocks
from etl.synthetic.truth import cohort_truth

SEEDS = 500
COVERAGE, REJECTION = (0.925, 0.97), (0.03, 0.07)


Estimator = Callable[[Cohort, int], Found | None]


def studies() -> Iterator[tuple[str, Estimator, Cohort, float, bool]]:
    """Name, estimator, cohort, truth, and whether the truth is a null."""
    for cohort in COHORTS:
        truth = cohort_truth(cohort)
        ratio = float(np.log(truth["marginal_ratio_cmax"]))
        given = float(np.log(truth["marginal_ratio_cmax_given_burden"]))
        yield "ln ratio of Cmax, Welch", log_ratio_by_welch, cohort, ratio, False
        null = cohort is LYMPHOMA
        truth_given = 0.0 if null else given
        by_day = float(np.log(truth["marginal_ratio_by_day"]["14"]))
        yield "ln ratio on day 14, model", log_ratio_by_model, cohort, by_day, False
        yield "ln ratio given burden", log_ratio_given_burden, cohort, truth_given, null
        odds = cohort.response.expansion_log_odds
        yield "log-odds per log10 Cmax", expansion_log_odds, cohort, odds, odds == 0.0
        yield "event association", event_association, cohort, cohort.events.association, False
        if null:
            yield "response by course, joint", response_by_course, cohort, 0.0, True
        else:
            association_of_blood = cohort.events.association
            yield "event by course, joint", event_by_course, cohort, association_of_blood, False


@dataclass(frozen=True, slots=True)
class Recovery:
    """One study over many seeds: bias with its Monte-Carlo error, and shares of the intervals.

    std_error: mean of one trial. rejected: share without the null, None where the truth is no null.
    n: trials with an estimate.
    """

    cohort: str
    name: str
    truth: float
    bias: float
    error: float
    std_error: float
    covered: float
    rejected: float | None
    n: int

    @property
    def fine(self) -> bool:
        """Whether coverage, and rejection of a true null, lie in their bands."""
        null = self.rejected is None or REJECTION[0] <= self.rejected <= REJECTION[1]
        return null and COVERAGE[0] <= self.covered <= COVERAGE[1]


def recoveries(seeds: int) -> Iterator[Recovery]:
    """Every study, each over the same seeds."""
    for name, estimator, cohort, truth, null in studies():
        found = [f for seed in range(seeds) if (f := estimator(cohort, 1000 + seed))]
        estimates = np.array([f.estimate for f in found])
        ends = [f.interval() for f in found]
        yield Recovery(
            cohort.code, name, truth, float(estimates.mean() - truth),
            float(estimates.std(ddof=1) / np.sqrt(len(found))),
            float(np.mean([f.std_error for f in found])),
            float(np.mean([low <= truth <= high for low, high in ends])),
            float(np.mean([not low <= 0 <= high for low, high in ends])) if null else None,
            len(found),
        )  # fmt: skip


def rows() -> list[Row]:
    """Coverage of every study over 500 seeds, and how many lie outside their band."""
    found = list(recoveries(SEEDS))
    shown = [
        Row("studies outside their band", float(sum(not r.fine for r in found)), "studies", 0.0)
    ]
    for one in found:
        what = f"{one.cohort}, {one.name}"
        shown.append(Row(f"coverage, {what}", 100 * one.covered, "%"))
        shown.append(Row(f"bias over its Monte-Carlo error, {what}", one.bias / one.error, ""))
        share = 100 * one.bias / one.std_error
        shown.append(Row(f"bias in percent of a trial's standard error, {what}", share, "%"))
        if one.rejected is not None:
            shown.append(Row(f"true null rejected, {what}", 100 * one.rejected, "%"))
    return shown


def report_recovery(seeds: int) -> bool:
    """Print one line per study; true when every band holds (for 300 seeds and more)."""
    print(f"{'cohort':7} {'estimator':26} {'truth':>8} {'bias':>8} {'mc se':>7} "
          f"{'cover':>7} {'reject':>7} {'n':>5}")  # fmt: skip
    good = True
    for one in recoveries(seeds):
        good &= one.fine
        shown = "      -" if one.rejected is None else f"{one.rejected:7.3f}"
        numbers = f"{one.truth:8.3f} {one.bias:8.3f} {one.error:7.3f} {one.covered:7.3f}"
        verdict = "" if one.fine else "  OUT"
        print(f"{one.cohort:7} {one.name:26} {numbers} {shown} {one.n:5d}{verdict}")
    return good


def report_speed(patients: int) -> None:
    """Print time and rate of simulating, and of simulating and writing."""
    design = TrialDesign(seed=1, patients_per_cohort=patients)
    start = time.process_time()
    measurements = sum(block.frames.n_measurements for block in simulate_blocks(design))
    simulated = time.process_time() - start
    with tempfile.TemporaryDirectory() as folder:
        start = time.process_time()
        stream_trial(folder, design)
        streamed = time.process_time() - start
    print(f"{2 * patients} patients, {measurements} measurements")
    for what, seconds in (("simulated", simulated), ("simulated and written", streamed)):
        print(f"{what} in {seconds:.2f} s CPU, {measurements / seconds / 1e3:.0f}k/s")


def main() -> None:
    """Run both parts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=SEEDS)
    parser.add_argument("--patients", type=int, default=1600, help="per cohort, for the speed")
    chosen = parser.parse_args()
    good = report_recovery(chosen.seeds)
    report_speed(chosen.patients)
    if chosen.seeds >= 300 and not good:
        raise SystemExit("a simple estimator misses its band: the truth or the simulator is wrong")


if __name__ == "__main__":
    main()
