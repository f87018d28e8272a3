import json

import numpy as np
import pytest

from analysis.compute.stein import TYPICAL, SteinParameters, stein_area, stein_curve


def test_typical_curve(shared):
    golden = json.loads((shared / "reference" / "golden_values.json").read_text(encoding="utf-8"))
    typical = golden["stein2019_typical"]
    days = [float(day) for day in typical["conc"]]
    np.testing.assert_allclose(stein_curve(days), list(typical["conc"].values()), atol=6e-4)
    assert pytest.approx(typical["doubling_d"], abs=5e-5) == TYPICAL.doubling_time_day
    assert pytest.approx(typical["rho_per_d"], abs=5e-6) == TYPICAL.growth_per_day


def test_published_derived_values():
    assert TYPICAL.doubling_time_day == pytest.approx(0.78, abs=5e-3)
    assert np.log(2) / TYPICAL.contraction_per_day == pytest.approx(4.3, abs=0.05)
    assert np.log(2) / TYPICAL.memory_per_day == pytest.approx(217, abs=1)


@pytest.mark.parametrize("until", [2.0, 9.3, 28.0, 365.0])
@pytest.mark.parametrize("lag", [0.0, 3.27])
def test_area_equals_quadrature(until, lag):
    parameters = SteinParameters(3900.0, 9.3, 24_000.0, 0.16, 0.0079, 0.0032, lag)
    days = np.linspace(0, until, 400_001)
    expected = np.trapezoid(stein_curve(days, parameters), days)
    assert stein_area(until, parameters) == pytest.approx(expected, rel=1e-6)


def test_nothing_before_infusion_and_continuous_at_the_peak():
    assert stein_curve([-1.0])[0] == 0.0
    left, right = stein_curve([9.3 - 1e-9, 9.3 + 1e-9])
    assert left == pytest.approx(right, rel=1e-6)
