"""Kaplan-Meier, log-rank, restricted mean, cumulative incidence and Turnbull against R."""

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from analysis import (
    cumulative_incidence,
    fit_fine_gray,
    interval_survival,
    kaplan_meier,
    log_rank,
    restricted_mean,
)
from analysis.errors import UserError
from tests.analysis.fits.survival_trial import TRIAL


def test_small_trial_as_r():
    # survfit(Surv(t, e) ~ g, conf.type = "log-log")
    found = kaplan_meier(TRIAL, "t", "e", "g", interval="log-log")
    zero, one = found.curves
    assert zero.at(21) == pytest.approx((0.45714286, 0.22417541, 0.069091218, 0.79510560), rel=1e-7)
    assert one.at(12.5) == pytest.approx((0.4, 0.21908902, 0.0519757504, 0.75281579), rel=1e-7)
    assert one.at(24)[0] == 0.0
    assert one.at(24)[2:] == (None, None)
    assert one.at(1) == (1.0, 0.0, 1.0, 1.0)
    assert (zero.median, zero.median_low, zero.median_high) == (21.0, 7.0, None)
    assert (one.median, one.median_low, one.median_high) == (12.0, 4.0, None)
    assert [curve.number_at_risk(12) for curve in found.curves] == [5, 3]
    # survfit(Surv(t, e) ~ 1): the default, symmetric on the log scale
    plain = kaplan_meier(TRIAL, "t", "e").curves[0]
    assert plain.at(10) == pytest.approx((0.74074074, 0.12948257, 0.52586582, 1.0), rel=1e-7)
    assert plain.at(20) == pytest.approx((0.44444444, 0.15537909, 0.22399324, 0.88186083), rel=1e-7)
    assert (plain.median, plain.median_low, plain.median_high) == (18.0, 12.0, None)


def test_log_rank_as_r():
    found = log_rank(TRIAL, "t", "e", "g")
    assert found.statistic == pytest.approx(1.9529353, rel=1e-7)
    assert found.p_value == pytest.approx(0.162271, rel=1e-5)
    assert [row.expected for row in found.groups] == pytest.approx([4.8752525, 3.1247475], rel=1e-7)
    alone = log_rank(TRIAL.filter(pl.col("g") == 0), "t", "e", "g")
    assert (alone.status, alone.reason) == ("not_estimable", "single_level")


def test_strata_of_one_kind_are_the_plain_test():
    twice = pl.concat([TRIAL.with_columns(site=pl.lit("A")), TRIAL.with_columns(site=pl.lit("B"))])
    one, both = log_rank(TRIAL, "t", "e", "g"), log_rank(twice, "t", "e", "g", strata="site")
    assert both.statistic == pytest.approx(2 * one.statistic)


def test_late_entry_is_not_at_risk_before():
    found = kaplan_meier(TRIAL, "t", "e", entry="start").curves[0]
    at_four = ((TRIAL["start"] < 4) & (TRIAL["t"] >= 4)).sum()
    assert found.at_risk[0] == at_four == 9


def test_restricted_mean_is_the_area_by_hand():
    # One event on day 2 of four, one on day 6: 2 * 1 + 4 * 3/4 + 4 * 3/8 up to day 10.
    frame = pl.DataFrame({"t": [2.0, 4.0, 6.0, 12.0], "e": [1, 0, 1, 0]})
    found = restricted_mean(frame, "t", "e", 10)
    assert found.means[0].mean == pytest.approx(2 + 4 * 0.75 + 4 * 0.375)
    variance = (4 * 0.75 + 4 * 0.375) ** 2 / (4 * 3) + (4 * 0.375) ** 2 / (2 * 1)
    assert found.means[0].std_error == pytest.approx(np.sqrt(variance))
    far = restricted_mean(frame, "t", "e", 20)
    assert (far.status, far.reason) == ("not_estimable", "beyond_follow_up")
    with pytest.raises(UserError, match="horizon 0 must be"):
        restricted_mean(frame, "t", "e", 0)


def test_incidence_with_a_competitor_by_hand():
    frame = pl.DataFrame(
        {"t": [1.0, 2, 3, 4], "e": [1, 1, 1, 0], "cause": ["CRS", "death", "CRS", None]}
    )
    found = cumulative_incidence(frame, "t", "e", "cause")
    assert found.curve("CRS").incidence == pytest.approx((1 / 4, 1 / 4, 1 / 4 + 1 / 4))
    assert found.curve("death").incidence == pytest.approx((0, 1 / 4, 1 / 4))
    both = [found.curve(cause).at(3)[0] for cause in ("CRS", "death")]
    survival = kaplan_meier(frame, "t", "e").curves[0].at(3)[0]
    assert sum(both) + survival == pytest.approx(1.0)
    naive = 1 - kaplan_meier(frame.with_columns(e=pl.col("cause") == "CRS"), "t", "e").curves[
        0
    ].at(3)[0]  # fmt: skip
    assert naive > both[0], "1 - Kaplan-Meier is too high where death competes"
    nobody = cumulative_incidence(frame.with_columns(e=0), "t", "e", "cause")
    assert (nobody.status, nobody.reason) == ("not_estimable", "no_events")
    with pytest.raises(UserError, match="1 events have no cause"):
        cumulative_incidence(frame.with_columns(e=1), "t", "e", "cause")


def test_interval_censored_persistence():
    # Exact days are an ordinary curve.
    exact = pl.DataFrame({"lo": [2.0, 5.0, 5.0, 9.0], "hi": [2.0, 5.0, 5.0, None]})
    found = interval_survival(exact, "lo", "hi")
    assert found.mass == pytest.approx((0.25, 0.5, 0.25), abs=1e-9)
    assert found.survival_between(5.0) == pytest.approx((0.25, 0.25))
    low = np.array([0.0, 7, 6, 8, 7, 17, 37, 46, 46, 45])
    high = np.array([7.0, 16, 10, 12, 14, 25, 44, np.inf, np.inf, np.inf])
    ends = [None if np.isinf(end) else end for end in high]
    found = interval_survival(pl.DataFrame({"lo": low, "hi": ends}), "lo", "hi")
    assert sum(found.mass) == pytest.approx(1.0)
    right = np.array([np.inf if end is None else end for end in found.right])
    inside = (np.array(found.left) >= low[:, None]) & (right <= high[:, None])
    # At the maximum the mean of 1 / P(interval) over the patients that hold a mass is 1.
    chance = inside @ np.array(found.mass)
    assert (inside / chance[:, None]).mean(axis=0) == pytest.approx(np.ones(len(right)), abs=1e-6)
    assert found.log_likelihood == pytest.approx(float(np.log(chance).sum()))
    assert (found.median_low, found.median_high) == (8.0, 10.0)
    with pytest.raises(UserError, match="in 1 rows hi lies before lo"):
        interval_survival(pl.DataFrame({"lo": [5.0], "hi": [3.0]}), "lo", "hi")
    never = interval_survival(
        pl.DataFrame({"lo": [5.0], "hi": [None]}, schema_overrides={"hi": pl.Float64}), "lo", "hi"
    )
    assert (never.status, never.reason) == ("not_estimable", "no_events")


def test_results_are_json(shared: Path) -> None:
    for found in (
        kaplan_meier(TRIAL, "t", "e", "g"),
        log_rank(TRIAL, "t", "e", "g"),
        restricted_mean(TRIAL, "t", "e", 20.0, "g"),
    ):
        content = json.loads(json.dumps(found.to_dict()))
        assert content["status"] == "ok"
        assert content["sentence"].endswith(".")


@pytest.fixture
def lung(shared: Path) -> tuple[pl.DataFrame, dict]:
    frame = pl.read_csv(shared / "golden" / "lung.csv", null_values="NA")
    golden = json.loads((shared / "golden" / "survival_lung.json").read_text())
    return frame.with_columns(e=pl.col("status") - 1), golden


def test_lung_golden(lung) -> None:
    frame, golden = lung
    for interval, low, high in (("log", "lower_log", "upper_log"),
                                ("log-log", "lower_loglog", "upper_loglog")):  # fmt: skip
        curves = kaplan_meier(frame, "time", "e", "sex", interval=interval).curves
        for index, time in enumerate(golden["km"]["time"]):
            curve = curves[0 if golden["km"]["strata"][index] == "sex=1" else 1]
            names = ("surv", "se", low, high)
            assert curve.at(time) == pytest.approx(
                tuple(golden["km"][name][index] for name in names), rel=1e-6
            )
            assert curve.number_at_risk(time) == golden["km"]["n_risk"][index]
        if interval == "log-log":
            continue
        for name, field in (("median", "median"), ("median_lower", "median_low"),
                            ("median_upper", "median_high")):  # fmt: skip
            assert [getattr(curve, field) for curve in curves] == golden[name]
    found = restricted_mean(frame, "time", "e", 365.0, "sex")
    assert [one.mean for one in found.means] == pytest.approx(golden["rmst365"], rel=1e-8)
    assert [one.std_error for one in found.means] == pytest.approx(golden["rmst365_se"], rel=1e-8)
    test = log_rank(frame, "time", "e", "sex")
    assert test.statistic == pytest.approx(golden["logrank"]["chisq"], rel=1e-8)
    assert test.p_value == pytest.approx(golden["logrank"]["p"], rel=1e-8)


def test_competing_golden(shared: Path) -> None:
    golden = json.loads((shared / "golden" / "competing_mgus2.json").read_text())
    cause = pl.when(pl.col("ev") == 1).then(pl.lit("1")).when(pl.col("ev") == 2).then(pl.lit("2"))
    frame = pl.read_csv(shared / "golden" / "mgus2.csv").with_columns(
        e=(pl.col("ev") > 0).cast(pl.Int64), cause=cause
    )
    found = cumulative_incidence(frame, "et", "e", "cause", "sex")
    for estimates, variances in zip(golden["cuminc_est"], golden["cuminc_var"], strict=True):
        group, number = estimates["_row"].split(" ")
        for time in ("60", "120", "240"):
            value, error, _, _ = found.curve(number, group).at(float(time))
            assert value == pytest.approx(estimates[time], rel=1e-8)
            assert error**2 == pytest.approx(variances[time], rel=1e-6)
    for test, expected in zip(found.tests, golden["gray_tests"], strict=True):
        assert test.statistic == pytest.approx(expected["stat"], rel=1e-8)
        assert test.p_value == pytest.approx(expected["pv"], rel=1e-8)
    fit = fit_fine_gray(frame, "age + sex", "et", "e", "cause", "1")
    table = fit.table()
    assert table["estimate"].to_list() == pytest.approx(golden["finegray"]["coef"], rel=1e-6)
    assert table["std_error"].to_list() == pytest.approx(golden["finegray"]["se"], rel=1e-6)


def test_women_of_mgus2_as_the_handbook_says(shared: Path) -> None:
    # 0.105 with death as a competitor against 0.190 by 1 - Kaplan-Meier, at 240 months.
    frame = pl.read_csv(shared / "golden" / "mgus2.csv").filter(pl.col("sex") == "F")
    cause = pl.when(pl.col("ev") == 1).then(pl.lit("pcm")).otherwise(pl.lit("death"))
    rows = frame.with_columns(e=(pl.col("ev") > 0).cast(pl.Int64), cause=cause)
    assert cumulative_incidence(rows, "et", "e", "cause").curve("pcm").at(240)[0] == pytest.approx(
        0.105, abs=5e-4
    )
    naive = kaplan_meier(frame.with_columns(e=pl.col("ev") == 1), "et", "e").curves[0].at(240)[0]
    assert 1 - naive == pytest.approx(0.190, abs=5e-4)
