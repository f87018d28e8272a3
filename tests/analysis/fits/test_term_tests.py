"""Type III tests against R with sum contrasts, on three arms and two sexes."""

import json

import pytest

from analysis import Fit, TermTests, fit_mixed, term_tests
from analysis.errors import UserError

# anova(lmer(y ~ day * arm + sex + (day | p)), type = 3), contr.sum: F, df, den_df, p
SATTERTHWAITE = {
    "day": (9.3326961671, 1, 9.001280750, 0.01368075742),
    "arm": (0.4228927109, 2, 8.037360097, 0.66892109008),
    "sex": (0.4838855122, 1, 8.000696106, 0.50636668069),
    "day:arm": (0.7431188850, 2, 9.001280751, 0.50268919438),
}
KENWARD_ROGER = {
    "day": (9.3326961671, 1, 9.0, 0.01368299301),
    "arm": (0.4228927109, 2, 8.000469012, 0.66898110224),
    "sex": (0.3871084097, 1, 8.0, 0.55113973906),
    "day:arm": (0.7431188850, 2, 9.0, 0.50269276935),
}


@pytest.fixture(scope="module")
def fit(small_trial) -> Fit:
    return fit_mixed(small_trial, "y ~ day * arm + sex", "p", "1 + day", verify=False)


@pytest.mark.parametrize(
    ("inference", "expected"),
    [("satterthwaite", SATTERTHWAITE), ("kenward_roger", KENWARD_ROGER)],
)
def test_equals_r(fit, inference, expected):
    found = term_tests(fit, inference)
    assert {row.term for row in found.tests} == set(expected)
    for row in found.tests:
        statistic, df, den_df, p_value = expected[row.term]
        assert row.df == df
        # lme4's default optimizer leaves variances at about 1e-4 of the optimum
        assert row.statistic == pytest.approx(statistic, rel=3e-4)
        assert row.den_df == pytest.approx(den_df, rel=1e-3)
        assert row.p_value == pytest.approx(p_value, rel=1e-3)


def test_the_default_is_the_rule_and_says_so(fit):
    found = term_tests(fit)
    methods = {row.term: row.method for row in found.tests}
    assert methods == {
        "day": "Satterthwaite",
        "sex": "Satterthwaite",
        "arm": "Kenward-Roger",
        "day:arm": "Kenward-Roger",
    }
    assert found.adjustment.startswith("terms of the model: 4 tests, adjusted by Holm's method")
    day = next(row for row in found.tests if row.term == "day")
    assert day.p_adjusted == pytest.approx(4 * day.p_value)
    assert TermTests.from_dict(json.loads(json.dumps(found.to_dict()))) == found


def test_the_reference_level_does_not_matter(small_trial, fit):
    renamed = small_trial.with_columns(arm=small_trial["arm"].replace({"a": "z"}))
    other = fit_mixed(renamed, "y ~ day * arm + sex", "p", "1 + day", verify=False)
    for one, two in zip(term_tests(fit).tests, term_tests(other).tests, strict=True):
        assert two.statistic == pytest.approx(one.statistic, rel=1e-4)


def test_wald_and_refusals(fit):
    arm = next(row for row in term_tests(fit, "wald").tests if row.term == "arm")
    assert (arm.den_df, arm.method) == (None, "Wald")
    with pytest.raises(UserError, match="inference 'bootstrap' does not exist"):
        term_tests(fit, "bootstrap")
    with pytest.raises(UserError, match="there is no method 'none'"):
        term_tests(fit, adjust="none")
