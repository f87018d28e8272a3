"""Power and type-I error of a planned trial, each with the interval of the simulation itself.

Morris TP, White IR, Crowther MJ, Using simulation studies to evaluate statistical methods, Stat Med
2019;38:2074, doi:10.1002/sim.8086.
"""

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np

from analysis.compute.intervals import proportion
from analysis.engine.structure import Array
from analysis.errors import UserError
from analysis.number_words import count, number
from analysis.planning.plan import TESTS, TrialPlan
from analysis.planning.simulated import Schedule, effect_by_visit, outcomes, schedule
from analysis.planning.tested import Contrast, analysis_of, contrast_of_trials, weights
from analysis.results import Status
from analysis.serialized import Serialized

TRIALS = 20_000
MINIMUM_TRIALS = 200
DROPOUT_DESIGNS = 40
"""Schedules drawn when patients are lost; the trials are shared out among them."""
INFLATED = 1.3
"""Type-I error over the planned level from which a warning is given (6.5 % at 5 %)."""
REFERENCES = ("doi:10.1002/sim.8086",)


class Rejections(NamedTuple):
    """Share of significant trials with its Monte-Carlo 95 % interval.

    what: "power" or "type-I error".
    """

    what: str
    share: float
    low: float
    high: float


@dataclass(frozen=True)
class PlannedTrial(Serialized):
    """Result of `plan_trial`. n_failed: trials that gave no test (a visit without patients of a
    group, or no optimum); they count as not significant. designs: schedules drawn.
    """

    ROWS: ClassVar = {"rejections": Rejections}

    status: Status
    reason: str | None
    sentence: str
    advice: str
    plan: dict[str, object]
    trials: int
    seed: int
    n_failed: int
    designs: int
    rejections: tuple[Rejections, ...]
    method: str
    references: tuple[str, ...] = REFERENCES

    @property
    def power(self) -> Rejections | None:
        """Share of trials that find the planned effect; None when the plan has none."""
        return next((row for row in self.rejections if row.what == "power"), None)

    @property
    def type_one_error(self) -> Rejections | None:
        """Share of trials without any effect that are significant."""
        return next((row for row in self.rejections if row.what == "type-I error"), None)


def plan_trial(plan: TrialPlan, *, trials: int = TRIALS, seed: int = 0) -> PlannedTrial:
    """Simulate the planned trial many times and test it as it would be tested.

    Raises UserError for fewer than 200 trials.
    """
    if trials < MINIMUM_TRIALS:
        raise UserError(f"plan: {trials} trials say too little; at least {MINIMUM_TRIALS}")
    parts = _parts(plan, trials, seed)
    null = [_significant(part.null, plan.alpha, 0.0) for part in parts]
    shift = float(weights(plan) @ effect_by_visit(plan))
    found = [_rejections("type-I error", null)]
    if plan.ratio != 1:
        seen = [
            _significant(part.null, plan.alpha, shift)
            if part.planned is None
            else _significant(part.planned, plan.alpha, 0.0)
            for part in parts
        ]
        found.insert(0, _rejections("power", seen))
    failed = sum(int(np.isnan(part.null.std_error).sum()) for part in parts)
    return _concluded(plan, trials, seed, failed, len(parts), tuple(found))


class Part(NamedTuple):
    """The trials of one schedule without effect, and with it where it does not merely shift."""

    null: Contrast
    planned: Contrast | None


def _parts(plan: TrialPlan, trials: int, seed: int) -> list[Part]:
    """An effect lies in the fixed part: it shifts the estimate and leaves errors and degrees of
    freedom as they are, unless values fall below a limit."""
    designs = DROPOUT_DESIGNS if plan.dropout else 1
    sizes = np.full(designs, trials // designs)
    sizes[: trials % designs] += 1
    found = []
    for number_, size in enumerate(sizes):
        generator = np.random.default_rng([seed, number_])
        where = schedule(plan, generator)
        y = outcomes(plan, where, int(size), generator, effect=False)
        null = _contrast(plan, where, y)
        planned = None
        if plan.below_limit and plan.ratio != 1:
            y = outcomes(plan, where, int(size), generator, effect=True)
            planned = _contrast(plan, where, y)
        found.append(Part(null, planned))
    return found


def _contrast(plan: TrialPlan, where: Schedule, y: Array) -> Contrast:
    analysis = analysis_of(plan, where, y[0])
    if analysis is None:
        nothing = np.full(len(y), np.nan)
        return Contrast(nothing, nothing, nothing)
    return contrast_of_trials(analysis, y)


def _significant(found: Contrast, alpha: float, shift: float) -> np.ndarray:
    from scipy.special import stdtr

    with np.errstate(invalid="ignore", divide="ignore"):
        p_value = 2 * stdtr(found.df, -np.abs((found.estimate + shift) / found.std_error))
        return np.asarray(p_value < alpha)


def _rejections(what: str, parts: list[np.ndarray]) -> Rejections:
    """Share and interval: exact for one schedule, else from the spread between schedules, whose
    trials share their losses."""
    from scipy.stats import t

    everything = np.concatenate(parts)
    n, share = len(everything), float(everything.mean())
    if len(parts) == 1:
        exact = proportion(int(everything.sum()), n)
        return Rejections(what, share, exact.conf_low, exact.conf_high)
    means = np.array([part.mean() for part in parts])
    error = float(np.sqrt(max(means.var(ddof=1) / len(means), share * (1 - share) / n)))
    width = float(t.ppf(0.975, len(means) - 1)) * error
    return Rejections(what, share, max(share - width, 0.0), min(share + width, 1.0))


def _concluded(
    plan: TrialPlan,
    trials: int,
    seed: int,
    failed: int,
    designs: int,
    found: tuple[Rejections, ...],
) -> PlannedTrial:
    status: Status = "ok"
    reason, advice = None, ""
    if failed == trials:
        status, reason, found = "not_estimable", "no_test", ()
        advice = "Plan more patients or fewer losses: no simulated trial could be tested."
    elif failed > trials / 100:
        status, reason = "warning", "lost_visits"
        advice = (
            f"{100 * failed / trials:.0f} % of the trials lose all patients of a group at a visit "
            "and are counted as not significant; plan more patients or fewer late visits."
        )
    elif found[-1].low > plan.alpha and found[-1].share > INFLATED * plan.alpha:
        status, reason = "warning", "type_one_error"
        advice = (
            f"without any effect {100 * found[-1].share:.1f} % of trials would be significant, "
            f"more than the planned {100 * plan.alpha:g} %; plan more patients or fewer "
            "values below the limit."
        )
    sentence = _sentence(plan, trials, found) if found else f"Not estimable: {advice}"
    if status == "warning":
        sentence += f" Caution: {advice}"
    return PlannedTrial(
        status, reason, sentence, advice, plan.to_dict(), trials, seed, failed, designs, found,
        _method(plan, designs),
    )  # fmt: skip


def _sentence(plan: TrialPlan, trials: int, found: tuple[Rejections, ...]) -> str:
    size = f"With {plan.n_per_group[0]} and {plan.n_per_group[1]} patients"
    null = found[-1]
    without = f"{100 * null.share:.1f} % ({100 * null.low:.1f} to {100 * null.high:.1f} %)"
    if len(found) == 1:
        return f"{size} and no effect, {without} of {trials:,} simulated trials are significant."
    power = found[0]
    losses = f" and {100 * plan.dropout:g} % lost by the last visit" if plan.dropout else ""
    return (
        f"{size} at {count(len(plan.days), 'visit')}{losses}, a geometric-mean ratio of "
        f"{number(plan.ratio)} is found in {100 * power.share:.1f} % of {trials:,} simulated "
        f"trials (Monte-Carlo interval {100 * power.low:.1f} to {100 * power.high:.1f} %); without "
        f"any effect {without} would be significant."
    )


def _method(plan: TrialPlan, designs: int) -> str:
    losses = (
        f" Patients are lost at random, in {designs} drawn schedules; losses by progression or "
        "death carry information and need a joint model." * bool(plan.dropout)
    )
    limit = " Values below the limit are set to half of it." * bool(plan.below_limit)
    return (
        f"Simulated on log10; test of {TESTS[plan.test]}, two-sided at {plan.alpha:g}, t with "
        + (
            "cluster-robust standard errors (CR2) and Bell and McCaffrey's degrees of freedom"
            if plan.test == "day" and len(plan.days) > 1
            else "Satterthwaite degrees of freedom"
        )
        + (" of a mixed model with visits as a factor." if len(plan.days) > 1 else ".")
        + losses
        + limit
    )
