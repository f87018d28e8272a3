"""Sixty invented patients against R 4.2.2, survival 3.5-3: curves, tests and Cox's checks."""

import polars as pl
import pytest

from analysis import (
    compare_rates,
    concordance_index,
    cumulative_incidence,
    fit_cox,
    fit_logistic,
    icc_agreement,
    log_rank,
    proportional_hazards,
    restricted_mean,
)
from analysis.errors import UserError

T = [4, 13, 6, 1, 9, 29, 6, 8, 24, 14, 27, 48, 2, 1, 25, 6, 10, 12, 25, 7, 97, 13, 100, 4, 24, 14,
     26, 6, 5, 26, 11, 60, 10, 7, 35, 15, 1, 7, 8, 38, 16, 13, 8, 28, 30, 9, 83, 24, 1, 137, 3, 33,
     23, 6, 11, 3, 29, 18, 7, 169]  # fmt: skip
CAUSE = [0, 2, 1, 2, 0, 2, 1, 2, 0, 1, 0, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 1, 0, 2, 2, 1, 2, 1, 1, 2,
         2, 1, 1, 2, 0, 1, 1, 1, 2, 1, 0, 1, 2, 2, 2, 0, 1, 1, 0, 2, 1, 0, 1, 0, 0, 1, 0, 2, 1,
         0]  # fmt: skip
X = [0.63, 0.04, 0.3, -0.78, -0.28, 1.78, 0.62, -2.84, 0.98, -0.12, 0.09, -0.37, 0.95, -0.23, 0.23,
     -0.27, 1.78, 0.6, 0.26, 1.53, 0.2, -1.21, 0.31, -1.4, 0.77, 0.9, 1.6, -1.04, -0.46, -0.27,
     0.76, -1.89, 0.47, 0.13, -0.85, -0.92, -0.48, -0.89, -0.22, -0.05, -1.1, 0.23, 0.74, 1.09,
     -0.65, 0.67, 0.82, -0.56, 0.79, -1.13, -1.62, -1.21, 0.62, 0.04, -0.14, -0.15, -0.04, -0.64,
     0.38, -1.55]  # fmt: skip
SIXTY = pl.DataFrame({"t": T, "cause": CAUSE, "x": X, "g": [0, 1] * 30}).with_columns(
    e=(pl.col("cause") > 0).cast(pl.Int64), high=(pl.col("x") > 0).cast(pl.Int64)
)


def test_incidences():
    # summary(survfit(Surv(t, factor(cause)) ~ g), times = c(5, 10, 20, 40))
    found = cumulative_incidence(SIXTY, "t", "e", "cause", "g")
    expected = {
        ("1", "0"): [0.1382857142857, 0.3217989417989, 0.3217989417989, 0.4617354497354],
        ("2", "0"): [0.0, 0.07180952380952, 0.109708994709, 0.2688867724868],
        ("1", "1"): [0.06666666666667, 0.168115942029, 0.3994202898551, 0.484231884058],
        ("2", "1"): [0.06666666666667, 0.1379710144928, 0.2150724637681, 0.3307246376812],
    }
    for (cause, group), values in expected.items():
        curve = found.curve(cause, group)
        assert [curve.at(day)[0] for day in (5, 10, 20, 40)] == pytest.approx(values, abs=1e-12)


def test_log_rank_and_restricted_means():
    # survdiff, with strata(x > 0); summary(survfit(...), rmean = 30)
    assert log_rank(SIXTY, "t", "e", "g").statistic == pytest.approx(0.4371678566565, rel=1e-10)
    within = log_rank(SIXTY, "t", "e", "g", strata="high")
    assert within.statistic == pytest.approx(0.356422100179, rel=1e-10)
    means = restricted_mean(SIXTY, "t", "e", 30, "g").means
    assert [one.mean for one in means] == pytest.approx([18.629851851852, 16.860869565217])
    assert [one.std_error for one in means] == pytest.approx([2.081377486565, 1.937691592304])


def test_proportional_hazards_and_concordance():
    # cox.zph(coxph(Surv(t, e) ~ x + g)), concordance of it and of x + strata(g)
    fit = fit_cox(SIXTY, "x + g", "t", "e")
    assert fit.estimates[0].estimate == pytest.approx(0.122868486805, rel=1e-8)
    found = proportional_hazards(fit)
    assert [test.term for test in found.tests] == ["x", "g", "GLOBAL"]
    assert [test.statistic for test in found.tests] == pytest.approx(
        [5.092773248769, 0.388253149265, 8.498572879971], rel=1e-8
    )
    assert found.tests[2].p_value == pytest.approx(0.0142744159283, rel=1e-8)
    assert (found.status, found.reason) == ("warning", "proportional_hazards")
    index = concordance_index(fit)
    assert index.estimate == pytest.approx(0.515095729013, rel=1e-10)
    assert index.std_error == pytest.approx(0.052118729330, rel=1e-8)
    within = concordance_index(fit_cox(SIXTY, "x", "t", "e", strata="g"))
    assert within.estimate == pytest.approx(0.499253731343, rel=1e-10)
    assert within.std_error == pytest.approx(0.057062837479, rel=1e-8)
    for function in (proportional_hazards, concordance_index):
        with pytest.raises(UserError, match="call fit_cox"):
            function(fit_logistic(SIXTY, "e ~ x"))


def test_exact_intervals_and_fishers_test():
    # binom.test; fisher.test(matrix(c(7, 3, 2, 9), 2))$p.value; prop.test(c(7, 2), c(10, 11))
    expected = {
        (0, 10): (0.0, 0.3084971078188), (3, 12): (0.05486064452799, 0.5718584618782),
        (10, 10): (0.6915028921812, 1.0), (1, 1): (0.025, 1.0),
        (7, 30): (0.09933786495802, 0.4228365229782),
    }  # fmt: skip
    for counts, ends in expected.items():
        rate = compare_rates(counts, (2, 11)).group
        assert (rate.conf_low, rate.conf_high) == pytest.approx(ends, abs=1e-12)
    ninety = compare_rates((3, 12), (2, 11), level=0.9).group
    assert ninety.conf_low == pytest.approx(0.07187025554227, abs=1e-12)
    assert compare_rates((7, 10), (2, 11)).p_value == pytest.approx(0.02997312285238, rel=1e-10)
    assert compare_rates((7, 10), (0, 9)).p_value == pytest.approx(0.003095975232198, rel=1e-10)


def test_intraclass_correlation_of_shrout_and_fleiss():
    # Their table 2; ICC(2,1) and McGraw and Wong's interval from the mean squares of aov
    values = [9, 6, 8, 7, 10, 6, 2, 1, 4, 1, 5, 2, 5, 3, 6, 2, 6, 4, 8, 2, 8, 6, 9, 7]
    frame = pl.DataFrame({"v": values, "s": list(range(6)) * 4,
                          "r": [k for k in range(4) for _ in range(6)]})  # fmt: skip
    measure = icc_agreement(frame, "v", "s", "r").measures[0]
    assert measure.estimate == pytest.approx(0.2897637795276, rel=1e-10)
    ends = (0.01878651337471, 0.761084369649)
    assert (measure.conf_low, measure.conf_high) == pytest.approx(ends, rel=1e-9)
