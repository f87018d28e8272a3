"""Are hazards proportional? The score test of effects that change with time.

Grambsch PM, Therneau TM. Biometrika 1994, doi:10.1093/biomet/81.3.515, in the exact form of
survival::cox.zph since version 3.0: the covariates times g(t) are added and their score is tested.
"""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from analysis.engine.structure import Array
from analysis.results import Check

if TYPE_CHECKING:
    from analysis.fits.survival.cox_fit import FittedCox

LEAST_EVENTS = 10
LEAST_INFORMATION = 1e-10
"""Of a change with time, relative to that of the effects, below which there is none."""


class ProportionalityTest(NamedTuple):
    """term: a covariate or "GLOBAL"."""

    term: str
    statistic: float
    df: int
    p_value: float


def proportional_hazards_check(fitted: "FittedCox") -> Check:
    """The global test in words."""
    few = fitted.rows.n_events < LEAST_EVENTS
    tests = () if few else proportional_hazards_tests(fitted)
    if not tests:
        which = f"Fewer than {LEAST_EVENTS} events" if few else "Events that lie so in time"
        return Check(
            "proportional_hazards", "note",
            f"{which} cannot tell whether hazards are proportional.",
        )  # fmt: skip
    test = tests[-1]
    if test.p_value < 0.05:
        return Check(
            "proportional_hazards",
            "warning",
            "The effect changes with time (test of proportional hazards, p "
            f"{test.p_value:.2g}): one hazard ratio is an average; look at the curves, and at "
            "restricted mean times.",
            test.p_value,
        )
    return Check(
        "proportional_hazards", "ok",
        "No sign that the effect changes with time (test of proportional hazards, p "
        f"{test.p_value:.2g}).", test.p_value,
    )  # fmt: skip


def proportional_hazards_tests(fitted: "FittedCox") -> tuple[ProportionalityTest, ...]:
    """One row per covariate, then the global test; g(t) is 1 - the Kaplan-Meier curve before t.

    Empty where an effect cannot be seen to change: its covariate varies at one event time only.
    """
    from scipy.stats import chi2

    sets, beta = fitted.sets, fitted.found.beta
    terms = sets.terms(sets.weights(beta))
    g = _time_scale(fitted)
    residual = sets.x[sets.order] - terms.mean
    score = (g[:, None] * residual).sum(axis=0)
    plain, mixed, squared = (
        np.einsum("e,eij->ij", weight, terms.covariance) for weight in (g**0, g, g**2)
    )
    information = squared - mixed @ np.linalg.solve(plain, mixed)
    if np.linalg.eigvalsh(information)[0] <= LEAST_INFORMATION * np.linalg.eigvalsh(plain)[-1]:
        return ()
    found = []
    for index, name in enumerate(fitted.design.names):
        statistic = float(score[index] ** 2 / information[index, index])
        found.append(ProportionalityTest(name, statistic, 1, float(chi2.sf(statistic, 1))))
    overall = float(score @ np.linalg.solve(information, score))
    df = len(score)
    return (*found, ProportionalityTest("GLOBAL", overall, df, float(chi2.sf(overall, df))))


def _time_scale(fitted: "FittedCox") -> Array:
    """1 - Kaplan-Meier just before each event, over all strata together, centered."""
    rows, sets = fitted.rows, fitted.sets
    times = np.unique(rows.time[rows.event])
    at_risk = np.array([((rows.entry < t) & (rows.time >= t)).sum() for t in times], dtype=float)
    events = np.array([(rows.event & (rows.time == t)).sum() for t in times], dtype=float)
    before = np.append(1.0, np.cumprod(1 - events / at_risk)[:-1])
    place = np.searchsorted(times, rows.time[sets.order])
    g = 1 - before[place]
    return np.asarray(g - g.mean())
