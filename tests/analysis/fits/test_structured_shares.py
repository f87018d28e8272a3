"""ICC and R2 of structured fits: from their definitions, and as the plain engine's."""

import json

import numpy as np
import polars as pl
import pytest

from analysis import VarianceShares, fit_mixed, variance_shares

FORMULA = "y ~ day * arm"


@pytest.mark.parametrize("asked", [{"residual": "by:same"}, {"weights": "even"}])
def test_a_structure_that_is_none_has_the_shares_of_the_plain_fit(uneven, asked):
    frame = uneven.with_columns(same=pl.lit("x"), even=pl.lit(2.0))
    plain = fit_mixed(frame, FORMULA, "p", "1 + day", verify=False)
    fit = fit_mixed(frame, FORMULA, "p", "1 + day", **asked)
    if "weights" in asked:
        # Residual variances are those of an observation: sigma2 / weight.
        assert fit.variance_components[-1].variance == pytest.approx(
            2 * plain.variance_components[-1].variance, rel=1e-4
        )
    one, other = (variance_shares(item, [{"day": 7.0}]) for item in (fit, plain))
    assert one.icc_at[0].icc == pytest.approx(other.icc_at[0].icc, rel=1e-4)
    for name in ("between", "residual", "icc_adjusted", "icc_conditional", "r_squared_marginal"):
        assert getattr(one, name) == pytest.approx(getattr(other, name), rel=1e-4)
    assert fit.icc == pytest.approx(plain.icc, rel=1e-4)
    assert fit.r_squared_marginal == pytest.approx(plain.r_squared_marginal, rel=1e-4)
    assert VarianceShares.from_dict(json.loads(json.dumps(one.to_dict()))) == one


def test_a_residual_variance_that_differs_is_its_mean_over_the_observations(uneven, component):
    fit = fit_mixed(uneven, FORMULA, "p", residual="by:assay", weights="weight")
    sizes = {level: component(fit, "Residual", level) ** 2 for level in "ab"}
    own = [sizes[assay] / w for assay, w in uneven.select("assay", "weight").rows()]
    found = variance_shares(fit)
    level = component(fit, "p", "(Intercept)") ** 2
    assert found.residual == pytest.approx(np.mean(own))
    assert found.icc_adjusted == pytest.approx(level / (level + np.mean(own)))
    fixed = float(np.var(fit.design.fixed_fitted))
    assert found.r_squared_conditional == pytest.approx(
        (fixed + level) / (fixed + level + np.mean(own))
    )


def test_nested_and_crossed_variances_have_their_places(lesions, component):
    fit = fit_mixed(lesions, "y ~ day", "patient", nested="lesion: 1 + day", crossed="reader")
    found = variance_shares(fit)
    assert found.crossed == pytest.approx(component(fit, "reader", "(Intercept)") ** 2)
    level, slope = (component(fit, "patient:lesion", name) for name in ("(Intercept)", "day"))
    both = component(fit, "patient:lesion", "(Intercept)", "day") * level * slope
    days = lesions["day"].to_numpy()
    nested = np.mean(level**2 + 2 * days * both + days**2 * slope**2)
    assert found.nested == pytest.approx(nested)
    total = found.between + found.nested + found.crossed + found.residual
    assert found.icc_adjusted == pytest.approx(found.between / total)


def test_without_patients_effects_nothing_lies_between_them(uneven):
    fit = fit_mixed(uneven, FORMULA, "p", residual="unstructured:day")
    found = variance_shares(fit)
    assert (fit.icc, found.icc_adjusted, found.r_squared_conditional) == (None, None, None)
    assert found.note.startswith("The model has no random effects of a patient")
    diagonal = [row for row in fit.variance_components if row.term_2 is None]
    size = {row.term_1: row.variance for row in diagonal}
    mean = np.mean([size[str(day)] for day in uneven["day"]])
    fixed = float(np.var(fit.design.fixed_fitted))
    assert found.residual == pytest.approx(mean)
    assert found.r_squared_marginal == pytest.approx(fixed / (fixed + mean))
