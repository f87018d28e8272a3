"""Type-I error of the default test (Satterthwaite) in small trials without any effect.

Trials of 10, 12 and 20 patients in two groups with 5 planned visits, 20,000 of each kind, over the
share of variance between patients (ICC); the group, and its interaction with time, are tested at
5 %. Wald on the same trials stands beside as the peer. An interval misses the truth exactly where
its test rejects it, so that coverage is what is left to 100 %."""

import numpy as np

from analysis import fit_mixed
from analysis.fits.replicates import retested
from benchmarks.row import Row
from benchmarks.trials import outcomes, trial

TRIALS = 20_000
PATIENTS, ICC = (10, 12, 20), (0.0, 0.2, 0.5, 0.8)
BAND = (2.5, 6.5)
NORMAL = 1.959963984540054
TESTS = {"group": 2, "group by day": 3}


def rows() -> list[Row]:
    """One row per cell, and the number of cells outside the band."""
    found = []
    for patients in PATIENTS:
        for icc in ICC:
            found += cell(patients, icc, TRIALS, seed=1)
    outside = sum(not BAND[0] <= row.value <= BAND[1] for row in found)
    summary = f"cells of {len(found)} outside {BAND[0]} to {BAND[1]} %"
    least, most = 100 - max(row.value for row in found), 100 - min(row.value for row in found)
    return [
        Row(summary, float(outside), "cells", 0.0),
        Row("coverage of 95 % intervals, lowest cell", least, "% covered", 92.5),
        Row("coverage of 95 % intervals, highest cell", most, "%", 97.0),
        *found,
    ]


def cell(patients: int, icc: float, trials: int, seed: int) -> list[Row]:
    """Rejections of true null hypotheses, in percent."""
    frame = trial(patients, visits=5, irregular=False)
    fit = fit_mixed(frame, "y ~ day * group", "patient", verify=False)
    y = outcomes(frame, trials, icc, seed)
    # The group at the middle of the course: at day 0 it would hold the interaction too.
    contrasts = np.array([[0.0, 0.0, 1.0, 1.0], [0.0, 0.0, 0.0, 1.0]])
    tested = retested(fit.design, y, contrasts)
    found = []
    for index, name in enumerate(TESTS):
        p_value, statistic = tested.p_value[:, index], tested.statistic[:, index]
        share = 100 * float(np.nanmean(p_value < 0.05))
        wald = 100 * float(np.nanmean(np.abs(statistic) > NORMAL))
        what = f"{name}, {patients} patients, ICC {icc:g}"
        found.append(Row(what, share, "%", peer="Wald", peer_value=wald))
    return found
