"""Every public function that takes a frame takes one of polars, and says so."""

import inspect

import pandas as pd
import polars as pl
import pytest

import analysis
from analysis.errors import UserError
from analysis.frames import require_frame


def parameters(function) -> list[str]:
    return [
        name
        for name, hint in function.__annotations__.items()
        if name != "return" and "DataFrame" in str(hint)
    ]


PUBLIC = [
    (name, parameter)
    for name in analysis.__all__
    if not inspect.isclass(getattr(analysis, name))
    for parameter in parameters(getattr(analysis, name))
]


def test_the_functions_are_found():
    assert len(PUBLIC) > 35
    assert {("fit_mixed", "frame"), ("fit_joint", "events"), ("kaplan_meier", "frame")} <= set(
        PUBLIC
    )


@pytest.mark.parametrize(("name", "parameter"), PUBLIC)
def test_a_frame_of_pandas_is_refused_in_one_line(name, parameter):
    function = getattr(analysis, name)
    needed = {
        one.name: pl.DataFrame() if one.name in parameters(function) else None
        for one in inspect.signature(function).parameters.values()
        if one.default is one.empty
    }
    with pytest.raises(UserError) as raised:
        function(**{**needed, parameter: pd.DataFrame({"y": [1.0]})})
    assert str(raised.value) == (
        f"{name}, {parameter}: expected a polars.DataFrame, got pandas.DataFrame: convert with "
        f"polars.from_pandas({parameter})"
    )


def test_by_position_too():
    with pytest.raises(UserError, match=r"got pandas.DataFrame: convert with polars.from_pandas"):
        analysis.fit_mixed(pd.DataFrame({"y": [1.0]}), "y ~ 1", "p")


def test_the_contrast_of_a_fit_takes_polars():
    fit = analysis.Fit(kind="linear mixed model", status="ok", reason=None, sentence="")
    with pytest.raises(UserError, match=r"convert with polars.from_pandas"):
        fit.contrast({"day": 1.0}, frame=pd.DataFrame())


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (pl.LazyFrame(), "got polars.LazyFrame: call frame.collect() first"),
        ({"y": [1]}, "got dict: build one with polars.DataFrame(...)"),
        (None, "got NoneType: build one with polars.DataFrame(...)"),
        (pl.Series([1]), "got polars.Series: build one"),
    ],
)
def test_other_kinds(value, words):
    with pytest.raises(UserError) as raised:
        require_frame(value, "here")
    assert words in str(raised.value)
    with pytest.raises(UserError):
        analysis.fit_mixed(value, "y ~ 1", "p")
