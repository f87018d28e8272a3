"""No parameter is missing without its reason, and what is no concentration is refused."""

import math

import numpy as np
import pytest

from analysis.compute import nca
from analysis.errors import UserError
from analysis.fits.kinetics.individual import fit_kinetics

CURVES = {
    "nothing above the limit": ([1, 7, 14], [0, 0, 0]),
    "before infusion only": ([-3, -1], [5, 6]),
    "one value": ([7], [100]),
    "rise only": ([1, 4, 7, 10], [1, 10, 100, 1000]),
    "fall only": ([1, 4, 7, 10, 28], [1000, 300, 100, 30, 2]),
    "flat end": ([1, 4, 7, 14, 21, 28], [1, 50, 1000, 80, 90, 100]),
    "peak before the first day": ([0.1, 0.5], [10, 5]),
    "whole": ([0, 1, 4, 7, 10, 14, 21, 28], [0, 2, 20, 200, 1500, 700, 150, 30]),
}
PARAMETERS = (
    "cmax", "tmax", "auc_last", "auc_end", "auc_infinity", "percent_extrapolated", "growth_rate",
    "doubling_time", "fold", "clast", "tlast",
)  # fmt: skip


@pytest.mark.parametrize("name", CURVES)
def test_a_parameter_without_value_has_a_reason(name):
    found = nca(*CURVES[name])
    missing = {name for name in PARAMETERS if math.isnan(getattr(found, name))}
    assert missing <= found.reasons.keys()
    for slope in ("contraction", "terminal"):
        value = getattr(found, slope)
        assert (value is not None and value.rate > 0) or slope in found.reasons
    if name == "whole":
        assert not missing


def test_random_curves_as_well():
    draw = np.random.default_rng(2)
    for _ in range(300):
        n = int(draw.integers(1, 10))
        time = np.sort(draw.choice(np.arange(-2, 60), n, replace=False))
        value = np.where(draw.random(n) < 0.3, np.nan, np.exp(draw.normal(3, 3, n)))
        found = nca(time, value)
        for name in PARAMETERS:
            assert not math.isnan(getattr(found, name)) or found.reasons[name]


@pytest.mark.parametrize(
    ("value", "words"),
    [([1, -2, 3], "1 values are negative"), (["1", "<LLOQ", "3"], "value holds something that")],
)
def test_what_is_no_concentration_is_refused(value, words):
    with pytest.raises(UserError, match=words):
        nca([1, 2, 3], value)
    with pytest.raises(UserError, match=r"zero or negative|value holds something that"):
        fit_kinetics([1, 2, 3], value)


def test_one_sample_has_no_area() -> None:
    """A marrow sample on day 26 was carried back to zero at infusion and on to day 28."""
    found = nca([26.0], [39.6])
    assert np.isnan(found.auc_end)
    assert found.reasons["auc_end"] == "one sample after infusion; an area needs two"
