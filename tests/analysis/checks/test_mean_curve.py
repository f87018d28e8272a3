"""A curve that misses what was measured is said; one that goes through it is not."""

import numpy as np
import polars as pl
import pytest

from analysis import ModelSpec, fit_specification
from analysis.checks.mean_curve import measured_means
from analysis.fits.model_rows import model_rows

DAYS = np.array([1, 2, 3, 5, 7, 9, 11, 14, 17, 21, 28, 42, 60, 90], dtype=float)
SPEC = ModelSpec(outcome="kinetics:CARTG:qPCR:BLOOD", day_low=0.0)
BENT = SPEC.replace(spline_df=4)


def log_course(day: np.ndarray) -> np.ndarray:
    """log10 of a signal that rises to day 10 and falls in two phases (Stein and others 2019)."""
    rise = 1.5 + 0.35 * np.minimum(day, 10)
    fall = np.log10(0.97 * 10 ** (-0.12 * np.maximum(day - 10, 0)) + 0.03)
    return rise + fall


def trial(patients: int = 24, *, bump: float = 1.0) -> pl.DataFrame:
    rng = np.random.default_rng(5)
    rows = []
    for number in range(patients):
        level = rng.normal(0, 0.2)
        mean = bump * log_course(DAYS) + (1 - bump) * (3 - DAYS / 60)
        for day, value in zip(DAYS, mean + level + rng.normal(0, 0.1, len(DAYS)), strict=True):
            rows.append(
                {"usubjid": f"P{number:02d}", "rel_day": day, "nominal_day": day,
                 "value": 10**value, "group": "responder" if number % 2 else "non-responder"}
            )  # fmt: skip
    return pl.DataFrame(rows)


def verdict(frame: pl.DataFrame, spec: ModelSpec):
    fit = fit_specification(frame, spec, influence=False)
    return next(check for check in fit.checks if check.name == "mean_curve"), fit


def test_means_by_hand():
    frame = pl.DataFrame(
        {"usubjid": ["A", "A", "B", "C", "D", "A", "B"], "group": ["x"] * 7,
         "nominal_day": [7.0, 7.0, 7.0, 7.0, None, 14.0, 14.0],
         "day": [7.0, 7.2, 6.9, 7.0, 7.4, 14.0, 14.0], "y": [1.0, 3.0, 2.0, 6.0, 2.0, 9.0, 9.0],
         "censored_row": [False, False, True, False, False, False, False]}
    )  # fmt: skip
    (one,) = measured_means(frame, pl.Series([0.0, 2.0, 1.0, 5.0, 1.0, 0.0, 0.0]))
    assert one[:5] == ("x", 7.0, 4, 1, 3.0)  # A counts once, with 2; D by its rounded day
    assert one.away == 2.0
    assert one.error == pytest.approx(2.0 / 2)  # SD of 1, 1, 5 and 1, over the root of 4


def test_a_curve_that_bends_too_little_is_a_warning_with_the_way():
    found, fit = verdict(trial(), SPEC)
    assert found.status == "warning"
    assert "let it bend more (spline_df 4)" in found.message
    assert fit.status == "warning"
    rows = model_rows(trial(), SPEC).frame
    curve = {point.group: {} for point in fit.curves}
    for point in fit.curves:
        curve[point.group][point.day] = np.log10(point.estimate)
    gaps = {
        (one.group, one.day): abs(
            one.mean - np.interp(one.day, list(curve[one.group]), list(curve[one.group].values()))
        )
        for one in measured_means(rows)
    }
    worst = max(gaps, key=lambda at: gaps[at])
    assert f"{worst[0]}, day {worst[1]:g}, " in found.message
    assert found.value == pytest.approx(gaps[worst], abs=0.02)


def test_a_curve_that_follows_is_fine():
    assert verdict(trial(), BENT)[0].status == "ok"
    assert verdict(trial(bump=0.0), SPEC)[0].status == "ok"


def test_a_curve_of_four_is_sent_to_the_planned_visits():
    sharp = trial().with_columns(
        value=pl.when(pl.col("rel_day") == 9).then(pl.col("value") * 100).otherwise("value")
    )
    found, _ = verdict(sharp, BENT)
    assert found.status == "warning"
    assert "compare planned visits" in found.message


@pytest.mark.parametrize("time", ["visit", "none"])
def test_other_courses_have_their_own_means(time):
    assert verdict(trial(), SPEC.replace(time=time, random="intercept"))[0].status == "ok"


def test_days_with_values_below_the_limit_say_nothing_under_the_censored_rule():
    low = trial().with_columns(
        censored=pl.when(pl.col("rel_day") <= 3).then(pl.lit("left")).otherwise(pl.lit("none")),
        lower=pl.when(pl.col("rel_day") <= 3).then(0.0),
        upper=pl.when(pl.col("rel_day") <= 3).then(1e5),
    )
    spec = BENT.replace(blq="censored", random="intercept")
    found, _ = verdict(low, spec)
    assert "day 1," not in found.message
    assert "day 3," not in found.message
