"""The smallest trial with a wanted power, in the proportion of the plan's groups."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

from analysis.errors import UserError
from analysis.number_words import number
from analysis.planning.plan import TrialPlan
from analysis.planning.power import TRIALS, PlannedTrial, plan_trial
from analysis.results import Status
from analysis.serialized import Serialized

LARGEST = 2_000
"""Patients of the reference group at most."""


class Size(NamedTuple):
    """One size that was simulated."""

    n_reference: int
    n_other: int
    power: float
    low: float
    high: float


@dataclass(frozen=True)
class SampleSize(Serialized):
    """Result of `sample_size`. n_per_group is None when no size up to the largest is enough.

    sizes: all that were simulated, in order of size.
    """

    ROWS: ClassVar = {"sizes": Size}

    status: Status
    reason: str | None
    sentence: str
    advice: str
    wanted: float
    n_per_group: tuple[int, int] | None
    sizes: tuple[Size, ...]
    trials: int
    seed: int


def sample_size(
    plan: TrialPlan,
    wanted: float = 0.8,
    *,
    trials: int = TRIALS,
    seed: int = 0,
    largest: int = LARGEST,
) -> SampleSize:
    """Search the smallest reference group whose simulated power is at least `wanted`.

    The other group keeps its proportion of the plan (rounded up). Both the size found and the one
    below were simulated with all `trials`; power is taken to grow with size.
    Raises UserError for a plan without effect or a wanted power outside its level and 1.
    """
    if plan.ratio == 1:
        raise UserError("plan: a ratio of 1 is no effect to find; give the ratio worth finding")
    if not plan.alpha < wanted < 1:
        raise UserError(
            f"plan: a wanted power of {wanted:g} must lie between the level {plan.alpha:g} and 1"
        )
    known: dict[int, PlannedTrial] = {}

    def reached(n: int) -> bool:
        if n not in known:
            known[n] = plan_trial(_sized(plan, n), trials=trials, seed=seed)
        power = known[n].power
        return power is not None and power.share >= wanted

    low, high = _bracket(reached, _least(plan), max(largest, _least(plan)))
    while high is not None and high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if reached(middle) else (middle, high)
    sizes = tuple(_size(known[n]) for n in sorted(known) if known[n].power is not None)
    return _concluded(plan, wanted, high, sizes, trials, seed)


def _bracket(reached: Callable[[int], bool], least: int, largest: int) -> tuple[int, int | None]:
    """A size below and one that is enough; (largest, None) when none is."""
    low, n = least - 1, least
    while not reached(n):
        if n >= largest:
            return n, None
        low, n = n, min(2 * n, largest)
    return low, n


def _least(plan: TrialPlan) -> int:
    """Smallest reference group of a plan that can be tested."""
    n = 2
    while min(_groups(plan, n)) < 2 or sum(_groups(plan, n)) < 5:
        n += 1
    return n


def _groups(plan: TrialPlan, n: int) -> tuple[int, int]:
    reference, other = plan.n_per_group
    return n, -(-n * other // reference)


def _sized(plan: TrialPlan, n: int) -> TrialPlan:
    return plan.replace(n_per_group=_groups(plan, n))


def _size(trial: PlannedTrial) -> Size:
    n, power = trial.plan["n_per_group"], trial.power
    assert isinstance(n, list)
    assert power is not None
    return Size(int(n[0]), int(n[1]), power.share, power.low, power.high)


def _concluded(
    plan: TrialPlan, wanted: float, n: int | None, sizes: tuple[Size, ...], trials: int, seed: int
) -> SampleSize:
    share = f"{100 * wanted:g} %"
    if n is None:
        most = sizes[-1]
        advice = "A larger effect, more visits or a less variable signal is needed."
        return SampleSize(
            "not_estimable",
            "too_large",
            f"Not estimable: {most.n_reference} and {most.n_other} patients reach a power of "
            f"{100 * most.power:.0f} % only, less than {share}.",
            advice, wanted, None, sizes, trials, seed,
        )  # fmt: skip
    found = next(size for size in sizes if size.n_reference == n)
    pair = (found.n_reference, found.n_other)
    return SampleSize(
        "ok",
        None,
        f"{pair[0]} and {pair[1]} patients find a geometric-mean ratio of {number(plan.ratio)} "
        f"with a power of {100 * found.power:.1f} % (Monte-Carlo interval {100 * found.low:.1f} to "
        f"{100 * found.high:.1f} %; {share} wanted).",
        "", wanted, pair, sizes, trials, seed,
    )  # fmt: skip
