"""The simpler analyses beside a joint model: their numbers, and what they do not use."""

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from analysis import fit_joint, joint_alternatives
from analysis.errors import UserError
from analysis.fits.joint.carried_forward import carried_forward
from analysis.fits.joint.landmark import at_landmark
from analysis.fits.joint.risk_sets import RiskSet, cox_fit
from analysis.fits.joint.two_stage import two_stage
from benchmarks.joint_trials import Truth, joint_trial

SHARED = Path(__file__).resolve().parents[4] / "shared"


def fit_trial(trial, **options):
    settings = {"formula": "y ~ day"} | options
    return fit_joint(
        trial.longitudinal, trial.events, group="patient", random="1 + day", long_time="day",
        event_time="time", event="event", event_formula="x", **settings,
    )  # fmt: skip


@pytest.fixture(scope="module")
def noisy():
    return joint_trial(600, seed=13, truth=Truth(sigma=1.0, sd_slope=0.25, log_hazard=-3.0))


@pytest.fixture(scope="module")
def fit(noisy):
    return fit_trial(noisy)


def value_of(answer) -> float:
    return next(item.estimate for item in answer.estimates if item.part == "association")


def test_ties_and_changing_covariates_equal_statsmodels():
    phreg = pytest.importorskip("statsmodels.duration.hazard_regression").PHReg
    rng = np.random.default_rng(4)
    x = rng.normal(size=(120, 2))
    time = np.ceil(4 * rng.exponential(np.exp(-0.5 * x[:, 0])))
    event = rng.uniform(size=120) < 0.7
    sets = [RiskSet(x[time >= t], (event & (time == t))[time >= t]) for t in np.unique(time[event])]
    found = cox_fit(sets)
    expected = phreg(time, x, status=event.astype(int), ties="efron").fit()
    np.testing.assert_allclose(found.coefficients, expected.params, rtol=1e-6)
    np.testing.assert_allclose(np.sqrt(np.diag(found.covariance)), expected.bse, rtol=1e-5)
    assert found.log_likelihood == pytest.approx(expected.llf, rel=1e-9)


def test_a_covariate_that_orders_the_events_has_no_maximum():
    order = np.arange(20.0)
    sets = [RiskSet(order[k:, None], np.arange(20 - k) == 0) for k in range(20)]
    assert cox_fit(sets) is None
    assert cox_fit([RiskSet(np.ones((3, 1)), np.array([True, False, False]))]) is None
    assert cox_fit([]) is None


@pytest.mark.skipif(not (SHARED / "golden").is_dir(), reason="needs ../shared")
def test_carried_forward_equals_coxph():
    expected = json.loads((SHARED / "golden" / "jm_aids.json").read_text())["naive_tv_cox"]
    aids = fit_joint(
        pl.read_csv(SHARED / "golden" / "aids.csv"), pl.read_csv(SHARED / "golden" / "aids_id.csv"),
        "CD4 ~ obstime + obstime:drug", "patient", "1 + obstime", "obstime", "Time", "death",
        "drug",
    )  # fmt: skip
    found = carried_forward(aids)
    np.testing.assert_allclose([e.estimate for e in found.estimates], expected["coef"], rtol=1e-6)
    np.testing.assert_allclose([e.std_error for e in found.estimates], expected["se"], rtol=1e-6)
    assert (found.n_subjects, found.n_events) == (467, 188)


def test_the_bias_has_the_direction_that_is_said(fit):
    """Measurement error as large as the spread of patients: the true association is 0.6."""
    joint = next(item for item in fit.estimates if item.part == "association")
    assert abs(joint.estimate - 0.6) < 2.5 * joint.std_error
    carried = value_of(carried_forward(fit))
    assert carried < 0.75 * joint.estimate
    staged = two_stage(fit)
    assert carried < value_of(staged) < joint.estimate
    assert "too weak" in staged.bias
    assert staged.bias in staged.sentence


def test_a_landmark_uses_nothing_later(noisy, fit):
    later = noisy._replace(
        longitudinal=noisy.longitudinal.with_columns(
            y=pl.when(pl.col("day") > 4.0).then(pl.col("y") * 3 + 5).otherwise(pl.col("y"))
        )
    )
    first = at_landmark(fit, 4.0)
    assert first.status == "ok"
    assert first.sentence.startswith("From 4 on, each unit more of y goes with a hazard ratio of")
    other = at_landmark(fit_trial(later), 4.0)
    assert value_of(first) == pytest.approx(value_of(other), rel=1e-6)
    at_risk = noisy.events.filter(pl.col("time") > 4.0)
    assert first.n_events == at_risk["event"].sum()
    assert first.n_subjects == at_risk.height


def test_the_table_names_every_rule(fit):
    shown = joint_alternatives(fit, landmark=4.0)
    assert [row.rule for row in shown.sensitivity] == [
        "joint model", "two-stage", "carried forward", "landmark"
    ]  # fmt: skip
    joint = next(item for item in fit.estimates if item.part == "association")
    assert shown.sensitivity[0].ratio == pytest.approx(np.exp(joint.estimate))
    assert shown.sensitivity[3].day == 4.0
    assert "measurement error" in shown.check("alternatives").message
    assert json.loads(json.dumps(shown.to_dict(), allow_nan=False))
    assert len(joint_alternatives(shown).checks) == len(shown.checks)


def test_early_visits_carry_a_random_intercept_only(fit):
    answer = at_landmark(fit, 2.0)
    assert answer.status == "ok"
    assert answer.n_events > 15


def limited(trial, limit):
    """The joint fit where values below the limit are known by it only."""
    frame = trial.longitudinal.with_columns(upper=pl.when(pl.col("y") < limit).then(limit))
    frame = frame.with_columns(y=pl.when(pl.col("upper").is_null()).then("y"))
    return fit_trial(trial._replace(longitudinal=frame), upper="upper")


def test_values_below_a_limit_enter_the_course_by_their_probability(noisy, fit):
    """A third of the values below the limit; set to the limit they would move the number."""
    limit = float(noisy.longitudinal["y"].quantile(0.35))
    censored = limited(noisy, limit)
    known, at_limit = two_stage(fit), fit_trial(
        noisy._replace(longitudinal=noisy.longitudinal.with_columns(y=pl.col("y").clip(limit)))
    )  # fmt: skip
    found = two_stage(censored)
    assert found.status == "ok"
    assert value_of(found) == pytest.approx(value_of(known), abs=0.05)
    assert abs(value_of(two_stage(at_limit)) - value_of(known)) > 0.1
    late = at_landmark(censored, 4.0)
    assert value_of(late) == pytest.approx(value_of(at_landmark(fit, 4.0)), abs=0.15)
    for answer in (found, late):
        assert "the course used is mostly that of all patients" in answer.bias
        assert answer.bias in answer.sentence
    table = joint_alternatives(censored, landmark=4.0)
    assert [row.status for row in table.sensitivity[1:]] == ["ok", "not_estimable", "ok"]
    assert "by their probability" in table.check("alternatives").message


def test_a_limit_below_all_values_changes_nothing(noisy, fit):
    """But for the restricted likelihood, which the model with limits does not have."""
    found, known = two_stage(limited(noisy, -1e3)), two_stage(fit)
    assert value_of(found) == pytest.approx(value_of(known), rel=2e-3)


def test_what_the_simpler_analyses_cannot_do_says_why():
    trial = joint_trial(150, seed=2)
    fit = fit_trial(trial)
    late = at_landmark(fit, 8.9)
    assert (late.status, late.reason) == ("not_estimable", "too_few_events")
    assert late.estimates == ()
    with pytest.raises(UserError, match="landmark must lie between"):
        at_landmark(fit, 99.0)
    censored = limited(trial, 1.0)
    assert carried_forward(censored).reason == "limits"
    bracketed = fit_joint(
        trial.longitudinal, trial.events, "y ~ day", "patient", "1", "day",
        ("seen_free", "seen_event"), "event",
    )  # fmt: skip
    assert carried_forward(bracketed).reason == "interval_events"
    causes = joint_trial(300, seed=5, truth=(Truth(), Truth()))
    assert two_stage(fit_trial(causes, cause="cause")).reason == "several_causes"
    table = joint_alternatives(bracketed).sensitivity
    assert [row.status for row in table] == ["ok", *["not_estimable"] * 3]
    assert all(row.ratio is None for row in table[1:])


def test_the_slope_is_spoken_of_per_standard_deviation(noisy):
    both = fit_trial(noisy, association=("value", "slope"))
    spread = both.design.spread[1] * both.design.problem.y_scale
    assert spread == pytest.approx(0.25, rel=0.2)
    item = next(e for e in both.estimates if e.term == "slope")
    assert f"rises by {spread:.2f} more of y per unit of time" in both.sentence
    assert f"of {np.exp(item.estimate * spread):.2g} (95 % CI" in both.sentence
    slope = fit_trial(noisy, association=("slope",))
    assert carried_forward(slope).reason == "no_value"
    rows = joint_alternatives(slope, landmark=5.0).sensitivity
    assert rows[0].ratio == pytest.approx(
        np.exp(slope.estimates[-1].estimate * slope.design.spread[0] * slope.design.problem.y_scale)
    )
    assert [row.status for row in rows] == ["ok", "ok", "not_estimable", "ok"]
