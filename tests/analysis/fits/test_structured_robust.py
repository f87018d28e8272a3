"""Standard errors from how patients differ, beside any covariance of a patient's values.

R 4.2.2, nlme 3.1-162 and clubSandwich 0.5.8 made the numbers: coef_test(model, vcov = "CR2",
cluster = p, test = "Satterthwaite") of the nlme model named with each, its control with opt =
"optim", tolerance = 1e-12, msTol = 1e-14.
"""

import numpy as np
import polars as pl
import pytest

from analysis import ModelSpec, bootstrap, fit_mixed, fit_specification
from analysis.errors import UserError
from analysis.fits.inference import tested as contrasts
from analysis.fits.influence import KeyContrast, leave_one_out

GONE = [3, 4, 17, 18, 19, 29, 41, 52, 59]
"""Rows of the small trial left out, so that patients differ in their days."""
FORMULA = "y ~ day + arm"
AS_R = {
    # lme(y ~ day + arm, random = ~ 1 | p)
    "independent": ({}, [
        (2.588184412, 0.715339536, 3.054114205), (0.269817575, 0.094455597, 9.048237299),
        (-0.045029289, 0.773903490, 6.004053587), (-0.984932495, 1.116642146, 6.002047784)]),
    # the same with weights = varIdent(form = ~ 1 | sex)
    "by group": ({"residual": "by:sex"}, [
        (2.600806855, 0.701047491, 3.048891064), (0.270131653, 0.089342538, 8.415820560),
        (-0.058176254, 0.768850942, 6.001647439), (-1.010939263, 1.111599823, 6.000053210)]),
    # gls(y ~ day + arm, correlation = corAR1(form = ~ day + 1 | p))
    "AR(1)": ({"residual": "ar1:day", "random": "0"}, [
        (2.638441498, 0.689587026, 3.083477611), (0.250084861, 0.084081055, 10.096899922),
        (-0.108315146, 0.811187485, 6.004434092), (-1.101549595, 1.076139621, 5.999602784)]),
    # gls(y ~ day + arm, correlation = corCAR1(form = ~ day | p))
    "CAR(1)": ({"residual": "car1:day", "random": "0"}, [
        (2.638441496, 0.689587029, 3.083477599), (0.250084860, 0.084081055, 10.096899928),
        (-0.108315143, 0.811187489, 6.004434093), (-1.101549592, 1.076139622, 5.999602785)]),
    # days 0, 2 and 4: gls(y ~ day + arm, correlation = corSymm(form = ~ day / 2 + 1 | p), weights =
    # varIdent(form = ~ 1 | day))
    "unstructured": ({"residual": "unstructured:day", "random": "0"}, [
        (2.828339247, 0.526802908, 3.187296933), (0.289009864, 0.086553581, 9.759553487),
        (-0.846935326, 0.671329399, 5.934631383), (-1.134391928, 0.676181709, 5.952441849)]),
    # lme(y ~ day + arm, random = ~ 1 + day | p, weights = varFixed(~ 1 / w))
    "weights": ({"weights": "w", "random": "1 + day"}, [
        (2.678534731, 0.734795416, 3.008307839), (0.211167561, 0.097098667, 10.402578371),
        (-0.369593920, 0.741144861, 6.003651793), (-0.731209060, 1.079650097, 6.000367441)]),
}  # fmt: skip


def rows_of(small_trial: pl.DataFrame, name: str) -> pl.DataFrame:
    frame = small_trial.with_row_index("row").filter(~pl.col("row").is_in(GONE))
    frame = frame.with_columns(w=pl.col("day") + 1.0)
    return frame.filter(pl.col("day") % 2 == 0) if name == "unstructured" else frame


@pytest.mark.parametrize("name", AS_R)
def test_errors_and_degrees_of_freedom_are_those_of_clubsandwich(small_trial, name):
    asked, expected = AS_R[name]
    fit = fit_mixed(rows_of(small_trial, name), FORMULA, "p", inference="robust", **asked)
    assert (fit.status, fit.inference) == ("ok", "robust")
    for row, (estimate, error, df) in zip(fit.estimates, expected, strict=True):
        assert row.estimate == pytest.approx(estimate, rel=1e-6)
        assert row.std_error == pytest.approx(error, rel=1e-6)
        assert row.df == pytest.approx(df, rel=1e-6)


def test_equal_weights_are_the_plain_model(small_trial, column):
    frame = rows_of(small_trial, "").with_columns(w=pl.lit(2.0))
    plain, same = (
        fit_mixed(frame, FORMULA, "p", inference="robust", **asked)
        for asked in ({}, {"weights": "w"})
    )
    for name in ("std_error", "df", "p_value"):
        assert column(same, name) == pytest.approx(column(plain, name), rel=1e-6)


def test_leaving_a_patient_out_is_the_fit_without_the_patient(small_trial):
    frame, asked = rows_of(small_trial, ""), {"residual": "by:sex", "inference": "robust"}
    fit = fit_mixed(frame, FORMULA, "p", **asked)
    row = fit.design.design.fixed_rows(pl.DataFrame({"day": [1.0], "arm": ["b"]}))[0]
    points = leave_one_out(fit.design, KeyContrast(row, float(row @ fit.design.beta), False))
    without = fit_mixed(frame.filter(pl.col("p") != "P04"), FORMULA, "p", **asked)
    found = contrasts(without.design, row[None])
    point = next(point for point in points if point.usubjid == "P04")
    assert (point.ratio, point.conf_low, point.conf_high) == pytest.approx(
        (found.estimate[0], found.conf_low[0], found.conf_high[0]), rel=1e-4
    )


@pytest.mark.parametrize("asked", [{}, {"residual": "by:sex"}])
def test_the_parametric_bootstrap_of_a_fit_is_the_same_whatever_its_errors(small_trial, asked):
    """Draws are divided by the model's errors, so the fit's own must be the model's too."""
    frame = rows_of(small_trial, "")
    one, other = (
        bootstrap(fit_mixed(frame, FORMULA, "p", inference=name, **asked), 100, 3)
        for name in ("robust", "satterthwaite")
    )
    assert one.estimates == other.estimates


def test_a_question_takes_them_beside_a_structure():
    rng = np.random.default_rng(3)
    patient, day = np.repeat(np.arange(16), 3), np.tile([7.0, 14.0, 28.0], 16)
    noise = rng.normal(size=16)[patient] + 0.4 * rng.normal(size=48) * (1 + patient % 2)
    frame = pl.DataFrame({
        "usubjid": [f"P{p:02d}" for p in patient], "nominal_day": day, "rel_day": day,
        "group": np.where(patient % 2, "responder", "non-responder"),
        "value": 10 ** (3 + 0.3 * (patient % 2) + 0.3 * noise),
    })  # fmt: skip
    spec = ModelSpec(
        outcome="kinetics:CARTG:qPCR:BLOOD", time="visit", random="intercept",
        residual="by:group", inference="robust", days=(14.0,),
    )  # fmt: skip
    fit = fit_specification(frame, spec)
    rows = frame.with_columns(y=pl.col("value").log10(), visit=pl.format("{}", "nominal_day"))
    rows = rows.with_columns(pl.col("visit").cast(pl.Enum(["14.0", "7.0", "28.0"])))
    hand = fit_mixed(rows, "y ~ visit * group", "usubjid", residual="by:group",
                     inference="robust")  # fmt: skip
    first = next(item for item in hand.estimates if item.term == "group[T.responder]")
    assert fit.key_ratio.conf_low == pytest.approx(10**first.conf_low, rel=1e-6)
    assert fit.key_ratio.df == pytest.approx(first.df, rel=1e-6)
    assert "t with robust variances" in fit.sentence
    assert len(fit.influence) == 16


def test_patients_who_share_an_effect_are_no_clusters(lesions):
    with pytest.raises(UserError, match="'robust' takes patients for independent"):
        fit_mixed(lesions, "y ~ day", "patient", crossed=("reader",), inference="robust")
