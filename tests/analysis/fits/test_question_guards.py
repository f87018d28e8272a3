"""What a question cannot be answered from is told with advice that helps."""

import polars as pl
import pytest

from analysis.fits.specification import fit_specification
from analysis.specs import ModelSpec
from tests.analysis.fits.test_degenerate import SPEC, trial


def test_a_study_without_a_response_is_not_told_to_widen_its_filters() -> None:
    rows = [(f"P{i}", day, 50.0 + i, None) for i in range(24) for day in (0.0, 35.0, 70.0)]
    names = {"usubjid": pl.String, "rel_day": pl.Float64, "value": pl.Float64, "group": pl.String}
    frame = pl.DataFrame(rows, schema=names, orient="row")
    spec = ModelSpec(outcome="burden:SUMDIAM", time="spline", question="signal_by_group")
    fit = fit_specification(frame, spec)
    assert (fit.status, fit.reason) == ("not_estimable", "no_observations")
    assert "72 with no known group (responder)" in fit.sentence
    assert fit.advice == (
        "Load what the groups are made of, as response assessments are, or compare other groups; "
        "wider filters do not help."
    )


def test_scans_without_a_planned_day_are_not_told_to_widen_their_filters() -> None:
    rows = [(f"P{i}", day, None, 50.0 + i, "responder" if i % 2 else "non-responder")
            for i in range(24) for day in (1.0, 35.0, 70.0)]  # fmt: skip
    names = ("usubjid", "rel_day", "nominal_day", "value", "group")
    kinds = (pl.String, pl.Float64, pl.Float64, pl.Float64, pl.String)
    frame = pl.DataFrame(rows, schema=dict(zip(names, kinds, strict=True)), orient="row")
    spec = ModelSpec(outcome="uptake:f18_fhbg:suv_mean:lesion", time="visit", random="intercept")
    fit = fit_specification(frame, spec, [("outside the analysis set", 3)])
    assert (fit.status, fit.reason) == ("not_estimable", "no_planned_day")
    assert (
        fit.sentence == "Not estimable: No observation has a planned day: 72 with no nominal_day."
    )
    assert fit.advice == (
        "Deliver the planned day of each visit (nominal_day), or ask for `time: spline`, which "
        "takes the day from infusion."
    )


@pytest.mark.parametrize(
    ("window", "words"),
    [
        ({"day_low": 28}, "From day 28 on every patient"),
        ({"day_high": 7}, "Up to day 7 every patient"),
        ({"day_low": 10, "day_high": 20}, "From day 10 to 20 every patient"),
    ],
    ids=str,
)
def test_the_window_that_leaves_one_day_is_named(window: dict, words: str) -> None:
    fit = fit_specification(trial(), SPEC.replace(**window))
    assert fit.reason == "one_observation_per_subject"
    assert fit.sentence.startswith(f"Not estimable: {words} was seen on one day")
    assert fit.advice.startswith("Widen the window of days, or")


def test_no_window_is_named_where_it_left_nothing_out() -> None:
    fit = fit_specification(trial(days=(14,)), SPEC.replace(day_low=7))
    assert fit.sentence.startswith("Not estimable: Every patient was seen on one day")
    assert "window" not in fit.advice
