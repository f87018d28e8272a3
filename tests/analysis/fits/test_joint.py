"""fit_joint against the truth of simulated trials, and what must hold for any data."""

import json
import pickle

import numpy as np
import polars as pl
import pytest

from analysis import Fit, fit_joint, fit_mixed, predict_event_free
from analysis.fits.joint.starts import start_of
from benchmarks.joint_trials import Truth, joint_trial


def fit_trial(trial, **options) -> Fit:
    settings = {"formula": "y ~ day", "event_time": "time", "random": "1 + day"} | options
    longitudinal = settings.pop("longitudinal", trial.longitudinal)
    return fit_joint(
        longitudinal, trial.events, group="patient", long_time="day", event="event",
        event_formula="x", **settings,
    )  # fmt: skip


def row(fit: Fit, term: str, part: str):
    return next(item for item in fit.estimates if item.term == term and item.part == part)


def near(found, truth: float, errors: float = 3.0) -> None:
    assert abs(found.estimate - truth) < errors * found.std_error, (found.term, truth)


SCENARIOS = {
    "plain": {},
    "late entry": {"entry": "entry"},
    "known between visits": {"event_time": ("seen_free", "seen_event")},
    "spline hazard": {"baseline": "spline"},
    "Weibull hazard": {"baseline": "weibull"},
}


@pytest.mark.parametrize("name", SCENARIOS)
def test_the_truth_of_a_simulated_trial_is_recovered(name):
    truth = Truth(log_hazard_slope=0.0, log_hazard=-3.4)
    trial = joint_trial(600, seed=11, truth=truth, late_entry=name == "late entry")
    fit = fit_trial(trial, **SCENARIOS[name])
    assert fit.status == "ok", fit.advice
    near(row(fit, "Intercept", "longitudinal"), truth.intercept)
    near(row(fit, "day", "longitudinal"), truth.slope)
    near(row(fit, "x", "event"), truth.effect)
    near(row(fit, "value", "association"), truth.value)
    assert row(fit, "value", "association").std_error < 0.2
    assert fit.variance_components[0].sd_or_corr == pytest.approx(truth.sd_intercept, rel=0.1)
    assert fit.variance_components[1].sd_or_corr == pytest.approx(truth.sd_slope, rel=0.15)
    assert fit.variance_components[-1].sd_or_corr == pytest.approx(truth.sigma, rel=0.05)


def test_late_entry_ignored_is_another_answer():
    """Counting the time before entry as seen without event makes the hazard too small."""
    trial = joint_trial(600, seed=11, truth=Truth(log_hazard=-2.4), late_entry=True)
    right, wrong = fit_trial(trial, entry="entry", knots=[5]), fit_trial(trial, knots=[5])
    true = -2.4
    near(row(right, "log(hazard 1)", "event"), true)
    assert row(wrong, "log(hazard 1)", "event").estimate < true
    assert (
        row(wrong, "log(hazard 1)", "event").estimate
        < row(right, "log(hazard 1)", "event").estimate - 0.1
    )


def test_two_causes_have_their_own_hazards_and_associations():
    first, second = Truth(value=0.8, effect=0.6), Truth(value=-0.4, effect=-0.5, log_hazard=-1.8)
    trial = joint_trial(800, seed=5, truth=(first, second))
    fit = fit_trial(trial, cause="cause")
    assert fit.status == "ok"
    for name, truth in (("a", first), ("b", second)):
        near(row(fit, f"{name}: value", "association"), truth.value)
        near(row(fit, f"{name}: x", "event"), truth.effect)
    assert "hazard ratio for a of" in fit.sentence
    assert "hazard ratio for b of" in fit.sentence


def test_two_equal_causes_are_one_event_told_apart_by_chance():
    """With half the hazard each, every event loses a factor 2 and nothing else changes."""
    trial = joint_trial(200, seed=8, truth=(Truth(), Truth()))
    both, one = fit_trial(trial, cause="cause", knots=[5]), fit_trial(trial, knots=[5])
    all_causes, theta = one.design.problem, one.design.theta
    causes = both.design.problem
    split = np.zeros(causes.layout.size)
    first = all_causes.layout.outcome[0]
    split[: first.baseline.start] = theta[: first.baseline.start]
    for index in causes.layout.outcome:
        split[index.baseline] = theta[first.baseline] - np.log(2)
        split[index.covariates] = theta[first.covariates]
        split[index.association] = theta[first.association]
    value = causes.likelihood.value(
        split, causes.likelihood.centers(split, causes.likelihood.start())
    )
    events = trial.events["event"].sum()
    assert value == pytest.approx(one.design.found.evaluation.value - events * np.log(2), abs=1e-6)


def test_values_below_a_limit():
    """The censored likelihood finds the truth where substituting half the limit does not."""
    trial = joint_trial(500, seed=21)
    limit = 1.2
    below = pl.col("y") < limit
    censored = trial.longitudinal.with_columns(
        lower=pl.when(below).then(pl.lit(None, pl.Float64)).otherwise(pl.col("y")),
        upper=pl.when(below).then(limit).otherwise(pl.col("y")),
        y=pl.when(below).then(None).otherwise(pl.col("y")),
    )
    fit = fit_trial(trial, longitudinal=censored, lower="lower", upper="upper")
    assert fit.n_censored == trial.longitudinal.filter(below).height > 300
    assert fit.n_observations == trial.longitudinal.height
    near(row(fit, "Intercept", "longitudinal"), 2.0)
    near(row(fit, "day", "longitudinal"), -0.15)
    near(row(fit, "value", "association"), 0.6)
    half = censored.with_columns(y=pl.col("y").fill_null(limit / 2))
    naive = row(fit_trial(trial, longitudinal=half), "day", "longitudinal")
    assert abs(naive.estimate + 0.15) > 3 * naive.std_error


def test_limits_follow_the_transformation_of_the_outcome():
    """A zero lower limit under log10 is minus infinity, and the unit of the column is kept."""
    trial = joint_trial(150, seed=2)
    raw = trial.longitudinal.with_columns(
        value=pl.when(pl.col("y") > 1.2).then(10 ** pl.col("y")),
        low=pl.when(pl.col("y") <= 1.2).then(0.0),
        high=pl.when(pl.col("y") <= 1.2).then(10**1.2),
    )
    logged = trial.longitudinal.with_columns(
        y=pl.when(pl.col("y") > 1.2).then(pl.col("y")),
        high=pl.when(pl.col("y") <= 1.2).then(1.2),
    )
    first = fit_trial(
        trial, longitudinal=raw, formula="log10(value) ~ day", lower="low", upper="high"
    )
    second = fit_trial(trial, longitudinal=logged, upper="high")
    assert first.log_likelihood == pytest.approx(second.log_likelihood, abs=1e-6)
    assert first.estimates[-1].estimate == pytest.approx(second.estimates[-1].estimate, rel=1e-6)
    assert first.sentence.startswith("Each 10-fold higher value goes with a hazard ratio of")


def test_without_association_it_is_two_separate_models():
    """At association 0 the likelihood is the mixed model's plus that of piecewise rates."""
    trial = joint_trial(150, seed=4)
    fit = fit_joint(
        trial.longitudinal, trial.events, "y ~ day", "patient", "1 + day", "day", "time", "event"
    )
    problem = fit.design.problem
    theta = start_of(problem)
    baseline, outcome = problem.baselines[0], problem.layout.outcome[0]
    time, event = (trial.events[name].to_numpy() for name in ("time", "event"))
    edges = np.concatenate([[0.0], baseline.cuts, [np.inf]])
    exposure = np.clip(time[:, None], edges[:-1], edges[1:]).sum(axis=0) - len(time) * edges[:-1]
    counts = np.histogram(time[event == 1], edges - 1e-12)[0]
    theta[outcome.baseline] = np.log(counts / exposure)
    point = problem.likelihood.evaluate(
        theta, problem.likelihood.centers(theta, problem.likelihood.start())
    )
    mixed = fit_mixed(trial.longitudinal, "y ~ day", "patient", "1 + day", reml=False)
    alone = float((counts * np.log(counts / exposure) - counts).sum())
    scale = trial.longitudinal.height * np.log(problem.y_scale)
    assert point.value - scale == pytest.approx(mixed.log_likelihood + alone, abs=1e-6)
    others = np.delete(point.score, outcome.association)
    assert np.abs(others).max() < 1e-3 < abs(point.score[outcome.association]).item()


def test_units_and_order_change_nothing_but_units():
    trial = joint_trial(150, seed=6)
    fit = fit_trial(trial)
    scaled = trial._replace(
        longitudinal=trial.longitudinal.with_columns(pl.col("y") * 1000 - 5, pl.col("day") / 7),
        events=trial.events.with_columns(pl.col("time") / 7),
    )
    other = fit_trial(scaled)
    assert row(other, "value", "association").estimate == pytest.approx(
        row(fit, "value", "association").estimate / 1000, rel=1e-4
    )
    assert row(other, "x", "event").estimate == pytest.approx(
        row(fit, "x", "event").estimate, rel=1e-4
    )
    assert row(other, "day", "longitudinal").estimate == pytest.approx(
        7000 * row(fit, "day", "longitudinal").estimate, rel=1e-4
    )
    shuffled = trial._replace(
        longitudinal=trial.longitudinal.sample(fraction=1.0, shuffle=True, seed=1),
        events=trial.events.sample(fraction=1.0, shuffle=True, seed=2),
    )
    again = fit_trial(shuffled)
    assert again.log_likelihood == pytest.approx(fit.log_likelihood, abs=1e-6)
    assert again.estimates[-1].estimate == pytest.approx(fit.estimates[-1].estimate, rel=1e-6)


def test_the_slope_is_the_derivative_of_the_course():
    trial = joint_trial(100, seed=9)
    fit = fit_trial(
        trial, formula="y ~ I(day**4) + day:x + bs(day, df=5, lower_bound=0, upper_bound=10)"
    )
    trajectory = fit.design.problem.trajectory
    names = list(fit.design.problem.design.matrices.x_names)
    time = np.array([0.0, 0.004, 1.3, 5.0, trajectory.end])
    patient = np.arange(5)
    x, z = trajectory.slope(patient, time)
    np.testing.assert_allclose(x[:, names.index("I(day ** 4)")], 4 * time**3, rtol=1e-8, atol=1e-8)
    np.testing.assert_allclose(x[:, names.index("day:x")], trajectory.patients["x"][:5], atol=1e-9)
    np.testing.assert_allclose(z, [[0.0, 1.0]] * 5, atol=1e-9)
    h = 1e-6
    near_by = (
        trajectory.value(patient[1:4], time[1:4] + h)[0]
        - trajectory.value(patient[1:4], time[1:4] - h)[0]
    ) / (2 * h)
    np.testing.assert_allclose(x[1:4], near_by, rtol=1e-4, atol=1e-5)


def test_value_and_slope_of_the_same_line_in_two_bases():
    trial = joint_trial(300, seed=9)
    line = fit_trial(trial, association=("value", "slope"))
    other = fit_trial(trial, association=("value", "slope"), formula="y ~ poly(day, 1)")
    assert other.log_likelihood == pytest.approx(line.log_likelihood, abs=1e-6)
    for term in ("value", "slope"):
        assert row(other, term, "association").estimate == pytest.approx(
            row(line, term, "association").estimate, rel=1e-4
        )


def test_a_round_trip_keeps_every_number():
    fit = fit_trial(joint_trial(100, seed=1))
    again = Fit.from_dict(json.loads(json.dumps(fit.to_dict())))
    assert again == fit
    assert set(fit.table()["part"]) == {"longitudinal", "event", "association"}


def test_a_fit_can_be_sent_to_another_process_and_still_predicts():
    fit = fit_trial(joint_trial(100, seed=1))
    sent = pickle.loads(pickle.dumps(fit))
    assert sent == fit
    assert predict_event_free(sent, 2, [4], draws=5) == predict_event_free(fit, 2, [4], draws=5)
