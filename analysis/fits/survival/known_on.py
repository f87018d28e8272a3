"""A covariate must be known before time at risk begins.

A patient has to live until the peak to have one: taken as a baseline covariate it lends the
survivors' luck to the exposure (immortal time; Suissa S, Am J Epidemiol 2008,
doi:10.1093/aje/kwm324; Anderson JR, J Clin Oncol 1983, doi:10.1200/JCO.1983.1.11.710).
"""

from collections.abc import Mapping, Sequence

from analysis.errors import UserError


def require_known(
    known_on_day: Mapping[str, float] | None,
    landmark_day: float | None,
    entry: str | None,
    columns: Sequence[str],
) -> None:
    """Raises UserError for a covariate that is known only after the clock has started, and for one
    that does not exist: its day would be looked at in vain."""
    start = 0.0 if landmark_day is None else landmark_day
    for name, day in (known_on_day or {}).items():
        if name not in columns:
            raise UserError(
                f"known_on_day: there is no column '{name}'; the columns are {', '.join(columns)}"
            )
        if day > start and entry is None:
            raise UserError(
                f"{name} is known on day {day:g}, but time counts from day {start:g}: patients "
                "had to live that long to have a value (immortal-time bias); give "
                f"landmark_day={day:g} or later, or make it a covariate that changes (entry)"
            )
