"""What a question cannot be answered from, named in its own words before the model sees it."""

from analysis.fits.guards import Problem
from analysis.fits.model_rows import ModelRows
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
        sentence = "No observation is left" + (f": {lost}." if lost else ".")
        return Problem("no_observations", sentence, "Widen the filters or the day window.")
    if bool(rows.frame["censored_row"].all()):
        return Problem(
            "all_below_limit", f"All {rows.frame.height} values are below the limit.", advice
        )
    return None


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
        return Problem(
            "one_observation_per_subject",
            "Every patient was seen on one day, so there is no course over time to compare.",
            "Compare the groups with a simple test instead.",
        )
    days = rows.frame["day"].n_unique()
    if spec.time == "spline" and days <= spec.spline_df + 1:
        return Problem(
            "too_few_days",
            f"{days} distinct days cannot carry a spline with {spec.spline_df} degrees of freedom.",
            "Use the planned visits as a factor.",
        )
    return None
