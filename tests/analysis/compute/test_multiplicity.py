"""Adjusted p-values: R's p.adjust on a family by hand, and the laws every method keeps."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis import adjust_p_values
from analysis.compute.multiplicity import METHODS, AdjustedFamily
from analysis.errors import UserError

P_VALUES = (0.01, 0.04, 0.03, 0.005, 0.5)
# p.adjust(p, method = "holm" | "BH" | "BY"), R 4.2.2
EXPECTED = {
    "holm": (0.04, 0.09, 0.09, 0.025, 0.5),
    "benjamini_hochberg": (0.025, 0.05, 0.05, 0.025, 0.5),
    "benjamini_yekutieli": (0.0570833333, 0.1141666667, 0.1141666667, 0.0570833333, 1.0),
}


@pytest.mark.parametrize("method", METHODS)
def test_equals_r(method):
    found = adjust_p_values(P_VALUES, method, "organs")
    assert found.adjusted == pytest.approx(EXPECTED[method])
    assert found.n_tests == 5
    assert found.note.startswith("organs: 5 tests, adjusted by ")


def test_missing_tests_are_no_tests():
    found = adjust_p_values([0.02, None, float("nan"), 0.04])
    assert found.n_tests == 2
    assert found.adjusted == (0.04, None, None, 0.04)
    assert AdjustedFamily.from_dict(json.loads(json.dumps(found.to_dict()))) == found


@given(st.lists(st.floats(0, 1), max_size=30), st.sampled_from(sorted(METHODS)))
def test_never_smaller_and_in_the_same_order(values, method):
    adjusted = np.array(adjust_p_values(values, method).adjusted, dtype=float)
    given_values = np.array(values)
    assert np.all(adjusted >= given_values - 1e-15)
    assert np.all(adjusted <= 1)
    assert np.all(np.diff(adjusted[np.argsort(given_values, kind="stable")]) >= -1e-15)


@pytest.mark.parametrize(
    ("values", "method", "said"),
    [([0.1], "bonferroni", "no method 'bonferroni'"), ([0.1, 1.2], "holm", "1.2 is no p-value")],
)
def test_refusals(values, method, said):
    with pytest.raises(UserError, match=said):
        adjust_p_values(values, method)
