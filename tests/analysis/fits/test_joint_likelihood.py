"""Score and information of the joint likelihood against differences, and the integral itself
against sums over a fine grid."""

import numpy as np
import pytest
from scipy.stats import norm

from analysis import fit_joint
from analysis.fits.joint import normal_interval
from analysis.fits.joint.quadrature import graded_nodes, hermite_grid, time_nodes
from analysis.fits.joint.search import accelerated
from analysis.fits.joint.starts import start_of
from benchmarks.joint_trials import Truth, joint_trial

CASES = {
    "value": {},
    "slope": {"association": ("slope",)},
    "both": {"association": ("value", "slope")},
    "spline": {"baseline": "spline"},
    "weibull": {"baseline": "weibull"},
    "entry": {"entry": "entry"},
    "causes": {"cause": "cause"},
    "interval": {"event_time": ("seen_free", "seen_event")},
    "limits": {"lower": "lower", "upper": "upper"},
    "spline course": {"formula": "y ~ bs(day, df=4, lower_bound=0, upper_bound=10) + x"},
    "three effects": {"random": "1 + day + I(day**2)", "nodes": 3},
}


def trial_for(name):
    truth = (Truth(), Truth(value=-0.4, log_hazard=-2.5)) if name == "causes" else Truth()
    trial = joint_trial(120, seed=3, truth=truth, late_entry=name == "entry")
    longitudinal = trial.longitudinal
    if name == "limits":
        y = longitudinal["y"]
        low = [None if v > 1 else -np.inf if k % 2 else v - 1 for k, v in enumerate(y)]
        high = [None if v > 1 else 1.0 for v in y]
        longitudinal = longitudinal.with_columns(
            lower=np.array(low, float), upper=np.array(high, float)
        )
    if name == "interval":
        end = trial.events.select("patient", "seen_event", "time")
        longitudinal = longitudinal.join(end, on="patient").filter(
            longitudinal["day"] <= longitudinal.join(end, on="patient")["time"]
        )
    return longitudinal, trial.events


def fitted(name):
    longitudinal, events = trial_for(name)
    options = {"formula": "y ~ day * x", "event_time": "time", "random": "1 + day"} | CASES[name]
    return fit_joint(
        longitudinal, events, group="patient", long_time="day", event="event", event_formula="x",
        **options,
    )  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_score_and_information_equal_differences(name):
    fit = fitted(name)
    assert fit.status in ("ok", "warning"), fit.sentence
    likelihood = fit.design.problem.likelihood
    rng = np.random.default_rng(1)
    theta = fit.design.theta + rng.normal(0, 0.05, likelihood.layout.size)
    centers = likelihood.centers(theta, likelihood.start())
    point = likelihood.evaluate(theta, centers)
    step = 1e-5
    for k in range(likelihood.layout.size):
        up, down = (theta + sign * step * (np.arange(len(theta)) == k) for sign in (1, -1))
        slope = (likelihood.value(up, centers) - likelihood.value(down, centers)) / (2 * step)
        assert point.score[k] == pytest.approx(slope, rel=1e-5, abs=2e-4), k
        row = likelihood.evaluate(up, centers).score - likelihood.evaluate(down, centers).score
        np.testing.assert_allclose(point.hessian[k], row / (2 * step), rtol=2e-5, atol=2e-3)


@pytest.mark.parametrize("name", ["both", "entry", "interval", "limits"])
def test_at_the_maximum_the_score_is_zero_where_the_nodes_move_too(name):
    fit = fitted(name)
    likelihood, theta = fit.design.problem.likelihood, fit.design.theta
    error = np.sqrt(np.diag(fit.design.covariance))
    step = 1e-3 * error
    for k in range(likelihood.layout.size):
        up, down = (theta + sign * step * (np.arange(len(theta)) == k) for sign in (1, -1))
        values = [
            likelihood.value(t, likelihood.centers(t, likelihood.start())) for t in (up, down)
        ]
        # In units of the standard error: how far the maximum of the moving integral may be away.
        assert abs((values[0] - values[1]) / (2 * step[k]) * error[k]) < 0.02, k


def test_integral_equals_a_sum_over_a_fine_grid():
    longitudinal, events = trial_for("value")
    fit = fit_joint(
        longitudinal, events, "y ~ day * x", "patient", "1", "day", "time", "event", "x", nodes=15
    )
    likelihood = fit.design.problem.likelihood
    theta = start_of(fit.design.problem)
    theta[-1] = 0.8
    u = np.linspace(-8, 8, 4001)
    total = 0.0
    for block in likelihood.blocks:
        at = np.tile(u[None, :, None], (len(block.patients), 1, 1))
        log_joint = sum(part.at(theta, at).value for part in block.parts) + norm.logpdf(u)
        total += np.log(np.trapezoid(np.exp(log_joint), u, axis=1)).sum()
    centers = likelihood.centers(theta, likelihood.start())
    assert likelihood.value(theta, centers) == pytest.approx(total, abs=1e-7)


def test_time_nodes_are_exact_for_polynomials_between_knots():
    start, stop = np.array([0.0, 1.0, 0.0]), np.array([5.0, 2.5, 0.7])
    nodes = time_nodes(start, stop, np.array([1.0, 2.0, 4.0]), 3)
    jump = np.where(nodes.time > 2.0, 7.0, 1.0) * nodes.time**5
    expected = [(2**6 - 0) / 6 + 7 * (5**6 - 2**6) / 6,
                (2**6 - 1) / 6 + 7 * (2.5**6 - 2**6) / 6, 0.7**6 / 6]  # fmt: skip
    np.testing.assert_allclose((nodes.weight * jump).sum(axis=1), expected, rtol=1e-12)


@pytest.mark.parametrize("shape", [0.5, 0.8, 1.0, 1.7])
def test_graded_nodes_integrate_a_power_of_time(shape):
    nodes = graded_nodes(np.array([3.0]), 15)
    got = float((nodes.weight * shape * nodes.time ** (shape - 1)).sum())
    assert got == pytest.approx(3.0**shape, rel=1e-6)


def test_hermite_grid_gives_normal_moments():
    grid = hermite_grid(2, 5)
    density = np.exp(grid.log_weight + norm.logpdf(grid.nodes).sum(axis=1))
    assert density.sum() == pytest.approx(1.0, abs=1e-12)
    assert (density * grid.nodes[:, 0] ** 4 * grid.nodes[:, 1] ** 2).sum() == pytest.approx(3.0)


@pytest.mark.parametrize(("low", "high"), [(-np.inf, -1.0), (0.3, np.inf), (-0.2, 1.1), (6, 9)])
def test_a_value_between_bounds(low, high):
    """Derivatives in mean and log sigma by differences; far in the tail without losing digits."""

    def log_p(mean, tau):
        a, b = ((np.array([[x]]) - mean) / np.exp(tau) for x in (low, high))
        return normal_interval.interval_derivatives(a, b, np.exp(tau))

    mean, tau, h = 0.1, -0.3, 1e-4
    found = log_p(mean, tau)
    scale = np.exp(tau)
    expected = np.log(norm.sf((low - mean) / scale) - norm.sf((high - mean) / scale))
    assert found.value.item() == pytest.approx(expected, rel=1e-9)
    up, down = log_p(mean + h, tau), log_p(mean - h, tau)
    assert found.first.item() == pytest.approx((up.value - down.value).item() / (2 * h), rel=1e-5)
    assert found.second.item() == pytest.approx((up.first - down.first).item() / (2 * h), rel=1e-4)
    late, early = log_p(mean, tau + h), log_p(mean, tau - h)
    assert found.scale_first.item() == pytest.approx(
        (late.value - early.value).item() / (2 * h), rel=1e-5
    )
    assert found.mixed.item() == pytest.approx(
        (late.first - early.first).item() / (2 * h), rel=1e-4
    )
    assert found.scale_second.item() == pytest.approx(
        (late.scale_first - early.scale_first).item() / (2 * h), rel=1e-4
    )


def test_swinging_steps_are_straightened():
    """Steps that overshoot by 0.66 in every direction: the rule ends at once, Newton never."""
    end = np.array([2.0, -1.0])
    theta = np.array([5.0, 3.0])
    step = -1.66 * (theta - end)
    after = theta + step
    taken = accelerated(after, -1.66 * (after - end), (theta, step))
    np.testing.assert_allclose(after + taken, end, atol=1e-12)
    np.testing.assert_array_equal(accelerated(theta, step, None), step)


def test_a_spline_with_four_effects_ends_at_a_zero_score():
    trial = joint_trial(80, seed=4, truth=Truth(log_hazard=-3.4, sd_slope=0.3), visits=12)
    basis = "bs(day, df=3, lower_bound=0, upper_bound=10)"
    fit = fit_joint(
        trial.longitudinal, trial.events, f"y ~ {basis}", "patient", f"1 + {basis}", "day", "time",
        "event", nodes=3, time_nodes=3,
    )  # fmt: skip
    # The true courses are lines: a direction of the random part has no variance, and says so.
    assert (fit.status, fit.reason) == ("warning", "random_part")
    found = fit.design.found
    assert np.abs(found.evaluation.score).max() < 0.05
    likelihood = fit.design.problem.likelihood
    again = likelihood.evaluate(found.theta, likelihood.centers(found.theta, likelihood.start()))
    assert again.value == pytest.approx(found.evaluation.value, abs=1e-5)
