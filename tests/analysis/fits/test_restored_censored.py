"""Censored fits from JSON answer on their data again."""

import json

import numpy as np
import polars as pl
import pytest

from analysis import (
    Fit,
    ModelSpec,
    bootstrap,
    fit_censored_mixed,
    fit_specification,
    marginal_means,
)
from analysis.errors import UserError


def trial() -> pl.DataFrame:
    rng = np.random.default_rng(4)
    patient, day = np.repeat(np.arange(14), 5), np.tile(np.arange(5.0), 14)
    y = 1 + 0.3 * day + rng.normal(0, 0.7, 14)[patient] + rng.normal(0, 0.5, len(day))
    below = y < 0.9
    bound = pl.Series(np.where(below, np.nan, y)).fill_nan(None)
    return pl.DataFrame(
        {"p": patient, "day": day, "arm": np.where(patient % 2, "b", "a"),
         "y": y, "low": bound, "high": np.where(below, 0.9, y)}
    )  # fmt: skip


@pytest.fixture(scope="module")
def fit() -> Fit:
    return fit_censored_mixed(trial(), "y ~ day * arm", "p", lower="low", upper="high")


def restored(fit: Fit) -> Fit:
    return Fit.from_dict(json.loads(json.dumps(fit.to_dict())))


def test_the_contrast_comes_back_with_the_data(fit):
    at, against = {"arm": "b", "day": 3.0}, {"arm": "a", "day": 3.0}
    again = restored(fit).contrast(at, against, frame=trial())
    first = fit.contrast(at, against)
    for name in ("estimate", "std_error", "df", "p_value"):
        assert getattr(again, name) == pytest.approx(getattr(first, name), rel=1e-8)


def test_marginal_means_of_a_censored_fit(fit):
    at = {"arm": ["a", "b"], "day": [3.0]}
    rows = marginal_means(restored(fit), at, contrast="arm", frame=trial()).rows
    found = fit.contrast({"arm": "b", "day": 3.0}, {"arm": "a", "day": 3.0})
    assert rows[-1].estimate == pytest.approx(found.estimate)
    assert rows[-1].df == pytest.approx(found.df)


def test_without_or_with_other_data_it_says_so(fit):
    with pytest.raises(UserError, match="restored without its data; give them as frame="):
        restored(fit).contrast({"day": 1.0})
    other = trial().with_columns(high=pl.col("high") + 0.2, low=pl.col("low") + 0.2)
    other = other.with_columns(y=pl.col("y") * 2, low=pl.col("low") * 2, high=pl.col("high") * 2)
    with pytest.raises(UserError, match="does not give the stored fit again"):
        restored(fit).contrast({"day": 1.0}, frame=other)


def test_a_question_comes_back_with_its_model_frame(simulate_trial):
    spec = ModelSpec(
        outcome="kinetics:CARTG:qPCR:BLOOD", time="visit", blq="censored", days=(14.0,)
    )
    frame = simulate_trial(4, lloq=60.0)
    fit = fit_specification(frame, spec, influence=False)
    at, against = ({"group": g, "rel_day": 14.0} for g in ("responder", "non-responder"))
    again = restored(fit).contrast(at, against, frame=frame)
    assert 10**again.estimate == pytest.approx(fit.key_ratio.ratio)
    assert again.p_value == pytest.approx(fit.key_ratio.p_value)


def test_what_is_not_there_says_what_is(fit):
    with pytest.raises(UserError, match="whose table, contrasts and marginal means are"):
        bootstrap(fit)
