"""Joint models that cannot be fitted say why; options that do not exist are named."""

import json

import polars as pl
import pytest

from analysis import Fit, fit_joint
from analysis.errors import UserError
from benchmarks.joint_trials import Truth, joint_trial


def fit_trial(trial, **options) -> Fit:
    settings = {"formula": "y ~ day", "event_time": "time", "random": "1 + day"} | options
    return fit_joint(
        trial.longitudinal, trial.events, group="patient", long_time="day", event="event",
        event_formula="x", **settings,
    )  # fmt: skip


def edited(trial, **columns):
    return trial._replace(events=trial.events.with_columns(**columns))


def late_measurement(trial):
    rows = trial.longitudinal.with_columns(day=pl.col("day") + 8.0 * (pl.col("patient") == 3))
    return trial._replace(longitudinal=rows)


REFUSED = {
    "few events": (
        lambda t: edited(t, event=pl.col("event") * (pl.col("patient") < 15)), {}, "too_few_events"
    ),
    "no events": (lambda t: edited(t, event=pl.lit(0)), {}, "too_few_events"),
    "rare cause": (
        lambda t: edited(t, cause=pl.when(pl.col("patient") == 1).then(pl.lit("c"))
                         .otherwise(pl.lit("a"))),
        {"cause": "cause"}, "too_few_events",
    ),
    "measured after the event": (late_measurement, {}, "measurement_after_event"),
    "event at the start": (
        lambda t: edited(t, time=pl.when(pl.col("patient") == 2).then(0.0)
                         .otherwise(pl.col("time"))),
        {}, "event_at_start",
    ),
    "two rows of follow-up": (
        lambda t: t._replace(events=pl.concat([t.events, t.events[:1]])), {}, "duplicate_subject"
    ),
    "entry after the end": (
        lambda t: edited(t, entry=pl.col("time") + 1), {"entry": "entry"}, "entry_after_event"
    ),
    "bounds turned": (
        lambda t: edited(t, seen_event=pl.col("seen_free") - 0.5),
        {"event_time": ("seen_free", "seen_event")}, "time_reversed",
    ),
    "nobody in both": (
        lambda t: edited(t, patient=pl.col("patient") + 1000), {}, "no_observations"
    ),
    "constant signal": (
        lambda t: t._replace(longitudinal=t.longitudinal.with_columns(y=pl.lit(1.0))), {},
        "constant_outcome",
    ),
    "six random effects": (
        lambda t: t, {"random": "1 + day + I(day**2) + I(day**3) + I(day**4) + I(day**5)"},
        "random_part_too_large",
    ),
    "covariate that changes": (
        lambda t: t._replace(longitudinal=t.longitudinal.with_columns(z=pl.col("y") ** 2)),
        {"formula": "y ~ day + z"}, "time_varying_covariate",
    ),
    "collinear covariate": (
        lambda t: edited(t, x=pl.lit(1.0)), {}, "collinear",
    ),
    "covariate that orders the events": (
        lambda t: edited(t, x=1.0 - pl.col("event")), {}, "separation"
    ),
    "time not a number": (
        lambda t: edited(t, time=pl.when(pl.col("patient") == 2).then(float("inf"))
                         .otherwise(pl.col("time"))), {}, "infinite_values",
    ),
    "before the start": (
        lambda t: t._replace(longitudinal=t.longitudinal.with_columns(day=pl.col("day") - 0.5)), {},
        "measurement_before_start",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_fitted_says_why(name):
    change, options, reason = REFUSED[name]
    fit = fit_trial(change(joint_trial(100, seed=1)), **options)
    assert (fit.status, fit.reason) == ("not_estimable", reason), fit.sentence
    assert fit.sentence.startswith("Not estimable: ")
    assert fit.advice
    assert fit.estimates == ()
    assert fit.log_likelihood is None
    json.dumps(fit.to_dict(), allow_nan=False)


def test_text_where_numbers_are_expected_is_named():
    trial = joint_trial(60, seed=1, truth=Truth(log_hazard=-2.0))
    words = trial.events.with_columns(event=pl.lit("yes"))
    with pytest.raises(UserError, match="events: column 'event' holds String"):
        fit_trial(trial._replace(events=words))
    dates = trial.longitudinal.with_columns(day=pl.lit("2026-01-01"))
    with pytest.raises(UserError, match="longitudinal: column 'day' holds String"):
        fit_trial(trial._replace(longitudinal=dates))
    with pytest.raises(UserError, match="must hold 1"):
        fit_trial(edited(trial, event=pl.col("event") + 1))


BARE = {
    "no visit": lambda t: t._replace(longitudinal=t.longitudinal.clear()),
    "no patient": lambda t: t._replace(events=t.events.clear()),
    "four patients": lambda t: t._replace(events=t.events[:4]),
    "no value": lambda t: t._replace(
        longitudinal=t.longitudinal.with_columns(y=pl.lit(float("nan")))
    ),
    "infinite values": lambda t: t._replace(
        longitudinal=t.longitudinal.with_columns(y=pl.lit(float("inf")))
    ),
    "huge scale": lambda t: t._replace(
        longitudinal=t.longitudinal.with_columns(y=pl.col("y") * 1e200)
    ),
    "one visit each": lambda t: t._replace(
        longitudinal=t.longitudinal.unique(subset=["patient"], keep="first")
    ),
    "all below the limit": lambda t: t._replace(
        longitudinal=t.longitudinal.with_columns(
            y=pl.lit(1.0), upper=pl.lit(1.0), lower=pl.lit(0.0)
        )
    ),
    "every visit twice": lambda t: t._replace(
        longitudinal=pl.concat([t.longitudinal, t.longitudinal])
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BARE)
def test_degenerate_data_never_raise(name):
    trial = BARE[name](joint_trial(60, seed=1, truth=Truth(log_hazard=-2.0)))
    limits = {"lower": "lower", "upper": "upper"} if name == "all below the limit" else {}
    fit = fit_trial(trial, **limits)
    json.dumps(fit.to_dict(), allow_nan=False)
    if name == "every visit twice":
        assert fit.status in ("ok", "warning")
        return
    assert fit.status == "not_estimable"
    assert fit.reason
    assert fit.advice
    assert fit.estimates == ()


ERRORS = {
    "association": ({"association": ("current",)}, "association 'current' does not exist"),
    "no association": ({"association": ()}, "association must name"),
    "baseline": ({"baseline": "cox"}, "baseline 'cox' does not exist"),
    "column": ({"entry": "start"}, "events: there is no column 'start'"),
    "level": ({"level": 95}, "level 95 must lie between 0 and 1"),
    "knots": ({"knots": [99]}, "knots must lie between 0"),
    "bounds of a spline": (
        {"formula": "y ~ bs(day, df=4)"}, "the course cannot be continued to the last follow-up"
    ),
    "class": ({"tracer_class": "gold"}, "tracer_class 'gold' does not exist"),
    "noun": (
        {"tracer_class": "direct_label", "signal": "CAR-T cell expansion"}, "cannot be said of"
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", ERRORS)
def test_an_option_that_does_not_exist_is_named(name):
    options, message = ERRORS[name]
    with pytest.raises(UserError, match=message.replace("(", r"\(")):
        fit_trial(joint_trial(60, seed=1, truth=Truth(log_hazard=-2.0)), **options)


def test_what_is_left_out_is_counted():
    trial = joint_trial(100, seed=1)
    events = trial.events.with_columns(
        time=pl.when(pl.col("patient") == 5).then(None).otherwise(pl.col("time"))
    )
    rows = trial.longitudinal.filter(pl.col("patient") != 7)
    fit = fit_trial(trial._replace(events=events, longitudinal=rows))
    assert {item.reason: item.n for item in fit.excluded}["no value of time"] == 1
    assert {item.reason: item.n for item in fit.excluded}["patients without a measurement"] == 1
    assert fit.n_subjects == 98


def test_the_words_of_a_label_are_kept():
    fit = fit_trial(joint_trial(100, seed=1), tracer_class="direct_label")
    assert "each unit more of label of the infused product" in fit.sentence.lower()
    assert "never expansion, persistence or a cell count" in fit.sentence


def test_too_few_events_say_where_the_others_are():
    trial = joint_trial(100, seed=1)
    seen = trial.events.filter(pl.col("event") == 1)["patient"].to_list()
    assert len(seen) > 18
    few = edited(
        trial,
        event=pl.col("patient").is_in(seen[:18]).cast(pl.Int64),
        x=pl.when(pl.col("patient").is_in(seen[:2])).then(None).otherwise("x"),
        cause=pl.when(pl.col("patient") == seen[2]).then(None).otherwise(pl.lit("progression")),
    )
    rows = few.longitudinal.filter(~pl.col("patient").is_in(seen[3:6]))
    fit = fit_trial(few._replace(longitudinal=rows))
    assert fit.sentence == (
        "Not estimable: 13 of 18 events count: 2 belong to patients without x and 3 belong to "
        "patients without a measurement; about 15 are needed to carry a joint model."
    )
    by_cause = fit_trial(few._replace(longitudinal=rows), cause="cause")
    assert by_cause.sentence == (
        "Not estimable: 12 of 18 events of cause 'progression' or of none named count: 2 belong "
        "to patients without x, 1 belongs to a patient without cause and 3 belong to patients "
        "without a measurement; about 15 are needed to carry a joint model."
    )
