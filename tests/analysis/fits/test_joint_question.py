"""Joint questions of a specification: the numbers are `fit_joint`'s on rows made by hand."""

import numpy as np
import polars as pl
import pytest

from analysis import ModelSpec, fit_joint, fit_joint_binary, fit_specification
from analysis.errors import UserError

BLOOD = "kinetics:CARTG:qPCR:BLOOD"
LIMIT = 30.0
EVENT = ModelSpec(
    outcome="event:PFS", question="joint", exposure=BLOOD, day_low=7, blq="censored",
    adjusters=("age_year",),
)  # fmt: skip
RESPONSE = ModelSpec(
    outcome="response:responder", question="joint_binary", exposure=BLOOD, day_low=7, day_high=56,
    landmark_day=60, blq="censored",
)  # fmt: skip
MEAN = "log10(value) ~ cr(np.log1p(rel_day), df=3, constraints='center')"
COURSE = "1 + np.log1p(rel_day)"


def trial(patients: int = 60, association: float = -1.0) -> pl.DataFrame:
    """log10 value falls over log(1 + day). Hazard from day 8: 0.02 exp(association (what it is on
    day 40 - 2)) per day; response by what it is on day 40."""
    rng, rows = np.random.default_rng(5), []
    for number in range(patients):
        level, slope = rng.normal(3.5, 0.6), rng.normal(-0.4, 0.1)
        at_40 = level + slope * np.log(41)
        group = "responder" if at_40 + rng.normal(0, 0.5) > 2.0 else "non-responder"
        end = 8 + rng.exponential(1 / (0.02 * np.exp(association * (at_40 - 2.0))))
        for day in (7.0, 10.0, 14.0, 21.0, 28.0, 42.0, 56.0, 84.0):
            value = 10 ** (level + slope * np.log1p(day) + rng.normal(0, 0.2))
            below = value < LIMIT
            rows.append({
                "usubjid": f"P{number:02d}", "rel_day": day, "nominal_day": day,
                "value": None if below else value, "lower": 0.0 if below else None,
                "upper": LIMIT if below else None, "censored": "left" if below else "none",
                "event_day": min(end, 120.0), "event": int(end < 120.0),
                "age_year": 40.0 + number % 30,
                "group": group,
                "response_day": 90.0,
            })  # fmt: skip
    return pl.DataFrame(rows, infer_schema_length=None)


def by_hand(frame: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Visits with limits as `fit_joint` takes them, on a clock from day 7, and one row per patient,
    followed until day 84, the last with values."""
    visits = frame.select(
        "usubjid", "rel_day", "value", "event_day",
        since=pl.col("rel_day") - 7.0,
        low=pl.lit(None, pl.Float64),
        high=pl.when(pl.col("censored") == "left").then(LIMIT),
    )  # fmt: skip
    patients = frame.unique("usubjid", maintain_order=True).with_columns(
        success=(pl.col("group") == "responder").cast(pl.Float64),
        until=pl.col("event_day").clip(upper_bound=84.0) - 7.0,
        event=pl.when(pl.col("event_day") <= 84).then(pl.col("event")).otherwise(0),
    )
    return visits, patients


def rows(fit, part="association"):
    return [item for item in fit.estimates if item.part == part]


def test_the_event_question_is_fit_joint_until_the_event():
    frame = trial()
    fit = fit_specification(frame, EVENT)
    visits, patients = by_hand(frame)
    hand = fit_joint(
        visits.filter(pl.col("rel_day") <= pl.col("event_day")).drop("event_day"), patients,
        MEAN.replace("rel_day", "since + 7.0"), "usubjid", COURSE.replace("rel_day", "since + 7.0"),
        "since", "until", "event", "age_year", lower="low", upper="high",
    )  # fmt: skip
    assert fit.n_events == hand.n_events
    (found,), (expected,) = rows(fit), rows(hand)
    assert found.estimate == pytest.approx(expected.estimate, rel=1e-6)
    assert found.std_error == pytest.approx(expected.std_error, rel=1e-5)
    assert found.conf_high < 0
    late = visits.filter(pl.col("rel_day") > pl.col("event_day")).height
    assert ("a value after the event or the end of follow-up", late) in [
        (item.reason, item.n) for item in fit.excluded
    ]
    assert next(row.rule for row in fit.sensitivity) == "joint model"
    assert fit.spec == EVENT.to_dict()
    assert "by the true value of the signal at that time, adjusted for age_year" in fit.method
    assert "question='joint'" in fit.code
    assert any(check.name == "course" and check.status == "note" for check in fit.checks)


def test_time_at_risk_begins_with_the_window_and_not_before():
    """Nobody measured from day 7 on can have had the event before: those days are no evidence."""
    frame = trial()
    fit = fit_specification(frame, EVENT.replace(landmark_day=30))
    rows = fit.design.problem.rows
    last = frame.unique("usubjid").sort("usubjid")["event_day"].to_numpy()
    assert rows.first == pytest.approx(np.minimum(last, 84.0) - 7.0)
    assert not rows.entry.any()
    assert next(row.day for row in fit.sensitivity if row.rule == "landmark") == 30.0
    early = frame.with_columns(
        event_day=pl.when(pl.col("usubjid") == "P00").then(5.0).otherwise("event_day")
    )
    fit = fit_specification(early, EVENT)
    assert fit.n_subjects == 59
    assert ("an event or end of follow-up by day 7, where the time at risk begins", 1) in [
        (item.reason, item.n) for item in fit.excluded
    ]


def test_who_is_first_measured_later_is_at_risk_from_then_on():
    """A patient with an event before the first value is not in the rows, so the days until the
    first value of the others are no days at risk: they enter late."""
    frame = trial().filter((pl.col("usubjid") > "P04") | (pl.col("rel_day") >= 14))
    fit = fit_specification(frame, EVENT)
    rows = fit.design.problem.rows
    entered = dict(zip(rows.labels, rows.entry, strict=True))
    kept = [name for name in ("P00", "P01", "P02", "P03", "P04") if name in entered]
    assert kept
    assert [entered[name] for name in kept] == [7.0] * len(kept)
    assert sum(value > 0 for value in entered.values()) == len(kept)


def test_the_window_ends_the_time_at_risk_too():
    frame = trial()
    fit = fit_specification(frame, EVENT.replace(day_high=60, adjusters=()))
    before = frame.unique("usubjid").filter((pl.col("event") == 1) & (pl.col("event_day") <= 60))
    assert fit.n_events == before.height
    assert fit.design.problem.rows.first.max() == 53.0
    assert "Outcome: PFS from day 7 to 60, by" in fit.method


def test_without_an_end_the_question_ends_with_the_values():
    """A course nobody measured is no evidence; one late sample is not the end of a schedule."""
    frame = trial()
    late = frame.filter(pl.col("usubjid") == "P01").head(1).with_columns(rel_day=pl.lit(115.0))
    longer = pl.concat([
        frame.with_columns(event_day=pl.when(pl.col("usubjid") == "P01").then(119.0)
                           .otherwise("event_day")),
        late.with_columns(event_day=pl.lit(119.0)),
    ])  # fmt: skip
    fit = fit_specification(longer, EVENT)
    ends = longer.unique("usubjid").filter(pl.col("event") == 1)["event_day"]
    assert fit.design.problem.rows.first.max() == 84.0 - 7.0
    assert fit.n_events == (ends <= 84).sum()
    check = next(item for item in fit.checks if item.name == "window_end")
    assert (check.status, check.value) == ("note", (ends > 84).sum())
    assert ("a value after day 84, where the time at risk ends", 1) in [
        (item.reason, item.n) for item in fit.excluded
    ]
    assert "Outcome: PFS from day 7 to 84, by" in fit.method


def test_a_course_continued_behind_all_values_is_a_warning():
    short = trial().filter(pl.col("rel_day") <= 28)
    fit = fit_specification(short, EVENT.replace(day_high=90, adjusters=()))
    ends = short.unique("usubjid").filter(pl.col("event") == 1)["event_day"]
    check = next(item for item in fit.checks if item.name == "extrapolation")
    assert check.value == ((ends > 28) & (ends <= 90)).sum()
    assert (check.status, fit.status) == ("warning", "warning")
    assert "Without day_high the question ends with the values" in check.message
    assert "Caution" in fit.sentence
    few = fit_specification(trial(), EVENT.replace(day_high=90, adjusters=()))
    assert next(item for item in few.checks if item.name == "extrapolation").status == "note"


def test_values_below_the_limit_are_counted_where_they_are_used():
    frame = trial()
    fit = fit_specification(frame, EVENT.replace(blq="half_lloq"))
    used = frame.filter(
        (pl.col("rel_day") >= 7) & (pl.col("rel_day") <= pl.col("event_day"))
        & (pl.col("censored") == "left") & (pl.col("rel_day") <= 84)
    )  # fmt: skip
    assert fit.n_censored == used.height


def test_the_response_question_is_fit_joint_binary_at_the_landmark():
    frame = trial()
    fit = fit_specification(frame, RESPONSE)
    visits, patients = by_hand(frame)
    hand = fit_joint_binary(
        visits.filter(pl.col("rel_day") <= 56).drop("event_day"), patients, MEAN, "usubjid", COURSE,
        "rel_day", "success", landmark=60.0, lower="low", upper="high",
    )  # fmt: skip
    (found,), (expected,) = rows(fit), rows(hand)
    assert found.estimate == pytest.approx(expected.estimate, rel=1e-6)
    assert found.conf_low > 0
    assert "odds ratio of response" in fit.sentence


def test_responses_before_the_landmark_are_left_out_and_counted():
    frame = trial().with_columns(
        response_day=pl.when(pl.col("usubjid") < "P05").then(30.0).otherwise(90.0)
    )
    fit = fit_specification(frame, RESPONSE)
    early = [item.n for item in fit.excluded if "assessed before day 60" in item.reason]
    assert early == [5]
    assert fit.n_subjects == 55


def test_under_fifteen_events_there_is_no_number():
    fit = fit_specification(trial(12), EVENT.replace(adjusters=()))
    assert (fit.status, fit.reason) == ("not_estimable", "too_few_events")
    assert fit.estimates == ()
    assert fit.sensitivity == ()
    assert "about 15" in fit.sentence
    assert fit.n_observations > 0
    before = [("patient of another cohort", 9)]
    again = fit_specification(trial(12), EVENT.replace(adjusters=()), before)
    assert again.sentence == fit.sentence


def test_words_of_the_tracer_hold_for_its_course():
    frame = trial()
    spec = EVENT.replace(exposure="uptake:zr89_oxine_cells:suv_mean:lesion", adjusters=())
    fit = fit_specification(frame, spec)
    assert "label of the infused product" in fit.sentence
    assert "expansion" not in fit.sentence.replace("never expansion", "")
    assert "never expansion, persistence or a cell count" in fit.sentence


@pytest.mark.parametrize("name", ["event_day", "event", "value"])
def test_a_missing_column_is_named(name):
    with pytest.raises(UserError, match=f"there is no column '{name}'"):
        fit_specification(trial(6).drop(name), EVENT)


def test_mixed_assays_are_refused():
    frame = trial(6).with_columns(
        assay=pl.when(pl.col("rel_day") > 14).then(pl.lit("qPCR")).otherwise(pl.lit("ddPCR"))
    )
    with pytest.raises(UserError, match="mix 2 values of assay"):
        fit_specification(frame, EVENT)


def few_that_count() -> pl.DataFrame:
    """Twenty patients with an event each, nine of which do not count."""
    name, day = pl.col("usubjid"), pl.col("rel_day")
    ends = (
        pl.when(name < "P03").then(6.0).when(name < "P05").then(100.0).when(name == "P05")
        .then(None).when(name == "P06").then(60.0).when(name == "P07").then(56.0).otherwise(84.0)
    )  # fmt: skip
    frame = trial(20).with_columns(
        event=pl.lit(1), event_day=ends,
        age_year=pl.when(name == "P08").then(None).otherwise("age_year"),
    )  # fmt: skip
    # P06 has a value after the event only, P07 one on its day.
    return frame.filter(((name != "P06") | (day == 84)) & ((name != "P07") | (day == 56)))


def test_a_refusal_for_few_events_accounts_for_every_event_of_the_study():
    before = [
        ("patient of another cohort", 9), ("an event of a patient of another cohort", 5),
        ("an event of a patient without a value of the signal", 1),
    ]  # fmt: skip
    fit = fit_specification(few_that_count(), EVENT, before)
    assert fit.reason == "too_few_events"
    assert fit.sentence == (
        "Not estimable: 11 of 26 events count: 5 belong to patients of another cohort, 1 belongs "
        "to a patient without a value of the signal, 1 belongs to a patient without a day of the "
        "event, 3 came by day 7 (the time at risk begins after it), 2 came after day 84 (the last "
        "with values), 2 belong to patients without a usable value from day 7 until the event and "
        "1 belongs to a patient without age_year; about 15 are needed to carry a joint model."
    )


def test_the_events_said_to_count_are_those_the_model_counts():
    """Without the nine, with nine more patients whose event counts, the fit has 20."""
    more = trial(60).filter(pl.col("usubjid") >= "P20").with_columns(
        event=pl.when(pl.col("usubjid") < "P29").then(1).otherwise(0), event_day=pl.lit(84.0)
    )  # fmt: skip
    both = pl.concat([few_that_count(), more], how="vertical_relaxed")
    fit = fit_specification(both, EVENT)
    assert fit.n_events == 20
    # All 20 came on the last day: there is no landmark before which nobody had the event.
    landmark = next(row for row in fit.sensitivity if row.rule == "landmark")
    assert (landmark.status, landmark.ratio) == ("not_estimable", None)
