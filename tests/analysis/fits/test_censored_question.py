"""A specification with the censored likelihood: ratios, directions, rules side by side."""

import json

import numpy as np
import polars as pl
import pytest

from analysis import (
    Fit,
    ModelSpec,
    below_limit_table,
    bootstrap,
    fit_censored_mixed,
    fit_specification,
)
from analysis.errors import UserError
from analysis.fits.censored_fitted import FittedCensored

SPEC = ModelSpec(outcome="kinetics:CARTG:qPCR:BLOOD", question="expansion_by_group", blq="censored")
VISITS = SPEC.replace(time="visit", random="intercept")


def test_everything_a_censored_answer_carries(simulate_trial):
    frame = simulate_trial(7, log_ratio=0.8, lloq=60.0)
    fit = fit_specification(frame, SPEC)
    assert fit.kind == "censored linear mixed model"
    assert (fit.n_observations, fit.n_censored) == (192, 40)
    assert [ratio.day for ratio in fit.ratios] == [7.0, 14.0, 28.0]
    assert fit.key_ratio.conf_low < 10**0.8 < fit.key_ratio.conf_high
    assert fit.key_ratio.df == 22
    assert (fit.interaction, fit.group_test) == (None, None)
    assert "not tested at once" in fit.check("inference").message
    assert "directions in which they differ most" in fit.check("random_part").message
    assert "censored likelihood" in fit.check("below_limit").message
    assert len(fit.residuals) == 192 - 40
    assert len(fit.influence) == 24
    assert all(point.change is not None for point in fit.influence)
    assert {point.group for point in fit.curves} == {"responder", "non-responder"}
    assert "higher in responders" in fit.sentence
    again = Fit.from_dict(json.loads(json.dumps(fit.to_dict(), allow_nan=False)))
    assert again == fit


def test_the_three_rules_stand_side_by_side(simulate_trial):
    frame = simulate_trial(7, log_ratio=0.8, lloq=60.0)
    rows = below_limit_table(frame, SPEC)
    assert [row.rule for row in rows] == ["censored", "half_lloq", "drop"]
    assert [row.n_observations for row in rows] == [192, 192, 152]
    assert len({round(row.ratio, 3) for row in rows}) == 3
    other = below_limit_table(frame, SPEC.replace(blq="half_lloq"))
    for one, two in zip(rows, other, strict=True):
        assert one.ratio == pytest.approx(two.ratio, rel=1e-9)
    assert rows[0].ratio == fit_specification(frame, SPEC, influence=False).key_ratio.ratio


def test_no_table_without_a_value_below_the_limit(simulate_trial):
    assert below_limit_table(simulate_trial(1), SPEC) == ()


def test_the_curves_are_the_ratio(simulate_trial):
    fit = fit_specification(simulate_trial(3, log_ratio=0.5, lloq=60.0), VISITS, influence=False)
    curve = {(point.group, point.day): point.estimate for point in fit.curves}
    for ratio in fit.ratios:
        expected = curve["responder", ratio.day] / curve["non-responder", ratio.day]
        assert ratio.ratio == pytest.approx(expected, rel=1e-9)


def test_a_visit_without_a_measured_value_is_left_out(simulate_trial):
    frame = simulate_trial(3, lloq=60.0)
    one = (pl.col("nominal_day") == 1) & (pl.col("group") == "responder")
    frame = frame.with_columns(
        value=pl.when(one).then(None).otherwise("value"),
        lower=pl.when(one).then(0.0).otherwise("lower"),
        upper=pl.when(one).then(60.0).otherwise("upper"),
        censored=pl.when(one).then(pl.lit("left")).otherwise("censored"),
    )
    fit = fit_specification(frame, VISITS, influence=False)
    assert fit.status != "not_estimable"
    lost = {item.reason: item.n for item in fit.excluded}
    assert lost["a visit without a measured value of some group"] >= 24


def test_leaving_out_a_patient_is_the_fit_without(simulate_trial):
    frame = simulate_trial(5, log_ratio=0.5, lloq=60.0)
    whole = fit_specification(frame, VISITS)
    without = fit_specification(
        frame.filter(pl.col("usubjid") != "P05"), VISITS.replace(days=(14.0,)), influence=False
    )
    point = next(item for item in whole.influence if item.usubjid == "P05")
    assert point.ratio == pytest.approx(without.key_ratio.ratio, rel=0.01)
    assert point.change == pytest.approx(point.ratio / whole.key_ratio.ratio, rel=1e-6)


def test_one_level_has_its_small_sample_tests(simulate_trial):
    fit = fit_specification(
        simulate_trial(4, lloq=60.0), SPEC.replace(time="none", random="intercept")
    )
    assert fit.inference == "satterthwaite"
    assert fit.group_test.kind == "F"
    assert 18 < fit.key_ratio.df < 23


LESIONS = {
    "unit": "lesion", "outcome": "uptake:f18_fhbg:suv_mean:lesion", "question": "signal_by_group",
}  # fmt: skip


def lesions(simulate_trial) -> pl.DataFrame:
    """Two lesions of each patient on the patient's course, one at three times the signal."""
    frame = simulate_trial(1)
    frames = []
    for number, size in enumerate((1.0, 3.0)):
        value = pl.col("value") * size * 10 ** (0.1 * (pl.col("rel_day") * (7 + number)).sin())
        low = value < 60.0
        frames.append(frame.with_columns(
            value=pl.when(~low).then(value), lower=pl.when(low).then(0.0),
            upper=pl.when(low).then(60.0), region_code=pl.lit(f"L{number}"),
            censored=pl.when(low).then(pl.lit("left")).otherwise(pl.lit("none")),
        ))  # fmt: skip
    return pl.concat(frames)


def test_lesions_are_integrated_within_their_patients(simulate_trial):
    spec = SPEC.replace(time="none", random="intercept", day_low=5.0, day_high=29.0, **LESIONS)
    frame = lesions(simulate_trial)
    fit = fit_specification(frame, spec, influence=False)
    assert fit.status == "ok"
    assert fit.nested == ("region_code",)
    assert [row.group for row in fit.variance_components] == [
        "usubjid:region_code", "usubjid", "Residual",
    ]  # fmt: skip
    rows = frame.filter(pl.col("rel_day").is_between(5.0, 29.0)).with_columns(
        value=pl.col("value").fill_null(60.0), responds=(pl.col("group") == "responder").cast(float)
    )
    alone = fit_censored_mixed(rows, "log10(value) ~ responds", "usubjid", "1", "region_code")
    assert fit.n_censored == alone.n_censored > 0
    assert fit.log_likelihood == pytest.approx(alone.log_likelihood, rel=1e-9)
    assert fit.key_ratio.ratio == pytest.approx(10 ** alone.estimates[1].estimate, rel=1e-6)
    assert 18 < fit.key_ratio.df < 23


def test_lesions_on_curves_of_many_dimensions_are_refused_in_words(simulate_trial):
    fit = fit_specification(lesions(simulate_trial), SPEC.replace(**LESIONS), influence=False)
    assert (fit.status, fit.reason) == ("not_estimable", "nested_censored")
    assert "4 dimensions" in fit.sentence


def test_lesions_that_share_their_visits_are_refused_in_words(simulate_trial):
    frame, spec = lesions(simulate_trial), VISITS.replace(**LESIONS)
    fit = fit_specification(frame, spec)
    assert (fit.status, fit.reason) == ("not_estimable", "nested_censored")
    assert "nested=" not in fit.advice
    other = fit_specification(frame, spec.replace(blq="half_lloq"), influence=False)
    assert (other.sensitivity[0].rule, other.sensitivity[0].status) == (
        "censored", "not_estimable",
    )  # fmt: skip


def test_all_below_is_refused(simulate_trial):
    fit = fit_specification(simulate_trial(1, lloq=1e9), SPEC)
    assert (fit.status, fit.reason) == ("not_estimable", "all_below_limit")


def test_what_needs_a_plain_model_says_so(simulate_trial):
    fit = fit_specification(simulate_trial(1, lloq=60.0), VISITS, influence=False)
    assert isinstance(fit.design, FittedCensored)
    with pytest.raises(UserError, match="not there for a model with values beyond a limit"):
        bootstrap(fit, 200, 1)
    mean = fit.contrast({"group": "responder"}, {"group": "non-responder"})
    assert np.isfinite(mean.std_error)
