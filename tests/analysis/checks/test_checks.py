"""Each check can pass and can be raised, with its words."""

import numpy as np
import polars as pl
import pytest

from analysis import ModelSpec, fit_mixed, fit_specification
from analysis.checks import CHECKS, SPECIFICATION_CHECKS
from analysis.checks.residuals import normal_scores

SPEC = ModelSpec(outcome="kinetics:CARTG:qPCR:BLOOD", time="visit", random="intercept")


def trial(seed=1, patients=16, shift=0.5, noise=0.2):
    rng = np.random.default_rng(seed)
    rows = [
        {
            "usubjid": f"P{p:02d}",
            "rel_day": day,
            "nominal_day": day,
            "region_code": "L1",
            "value": 10 ** (2 + shift * (p % 2) + level + rng.normal(0, noise)),
            "censored": "none",
            "upper": None,
            "lower": None,
            "group": "responder" if p % 2 else "non-responder",
        }
        for p, level in enumerate(rng.normal(0, 0.3, patients))
        for day in (7.0, 14.0, 21.0, 28.0)
    ]
    return pl.DataFrame(rows, schema_overrides={"upper": pl.Float64, "lower": pl.Float64})


def answer(frame, spec=SPEC, **options):
    return fit_specification(frame, spec, **options)


def test_every_check_has_a_name_of_its_own_and_speaks_plainly():
    fit = answer(trial())
    names = [check.name for check in fit.checks]
    assert len(names) == len(set(names)) == len(CHECKS) + len(SPECIFICATION_CHECKS)
    for check in fit.checks:
        assert check.message.endswith((".", "instead of 5 %."))
        assert check.status in ("ok", "note", "warning")


def test_a_plain_trial_is_ok():
    fit = answer(trial())
    assert (fit.status, fit.reason, fit.advice) == ("ok", None, "")
    assert "Caution" not in fit.sentence
    assert fit.check("inference").status == "ok"
    assert "the default for planned visits" in fit.check("inference").message


def test_few_patients():
    fit = answer(trial(patients=10))
    assert fit.check("enough_subjects").status == "warning"
    assert fit.status == "warning"
    assert answer(trial(patients=12)).check("enough_subjects").status == "ok"


def test_small_group():
    number = pl.col("usubjid").str.slice(1).cast(pl.Int64)
    frame = trial(patients=20, shift=0).with_columns(
        group=pl.when(number < 3).then(pl.lit("responder")).otherwise(pl.lit("non-responder"))
    )
    check = answer(frame).check("group_sizes")
    assert (check.status, check.value) == ("warning", 3.0)
    assert "responder n = 3" in check.message


def test_outliers_and_tails():
    frame = trial(noise=0.1)
    clean = answer(frame, influence=False)
    assert clean.check("outliers").value == 0
    spoiled = frame.with_columns(
        value=pl.when(pl.int_range(frame.height) == 5)
        .then(pl.col("value") * 1e4)
        .otherwise(pl.col("value"))
    )
    fit = answer(spoiled, influence=False)
    assert fit.check("outliers").message.startswith("1 value of 1 patient lies beyond four")
    assert fit.check("residual_shape").status == "warning"


def test_one_patient_decides():
    frame = trial(seed=3, shift=0.0, patients=12, noise=0.1).with_columns(
        value=pl.when(pl.col("usubjid") == "P03")
        .then(pl.col("value") * 3e4)
        .otherwise(pl.col("value"))
    )
    check = answer(frame).check("influence")
    assert check.status == "warning"
    assert "patient P03" in check.message
    assert answer(frame, influence=False).check("influence").status == "note"


def test_dropout_of_one_group():
    frame = trial(patients=20).filter(
        (pl.col("group") == "responder")
        | (pl.col("rel_day") < 21)
        | pl.col("usubjid").is_in(["P00", "P02"])
    )
    check = answer(frame).check("dropout")
    assert check.status == "warning"
    assert check.message.startswith(
        "Still measured in the last quarter of the window: non-responder 20 %, responder 100 %."
    )


def test_values_below_the_limit():
    frame = trial(patients=20)

    def censored(limit):
        below = pl.col("value") < limit
        return frame.with_columns(
            value=pl.when(below).then(None).otherwise(pl.col("value")),
            upper=pl.when(below).then(limit).otherwise(None),
            lower=pl.when(below).then(0.0).otherwise(None),
            censored=pl.when(below).then(pl.lit("left")).otherwise(pl.lit("none")),
        )

    few, many = answer(censored(25.0)), answer(censored(200.0))
    assert few.check("below_limit").status == "note"
    assert many.check("below_limit").status == "warning"
    assert 0 < few.n_censored < many.n_censored
    assert answer(frame).check("below_limit").status == "ok"
    assert answer(frame).sensitivity == ()


def test_several_ratios_are_counted():
    assert answer(trial()).check("multiplicity").message.startswith("4 ratios are shown")
    assert answer(trial(), SPEC.replace(days=(14,))).check("multiplicity").status == "ok"


def test_disagreement_with_statsmodels_is_a_warning(monkeypatch):
    from analysis.fits import statsmodels_bridge as bridge

    def wrong(*args, **kwargs):
        return bridge.Refit(-100.0, -100.0, None, True, "")

    monkeypatch.setattr(bridge, "statsmodels_refit", wrong)
    frame = trial().with_columns(y=pl.col("value").log10())
    fit = fit_mixed(frame, "y ~ rel_day", "usubjid")
    assert (fit.status, fit.reason) == ("warning", "verified")
    assert "do not rely on this fit" in fit.sentence


def test_normal_scores_of_blom():
    scores = normal_scores(np.array([3.0, 1.0, 2.0]))
    assert scores == pytest.approx([0.8694, -0.8694, 0.0], abs=1e-3)
