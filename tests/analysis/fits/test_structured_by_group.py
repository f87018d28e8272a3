"""A residual variance for each level of a column."""

import json
from pathlib import Path

import polars as pl
import pytest

from analysis import Fit, fit_mixed


def test_one_level_and_equal_weights_are_the_plain_model(single, column):
    plain = fit_mixed(single, "y ~ day + arm", "patient", verify=False)
    same = single.with_columns(kind=pl.lit("a"), weight=pl.lit(3.0))
    for fit in (
        fit_mixed(same, "y ~ day + arm", "patient", residual="by:kind"),
        fit_mixed(same, "y ~ day + arm", "patient", weights="weight"),
    ):
        assert fit.criterion == pytest.approx(plain.criterion, rel=1e-9)
        assert column(fit, "estimate") == pytest.approx(column(plain, "estimate"), rel=1e-6)
        assert column(fit, "std_error") == pytest.approx(column(plain, "std_error"), rel=1e-6)
        assert column(fit, "df") == pytest.approx(column(plain, "df"), rel=1e-4)


def test_kenward_roger_is_that_of_the_cross_products(single, column):
    plain = fit_mixed(single, "y ~ day + arm", "patient", inference="kenward_roger", verify=False)
    same = single.with_columns(weight=pl.lit(1.0))
    fit = fit_mixed(same, "y ~ day + arm", "patient", inference="kenward_roger", weights="weight")
    assert column(fit, "std_error") == pytest.approx(column(plain, "std_error"), rel=1e-6)
    assert column(fit, "df") == pytest.approx(column(plain, "df"), rel=1e-5)


def test_a_level_with_hardly_a_value_has_no_variance_of_its_own(single):
    rare = single.with_columns(kind=pl.Series(["b"] + ["a"] * (single.height - 1)))
    fit = fit_mixed(rare, "y ~ day", "patient", residual="by:kind")
    assert (fit.status, fit.reason, fit.estimates) == ("not_estimable", "too_few_in_level", ())
    assert "kind = b has 1 values for 1 effects" in fit.sentence


@pytest.fixture
def extended(shared: Path) -> dict:
    return json.loads((shared / "golden" / "nlme_extended.json").read_text())


def by_name(fit: Fit) -> dict[str, tuple[float, float]]:
    return {row.term: (row.estimate, row.std_error) for row in fit.estimates}


def test_variance_by_sex_golden(shared: Path, extended: dict, component):
    golden = extended["orthodont_varIdent_sex"]
    frame = pl.read_csv(shared / "golden" / "orthodont.csv").with_columns(
        pl.col("Sex").cast(pl.Enum(["Male", "Female"]))
    )
    fit = fit_mixed(frame, "distance ~ age * Sex", "Subject", "1 + age", residual="by:Sex")
    # nlme stops 1.5e-5 below this optimum of the log-likelihood.
    assert golden["logLik"] <= fit.log_likelihood <= golden["logLik"] + 5e-5
    found = list(by_name(fit).values())
    for (estimate, error), row in zip(found, golden["fixed"], strict=True):
        assert estimate == pytest.approx(row["estimate"], rel=1e-5)
        assert error == pytest.approx(row["se"], rel=1e-3)
    ratio = component(fit, "Residual", "Male") / component(fit, "Residual", "Female")
    assert ratio == pytest.approx(golden["varstruct"][1], rel=2e-3)
    # The stored search of nlme stopped early. R 4.2.2, nlme 3.1-162 with tolerance = 1e-12,
    # msTol = 1e-14 and optim's BFGS ends here.
    assert fit.log_likelihood == pytest.approx(-205.7612399256197, abs=1e-9)
    errors = [error for _, error in found]
    assert errors == pytest.approx(
        [1.1352678058872, 0.0991447528897, 1.3772520926130, 0.1186356545533], rel=1e-6
    )
    assert ratio == pytest.approx(2.445905034, rel=1e-5)
