"""Plain numeric terms give formulaic's own matrices, names and new rows."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from formulaic import Formula

from analysis.fits.formulas import build_matrices, matrix_at
from analysis.fits.plain_terms import PlainTerms


def frame(rows: int = 12) -> pl.DataFrame:
    rng = np.random.default_rng(1)
    return pl.DataFrame(
        {
            "y": rng.normal(size=rows),
            "day": rng.uniform(0, 9, rows),
            "dose": np.arange(rows) % 3,
            "arm": ["a", "b"] * (rows // 2),
            "flag": [True, False] * (rows // 2),
        }
    )


def as_pandas(data: pl.DataFrame) -> pd.DataFrame:
    return pd.DataFrame({name: data[name].to_list() for name in data.columns}).astype(
        {"dose": float}
    )


@pytest.mark.parametrize(
    "formula",
    ["y ~ 1", "y ~ day", "y ~ day * dose", "y ~ 0 + day + dose", "y ~ dose:day + dose - 1"],
)
def test_equal_to_formulaic(formula):
    data = frame()
    built = build_matrices(data, formula, "1 + day")
    theirs = Formula(formula).rhs.get_model_matrix(as_pandas(data))
    assert isinstance(built.x_encoder, PlainTerms)
    assert list(built.x_names) == list(theirs.model_spec.column_names)
    np.testing.assert_array_equal(built.x, np.asarray(theirs, dtype=float))
    assert built.z_names == ("(Intercept)", "day")
    named = [name for name, _, _ in built.x_terms]
    assert named == [str(term) for term in theirs.model_spec.term_slices]
    np.testing.assert_array_equal(built.y, data["y"].to_numpy())


def test_new_rows_have_the_same_columns():
    built = build_matrices(frame(), "y ~ day * dose", "1")
    new = pl.DataFrame({"day": [2.0, 4.0], "dose": [1, 3]})
    expected = [[1, 2, 1, 2], [1, 4, 3, 12]]
    np.testing.assert_array_equal(matrix_at(built.x_encoder, new), expected)


@pytest.mark.parametrize(
    "formula",
    ["y ~ arm", "y ~ day + flag", "y ~ log(day)", "y ~ 2:day", "log10(day) ~ dose", "y ~ C(dose)"],
)
def test_everything_else_is_left_to_formulaic(formula):
    built = build_matrices(frame(), formula, "1")
    assert not isinstance(built.x_encoder, PlainTerms)
