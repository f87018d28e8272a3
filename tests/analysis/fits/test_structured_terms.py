"""Type III tests of structured fits: F as nlme's, degrees of freedom of the fit."""

import polars as pl
import pytest

from analysis import fit_mixed, term_tests


def statistics(fit, **asked) -> dict[str, float]:
    return {test.term: test.statistic for test in term_tests(fit, **asked).tests}


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"residual": "car1:day"}, [2.1161751503, 0.4909023453, 3.9317873412]),
        ({"residual": "by:assay"}, [3.1864665957, 0.6177470226, 7.0138210109]),
        (
            {"residual": "by:assay", "random": "1 + day"},
            [0.4364573296, 1.0563613700, 2.7039987121],
        ),
    ],
)
def test_as_nlme(uneven, asked, expected):
    """contrasts(arm) <- contr.sum(2); anova(lme(y ~ day * arm, ...), type = "marginal")"""
    found = statistics(fit_mixed(uneven, "y ~ day * arm", "p", **asked))
    assert list(found) == ["day", "arm", "day:arm"]
    assert list(found.values()) == pytest.approx(expected, rel=1e-5)


def test_terms_of_several_columns_as_nlme(uneven):
    """lme(y ~ visit * arm, ~1 | p, correlation = corCAR1(form = ~day | p), contrasts =
    list(visit = "contr.sum", arm = "contr.sum")); anova(type = "marginal")"""
    frame = uneven.with_columns(visit=pl.col("day").cast(pl.Int64).cast(pl.String))
    fit = fit_mixed(frame, "y ~ visit * arm", "p", residual="car1:day")
    found = statistics(fit, inference="satterthwaite")
    assert found["arm"] == pytest.approx(0.0003230217, rel=1e-3)
    tests = {test.term: test for test in term_tests(fit, inference="wald").tests}
    assert tests["visit"].statistic / 5 == pytest.approx(1.3666689619, rel=1e-5)
    assert tests["visit:arm"].statistic / 5 == pytest.approx(1.6631780615, rel=1e-5)
    assert found["visit:arm"] == pytest.approx(1.6631780615, rel=1e-5)
    by_default = {test.term: test for test in term_tests(fit).tests}
    assert by_default["visit"].method == "Kenward-Roger"
    assert by_default["arm"].method == "Satterthwaite"


def test_one_column_has_the_degrees_of_freedom_of_its_estimate(uneven):
    fit = fit_mixed(uneven, "y ~ day + arm", "p", residual="car1:day")
    test = term_tests(fit).tests[0]
    row = fit.estimates[1]
    assert (test.den_df, test.p_value) == (pytest.approx(row.df), pytest.approx(row.p_value))


def test_a_structure_that_is_none_has_the_tests_of_the_plain_fit(uneven):
    frame = uneven.with_columns(
        same=pl.lit("x"), visit=pl.col("day").cast(pl.Int64).cast(pl.String)
    )
    plain = fit_mixed(frame, "y ~ visit * arm", "p", verify=False)
    fit = fit_mixed(frame, "y ~ visit * arm", "p", residual="by:same")
    for method in ("satterthwaite", "kenward_roger", "wald"):
        for one, other in zip(
            term_tests(fit, method).tests, term_tests(plain, method).tests, strict=True
        ):
            assert one.statistic == pytest.approx(other.statistic, rel=1e-5)
            assert one.p_value == pytest.approx(other.p_value, rel=1e-4)
