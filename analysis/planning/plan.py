"""A planned two-group trial of a signal over visits: size, spread, effect, losses, test."""

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from numbers import Integral
from typing import Any, Self

from analysis.errors import UserError
from analysis.serialized import Serialized

EFFECTS = {
    "level": "the ratio holds on every day",
    "growing": "the ratio grows from 1 on the first day to its size on the last, evenly on log10",
}
TESTS = {
    "average": "the groups' difference averaged over the visits",
    "day": "the groups' difference on one day",
    "trend": "the change of the groups' difference over the visits",
}
MINIMUM_PATIENTS = 5


@dataclass(frozen=True)
class TrialPlan(Serialized):
    """The plan; spreads are standard deviations of log10 values.

    n_per_group: patients of the reference group and of the other. days: planned visits after
    infusion with a value. ratio: geometric mean of the other group over the reference.
    between_sd: patients' levels; slope_sd: patients' own change from the first day to the last;
    within_sd: one value around its patient's (and lesion's) course.
    effect: a key of EFFECTS; test: a key of TESTS, two-sided at `alpha`; test_day: for "day".
    dropout: share of patients lost by the last visit, at random and evenly between visits; all
    have the first. lesions: per patient, with lesion_sd between them; visit_sd: what all lesions
    of a visit share. below_limit: expected share of values below the limit, set to half of it.
    course: mean log10 value of the reference group on each day; flat when empty. It matters only
    for values below the limit.
    """

    n_per_group: tuple[int, int]
    days: tuple[float, ...]
    ratio: float
    between_sd: float
    within_sd: float
    slope_sd: float = 0.0
    effect: str = "level"
    test: str = "average"
    test_day: float | None = None
    alpha: float = 0.05
    dropout: float = 0.0
    lesions: int = 1
    lesion_sd: float = 0.0
    visit_sd: float = 0.0
    below_limit: float = 0.0
    course: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        """Tuples from lists. Raises UserError for a plan that cannot be a trial."""
        object.__setattr__(self, "n_per_group", _sizes(self.n_per_group))
        object.__setattr__(self, "lesions", _whole(self.lesions))
        for name in ("days", "course"):
            values = tuple(float(value) for value in getattr(self, name))
            object.__setattr__(self, name, values)
        found = _problems(self)
        if found:
            raise UserError(f"plan: {found[0]}")

    @classmethod
    def from_icc(cls, *, total_sd: float, icc: float, **rest: Any) -> Self:
        """The plan from the SD of log10 values and the share of variance between patients."""
        if not 0 <= icc < 1:
            raise UserError(f"plan: icc is {icc:g}; a share from 0 to below 1 is expected")
        return cls(
            between_sd=total_sd * math.sqrt(icc),
            within_sd=total_sd * math.sqrt(1 - icc),
            **rest,
        )

    @property
    def n_patients(self) -> int:
        """Patients of both groups."""
        return sum(self.n_per_group)

    def replace(self, **changes: Any) -> Self:
        """A copy with some fields changed."""
        return replace(self, **changes)


def _sizes(n: Any) -> tuple[Any, ...]:
    """The same size twice where one is given; whole numbers of numpy as Python's."""
    if isinstance(n, Iterable) and not isinstance(n, str):
        return tuple(_whole(size) for size in n)
    return (_whole(n), _whole(n))


def _whole(value: Any) -> Any:
    return int(value) if isinstance(value, Integral) else value


def _problems(plan: TrialPlan) -> list[str]:
    found = [*_size_problems(plan), *_number_problems(plan)]
    for name, value, allowed in (("effect", plan.effect, EFFECTS), ("test", plan.test, TESTS)):
        if value not in allowed:
            found.append(f"{name} {value!r} is not one of {', '.join(allowed)}")
    return found or _test_problems(plan)


def _size_problems(plan: TrialPlan) -> list[str]:
    n = plan.n_per_group
    found = []
    if len(n) != 2 or not all(isinstance(size, int) for size in n):
        return [
            "n_per_group must be two whole numbers (reference group, other group) or one for "
            f"both; it is {n[0] if len(set(map(repr, n))) == 1 else n!r}"
        ]
    if min(n) < 2 or sum(n) < MINIMUM_PATIENTS:
        found.append(
            f"n_per_group is {n[0]} and {n[1]}; at least 2 patients in each group and "
            f"{MINIMUM_PATIENTS} together are needed for a test between patients"
        )
    if not plan.days or list(plan.days) != sorted(set(plan.days)) or plan.days[0] < 0:
        found.append("days must be given, in order, without repeats, and not before infusion")
    if plan.course and len(plan.course) != len(plan.days):
        found.append(f"course has {len(plan.course)} values for {len(plan.days)} days")
    if not isinstance(plan.lesions, int) or plan.lesions < 1:
        found.append(f"lesions is {plan.lesions}; a whole number of at least 1 is expected")
    return found


def _number_problems(plan: TrialPlan) -> list[str]:
    found = []
    for name in ("between_sd", "slope_sd", "lesion_sd", "visit_sd"):
        value = getattr(plan, name)
        if not (math.isfinite(value) and value >= 0):
            found.append(f"{name} is {value}; a standard deviation of log10 values is 0 or more")
    if not (math.isfinite(plan.within_sd) and plan.within_sd > 0):
        found.append(f"within_sd is {plan.within_sd}; repeated values always differ, so above 0")
    if not (math.isfinite(plan.ratio) and plan.ratio > 0):
        found.append(f"ratio is {plan.ratio}; a ratio of geometric means is above 0 (1 = none)")
    for name in ("dropout", "below_limit"):
        value = getattr(plan, name)
        if not 0 <= value < 1:
            found.append(f"{name} is {value}; a share from 0 to below 1 is expected")
    if not 0 < plan.alpha < 1:
        found.append(f"alpha is {plan.alpha}; a level between 0 and 1 is expected, such as 0.05")
    return found


def _test_problems(plan: TrialPlan) -> list[str]:
    found = []
    if plan.test == "day" and plan.test_day not in plan.days:
        days = ", ".join(f"{day:g}" for day in plan.days)
        found.append(f"test_day {plan.test_day} is not a planned day; the days are {days}")
    if plan.test != "day" and plan.test_day is not None:
        found.append("test_day is used only with test 'day'")
    if plan.test == "trend" and plan.effect == "level" and plan.ratio != 1:
        found.append(
            "a ratio that is the same on every day has no trend to find; take effect 'growing', or "
            "test 'average'"
        )
    if len(plan.days) == 1 and (plan.test == "trend" or plan.effect == "growing"):
        found.append("one day has no course; take effect 'level' and test 'average'")
    if len(plan.days) == 1 and plan.slope_sd:
        found.append("one day has no slope; leave slope_sd at 0")
    if plan.effect == "growing" and plan.test == "day" and plan.test_day == plan.days[0]:
        found.append("a growing effect is none on the first day; test a later day")
    return found
