"""Planned trials against known power: noncentral t, equal models of lesions, losses, refusals."""

import json

import numpy as np
import polars as pl
import pytest
from scipy.stats import nct
from scipy.stats import t as student

from analysis import TrialPlan, fit_mixed, plan_trial, sample_size
from analysis.errors import UserError
from analysis.planning.power import PlannedTrial
from analysis.planning.sample_size import SampleSize
from analysis.planning.simulated import effect_by_visit, outcomes, schedule
from analysis.planning.tested import analysis_of, contrast_of_trials, weights

PLAN = TrialPlan(
    n_per_group=(12, 12), days=(7, 14, 21, 28), ratio=3.0, between_sd=0.45, within_sd=0.4
)


def analytic(variance: float, n: tuple[int, int], effect: float, alpha: float = 0.05) -> float:
    """Power of the t test of one value per patient."""
    df = sum(n) - 2
    shift = effect / np.sqrt(variance * (1 / n[0] + 1 / n[1]))
    critical = student.ppf(1 - alpha / 2, df)
    return float(nct.sf(critical, df, shift) + nct.cdf(-critical, df, shift))


ANALYTIC = {
    "average": (PLAN, 0.45**2 + 0.4**2 / 4, 1.0),
    "unequal groups": (PLAN.replace(n_per_group=(8, 16)), 0.45**2 + 0.4**2 / 4, 1.0),
    "one per cent": (PLAN.replace(alpha=0.01), 0.45**2 + 0.4**2 / 4, 1.0),
    "growing": (PLAN.replace(effect="growing"), 0.45**2 + 0.4**2 / 4, 0.5),
    "one day": (PLAN.replace(days=(14,)), 0.45**2 + 0.4**2, 1.0),
    "lesions": (
        PLAN.replace(lesions=4, lesion_sd=0.3, visit_sd=0.2),
        0.45**2 + 0.3**2 / 4 + (0.2**2 + 0.4**2 / 4) / 4, 1.0),
    "slopes": (PLAN.replace(slope_sd=0.3), 0.45**2 + 0.3**2 / 4 + 0.4**2 / 4, 1.0),
}  # fmt: skip


@pytest.mark.parametrize("case", ANALYTIC)
def test_power_is_that_of_the_t_test_of_patients_means(case):
    plan, variance, share = ANALYTIC[case]
    power = analytic(variance, plan.n_per_group, share * np.log10(3), plan.alpha)
    result = plan_trial(plan, trials=6000, seed=1)
    assert result.n_failed == 0
    assert result.power.share == pytest.approx(power, abs=0.022)
    assert result.power.low - 0.008 < power < result.power.high + 0.008
    assert result.type_one_error.share == pytest.approx(plan.alpha, abs=0.011)
    assert result.status == "ok"


def test_the_trend_is_tested_within_patients():
    """The patients' levels cancel: variance of the slope from the visits alone, df n (k-1) - ..."""
    plan = PLAN.replace(effect="growing", test="trend", ratio=2.0)
    times = np.linspace(0, 1, 4)
    variance = 0.4**2 / ((times - times.mean()) ** 2).sum()
    shift = np.log10(2) / np.sqrt(variance / 6)
    df = 22 * 3
    critical = student.ppf(0.975, df)
    power = nct.sf(critical, df, shift)
    assert plan_trial(plan, trials=6000).power.share == pytest.approx(power, abs=0.02)
    wild = plan_trial(plan.replace(between_sd=2.0), trials=6000).power.share
    assert wild == pytest.approx(power, abs=0.02)


def test_each_trial_is_tested_as_the_model_page_would():
    """The shifted test of a simulated trial equals a fit of the trial with its effect."""
    plan = PLAN.replace(dropout=0.3, effect="growing")
    generator = np.random.default_rng(5)
    where = schedule(plan, generator)
    y = outcomes(plan, where, 4, generator, effect=False)
    found = contrast_of_trials(analysis_of(plan, where, y[0]), y)
    shift = weights(plan) @ effect_by_visit(plan)
    for trial in range(4):
        effect = where.other * effect_by_visit(plan)[where.visit]
        frame = pl.DataFrame({
            "p": where.patient, "visit": [f"V{v}" for v in where.visit],
            "other": where.other, "y": y[trial] + effect,
        })  # fmt: skip
        fit = fit_mixed(frame, "y ~ visit * other", "p", verify=False)
        rows = np.mean([
            fit.design.design.fixed_rows(pl.DataFrame({"visit": [f"V{v}"], "other": [1.0]}))
            - fit.design.design.fixed_rows(pl.DataFrame({"visit": [f"V{v}"], "other": [0.0]}))
            for v in range(4)
        ], axis=0)  # fmt: skip
        from analysis.fits.inference import tested

        ours = tested(fit.design, rows)
        assert found.estimate[trial] + shift == pytest.approx(ours.estimate[0], rel=1e-5)
        assert found.std_error[trial] == pytest.approx(ours.std_error[0], rel=1e-4)
        assert found.df[trial] == pytest.approx(ours.df[0], rel=1e-3)


def test_lesions_enter_as_lesions_of_patients():
    """A fit of all lesions, nested with the patient's visits, gives the p-value of their means."""
    rng = np.random.default_rng(3)
    rows = []
    for p in range(14):
        level, own = rng.normal(0, 0.5), rng.normal(0, 0.3, 3)
        for visit in range(3):
            shared = rng.normal(0, 0.2)
            rows += [
                (p, f"L{i}", f"V{visit}", float(p % 2), level + own[i] + shared + noise)
                for i, noise in enumerate(rng.normal(0, 0.3, 3))
            ]
    frame = pl.DataFrame(rows, schema=["p", "lesion", "visit", "other", "y"], orient="row")
    full = fit_mixed(frame, "y ~ visit * other", "p", nested=("lesion", "visit"), verify=False)
    means = frame.group_by("p", "visit", "other", maintain_order=True).agg(pl.col("y").mean())
    small = fit_mixed(means, "y ~ visit * other", "p", verify=False)
    assert full.status == small.status == "ok"
    one, two = full.estimates[3], small.estimates[3]
    assert (one.term, one.estimate) == (two.term, pytest.approx(two.estimate))
    assert one.std_error == pytest.approx(two.std_error, rel=1e-5)
    assert one.df == pytest.approx(two.df, rel=1e-3)


def test_losses_cost_power_and_are_drawn_as_planned():
    plan = PLAN.replace(dropout=0.4, test="day", test_day=28.0)
    full = plan_trial(plan.replace(dropout=0.0), trials=4000).power
    lossy = plan_trial(plan, trials=4000)
    assert lossy.designs == 40
    assert lossy.power.high < full.low
    assert lossy.power.high - lossy.power.low > full.high - full.low
    assert "40 % lost by the last visit" in lossy.sentence
    assert "need a joint model" in lossy.method
    big = plan.replace(n_per_group=(4000, 4000))
    where = schedule(big, np.random.default_rng(0))
    counts = np.bincount(where.visit) / 8000
    assert counts == pytest.approx([1, 0.6 ** (1 / 3), 0.6 ** (2 / 3), 0.6], abs=0.015)


def test_values_below_the_limit_pull_the_groups_together():
    plan = PLAN.replace(below_limit=0.4, course=(1.0, 2.0, 1.5, 0.5))
    where = schedule(plan, np.random.default_rng(0))
    y = outcomes(plan, where, 400, np.random.default_rng(1), effect=True)
    assert (y == y.min()).mean() == pytest.approx(0.4, abs=0.02)
    censored, full = plan_trial(plan, trials=4000), plan_trial(PLAN, trials=4000)
    assert censored.power.high < full.power.low
    assert "set to half" in censored.method


def test_planned_sizes_find_the_wanted_power():
    result = sample_size(PLAN, 0.8, trials=4000, seed=2)
    n = result.n_per_group[0]
    variance, effect = 0.45**2 + 0.4**2 / 4, np.log10(3)
    exact = next(m for m in range(3, 99) if analytic(variance, (m, m), effect) >= 0.8)
    assert abs(n - exact) <= 1
    power = {size.n_reference: size.power for size in result.sizes}
    assert power[n - 1] < 0.8 <= power[n]
    assert SampleSize.from_dict(json.loads(json.dumps(result.to_dict()))) == result
    uneven = sample_size(PLAN.replace(n_per_group=(10, 20)), 0.8, trials=1000)
    assert uneven.n_per_group[1] == 2 * uneven.n_per_group[0]


def test_a_size_that_is_never_reached_says_so():
    result = sample_size(PLAN.replace(ratio=1.05), 0.9, trials=200, largest=20)
    assert (result.status, result.reason, result.n_per_group) == (
        "not_estimable", "too_large", None)  # fmt: skip
    assert result.sentence.startswith("Not estimable: 20 and 20 patients reach a power of")
    assert result.advice


def test_repeatable_and_serializable():
    one = plan_trial(PLAN, trials=400, seed=3)
    assert one == plan_trial(PLAN, trials=400, seed=3)
    assert one != plan_trial(PLAN, trials=400, seed=4)
    assert PlannedTrial.from_dict(json.loads(json.dumps(one.to_dict()))) == one
    assert TrialPlan.from_dict(json.loads(json.dumps(PLAN.to_dict()))) == PLAN
    assert one.sentence.startswith(
        "With 12 and 12 patients at 4 visits, a geometric-mean ratio of 3.0 is found in "
    )


def test_a_plan_without_effect_reports_the_level_only():
    result = plan_trial(PLAN.replace(ratio=1.0), trials=2000)
    assert result.power is None
    assert result.type_one_error.low < 0.05 < result.type_one_error.high
    assert "no effect" in result.sentence


def test_trials_that_lose_a_group_are_counted():
    plan = PLAN.replace(n_per_group=(3, 3), dropout=0.75)
    result = plan_trial(plan, trials=400)
    assert (result.status, result.reason) == ("warning", "lost_visits")
    assert result.n_failed > 4
    assert "counted as not significant" in result.sentence
    gone = plan_trial(PLAN.replace(n_per_group=(3, 2), dropout=0.999), trials=200)
    assert (gone.status, gone.reason, gone.rejections) == ("not_estimable", "no_test", ())


def test_from_icc():
    plan = TrialPlan.from_icc(total_sd=0.5, icc=0.36, n_per_group=10, days=(7, 14), ratio=2.0)
    assert (plan.between_sd, plan.within_sd) == pytest.approx((0.3, 0.4))
    assert plan.n_per_group == (10, 10)


@pytest.mark.parametrize(("changes", "said"), [
    ({"n_per_group": (2, 2)}, "at least 2 patients in each group and 5 together"),
    ({"n_per_group": (12,)}, "two whole numbers"),
    ({"days": ()}, "days must be given, in order"),
    ({"days": (14, 7)}, "days must be given, in order"),
    ({"within_sd": 0.0}, "repeated values always differ"),
    ({"between_sd": -1.0}, "between_sd is -1.0; a standard deviation"),
    ({"ratio": 0.0}, "a ratio of geometric means is above 0"),
    ({"dropout": 1.0}, "dropout is 1.0; a share"),
    ({"below_limit": -0.1}, "below_limit is -0.1; a share"),
    ({"alpha": 5}, "alpha is 5; a level between 0 and 1"),
    ({"lesions": 0}, "lesions is 0; a whole number of at least 1"),
    ({"effect": "magic"}, "effect 'magic' is not one of level, growing"),
    ({"test": "magic"}, "test 'magic' is not one of average, day, trend"),
    ({"test": "day"}, "test_day None is not a planned day; the days are 7, 14, 21, 28"),
    ({"test_day": 7.0}, "used only with test 'day'"),
    ({"test": "trend"}, "has no trend to find; take effect 'growing'"),
    ({"days": (7,), "effect": "growing"}, "one day has no course"),
    ({"days": (7,), "slope_sd": 0.1}, "one day has no slope"),
    ({"course": (1.0,)}, "course has 1 values for 4 days"),
    ({"effect": "growing", "test": "day", "test_day": 7.0}, "none on the first day"),
])  # fmt: skip
def test_a_plan_that_is_no_trial_says_why(changes, said):
    with pytest.raises(UserError, match=r"^plan: ") as raised:
        PLAN.replace(**changes)
    assert said in str(raised.value)


def test_questions_a_search_cannot_answer():
    with pytest.raises(UserError, match="a ratio of 1 is no effect to find"):
        sample_size(PLAN.replace(ratio=1.0))
    with pytest.raises(UserError, match=r"must lie between the level 0\.05 and 1"):
        sample_size(PLAN, 1.2)
    with pytest.raises(UserError, match="10 trials say too little"):
        plan_trial(PLAN, trials=10)
    with pytest.raises(UserError, match="icc is 1; a share"):
        TrialPlan.from_icc(total_sd=1, icc=1, n_per_group=9, days=(1, 2), ratio=2)
