"""Questions for mixed models, asked of fits of another kind."""

import json

import numpy as np
import polars as pl
import pytest

from analysis import (
    Fit,
    bootstrap,
    cluster_bootstrap,
    fit_cox,
    fit_gee,
    fit_joint,
    fit_logistic,
    marginal_means,
    patient_effects,
    permutation_test,
    predict_patients,
    profile_intervals,
    residuals,
    term_tests,
    variance_shares,
)
from analysis.errors import UserError
from analysis.fits.other_kinds import INSTEAD


def patients(n: int = 40) -> pl.DataFrame:
    rng = np.random.default_rng(5)
    age, level = rng.normal(50, 8, n), rng.normal(0, 0.7, n)
    time = rng.exponential(8 * np.exp(-0.5 * level)) + 0.5
    return pl.DataFrame(
        {"p": np.arange(n), "age": age, "level": level, "time": np.minimum(time, 12.0),
         "event": (time < 12).astype(int),
         "responder": (level + rng.normal(0, 1, n) > 0).astype(int)}
    )  # fmt: skip


def visits(one: pl.DataFrame) -> pl.DataFrame:
    rng = np.random.default_rng(6)
    long = one.join(pl.DataFrame({"day": np.arange(6.0) * 2}), how="cross")
    long = long.filter(pl.col("day") < pl.col("time"))
    return long.with_columns(
        y=1 + 0.1 * pl.col("day") + pl.col("level") + pl.Series(rng.normal(0, 0.4, long.height))
    ).select("p", "day", "y", "age", "responder")


FITS = {
    "Cox model": lambda one: fit_cox(one, "age", time="time", event="event"),
    "logistic regression": lambda one: fit_logistic(one, "responder ~ age"),
    "generalized estimating equations": lambda one: fit_gee(visits(one), "responder ~ day", "p"),
    "joint model": lambda one: fit_joint(
        visits(one), one, "y ~ day", "p", "1", "day", "time", "event"
    ),
}
ASKED = {
    "contrast": lambda fit: fit.contrast({"age": 50.0}),
    "marginal means": lambda fit: marginal_means(fit, {"age": [50.0]}),
    "bootstrap": bootstrap,
    "cluster bootstrap": cluster_bootstrap,
    "permutation test": permutation_test,
    "profile": profile_intervals,
    "prediction": lambda fit: predict_patients(fit, [{"age": 50.0}]),
    "patients' effects": patient_effects,
    "residuals": residuals,
    "tests of terms": term_tests,
    "shares of variance": variance_shares,
}


@pytest.fixture(scope="module", params=FITS)
def other(request) -> Fit:
    fit = FITS[request.param](patients())
    assert fit.kind == request.param
    assert fit.estimates
    return fit


@pytest.mark.parametrize("asked", ASKED)
@pytest.mark.parametrize("stored", [False, True])
def test_a_fit_of_another_kind_says_which_and_what_to_use(other, asked, stored):
    fit = Fit.from_dict(json.loads(json.dumps(other.to_dict()))) if stored else other
    with pytest.raises(UserError) as raised:
        ASKED[asked](fit)
    words = str(raised.value)
    assert "restored" not in words
    assert f"({other.kind}); {INSTEAD[other.kind]}" in words
