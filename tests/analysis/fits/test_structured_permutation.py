"""Relabelled patients under residual structures."""

import polars as pl
import pytest

from analysis import fit_mixed, permutation_test, term_tests
from analysis.errors import UserError

FORMULA = "y ~ day * arm"


@pytest.mark.parametrize("variances", ["refitted", "null"])
@pytest.mark.parametrize("terms", ["any", "interaction"])
def test_of_a_plain_model_it_is_that_of_the_cross_products(uneven, variances, terms):
    frame = uneven.with_columns(even=pl.lit(3.0))
    plain = fit_mixed(frame, FORMULA, "p", verify=False)
    fit = fit_mixed(frame, FORMULA, "p", weights="even")
    one, other = (
        permutation_test(item, "arm", 199, 7, terms=terms, variances=variances)
        for item in (fit, plain)
    )
    assert one.statistic == pytest.approx(other.statistic, rel=1e-6)
    assert (one.df, one.p_value, one.n_failed) == (other.df, other.p_value, 0)


def test_the_observed_statistic_is_that_of_the_term(uneven):
    fit = fit_mixed(uneven, FORMULA, "p", residual="car1:day")
    found = permutation_test(fit, "arm", 99, 1, terms="interaction")
    test = {row.term: row for row in term_tests(fit).tests}["day:arm"]
    assert found.statistic == pytest.approx(test.statistic, rel=1e-5)
    null = permutation_test(fit, "arm", 999, 1, terms="interaction", variances="null")
    assert null.p_value == pytest.approx(found.p_value, abs=0.12)


def test_labels_do_not_matter_where_there_is_no_effect(lesions):
    """With readers that cross patients as well: the whole block is relabelled."""
    fit = fit_mixed(lesions, "y ~ day + arm", "patient", crossed="reader")
    for variances in ("refitted", "null"):
        found = permutation_test(fit, "arm", 99, 2, variances=variances)
        assert (found.n_failed, found.df) == (0, 1)
        assert 0.1 < found.p_value <= 1


def test_a_label_that_carries_a_variance_cannot_be_exchanged(uneven):
    fit = fit_mixed(uneven, FORMULA, "p", residual="by:arm")
    with pytest.raises(UserError, match=r"made of 'arm'.*cannot be exchanged"):
        permutation_test(fit, "arm", 99)
