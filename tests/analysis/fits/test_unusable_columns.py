"""Text, nan and infinite values where days, exposures or counts are expected."""

import math

import polars as pl
import pytest

from analysis import compare_rates, find_cutpoint, interval_survival, response_by_exposure
from analysis.errors import UserError


def test_days_of_an_interval():
    frame = pl.DataFrame({"low": [0.0, 2, 3, 5], "high": [4.0, 6, None, 8]})
    plain = interval_survival(frame, "low", "high")
    missing = pl.DataFrame({"low": [None, math.nan], "high": [1.0, 2.0]})
    found = interval_survival(pl.concat([frame, missing]), "low", "high")
    assert found.mass == plain.mass
    assert found.log_likelihood == plain.log_likelihood
    assert [(one.reason, one.n) for one in found.excluded] == [("no value of low", 2)]
    open_end = frame.with_columns(high=pl.col("high").fill_null(math.nan))
    assert interval_survival(open_end, "low", "high").mass == plain.mass
    with pytest.raises(UserError, match="must be a number of days"):
        interval_survival(frame.with_columns(low=pl.lit("early")), "low", "high")
    endless = frame.with_columns(low=pl.lit(math.inf), high=pl.lit(None, pl.Float64))
    with pytest.raises(UserError, match="4 values of low are not finite"):
        interval_survival(endless, "low", "high")


@pytest.mark.parametrize("function", [find_cutpoint, response_by_exposure])
def test_exposures(function):
    frame = pl.DataFrame({"x": [float(i) for i in range(20)], "y": [0, 1] * 10})
    with pytest.raises(UserError, match="'x' must be a number"):
        function(frame.with_columns(x=pl.lit("high")), "y", "x")
    with pytest.raises(UserError, match="20 values of x are not finite"):
        function(frame.with_columns(x=pl.lit(math.inf)), "y", "x")


def test_counts():
    with pytest.raises(UserError, match=r"1\.5 of 3 in group is no rate"):
        compare_rates((1.5, 3), (1, 2))
