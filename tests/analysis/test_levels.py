"""Every analysis that takes a level refuses one that is none, before anything else."""

import inspect

import polars as pl
import pytest

import analysis
from analysis.errors import UserError

ELSEWHERE = {"fit_censored_mixed"}
"""Says so among its other options: tests/analysis/fits/test_censored_mixed.py."""
WITH_LEVEL = sorted(
    name
    for name in analysis.__all__
    if not inspect.isclass(getattr(analysis, name))
    and callable(getattr(analysis, name))
    and "level" in inspect.signature(getattr(analysis, name)).parameters
)


def test_they_are_many():
    assert len(WITH_LEVEL) > 20
    assert set(WITH_LEVEL) > ELSEWHERE


@pytest.mark.parametrize("level", [95, 0, 1, float("nan"), "0.95", None])
@pytest.mark.parametrize("name", sorted(set(WITH_LEVEL) - ELSEWHERE))
def test_a_level_is_between_zero_and_one(name, level):
    function = getattr(analysis, name)
    needed = {
        key: pl.DataFrame() if "DataFrame" in str(parameter.annotation) else None
        for key, parameter in inspect.signature(function).parameters.items()
        if parameter.default is inspect.Parameter.empty
    }
    with pytest.raises(UserError, match=r"must lie between 0 and 1, as 0\.95 does"):
        function(**needed, level=level)
