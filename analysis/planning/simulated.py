"""Outcomes of a planned trial: patients' levels and slopes, lesions, values below the limit.

All lesions of a patient and visit are averaged on log10. With as many lesions in every patient this
is the model with patient, lesion and visit in the patient, for every comparison of patients: the
lesions are never counted as patients.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.engine.structure import Array
from analysis.planning.plan import TrialPlan


class Schedule(NamedTuple):
    """One row per patient and visit that took place: number of the patient, of the visit, and
    1.0 for the other group."""

    patient: NDArray[np.intp]
    visit: NDArray[np.intp]
    other: Array


def schedule(plan: TrialPlan, generator: np.random.Generator) -> Schedule:
    """Who is seen when: each patient's last visit is drawn."""
    n, k = plan.n_patients, len(plan.days)
    lost = 1 - (1 - plan.dropout) ** (1 / max(k - 1, 1))
    stays = generator.random((n, k - 1)) >= lost
    seen = np.column_stack([np.ones(n, dtype=bool), np.cumprod(stays, axis=1).astype(bool)])
    patient, visit = np.nonzero(seen)
    return Schedule(patient, visit, (patient >= plan.n_per_group[0]).astype(float))


def times(plan: TrialPlan) -> Array:
    """Days from 0 (first) to 1 (last)."""
    days = np.array(plan.days)
    return np.asarray((days - days[0]) / max(days[-1] - days[0], 1e-9))


def effect_by_visit(plan: TrialPlan) -> Array:
    """log10 of the ratio on each day."""
    size = float(np.log10(plan.ratio))
    return size * (times(plan) if plan.effect == "growing" else np.ones(len(plan.days)))


def outcomes(
    plan: TrialPlan, where: Schedule, trials: int, generator: np.random.Generator, effect: bool
) -> Array:
    """log10 outcomes (trials, rows). effect: False for a trial without any.

    Without values below the limit the mean is left at zero: tests do not depend on it.
    """
    n, rows, lesions = plan.n_patients, len(where.patient), plan.lesions
    level = plan.between_sd * generator.standard_normal((trials, n))
    y = level[:, where.patient]
    if plan.slope_sd:
        slope = plan.slope_sd * generator.standard_normal((trials, n))
        y += slope[:, where.patient] * times(plan)[where.visit]
    if plan.visit_sd:
        y += plan.visit_sd * generator.standard_normal((trials, rows))
    if effect or plan.below_limit:
        y += _mean(plan, where, effect)
    if not plan.below_limit:
        return y + _averaged(plan, where, trials, generator)
    total = np.zeros_like(y)
    limit = _limit(plan)
    for _ in range(lesions):
        own = plan.lesion_sd * generator.standard_normal((trials, n))[:, where.patient]
        value = y + own + plan.within_sd * generator.standard_normal((trials, rows))
        total += np.where(value < limit, limit - np.log10(2.0), value)
    return total / lesions


def _averaged(
    plan: TrialPlan, where: Schedule, trials: int, generator: np.random.Generator
) -> Array:
    """Mean over the lesions of their levels and errors."""
    root = np.sqrt(plan.lesions)
    y = plan.within_sd / root * generator.standard_normal((trials, len(where.patient)))
    if plan.lesion_sd:
        own = plan.lesion_sd / root * generator.standard_normal((trials, plan.n_patients))
        y += own[:, where.patient]
    return np.asarray(y)


def _mean(plan: TrialPlan, where: Schedule, effect: bool) -> Array:
    course = np.array(plan.course or np.zeros(len(plan.days)))
    mean = course[where.visit]
    return mean + where.other * effect_by_visit(plan)[where.visit] if effect else mean


def _limit(plan: TrialPlan) -> float:
    """The limit below which the planned share of values is expected, with the planned effect."""
    from scipy.optimize import brentq
    from scipy.special import ndtr

    reference, other = plan.n_per_group
    course = np.array(plan.course or np.zeros(len(plan.days)))
    means = np.concatenate([course, course + effect_by_visit(plan)])
    weight = np.repeat([reference, other], len(course)) / (plan.n_patients * len(course))
    level = plan.between_sd**2 + plan.visit_sd**2 + plan.lesion_sd**2 + plan.within_sd**2
    sd = np.sqrt(level + (plan.slope_sd * np.tile(times(plan), 2)) ** 2)
    span = 40 * float(sd.max())
    return float(
        brentq(
            lambda limit: float(weight @ ndtr((limit - means) / sd)) - plan.below_limit,
            float(means.min()) - span,
            float(means.max()) + span,
        )
    )
