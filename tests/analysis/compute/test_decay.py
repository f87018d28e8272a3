import json

import pytest

from analysis.compute.decay import (
    decay_constant,
    decay_factor,
    frame_average_to_start,
    net_injected_activity,
    residue_fraction,
)
from analysis.tracers import NUCLIDES


def test_factors_of_the_golden_table(shared):
    golden = json.loads((shared / "reference" / "golden_values.json").read_text(encoding="utf-8"))
    for nuclide, factors in golden["decay_factor_after_h"].items():
        for hours, expected in factors.items():
            found = decay_factor(float(hours), NUCLIDES[nuclide].half_life_h)
            assert found == pytest.approx(expected, abs=6e-7), (nuclide, hours)


def test_one_half_life_halves():
    assert decay_factor(78.41, 78.41) == pytest.approx(0.5)
    assert decay_factor(-78.41, 78.41) == pytest.approx(2.0)
    assert decay_constant(78.41) == pytest.approx(0.008840035, rel=1e-6)


@pytest.mark.parametrize("half_life", [0.0, -1.0, float("nan")])
def test_half_life_must_be_positive(half_life):
    with pytest.raises(ValueError, match="half-life"):
        decay_factor(1.0, half_life)


def test_net_activity_takes_the_residual_back_to_injection():
    f18 = 1.8295
    found = net_injected_activity(
        400.0, 0.5, f18, residual_mbq=10.0, hours_from_injection_to_residual=0.5
    )
    assert found == pytest.approx(400.0 * 0.827428 - 10.0 / 0.827428, rel=1e-5)
    assert net_injected_activity(400.0, 0.0, f18) == 400.0


def test_residual_larger_than_the_dose_is_an_error():
    with pytest.raises(ValueError, match="exceeds"):
        net_injected_activity(10.0, 0.0, 1.8295, residual_mbq=11.0)


def test_frame_average_of_f18_over_ten_minutes():
    assert frame_average_to_start(1.0, 1.8295, 600.0) == pytest.approx(1.031905, abs=5e-7)


def test_residue_of_an_antibody_under_a_short_lived_tracer():
    two_days = residue_fraction(37.0, 78.41, 48.0, 185.0)
    two_weeks = residue_fraction(37.0, 78.41, 336.0, 185.0)
    assert two_days == pytest.approx(0.2 * 0.654213, rel=1e-5)
    assert two_weeks == pytest.approx(0.2 * 0.051295, rel=1e-4)
