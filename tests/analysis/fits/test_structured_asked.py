"""What may be asked for, what the data cannot carry, and what a stored fit keeps."""

import json

import numpy as np
import polars as pl
import pytest

from analysis import Fit, bootstrap, fit_mixed
from analysis.errors import UserError


def test_a_restored_fit_answers_from_its_data(single, column):
    fit = fit_mixed(single, "y ~ day + arm", "patient", residual="car1:day")
    stored = Fit.from_dict(json.loads(json.dumps(fit.to_dict())))
    assert stored == fit
    one = fit.contrast({"arm": 1}, {"arm": 0})
    assert one.estimate == pytest.approx(column(fit, "estimate")[2])
    assert one.df == pytest.approx(column(fit, "df")[2])
    again = stored.contrast({"arm": 1}, {"arm": 0}, frame=single)
    assert again.p_value == pytest.approx(one.p_value, rel=1e-6)
    with pytest.raises(UserError, match="restored without its data"):
        bootstrap(stored, 100, 1)
    assert bootstrap(stored, 100, 1, frame=single).n_failed == 0


def test_transform_and_context_reach_the_words(single, column):
    frame = single.with_columns(y=10 ** pl.col("y"))
    fit = fit_mixed(
        frame, "y ~ day", "patient", transform="log10", context="blood transgene", verify=False
    )
    same = fit_mixed(single, "y ~ day", "patient", verify=False)
    assert column(fit, "estimate") == pytest.approx(column(same, "estimate"), rel=1e-9)
    assert fit.formula == "log10(y) ~ day"
    assert fit.sentence.startswith("The model for blood transgene was fitted")
    with pytest.raises(UserError, match="transform 'sqrt' does not exist"):
        fit_mixed(single, "y ~ day", "patient", transform="sqrt")


def test_another_frame_does_not_give_a_stored_structure_again(single):
    fit = fit_mixed(single, "y ~ day + arm", "patient", residual="car1:day")
    stored = Fit.from_dict(json.loads(json.dumps(fit.to_dict())))
    other = single.with_columns(y=pl.col("y") + pl.col("day") ** 2)
    with pytest.raises(UserError, match="does not give the stored fit again"):
        stored.contrast({"arm": 1}, {"arm": 0}, frame=other)


def test_an_outcome_is_transformed_once(single):
    with pytest.raises(UserError, match=r"'log10\(y\)' is transformed already"):
        fit_mixed(single, "log10(y) ~ day", "patient", transform="log10")


def test_what_the_data_cannot_carry(single, lesions):
    tied = fit_mixed(lesions, "y ~ day", "patient", residual="car1:day")
    assert (tied.status, tied.reason) == ("not_estimable", "tied_times")
    twice = fit_mixed(lesions, "y ~ day", "patient", residual="unstructured:day")
    assert (twice.status, twice.reason) == ("not_estimable", "duplicate_visits")
    few = single.filter(
        pl.col("patient").is_in(["P0", "P1", "P2", "P3", "P4"]) & (pl.col("day") < 4)
    )
    sparse = few.with_columns(day=pl.col("day") + pl.Series(np.arange(few.height) // 3))
    rare = fit_mixed(sparse, "y ~ day", "patient", residual="unstructured:day")
    assert (rare.status, rare.reason) == ("not_estimable", "too_few_subjects")
    with pytest.raises(UserError, match="not positive numbers"):
        fit_mixed(single, "y ~ day", "patient", weights="arm")
    with pytest.raises(UserError, match="leave out slopes"):
        fit_mixed(single, "y ~ day", "patient", "1 + day", residual="unstructured:day")
    for found in (tied, twice, rare):
        assert found.estimates == ()
        assert found.advice
