"""Rows of a joint question: the values in the window, and the outcome of each patient.

The time at risk of an event begins with the window, for those still without event, and ends with
it, or with the values where the window has no end: behind them the course would be a continued
line. A patient with an event before the first value is in no table of values; so that the days
until the first value of the others are not counted as survived, each patient enters with the first
value (left truncation, as `fit_joint` takes it).
"""

from typing import TYPE_CHECKING, NamedTuple

from analysis.fits.column_values import present
from analysis.fits.exposure_question import assessed_later
from analysis.fits.exposure_rows import ExposureRows, one_per_patient, require_columns
from analysis.fits.joint.event_account import LeftOut, events_left
from analysis.fits.model_rows import model_rows
from analysis.joint_rules import OF_A_PATIENT
from analysis.results import Excluded
from analysis.specs import ModelSpec, adjuster_column

if TYPE_CHECKING:
    import polars as pl

AFTER = "a value after the event or the end of follow-up"
AT_FIRST = "no time at risk after the first value"
MEASURED = 5
"""Patients who must have a value on a day or later for it to count as measured: one late sample is
not the end of a schedule."""


class CourseRows(NamedTuple):
    """visits: usubjid, day, value, bound_low, bound_high, and of an event `since`, days from the
    start of the window; patients: usubjid, outcome, adjusters, and of an event `until`, `entry`
    (days from the start of the window) and `event`. n_censored: of the visits. end: day the time at
    risk ends with, measured: last day with values; n_beyond: events behind the end, n_continued:
    between the last values and the end; n_counted: events of these patients that the model counts,
    uncounted: the others."""

    visits: "pl.DataFrame"
    patients: "pl.DataFrame"
    excluded: tuple[Excluded, ...]
    n_censored: int
    end: float = 0.0
    measured: float = 0.0
    n_beyond: int = 0
    n_continued: int = 0
    n_counted: int = 0
    uncounted: tuple[LeftOut, ...] = ()


def course_rows(frame: "pl.DataFrame", spec: ModelSpec) -> CourseRows:
    """Raises UserError for a frame without the columns of the question."""
    import polars as pl

    joint = spec.question == "joint"
    outcome = ("event_day", "event") if joint else ("group",)
    if not joint and "response_day" in frame.columns:
        outcome = (*outcome, "response_day")
    require_columns(frame, outcome)
    patients = one_per_patient(
        frame, [*outcome, *(adjuster_column(name) for name in spec.adjusters)]
    )
    everyone = frame.with_columns(group=pl.lit("all"))
    rows = model_rows(
        everyone, spec.replace(question="signal_by_group", outcome=spec.exposure, group="cohort",
                               reference="", unit="patient", adjusters=()),
    )  # fmt: skip
    visits = rows.frame.select("usubjid", "day", "value", "bound_low", "bound_high", "censored_row")
    if joint:
        return _at_risk(CourseRows(visits, patients, rows.excluded, 0), spec)
    found, lost = assessed_later(ExposureRows(patients, (), 0), spec)
    return CourseRows(
        visits.drop("censored_row"), found.frame, (*rows.excluded, *lost),
        int(visits["censored_row"].sum()),
    )  # fmt: skip


def _at_risk(rows: CourseRows, spec: ModelSpec) -> CourseRows:
    """Clocks from the start of the window; an event behind its end was not seen."""
    import polars as pl

    low = spec.day_low or 0.0
    everyone = rows.patients.with_columns(pl.col("event_day").cast(pl.Float64))
    later = everyone.filter((pl.col("event_day") > low).fill_null(True))
    visits, after = _until_the_event(rows.visits, later)
    measured = last_measured(visits)
    end = measured if spec.day_high is None else spec.day_high
    entered = _entered(_ended(later, end), visits, low)
    own = visits.join(entered.select("usubjid"), on="usubjid", how="semi", maintain_order="left")
    inside = own.filter(pl.col("day") <= end)
    seen = later.filter(pl.col("event") == 1)["event_day"]
    counts = (
        (f"an event or end of follow-up by day {low:g}, where the time at risk begins",
         everyone.height - later.height),
        (AFTER, after),
        (AT_FIRST, later.height - entered.height),
        (f"a value after day {end:g}, where the time at risk ends", own.height - inside.height),
    )  # fmt: skip
    return CourseRows(
        inside.with_columns(since=pl.col("day") - low).drop("censored_row"),
        entered,
        (*rows.excluded, *(Excluded(reason, n) for reason, n in counts if n)),
        int(inside["censored_row"].sum()),
        end,
        measured,
        int((seen > end).sum()),
        int(((seen > measured) & (seen <= end)).sum()),
        *_counted(everyone, entered.join(own, on="usubjid", how="semi"), spec, end),
    )


def _counted(
    everyone: "pl.DataFrame", used: "pl.DataFrame", spec: ModelSpec, end: float
) -> tuple[int, tuple[LeftOut, ...]]:
    """How many events count, and the others by reason. used: patients with value and follow-up."""
    import polars as pl

    low, day = spec.day_low or 0.0, pl.col("event_day")
    ends = "the last with values" if spec.day_high is None else "the time at risk ends with it"
    value = pl.col("usubjid").is_in(used["usubjid"].implode())
    steps = [
        (f"{OF_A_PATIENT} without a day of the event", present(everyone, "event_day")),
        (f"came by day {low:g} (the time at risk begins after it)", day > low),
        (f"came after day {end:g} ({ends})", day <= end),
        (f"{OF_A_PATIENT} without a usable value from day {low:g} until the event", value),
    ]
    for name in spec.adjusters:
        steps.append((f"{OF_A_PATIENT} without {name}", present(everyone, adjuster_column(name))))
    counted, uncounted = events_left(everyone.filter(pl.col("event") == 1), steps)
    return counted.height, uncounted


def _until_the_event(
    visits: "pl.DataFrame", patients: "pl.DataFrame"
) -> tuple["pl.DataFrame", int]:
    """Values of these patients, and how many lie behind the event: they say nothing of it."""
    import polars as pl

    ends = patients.select("usubjid", "event_day")
    own = visits.join(ends, on="usubjid", how="inner", maintain_order="left")
    kept = own.filter((pl.col("day") <= pl.col("event_day")).fill_null(True))
    return kept.drop("event_day"), own.height - kept.height


def _ended(patients: "pl.DataFrame", end: float) -> "pl.DataFrame":
    """Follow-up until `end` at most."""
    import polars as pl

    beyond = pl.col("event_day") > end
    return patients.with_columns(
        event=pl.when(beyond).then(0).otherwise(pl.col("event")),
        event_day=pl.when(beyond).then(pl.lit(end)).otherwise(pl.col("event_day")),
    )


def _entered(patients: "pl.DataFrame", visits: "pl.DataFrame", low: float) -> "pl.DataFrame":
    """With `until` and `entry`; patients without time at risk after their first value are left
    out, those without a value are left for `fit_joint` to count."""
    import polars as pl

    first = visits.group_by("usubjid").agg(entry=pl.col("day").min() - low)
    timed = patients.with_columns(until=pl.col("event_day") - low).join(
        first, on="usubjid", how="left", maintain_order="left"
    )
    kept = timed.filter((pl.col("entry") < pl.col("until")).fill_null(True))
    return kept.with_columns(pl.col("entry").fill_null(0.0))


def last_measured(visits: "pl.DataFrame") -> float:
    """The last whole day that `MEASURED` patients have a value on or after; 0 without values."""
    import polars as pl

    last = visits.group_by("usubjid").agg(pl.col("day").max().ceil())["day"].sort(descending=True)
    return 0.0 if last.is_empty() else float(last[min(MEASURED, last.len()) - 1])
