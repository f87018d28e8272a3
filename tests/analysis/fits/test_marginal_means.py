"""Marginal means over a grid: what they average, their contrasts and their family."""

import json

import pytest

from analysis import Fit, MarginalMeans, fit_mixed, marginal_means
from analysis.errors import UserError


@pytest.fixture(scope="module")
def fit(small_trial) -> Fit:
    uneven = small_trial.filter((small_trial["sex"] == "F") | (small_trial["day"] < 4))
    return fit_mixed(uneven, "y ~ day * arm + sex", "p", "1 + day", verify=False)


def coefficients(fit: Fit) -> dict[str, float]:
    return {row.term: row.estimate for row in fit.estimates}


def test_equal_and_observed_weights(fit):
    c = coefficients(fit)
    arm_b = c["Intercept"] + c["arm[T.b]"] + 2 * (c["day"] + c["day:arm[T.b]"])
    equal, observed = (
        marginal_means(fit, {"arm": ["b"], "day": [2.0]}, weights=weights).rows[0]
        for weights in ("equal", "observed")
    )
    assert equal.estimate == pytest.approx(arm_b + 0.5 * c["sex[T.M]"])
    men = 24 / (24 + 30)
    assert observed.estimate == pytest.approx(arm_b + men * c["sex[T.M]"])
    assert observed.estimate == pytest.approx(fit.contrast({"arm": "b", "day": 2.0}).estimate)


def test_numbers_that_are_not_chosen_stand_at_their_mean(fit):
    c = coefficients(fit)
    day = fit.design.design.frame["day"].mean()
    row = marginal_means(fit, {"arm": ["a"]}).rows[0]
    assert row.estimate == pytest.approx(c["Intercept"] + day * c["day"] + 0.5 * c["sex[T.M]"])


def test_contrasts_are_within_the_other_values_and_one_family(fit):
    found = marginal_means(fit, {"arm": ["a", "b", "c"], "day": [0.0, 4.0]}, contrast="arm")
    means = [row for row in found.rows if row.kind == "mean"]
    gaps = [row for row in found.rows if row.kind == "contrast"]
    assert (len(means), len(gaps)) == (6, 6)
    assert found.adjustment.startswith("contrasts shown: 6 tests, adjusted by Holm's method")
    c = coefficients(fit)
    first = next(row for row in gaps if row.term == "arm = b, day = 4.0 - arm = a, day = 4.0")
    assert first.estimate == pytest.approx(c["arm[T.b]"] + 4 * c["day:arm[T.b]"])
    same = fit.contrast({"arm": "b", "day": 4.0}, {"arm": "a", "day": 4.0})
    for name in ("std_error", "df", "conf_low", "p_value"):
        assert getattr(first, name) == pytest.approx(getattr(same, name), rel=1e-8)
    assert all(row.p_adjusted >= row.p_value for row in gaps)
    assert MarginalMeans.from_dict(json.loads(json.dumps(found.to_dict()))) == found


@pytest.mark.parametrize(
    ("at", "options", "said"),
    [
        ({"arm": ["d"]}, {}, "marginal means: 'arm' has no level 'd'; it has a, b, c"),
        ({"dose": [1]}, {}, "'dose' is not in the model's fixed part"),
        ({"arm": ["a"]}, {"contrast": "sex"}, "contrast 'sex' is not in 'at'"),
        ({"arm": ["a"]}, {"weights": "cells"}, "use equal or observed"),
        ({"day": list(range(500))}, {}, "500 combinations"),
    ],
)
def test_refusals(fit, at, options, said):
    with pytest.raises(UserError, match=said):
        marginal_means(fit, at, **options)
