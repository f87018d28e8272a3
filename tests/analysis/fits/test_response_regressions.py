"""Logistic, ordinal and repeated responses against R on small invented samples; refusals."""

import json
import math

import numpy as np
import polars as pl
import pytest

from analysis import fit_gee, fit_logistic, fit_ordinal
from analysis.engine.binary_likelihood import binary_likelihood
from analysis.errors import UserError
from analysis.results import Fit

X = [0.5, -1.2, 0.3, 1.9, -0.4, 0.8, -2.0, 1.1, 0.0, -0.9, 1.4, -0.1, 0.6, -1.5, 2.2, 0.9]
Z = [1, 0, 1, 1, 0, 0, 1, 0, 1, 1, 0, 0, 1, 0, 1, 0]
Y = [1, 0, 0, 1, 0, 1, 0, 1, 1, 0, 0, 0, 1, 1, 1, 1]
GRADE = [2, 0, 1, 3, 0, 2, 0, 1, 2, 1, 1, 0, 3, 1, 3, 2]
TRIAL = pl.DataFrame({"id": range(16), "x": X, "z": Z, "y": Y, "grade": GRADE})

LOGISTIC = {
    "intercept": -0.158734265039, "x": 1.026344487278, "z": 0.488701071094,
    "x_se": 0.593302833140, "x_deviance": 4.04531704229, "x_ci": (0.02367987, 2.47873732),
    "log_likelihood": -8.8150248286,
}  # fmt: skip
ORDINAL = {
    "x": 2.053875719965, "z": 2.827473583623, "x_se": 0.740842202699,
    "log_likelihood": -13.4411014818,
}  # fmt: skip


def test_logistic_as_r():
    # glm(y ~ x + z, binomial); anova against glm(y ~ z); confint by MASS, which interpolates
    fit = fit_logistic(TRIAL, "y ~ x + z", subject="id")
    rows = {row.term: row for row in fit.estimates}
    assert rows["x"].estimate == pytest.approx(LOGISTIC["x"], rel=1e-7)
    assert rows["z"].estimate == pytest.approx(LOGISTIC["z"], rel=1e-7)
    assert rows["Intercept"].estimate == pytest.approx(LOGISTIC["intercept"], rel=1e-7)
    assert rows["x"].std_error == pytest.approx(LOGISTIC["x_se"], rel=1e-6)
    assert rows["x"].statistic == pytest.approx(LOGISTIC["x_deviance"], rel=1e-7)
    assert (rows["x"].conf_low, rows["x"].conf_high) == pytest.approx(LOGISTIC["x_ci"], rel=3e-3)
    assert fit.log_likelihood == pytest.approx(LOGISTIC["log_likelihood"], rel=1e-9)
    assert fit.n_events == sum(Y)


def test_interval_ends_lie_where_the_likelihood_has_fallen_by_half_a_quantile():
    fit = fit_logistic(TRIAL, "y ~ x")
    row = fit.estimates[1]
    for end in (row.conf_low, row.conf_high):
        held = fit_logistic(TRIAL.with_columns(offset=pl.col("x") * end), "y ~ x")
        # The best intercept for a slope held at the end, by a plain search.
        x, y = np.array(X), np.array(Y)
        grid = np.linspace(-6, 6, 240_001)
        linear = grid[:, None] + end * x
        best = float((y * linear - np.logaddexp(0, linear)).sum(axis=1).max())
        assert 2 * (held.log_likelihood - best) == pytest.approx(3.841458820694, abs=1e-4)


def test_separation_takes_firths_penalty_and_says_so():
    frame = pl.DataFrame({"x": [1.0, 2, 3, 4, 5, 6, 7, 8], "y": [0, 0, 0, 0, 1, 1, 1, 1]})
    fit = fit_logistic(frame, "y ~ x")
    assert fit.status == "warning"
    assert fit.check("separation") is not None
    row = fit.estimates[1]
    # logistf 1.24 is not at hand: Firth's estimate solves its score equation.
    x = np.column_stack([np.ones(8), frame["x"].to_numpy()])
    score = binary_likelihood(x, frame["y"].to_numpy().astype(float), firth=True)
    at = np.array([fit.estimates[0].estimate, row.estimate])
    assert score(at)[1] == pytest.approx([0.0, 0.0], abs=1e-5)
    assert row.conf_low > 0
    refused = fit_logistic(frame, "y ~ x", penalty="none")
    assert (refused.status, refused.reason) == ("not_estimable", "separation")
    assert refused.estimates == ()


def test_firth_of_an_empty_cell_is_half_a_patient_in_each():
    # With one binary covariate Firth's estimate is the log odds ratio with 0.5 added to each cell.
    cells = {(1, 1): 5, (1, 0): 0, (0, 1): 2, (0, 0): 4}
    rows = [(x, y) for (x, y), n in cells.items() for _ in range(n)]
    frame = pl.DataFrame(rows, schema=["x", "y"], orient="row")
    expected = math.log(5.5 * 4.5 / (0.5 * 2.5))
    assert fit_logistic(frame, "y ~ x").estimates[1].estimate == pytest.approx(expected, rel=1e-6)


def test_ordinal_as_r():
    # MASS::polr(factor(grade) ~ x + z, Hess = TRUE)
    fit = fit_ordinal(TRIAL, "grade ~ x + z")
    rows = {row.term: row for row in fit.estimates}
    assert rows["x"].estimate == pytest.approx(ORDINAL["x"], rel=1e-4)
    assert rows["z"].estimate == pytest.approx(ORDINAL["z"], rel=1e-4)
    assert rows["x"].std_error == pytest.approx(ORDINAL["x_se"], rel=1e-4)
    assert fit.log_likelihood == pytest.approx(ORDINAL["log_likelihood"], rel=1e-8)


def test_two_grades_are_a_logistic_regression():
    frame = TRIAL.with_columns(high=(pl.col("grade") >= 2).cast(pl.Int64))
    one, two = fit_ordinal(frame, "high ~ x"), fit_logistic(frame, "high ~ x")
    assert one.estimates[0].estimate == pytest.approx(two.estimates[1].estimate, rel=1e-6)
    assert one.estimates[0].p_value == pytest.approx(two.estimates[1].p_value, rel=1e-6)
    assert one.log_likelihood == pytest.approx(two.log_likelihood)


def test_the_order_of_grades_is_the_enums():
    words = pl.Enum(["none", "mild", "severe", "fatal"])
    names = dict(enumerate(words.categories.to_list()))
    frame = TRIAL.with_columns(
        pl.col("grade").replace_strict(names, return_dtype=pl.String).cast(words)
    )
    one, other = fit_ordinal(frame, "grade ~ x"), fit_ordinal(TRIAL, "grade ~ x")
    assert one.estimates == other.estimates
    with pytest.raises(UserError, match="text without an order"):
        fit_ordinal(frame.with_columns(pl.col("grade").cast(pl.String)), "grade ~ x")


def test_repeated_rows_of_a_patient_are_refused_and_have_their_own_regression():
    twice = pl.concat([TRIAL, TRIAL.with_columns(x=pl.col("x") + 0.1)])
    refused = fit_logistic(twice, "y ~ x", subject="id")
    assert refused.reason == "repeated_patients"
    assert "fit_gee" in refused.advice
    lesions = fit_gee(twice.with_columns(y=pl.Series(Y + Y[::-1])), "y ~ x", "id")
    assert lesions.n_subjects == 16
    assert lesions.n_observations == 32
    assert lesions.estimates[1].df == 14.0


def test_one_row_per_patient_is_the_plain_regression_with_a_robust_error():
    one, two = fit_gee(TRIAL, "y ~ x", "id"), fit_logistic(TRIAL, "y ~ x")
    assert one.estimates[1].estimate == pytest.approx(two.estimates[1].estimate, rel=1e-5)
    # Mancl and DeRouen by hand: residuals divided by 1 - leverage.
    x = np.column_stack([np.ones(16), X])
    beta = np.array([row.estimate for row in two.estimates])
    chance = 1 / (1 + np.exp(-x @ beta))
    weight = chance * (1 - chance)
    bread = np.linalg.inv((x * weight[:, None]).T @ x)
    leverage = weight * np.einsum("ij,jk,ik->i", x, bread, x)
    score = x * ((np.array(Y) - chance) / (1 - leverage))[:, None]
    sandwich = bread @ score.T @ score @ bread
    assert one.estimates[1].std_error == pytest.approx(math.sqrt(sandwich[1, 1]), rel=1e-4)


@pytest.mark.parametrize("fit", [fit_logistic, lambda d, f: fit_gee(d, f, "id")])
@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"y": pl.lit(1)}, "one_response"),
        ({"x": pl.lit(2.0)}, "constant_covariate"),
        ({"x": pl.lit(None, pl.Float64)}, "too_few_subjects"),
    ],
)
def test_what_the_data_cannot_say(fit, change, reason):
    found = fit(TRIAL.with_columns(**change), "y ~ x")
    assert (found.status, found.reason) == ("not_estimable", reason)
    assert found.estimates == ()
    assert found.advice


def test_mistakes_of_the_caller_name_what_is_there():
    with pytest.raises(UserError, match="no column 'responder'"):
        fit_logistic(TRIAL, "responder ~ x")
    with pytest.raises(UserError, match="expected 1 for a response"):
        fit_logistic(TRIAL, "grade ~ x")
    with pytest.raises(UserError, match="needs an outcome"):
        fit_logistic(TRIAL, "x")
    with pytest.raises(UserError, match="immortal-time bias"):
        fit_logistic(TRIAL, "y ~ x", known_on_day={"x": 28.0}, assessed_on_day=14.0)


def test_round_trip():
    for fit in (fit_logistic(TRIAL, "y ~ x"), fit_ordinal(TRIAL, "grade ~ x")):
        assert Fit.from_dict(json.loads(json.dumps(fit.to_dict()))) == fit
