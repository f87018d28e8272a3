"""ICC and R2 from their definitions."""

import json

import numpy as np
import pytest

from analysis import VarianceShares, fit_mixed, variance_shares
from analysis.errors import UserError


def test_random_intercept_by_hand(small_trial):
    fit = fit_mixed(small_trial, "y ~ day", "p", verify=False)
    level, residual = (row.variance for row in fit.variance_components)
    fixed = fit.estimates[1].estimate ** 2 * 2.0
    found = variance_shares(fit)
    assert found.icc_adjusted == pytest.approx(level / (level + residual))
    total = fixed + level + residual
    assert found.icc_conditional == pytest.approx(level / total)
    assert found.r_squared_marginal == pytest.approx(fixed / total)
    assert found.r_squared_conditional == pytest.approx((fixed + level) / total)
    assert found.r_squared_marginal == pytest.approx(fit.r_squared_marginal)
    assert VarianceShares.from_dict(json.loads(json.dumps(found.to_dict()))) == found


def test_random_slope_at_chosen_days(small_trial):
    fit = fit_mixed(small_trial, "y ~ day", "p", "1 + day", verify=False)
    block, sigma2 = fit.design.block, fit.design.sigma2
    found = variance_shares(fit, [{"day": 0.0}, {"day": 4.0}])
    for row, day in zip(found.icc_at, (0.0, 4.0), strict=True):
        line = np.array([1.0, day])
        between = line @ block @ line
        assert row.between == pytest.approx(between)
        assert row.icc == pytest.approx(between / (between + sigma2))
    mean = np.mean([np.array([1, d]) @ block @ np.array([1, d]) for d in range(5)])
    assert found.between == pytest.approx(mean)
    with pytest.raises(UserError, match="needs a value of 'day'"):
        variance_shares(fit, [{"visit": 1}])
