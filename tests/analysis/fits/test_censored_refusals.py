"""fit_censored_mixed: what cannot be fitted says why, and what is doubtful is said."""

import json

import numpy as np
import polars as pl
import pytest

from analysis import fit_censored_mixed
from analysis.errors import UserError
from tests.analysis.fits.test_censored_mixed import trial

REFUSED = {
    "all below": (lambda f: f.with_columns(lower=None, upper=0.8), {}, "all_below_limit"),
    "one patient": (lambda f: f.filter(pl.col("p") == "P001"), {}, "too_few_subjects"),
    "one visit each": (
        lambda f: f.filter(pl.col("day") == 2.5), {"formula": "y ~ arm"},
        "one_observation_per_subject",
    ),
    "constant": (
        lambda f: f.with_columns(lower=pl.when(pl.col("lower").is_not_null()).then(2.0),
                                 upper=pl.when(pl.col("lower").is_null()).then("upper").otherwise(2.0)),
        {}, "constant_outcome",
    ),
    "nothing": (lambda f: f.clear(), {}, "no_observations"),
    "an arm below": (
        lambda f: f.with_columns(lower=pl.when(pl.col("arm") == 0).then("lower"),
                                 upper=pl.when(pl.col("arm") == 1).then(3.0).otherwise("upper")),
        {"formula": "y ~ day + arm"}, "only_below_limit",
    ),
    "four dimensions": (
        lambda f: f, {"random": "1 + day + I(day**2) + I(day**3)"}, "random_part_too_large",
    ),
    "two levels within patients": (
        lambda f: f.with_columns(lesion=(pl.col("day") * 2).cast(int) % 2),
        {"nested": ("lesion", "arm")}, "nested_censored",
    ),
    "slopes of lesions": (
        lambda f: f.with_columns(lesion=(pl.col("day") * 2).cast(int) % 2),
        {"nested": "lesion: 1 + day"}, "nested_censored",
    ),
    "four dimensions with lesions": (
        lambda f: f.with_columns(lesion=(pl.col("day") * 2).cast(int) % 2),
        {"nested": "lesion", "random": "1 + day + I(day**2)"}, "random_part_too_large",
    ),
    "one lesion": (lambda f: f.with_columns(lesion=1), {"nested": "lesion"}, "nested_single_level"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_fitted_says_why(case):
    change, options, reason = REFUSED[case]
    options = {"formula": "y ~ day"} | options
    fit = fit_censored_mixed(change(trial()), group="p", **options)
    assert (fit.status, fit.reason) == ("not_estimable", reason)
    assert fit.sentence.startswith("Not estimable: ")
    assert fit.advice
    assert fit.estimates == ()
    json.dumps(fit.to_dict(), allow_nan=False)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"inference": "kenward_roger"}, "does not exist for a censored model"),
        ({"lower": "low"}, "there is no column 'low'"),
        ({"level": 95}, "level must lie between 0 and 1"),
        ({"formula": "z ~ day"}, "z"),
    ],
)
def test_user_errors_are_one_line(options, words):
    options = {"formula": "y ~ day"} | options
    with pytest.raises(UserError) as raised:
        fit_censored_mixed(trial(), group="p", **options)
    assert words in str(raised.value)
    assert "\n" not in str(raised.value)


def test_crossed_limits_are_refused():
    frame = trial().with_columns(lower=3.0, upper=2.0)
    with pytest.raises(UserError, match="lower bound comes first"):
        fit_censored_mixed(frame, "y ~ day", "p")


def test_more_than_half_censored_is_said():
    fit = fit_censored_mixed(trial(limit=1.9), "y ~ day", "p")
    assert fit.status == "warning"
    assert fit.check("limits").value > 0.5


def test_no_variance_between_patients_is_said():
    rng = np.random.default_rng(3)
    y = rng.normal(0, 1, 120)
    noise = pl.DataFrame(
        {"p": np.repeat(np.arange(20), 6), "day": np.tile(np.arange(6.0), 20), "y": y,
        }
    ).with_columns(y=pl.col("y") - pl.col("y").mean().over("p"))  # fmt: skip
    shown = pl.col("y") > -0.5
    noise = noise.with_columns(
        lower=pl.when(shown).then("y"), upper=pl.when(shown).then("y").otherwise(-0.5)
    )
    fit = fit_censored_mixed(noise, "y ~ day", "p")
    assert fit.check("boundary").status == "warning"
    assert fit.variance_components[0].variance < 1e-6
    assert np.isfinite([row.std_error for row in fit.estimates]).all()


@pytest.mark.parametrize(
    ("patients", "limit", "random", "status"),
    [(12, 1.2, "1 + day", "note"), (12, 1.2, "1", "ok"), (12, 0.2, "1 + day", "ok"),
     (24, 1.2, "1 + day", "ok")],
)  # fmt: skip
def test_a_conservative_test_says_so(patients, limit, random, status):
    rng = np.random.default_rng(3)
    patient, day = np.repeat(np.arange(patients), 5), np.tile(np.arange(5.0), patients)
    y = 1 + 0.3 * day + rng.normal(0, 0.8, patients)[patient]
    y += rng.normal(0, 0.3, patients)[patient] * day + rng.normal(0, 0.4, len(day))
    frame = pl.DataFrame(
        {"p": patient, "day": day, "y": y, "lower": np.where(y < limit, -np.inf, y),
         "upper": np.maximum(y, limit)}
    )  # fmt: skip
    check = fit_censored_mixed(frame, "y ~ day", "p", random).check("inference")
    assert check.status == status
    assert ("about 2 % of trials" in check.message) == (status == "note")
