"""One patient's curve: exact data return the truth, limits enter as limits, and silence is kept."""

import json

import numpy as np
import pytest

import analysis
from analysis.compute.stein import TYPICAL, SteinParameters, stein_curve
from analysis.errors import UserError
from analysis.fits.kinetics.curves import FORMS, log_curve, log_curve_gradient, natural
from analysis.fits.kinetics.individual import fit_kinetics
from analysis.fits.kinetics.individual_result import KineticsFit
from analysis.fits.kinetics.likelihood import Samples, negative_log_likelihood
from analysis.tracers.context import SignalContext

DAYS = np.array([1, 3, 5, 7, 9, 10, 12, 14, 21, 28, 60, 90, 180, 365.0])
NOISE = np.array(
    [0.1, -0.2, 0.15, -0.1, 0.05, 0.2, -0.15, 0.1, -0.05, 0.2, -0.1, 0.12, -0.2, 0.1]
)  # fmt: skip
VECTORS = {
    "single_decline": [8.0, 2.2, 10.0, -1.8],
    "stein": [8.0, 2.2, 10.0, -1.8, -4.5, -5.5],
    "lag_biphasic": [8.0, 2.2, 10.0, -1.8, -4.5, -5.5, -0.8],
}


def typical(noise=0.0):
    return np.exp(np.log(stein_curve(DAYS)) + noise * NOISE)


def with_limit(values, limit):
    low = values < limit
    return np.where(low, np.nan, values), np.where(low, limit, np.nan)


def test_the_curve_is_the_published_one():
    p = TYPICAL
    u = np.array(
        [
            np.log(p.fold), np.log(p.tmax_day), np.log(p.cmax), np.log(p.contraction_per_day),
            np.log(p.memory_fraction / (1 - p.memory_fraction)), np.log(p.memory_per_day),
        ]
    )  # fmt: skip
    assert log_curve(u, DAYS, FORMS["stein"]) == pytest.approx(np.log(stein_curve(DAYS)), rel=1e-12)
    lagged = SteinParameters(**{**p.__dict__, "lag_day": 0.25 * p.tmax_day})
    found = log_curve(np.append(u, np.log(1 / 3)), DAYS, FORMS["lag_biphasic"])
    assert found == pytest.approx(np.log(stein_curve(DAYS, lagged)), rel=1e-12)


@pytest.mark.parametrize("name", FORMS)
def test_derivatives(name):
    form, u = FORMS[name], np.array(VECTORS[name])
    slopes = log_curve_gradient(u, DAYS, form)[1]
    low = np.log(typical(1.0))
    high = low.copy()
    low[[0, 1]], high[-1] = -np.inf, np.inf
    samples, x = Samples(DAYS, low, high), np.append(u, -0.5)
    gradient = negative_log_likelihood(x, samples, form).gradient
    for k in range(x.size):
        step = 1e-6 * (np.arange(x.size) == k)
        up, down = (negative_log_likelihood(x + s, samples, form).value for s in (step, -step))
        assert (up - down) / 2e-6 == pytest.approx(gradient[k], rel=1e-5, abs=1e-5)
        if k < u.size:
            rise = log_curve(u + step[:-1], DAYS, form) - log_curve(u - step[:-1], DAYS, form)
            assert rise / 2e-6 == pytest.approx(slopes[:, k], abs=1e-7)


def test_values_on_the_curve_return_its_parameters():
    fit = fit_kinetics(DAYS, typical(0.1), form="stein")
    for name in ("fold", "tmax_day", "cmax", "contraction_per_day", "memory_fraction"):
        assert fit.parameter(name).estimate == pytest.approx(getattr(TYPICAL, name), rel=0.12)
    assert fit.parameter("doubling_time_day").estimate == pytest.approx(
        TYPICAL.doubling_time_day, rel=0.05
    )
    assert fit.status in ("ok", "warning")


def test_intervals_hold_the_truth_and_end_where_the_likelihood_has_fallen():
    fit = fit_kinetics(DAYS, typical(1.5), form="stein")
    truths = {
        "tmax_day": 9.3, "cmax": 24_000, "contraction_per_day": 0.16, "memory_per_day": 0.0032,
        "doubling_time_day": TYPICAL.doubling_time_day, "initial_half_life_day": np.log(2) / 0.16,
    }  # fmt: skip
    for name, truth in truths.items():
        row = fit.parameter(name)
        assert row.conf_low < row.estimate < row.conf_high
        assert row.conf_low < truth < row.conf_high
    half, rate = fit.parameter("initial_half_life_day"), fit.parameter("contraction_per_day")
    assert half.conf_low == pytest.approx(np.log(2) / rate.conf_high)
    narrow = fit_kinetics(DAYS, typical(1.5), form="stein", level=0.5)
    assert narrow.parameter("cmax").conf_high < fit.parameter("cmax").conf_high


def test_samples_below_the_limit_are_neither_dropped_nor_set():
    value, upper = with_limit(typical(1.0), 120.0)
    fit = fit_kinetics(DAYS, value, None, upper, form="stein")
    assert fit.n_censored == int(np.isnan(value).sum()) == 4
    dropped = fit_kinetics(DAYS[~np.isnan(value)], value[~np.isnan(value)], form="stein")
    truth = TYPICAL.doubling_time_day
    assert abs(fit.parameter("doubling_time_day").estimate - truth) < 0.1 * truth
    assert fit.parameter("doubling_time_day") != dropped.parameter("doubling_time_day")
    known = [row.residual for row in fit.samples if row.residual is not None]
    assert len(known) == 10


def test_without_late_samples_the_slow_decline_is_not_claimed():
    early = DAYS <= 21
    fit = fit_kinetics(DAYS[early], typical(1.0)[early])
    assert fit.form == "single_decline"
    assert fit.parameter("terminal_half_life_day") is None
    assert "not estimable" in next(c.message for c in fit.checks if c.name == "one_phase")
    forced = fit_kinetics(DAYS[early], typical(1.0)[early], form="stein")
    slow = forced.parameter("terminal_half_life_day")
    assert slow.estimate is None or None in (slow.conf_low, slow.conf_high)


def test_the_form_with_the_smallest_criterion_is_chosen():
    fit = fit_kinetics(DAYS, typical(1.0))
    fitted = [row for row in fit.candidates if row.aicc is not None]
    assert fit.form == min(fitted, key=lambda row: row.aicc).form == "stein"
    n, k = DAYS.size, 7
    row = next(row for row in fitted if row.form == "stein")
    expected = -2 * row.log_likelihood + 2 * k * n / (n - k - 1)
    assert row.aicc == pytest.approx(expected)


def test_a_lag_is_found():
    truth = SteinParameters(**{**TYPICAL.__dict__, "lag_day": 4.0})
    days = np.array([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 14, 21, 28, 60, 90, 180.0])
    values = stein_curve(days, truth) * np.exp(0.5 * np.resize(NOISE, days.size))
    fit = fit_kinetics(days, values)
    assert fit.form == "lag_biphasic"
    assert fit.parameter("lag_day").estimate == pytest.approx(4.0, abs=0.3)


def test_order_and_unit_do_not_matter():
    fit = fit_kinetics(DAYS, typical(1.0), form="stein")
    turned = fit_kinetics(DAYS[::-1], typical(1.0)[::-1], form="stein")
    assert turned == fit
    scaled = fit_kinetics(DAYS, 1e4 * typical(1.0), form="stein")
    assert scaled.parameter("cmax").estimate == pytest.approx(
        1e4 * fit.parameter("cmax").estimate, rel=1e-4
    )
    assert scaled.parameter("tmax_day").estimate == pytest.approx(
        fit.parameter("tmax_day").estimate, rel=1e-4
    )


def test_serialized_and_back():
    fit = fit_kinetics(DAYS, typical(1.0), form="single_decline")
    assert KineticsFit.from_dict(json.loads(json.dumps(fit.to_dict()))) == fit
    assert analysis.fit_kinetics is fit_kinetics


LIMIT = [50.0] * 6


@pytest.mark.parametrize(
    ("time", "value", "upper", "reason"),
    [
        ([], [], None, "no_observations"),
        ([-1.0, 0.0], [5.0, 5.0], None, "no_observations"),
        ([7.0], [5.0], None, "too_few_observations"),
        ([3, 7, 10, 14, 21, 28], [np.nan] * 6, LIMIT, "all_censored"),
        ([3, 7, 10, 14, 21, 28], [9.0] * 6, None, "constant_outcome"),
        ([3, 7, 10, 14, 21, 28], [9.0, 8, 7, 6, 5, 4], None, "no_rise"),
        ([3, 7, 10, 14, 21, 28], [4.0, 5, 6, 7, 8, 9], None, "no_decline"),
        ([3, 7, 10, 14, 21, 28], [4.0, 50, 60, 7, 6, 3], None, "too_few_observations"),
    ],
)
def test_curves_that_cannot_be_fitted(time, value, upper, reason):
    fit = fit_kinetics(time, value, None, upper)
    assert (fit.status, fit.reason) == ("not_estimable", reason)
    assert fit.sentence.startswith("Not estimable: ")
    assert fit.advice
    assert not fit.parameters
    assert fit.sigma is None


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (([1, 2], [1.0]), "lengths differ"),
        (([1, np.nan], [1.0, 2.0]), "time is missing"),
        (([1, 1], [1.0, 2.0]), "two samples at one time"),
        (([1, 2], [1.0, -2.0]), "zero or negative"),
        (([1, 2], [1.0, np.nan]), "neither a value nor a limit"),
        (([1, 2], [1.0, np.nan], None, [np.nan, -3.0]), "upper bound"),
    ],
)
def test_samples_that_make_no_sense(arguments, words):
    with pytest.raises(UserError, match=words):
        fit_kinetics(*arguments)


def test_options_that_do_not_exist():
    with pytest.raises(UserError, match="does not exist"):
        fit_kinetics(DAYS, typical(), form="cubic")
    with pytest.raises(UserError, match="between 0 and 1"):
        fit_kinetics(DAYS, typical(), level=95)


def test_the_signal_is_named_by_the_rules_of_its_tracer():
    blood = fit_kinetics(DAYS, typical(1.0), context="transgene copies in blood")
    assert blood.sentence.startswith("Kinetics (transgene copies in blood) by ")
    reporter = fit_kinetics(DAYS, typical(1.0), context=SignalContext(tracer="reporter_gene"))
    assert reporter.sentence.startswith("Kinetics (signal of reporter-positive viable cells) by ")
    with pytest.raises(UserError, match="cannot be said of the signal"):
        fit_kinetics(DAYS, typical(), context=SignalContext("CAR-T expansion", "zr89_oxine_cells"))
    for label in ("direct_label", "zr89_oxine_cells"):
        with pytest.raises(UserError, match="Choose a blood assay or a reporter gene"):
            fit_kinetics(DAYS, typical(), context=SignalContext(tracer=label))


def test_shares_stay_shares():
    assert natural(np.array([8.0, 2.2, 10.0, -1.8, 0.0, -5.5]), FORMS["stein"])[4] == 0.5
