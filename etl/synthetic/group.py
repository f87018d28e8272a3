"""Patients simulated together, with the calendar and the event times their visits obey."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from etl.synthetic.design import MISSED_VISIT
from etl.synthetic.latent import Floats, Latent
from etl.synthetic.outcomes import Outcomes
from etl.synthetic.schedule import Calendar, Visits, attended, draw_visits, planned_visits


@dataclass(frozen=True, slots=True)
class Group:
    """n patients of one cohort."""

    latent: Latent
    calendar: Calendar
    outcomes: Outcomes

    def visits(
        self,
        rng: np.random.Generator,
        days: Sequence[int],
        hour: float = 8.0,
        shift: Floats | None = None,
    ) -> Visits:
        """Visits near the planned days, some missed, none after the patient left."""
        actual = draw_visits(rng, self.calendar, days, hour, shift)
        return Visits(tuple(days), actual, attended(rng, actual, self.outcomes.leave_day))

    def planned(
        self, rng: np.random.Generator, days: Sequence[int], missed: float = MISSED_VISIT
    ) -> Visits:
        """Visits known by their planned day only."""
        actual = planned_visits(self.calendar, days)
        kept = attended(rng, actual, self.outcomes.leave_day, missed)
        return Visits(tuple(days), actual, kept)
