"""What a question cannot be answered from, named in its own words before the model sees it."""

from collections.abc import Sequence

from analysis.fits.guards import Problem
from analysis.fits.model_rows import NO_GROUP, NO_PLANNED_DAY, OUTSIDE_WINDOW, ModelRows
from analysis.load_words import ADD_DECAY_STATE, DECAY_UNKNOWN
from analysis.number_words import count
from analysis.results import Excluded
from analysis.specs import ModelSpec


def question_problem(rows: ModelRows, spec: ModelSpec) -> Problem | None:
    """Problems of the question that the bare model would name less well."""
    return _empty_problem(rows, spec) or _group_problem(rows) or _course_problem(rows, spec)


def _empty_problem(rows: ModelRows, spec: ModelSpec) -> Problem | None:
    advice = (
        "There is nothing above the limit to compare; report the rate of values above it instead."
    )
    if rows.frame.is_empty() and rows.n_censored and spec.blq == "drop":
        return Problem(
            "all_below_limit", f"All {rows.n_censored} values are below the limit.", advice
        )
    if rows.frame.is_empty():
        lost = ", ".join(f"{item.n} with {item.reason}" for item in rows.excluded)
        if rows.excluded and rows.excluded[-1].reason == NO_PLANNED_DAY:
            return Problem(
                "no_planned_day",
                f"No observation has a planned day: {lost}.",
                "Deliver the planned day of each visit (nominal_day), or ask for `time: spline`, "
                "which takes the day from infusion.",
            )
        sentence = "No observation is left" + (f": {lost}." if lost else ".")
        advice = _ungrouped(rows.excluded) or "Widen the filters or the day window."
        return Problem("no_observations", sentence, advice)
    if bool(rows.frame["censored_row"].all()):
        return Problem(
            "all_below_limit", f"All {rows.frame.height} values are below the limit.", advice
        )
    return None


def left_out_before(excluded: Sequence[Excluded]) -> Problem | None:
    """Why an empty frame is empty: what was left out before it; None where nothing was."""
    if not excluded:
        return None
    unknown = sum(item.n for item in excluded if item.reason == DECAY_UNKNOWN)
    others = [f"{item.n} ({item.reason})" for item in excluded if item.reason != DECAY_UNKNOWN]
    if not unknown:
        return Problem(
            "no_observations",
            f"No observation is left of those delivered: {', '.join(others)} left out.",
            _ungrouped(excluded)
            or "Widen the filters, or correct what the reasons name and load again.",
        )
    more = f"; {', '.join(others)} left out as well" if others else ""
    return Problem(
        "decay_state_unknown",
        f"{count(unknown, 'value')} of uptake {'has' if unknown == 1 else 'have'} no known decay "
        f"state, so nobody can say whether decay was corrected, and no other value is left{more}.",
        f"{ADD_DECAY_STATE[0].upper()}{ADD_DECAY_STATE[1:]}; then load again.",
    )


def _ungrouped(excluded: Sequence[Excluded]) -> str:
    """What to do where the last values left are of patients without a group; "" otherwise."""
    if not excluded or not excluded[-1].reason.startswith(NO_GROUP):
        return ""
    return (
        "Load what the groups are made of, as response assessments are, or compare other groups; "
        "wider filters do not help."
    )


def _group_problem(rows: ModelRows) -> Problem | None:
    if len(rows.groups) > 1:
        return None
    n = rows.frame["usubjid"].n_unique()
    who = "The only patient with values is" if n == 1 else f"All {n} patients with values are"
    return Problem(
        "one_group",
        f"{who} in one group ({rows.groups[0]}), so nothing can be compared.",
        "Take another grouping or widen the selection.",
    )


def _course_problem(rows: ModelRows, spec: ModelSpec) -> Problem | None:
    if spec.time == "none":
        return None
    seen = rows.frame.select("usubjid", "day").n_unique()
    if seen == rows.frame["usubjid"].n_unique():
        return _one_day_problem(rows, spec)
    days = rows.frame["day"].n_unique()
    if spec.time == "spline" and days <= spec.spline_df + 1:
        return Problem(
            "too_few_days",
            f"{days} distinct days cannot carry a spline with {spec.spline_df} degrees of freedom.",
            "Use the planned visits as a factor; where there are none, deliver the planned day of "
            "each visit (nominal_day).",
        )
    return None


def _one_day_problem(rows: ModelRows, spec: ModelSpec) -> Problem:
    """The window is named where it left values out: a wider one may hold a course."""
    narrow = any(item.reason == OUTSIDE_WINDOW for item in rows.excluded)
    window = f"{_window_words(spec.day_low, spec.day_high)} every" if narrow else "Every"
    return Problem(
        "one_observation_per_subject",
        f"{window} patient was seen on one day, so there is no course over time to compare.",
        "Widen the window of days, or compare the groups with a simple test."
        if narrow
        else "Compare the groups with a simple test instead.",
    )


def _window_words(low: float | None, high: float | None) -> str:
    if low is None:
        return f"Up to day {high:g}"
    return f"From day {low:g} on" if high is None else f"From day {low:g} to {high:g}"
