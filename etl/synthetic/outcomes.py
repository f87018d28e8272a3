"""Progression, death and leaving the schedule: event times from the true current value."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from etl.synthetic.curves import transgene, tumor_volume_ml
from etl.synthetic.design import Cohort
from etl.synthetic.latent import Bools, Floats, Latent
from etl.synthetic.schedule import Calendar

HORIZON_DAY = 720
DROPOUT_DAY = 90.0


@dataclass(frozen=True, slots=True)
class Outcomes:
    """True event times in days from infusion; infinite when the event does not come."""

    pfs_day: Floats
    pfs_is_death: Bools
    death_day: Floats
    random_leave_day: Floats
    informative_leave_day: Floats
    cut_day: Floats

    @property
    def leave_day(self) -> Floats:
        """Day after which no scheduled visit takes place."""
        return np.minimum(
            np.minimum(self.random_leave_day, self.informative_leave_day),
            np.minimum(self.death_day, self.cut_day),
        )


def current_value(latent: Latent, day: Floats) -> Floats:
    """The true m(t) of the event model, (n, m)."""
    if latent.cohort.has_lesions:
        return np.log10(tumor_volume_ml(latent, day))
    return np.log10(np.maximum(transgene(latent, day), 1e-3))


def baseline_hazard(cohort: Cohort, day: Floats) -> Floats:
    """Piecewise-constant baseline hazard per day."""
    starts = np.asarray(cohort.events.period_start_day)
    return np.asarray(cohort.events.baseline_per_day)[np.searchsorted(starts, day, "right") - 1]


def draw_outcomes(rng: np.random.Generator, latent: Latent, calendar: Calendar) -> Outcomes:
    """Event times by inversion of the cumulative hazard on a grid of one day."""
    events, n = latent.cohort.events, latent.n
    middle = np.arange(HORIZON_DAY, dtype=np.float64) + 0.5
    linear = events.association * (current_value(latent, middle) - events.center)
    linear += events.burden_log_hazard * latent.burden_z[:, None]
    hazard = baseline_hazard(latent.cohort, middle) * np.exp(linear)
    pfs = _invert(np.cumsum(hazard, axis=1), rng.exponential(size=n))
    is_death = rng.random(n) < events.death_share
    death = np.where(is_death, pfs, pfs + rng.exponential(events.survival_after_day, n) + 5.0)
    leaves = np.isfinite(pfs) & (rng.random(n) < events.leave_probability)
    informative = np.where(leaves, pfs + rng.uniform(0.2, 4.0, n), np.inf)
    rate = -np.log(1 - events.random_leave_by_90) / DROPOUT_DAY
    return Outcomes(
        pfs_day=pfs,
        pfs_is_death=is_death,
        death_day=death,
        random_leave_day=rng.exponential(1 / rate, n),
        informative_leave_day=np.where(is_death, pfs, informative),
        cut_day=calendar.cut_day,
    )


def _invert(cumulative: Floats, target: Floats) -> Floats:
    """First time the cumulative hazard passes the target, linear inside the day."""
    reached = cumulative >= target[:, None]
    index = reached.argmax(axis=1)
    row = np.arange(len(target))
    before = np.where(index > 0, cumulative[row, np.maximum(index - 1, 0)], 0.0)
    step = np.maximum(cumulative[row, index] - before, 1e-300)
    day = index + (target - before) / step
    return np.where(reached.any(axis=1), np.maximum(day, 1.0), np.inf)


def survival_frame(latent: Latent, outcomes: Outcomes) -> pl.DataFrame:
    """PFS and OS, one row per patient and endpoint; whole days from infusion, cnsr 0 = event.

    A patient who leaves at random is censored for PFS at leaving, and followed for survival.
    """
    last = np.minimum(outcomes.random_leave_day, outcomes.cut_day)
    return pl.concat(
        [
            _endpoint(latent, "PFS", outcomes.pfs_day, last, outcomes.pfs_is_death),
            _endpoint(latent, "OS", outcomes.death_day, outcomes.cut_day, None),
        ]
    ).sort("subject_no", "endpoint")


def _endpoint(
    latent: Latent, endpoint: str, event: Floats, last: Floats, death: Bools | None
) -> pl.DataFrame:
    happened = event <= last
    first_word = "Death" if death is None else np.where(death, "Death", "Progressive disease")
    return pl.DataFrame(
        {
            "subject_no": latent.subject_no,
            "endpoint": [endpoint] * latent.n,
            "time_day": np.ceil(np.minimum(event, last)),
            "cnsr": np.where(happened, 0, 1),
            "event_description": np.where(happened, first_word, "Last adequate assessment"),
        }
    )
