"""Standard errors from how patients differ, against what is known exactly."""

import numpy as np
import polars as pl
import pytest

from analysis import fit_mixed
from analysis.engine.cluster_robust import cluster_robust
from analysis.engine.structure import RandomStructure
from analysis.fits.inference import tested as contrasts
from analysis.fits.influence import KeyContrast, leave_one_out

SIZES, VISITS = (7, 11), 4


def balanced() -> pl.DataFrame:
    """Two groups of unequal size, every patient seen at every visit, spreads that differ."""
    draw = np.random.default_rng(8)
    patient = np.repeat(np.arange(sum(SIZES)), VISITS)
    visit = np.tile(np.arange(VISITS), sum(SIZES))
    level = draw.normal(size=sum(SIZES))[patient]
    y = level + draw.normal(size=len(visit)) * np.array([0.2, 1.0, 3.0, 0.7])[visit]
    group = np.where(patient < SIZES[0], "a", "b")
    return pl.DataFrame(
        {"patient": patient, "visit": [f"V{v}" for v in visit], "group": group, "y": y}
    )


def day_rows(fit) -> np.ndarray:
    new = pl.DataFrame({"visit": [f"V{v}" for v in range(VISITS)]})
    one, two = (
        fit.design.design.fixed_rows(new.with_columns(group=pl.lit(group))) for group in "ab"
    )
    return two - one


def test_one_day_of_a_balanced_trial_is_the_comparison_of_that_day_alone():
    """Welch's standard error, and the degrees of freedom of two means under equal variances."""
    frame = balanced()
    fit = fit_mixed(frame, "y ~ visit * group", "patient", inference="robust", verify=False)
    found = contrasts(fit.design, day_rows(fit))
    n, m = SIZES
    df = (1 / n + 1 / m) ** 2 / (1 / (n**2 * (n - 1)) + 1 / (m**2 * (m - 1)))
    assert found.df == pytest.approx([df] * VISITS)
    for visit in range(VISITS):
        day = frame.filter(pl.col("visit") == f"V{visit}")
        a, b = (day.filter(pl.col("group") == group)["y"].to_numpy() for group in "ab")
        assert found.estimate[visit] == pytest.approx(b.mean() - a.mean())
        error = np.sqrt(a.var(ddof=1) / n + b.var(ddof=1) / m)
        assert found.std_error[visit] == pytest.approx(error)


def irregular(seed: int = 3):
    draw = np.random.default_rng(seed)
    patient = np.sort(draw.integers(0, 9, 40))
    x = np.column_stack([np.ones(40), draw.normal(size=40), (patient % 2) * 1.0])
    z = np.column_stack([np.ones(40), x[:, 1]])
    return x, z, patient, draw.permutation(40)


def test_it_is_unbiased_where_the_working_covariance_is_right():
    """The expected middle of the sandwich is X' V^-1 X then (Pustejovsky & Tipton, theorem 1)."""
    x, z, patient, order = irregular()
    theta = np.array([0.9, 0.3, 0.6])
    found = cluster_robust(x[order], z[order], patient[order], RandomStructure(2), theta)
    shared = np.einsum("mpq,pr,mrs->qs", found.projected, found.bread, found.projected)
    assert found.squared.sum(axis=0) - shared == pytest.approx(np.linalg.inv(found.bread))


def test_one_visit_per_patient_is_hc2_of_statsmodels():
    import statsmodels.api as sm

    x, _, _, _ = irregular()
    y = np.random.default_rng(4).normal(size=40) * np.exp(x[:, 1])
    found = cluster_robust(x, np.ones((40, 1)), np.arange(40), RandomStructure(1), np.zeros(1))
    residuals = y - found.coefficients(y) @ x.T
    peer = sm.OLS(y, x).fit(cov_type="HC2").cov_params()
    assert found.covariance(residuals) == pytest.approx(peer, rel=1e-10)


def test_many_outcomes_at_once_are_those_of_each():
    x, z, patient, _ = irregular()
    found = cluster_robust(x, z, patient, RandomStructure(2), np.array([0.5, 0.1, 0.2]))
    y = np.random.default_rng(5).normal(size=(3, 40))
    rest = y - found.coefficients(y) @ x.T
    rows = np.array([[0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    for one, moves in zip(rest, found.moves(rest, rows), strict=True):
        assert (moves**2).sum(axis=1) == pytest.approx(
            np.diag(rows @ found.covariance(one) @ rows.T)
        )


def test_leaving_a_patient_out_is_the_fit_without_the_patient():
    frame = balanced()
    options = {"formula": "y ~ visit * group", "group": "patient", "inference": "robust"}
    fit = fit_mixed(frame, verify=False, **options)
    row = day_rows(fit)[2]
    points = leave_one_out(fit.design, KeyContrast(row, float(row @ fit.design.beta), False))
    without = fit_mixed(frame.filter(pl.col("patient") != 4), verify=False, **options)
    found = contrasts(without.design, row[None])
    point = next(point for point in points if point.usubjid == "4")
    assert (point.ratio, point.conf_low, point.conf_high) == pytest.approx(
        (found.estimate[0], found.conf_low[0], found.conf_high[0]), rel=1e-5
    )


def test_a_visit_where_patients_do_not_differ_has_no_test():
    """All values of a visit below the limit, half of it written for each."""
    frame = balanced().with_columns(
        y=pl.when(pl.col("visit") == "V1").then(0.5).otherwise(pl.col("y"))
    )
    fit = fit_mixed(frame, "y ~ visit * group", "patient", inference="robust", verify=False)
    found = contrasts(fit.design, day_rows(fit))
    assert np.isnan(found.std_error).tolist() == [False, True, False, False]
    assert np.isnan(found.p_value).tolist() == [False, True, False, False]
