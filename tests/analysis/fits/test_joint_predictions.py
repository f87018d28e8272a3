"""Predictions known at one time: against an integral written out, and against what happened."""

import numpy as np
import polars as pl
import pytest
from scipy.stats import norm

from analysis import fit_joint, predict_event_free
from analysis.errors import UserError
from benchmarks.joint_trials import Truth, joint_trial


@pytest.fixture(scope="module")
def trial():
    return joint_trial(400, seed=7, truth=Truth(log_hazard=-3.0))


@pytest.fixture(scope="module")
def fit(trial):
    return fit_joint(
        trial.longitudinal, trial.events, "y ~ day", "patient", "1 + day", "day", "time", "event",
        "x",
    )  # fmt: skip


def test_equals_the_integral_written_out(trial):
    """From the reported numbers alone: normal times survival, on a grid of the random intercept."""
    fit = fit_joint(
        trial.longitudinal, trial.events, "y ~ day", "patient", "1", "day", "time", "event", "x",
        knots=[2.0, 5.0],
    )  # fmt: skip
    value = {item.term: item.estimate for item in fit.estimates}
    sd, sigma = (fit.variance_components[k].sd_or_corr for k in (0, -1))
    known_at, until = 3.0, 6.0
    at_risk = trial.events.filter(pl.col("time") >= known_at)
    who = at_risk["patient"][4]
    rows = trial.longitudinal.filter((pl.col("patient") == who) & (pl.col("day") <= known_at))
    x = at_risk["x"][4]
    b = np.linspace(-6 * sd, 6 * sd, 3001)
    mean = value["Intercept"] + value["day"] * rows["day"].to_numpy()
    log_density = norm.logpdf(b, 0, sd) + norm.logpdf(
        rows["y"].to_numpy()[:, None] - mean[:, None] - b, 0, sigma
    ).sum(axis=0)

    def cumulative(start, stop):
        grid = np.linspace(start, stop, 20001)
        middle, width = (grid[1:] + grid[:-1]) / 2, np.diff(grid)
        piece = 1 + np.searchsorted([2.0, 5.0], middle)
        log_hazard = np.array([value[f"log(hazard {k})"] for k in piece]) + value["x"] * x
        course = value["Intercept"] + value["day"] * middle
        whole = (np.exp(log_hazard + value["value"] * course) * width).sum()
        return whole * np.exp(value["value"] * b)

    weight = np.exp(log_density - cumulative(0, known_at))
    expected = (weight * np.exp(-cumulative(known_at, until))).sum() / weight.sum()
    found = predict_event_free(fit, known_at, [until], rows, at_risk, draws=50)
    assert len(found) == 1
    assert found[0].points[0].event_free == pytest.approx(expected, abs=1e-6)
    assert found[0].n_measurements == rows.height


def test_is_calibrated_where_it_was_fitted(trial, fit):
    """Among those at risk at 2, the mean chance until 6 is the share that stayed free."""
    found = predict_event_free(fit, 2.0, [6.0], draws=20)
    predicted = {item.usubjid: item.points[0].event_free for item in found if item.status == "ok"}
    at_risk = trial.events.filter(pl.col("time") >= 2.0)
    free = (at_risk["time"] >= 6.0).to_numpy()
    chance = np.array([predicted[str(p)] for p in at_risk["patient"]])
    assert len(chance) > 250
    assert chance.mean() == pytest.approx(free.mean(), abs=0.05)
    halves = np.argsort(chance)
    low, high = halves[: len(chance) // 2], halves[len(chance) // 2 :]
    assert free[low].mean() < free[high].mean() - 0.1
    for part in (low, high):
        assert chance[part].mean() == pytest.approx(free[part].mean(), abs=0.08)


def test_later_measurements_are_not_used(trial, fit):
    later = trial.longitudinal.with_columns(
        y=pl.when(pl.col("day") > 3.0).then(99.0).otherwise(pl.col("y"))
    )
    first = predict_event_free(fit, 3.0, [5.0, 8.0], trial.longitudinal, trial.events, draws=30)
    assert predict_event_free(fit, 3.0, [5.0, 8.0], later, trial.events, draws=30) == first
    own = predict_event_free(fit, 3.0, [5.0, 8.0], draws=30)
    assert [item.points for item in own] == [item.points for item in first]


def test_seed_level_and_order(fit):
    first = predict_event_free(fit, 2.0, [8.0, 4.0], draws=60, seed=3)
    assert predict_event_free(fit, 2.0, [4.0, 8.0], draws=60, seed=3) == first
    other = predict_event_free(fit, 2.0, [4.0, 8.0], draws=60, seed=4)
    narrow = predict_event_free(fit, 2.0, [4.0, 8.0], draws=60, seed=3, level=0.5)
    for one, two, inner in zip(first, other, narrow, strict=True):
        if one.status != "ok":
            assert one.points == ()
            continue
        early, late = one.points
        assert 1 >= early.event_free > late.event_free > 0
        assert late.conf_low < late.event_free < late.conf_high
        assert two.points[1].event_free == late.event_free
        assert two.points[1].conf_low != late.conf_low
        assert inner.points[1].conf_low >= late.conf_low
        assert inner.points[1].conf_high <= late.conf_high


def test_says_what_was_known(fit):
    found = predict_event_free(fit, 2.0, [4.0], draws=30)
    spoken = next(item for item in found if item.status == "ok")
    assert spoken.sentence.startswith("Known at 2 (")
    assert "no event yet" in spoken.sentence
    gone = next(item for item in found if item.reason == "not_at_risk")
    assert gone.sentence == "Not estimable: the event or the end of follow-up came before 2."


def test_a_patient_without_history_is_refused(trial, fit):
    rows = trial.longitudinal.filter((pl.col("patient") > 3) | (pl.col("day") > 2.0))
    found = predict_event_free(fit, 2.0, [4.0], rows, trial.events, draws=10)
    silent = [item for item in found if item.reason == "no_history"]
    assert silent
    assert {item.usubjid for item in silent} <= {"0", "1", "2", "3"}


def test_two_causes_and_late_times():
    trial = joint_trial(300, seed=5, truth=(Truth(), Truth(value=-0.4, log_hazard=-2.0)))
    fit = fit_joint(
        trial.longitudinal, trial.events, "y ~ day", "patient", "1 + day", "day", "time", "event",
        "x", cause="cause",
    )  # fmt: skip
    found = predict_event_free(fit, 1.0, [5.0], draws=20)
    chance = [item.points[0].event_free for item in found if item.status == "ok"]
    at_risk = trial.events.filter(pl.col("time") >= 1.0)
    assert np.mean(chance) == pytest.approx((at_risk["time"] >= 5.0).mean(), abs=0.06)


@pytest.mark.parametrize(
    ("known_at", "times", "message"),
    [
        (3.0, [2.0], "times must lie after known_at"),
        (3.0, [], "times must be one or more numbers"),
        (3.0, [99.0], "lies after the last follow-up"),
        (-1.0, [2.0], "not before 0"),
    ],
)
def test_times_that_cannot_be_predicted(fit, known_at, times, message):
    with pytest.raises(UserError, match=message):
        predict_event_free(fit, known_at, times)


def test_a_fit_without_its_data_is_refused(fit):
    from analysis import Fit

    with pytest.raises(UserError, match="fit it again"):
        predict_event_free(Fit.from_dict(fit.to_dict()), 1.0, [2.0])


def test_one_patient_alone_is_predicted_as_among_all(trial):
    """A selection that holds one level of a factor only is coded as the fit coded it."""
    arm = pl.when(pl.col("x") > 0).then(pl.lit("treated")).otherwise(pl.lit("control")).alias("arm")
    longitudinal, events = trial.longitudinal.with_columns(arm), trial.events.with_columns(arm)
    fit = fit_joint(
        longitudinal, events, "y ~ day * arm", "patient", "1 + day", "day", "time", "event", "arm"
    )
    everyone = {item.usubjid: item for item in predict_event_free(fit, 2.0, [6.0], draws=5)}
    for level in ("treated", "control"):
        at_risk = events.filter((pl.col("time") >= 2.0) & (pl.col("arm") == level))["patient"][3]
        alone = predict_event_free(
            fit, 2.0, [6.0], longitudinal.filter(pl.col("patient") == at_risk),
            events.filter(pl.col("patient") == at_risk), draws=5,
        )  # fmt: skip
        assert alone[0].points[0].event_free == pytest.approx(
            everyone[str(at_risk)].points[0].event_free, abs=1e-10
        )
    new = longitudinal.filter(pl.col("patient") < 30).with_columns(arm=pl.lit("other"))
    with pytest.raises(UserError, match="was not in the data of the fit"):
        predict_event_free(fit, 2.0, [6.0], new, events)
