"""One rule for estimates and p-values, literally; sentence, table, forest and text obey it."""

import math

import pytest

from analysis.number_words import number, p_words
from analysis.results import GeometricMeanRatio
from analysis.sentences import ratio_sentence
from dashboard.model.parts import p_cell, ratio
from export.fit_text import ratio_line
from figures.ratio_forest import ForestRow, ratio_text

NAN = math.nan


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (2.6, "2.6"), (1.0, "1.0"), (0.95, "0.95"), (0.954, "0.95"), (0.996, "1.0"), (9.96, "10"),
        (10.04, "10"), (83.4, "83"), (115.2, "115"), (1234.4, "1,230"), (0.0123, "0.012"),
        (11725.0, "11,700"),
        (0.0, "0"), (0.00081, "8.1e-04"), (2.5e7, "2.5e+07"), (-2.31, "-2.3"),
        (math.inf, "\N{INFINITY}"),
    ],
)  # fmt: skip
def test_an_estimate(value: float, text: str) -> None:
    assert number(value) == text


@pytest.mark.parametrize(
    ("p", "text"),
    [(0.00014, "p 0.00014"), (1e-9, "p < 0.0001"), (0.39, "p 0.39"), (0.999, "p 1.0"), (NAN, ""),
     (None, "")],
)  # fmt: skip
def test_p_is_never_rounded_to_zero(p: float | None, text: str) -> None:
    assert p_words(p) == text


def test_every_place_writes_an_estimate_the_same() -> None:
    """The sentence once said 115 where the forest beside it said 120."""
    value, low, high, p = 115.2, 15.94, 1793.0, 0.00013
    shown = GeometricMeanRatio(14.0, "responder", "non-responder", value, low, high, p, 40, 15)
    sentence = ratio_sentence(shown, "blood transgene", "responders", "non-responders")
    assert "115 times higher" in sentence
    assert "95 % CI 16 to 1,790" in sentence
    assert ratio_text(ForestRow("Day 14", "", value, low, high, p)) == "115 (16\N{EN DASH}1,790)"
    assert ratio(value, low, high) == "115 (16\N{EN DASH}1,790)"
    assert "115 (95 % CI 16 to 1,790; p 0.00013" in ratio_line(shown)
    assert p_cell(p) == "0.00013"
