"""Simple estimators find the recorded truth again, over a handful of seeds."""

import numpy as np
import pytest
import statsmodels.api as sm

from benchmarks.synthetic_estimates import log_ratio_by_model
from etl.synthetic.design import B_ALL, LYMPHOMA, Cohort
from etl.synthetic.latent import draw_latent
from etl.synthetic.outcomes import baseline_hazard, current_value, draw_outcomes
from etl.synthetic.schedule import draw_calendar
from etl.synthetic.truth import cohort_truth

SEEDS = (1, 2, 3)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("cohort", [B_ALL, LYMPHOMA], ids=lambda c: c.code)
def test_conditional_log_odds(cohort: Cohort, seed: int) -> None:
    """Logistic regression on log10 Cmax and burden, 4,000 patients: within 3.3 SE."""
    people = draw_latent(np.random.default_rng(seed), cohort, np.arange(4000))
    x = np.log10(people.cmax / cohort.expansion.cmax)
    design = sm.add_constant(np.column_stack([x, people.burden_z]))
    fit = sm.Logit(people.responder.astype(float), design).fit(disp=0)
    truth = np.array([
        cohort.response.intercept,
        cohort.response.expansion_log_odds,
        cohort.response.burden_log_odds,
    ])  # fmt: skip
    assert np.abs((fit.params - truth) / fit.bse).max() < 3.3


@pytest.mark.slow
@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("cohort", [B_ALL, LYMPHOMA], ids=lambda c: c.code)
def test_association_of_the_event_model(cohort: Cohort, seed: int) -> None:
    """Poisson regression on person-days with the true current value finds the association."""
    rng = np.random.default_rng(seed)
    number = np.arange(1, 1501)
    people = draw_latent(rng, cohort, number)
    outcomes = draw_outcomes(rng, people, draw_calendar(rng, number, 3000))
    day = np.arange(14, 180) + 0.5
    at_risk = day[None, :] < outcomes.pfs_day[:, None]
    event = np.floor(outcomes.pfs_day)[:, None] == np.floor(day)[None, :]
    kept = (at_risk | event) & (baseline_hazard(cohort, day) > 0)[None, :]
    value = current_value(people, day) - cohort.events.center
    burden = np.broadcast_to(people.burden_z[:, None], kept.shape)
    design = sm.add_constant(np.column_stack([value[kept], burden[kept]]))
    offset = np.log(np.broadcast_to(baseline_hazard(cohort, day), kept.shape)[kept])
    fit = sm.GLM(event[kept], design, family=sm.families.Poisson(), offset=offset).fit()
    truth = np.array([0.0, cohort.events.association, cohort.events.burden_log_hazard])
    assert np.abs((fit.params - truth) / fit.bse).max() < 3.3


@pytest.mark.parametrize("cohort", [B_ALL, LYMPHOMA], ids=lambda c: c.code)
def test_marginal_ratio_of_trials_centers_on_the_truth(cohort: Cohort) -> None:
    """Mean log ratio of 200 trials of 24 patients against the recorded population value."""
    truth = cohort_truth(cohort, 40_000)["marginal_ratio_cmax"]
    logs = []
    for seed in range(200):
        people = draw_latent(np.random.default_rng(seed), cohort, np.arange(24))
        group = people.responder
        if 2 <= group.sum() <= 22:
            log = np.log(people.cmax)
            logs.append(log[group].mean() - log[~group].mean())
    error = np.std(logs) / np.sqrt(len(logs))
    assert np.mean(logs) == pytest.approx(np.log(truth), abs=3.3 * error)


@pytest.mark.parametrize("cohort", [B_ALL, LYMPHOMA], ids=lambda c: c.code)
def test_the_specification_of_the_model_page_finds_the_ratio_of_day_14(cohort: Cohort) -> None:
    """Twelve trials of 24 patients with limits, missed visits and losses, as they come."""
    truth = np.log(cohort_truth(cohort, 40_000)["marginal_ratio_by_day"]["14"])
    found = [one for seed in range(12) if (one := log_ratio_by_model(cohort, seed))]
    assert len(found) >= 10
    estimates = np.array([one.estimate for one in found])
    error = estimates.std(ddof=1) / np.sqrt(len(found))
    assert estimates.mean() == pytest.approx(truth, abs=3.3 * error)
    assert sum(low <= truth <= high for low, high in (one.interval() for one in found)) >= 9
