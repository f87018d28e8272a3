"""A value is decay-corrected exactly once, on the clock that is its own."""

import pytest

from analysis.compute.decay import correct_once, percent_injected_activity
from analysis.errors import UserError
from analysis.tracers import NUCLIDES

ZR89 = NUCLIDES["Zr-89"].half_life_h
AT_48_H = 0.654213

TABLE = [
    # state as delivered, reference wanted, value -> expected
    ("scan_start", "tracer_injection", 5000.0, 5000.0 / AT_48_H),
    ("scan_start", "cell_infusion", 5000.0, 5000.0 / AT_48_H),
    ("tracer_injection", "tracer_injection", 5000.0, 5000.0),
    ("cell_infusion", "cell_infusion", 5000.0, 5000.0),
    ("scan_start", "scan_start", 5000.0, 5000.0),
]


@pytest.mark.parametrize(("state", "reference", "value", "expected"), TABLE)
def test_correct_once(state, reference, value, expected):
    found = correct_once(value, state, reference, ZR89, hours_since_reference=48.0)
    assert found == pytest.approx(expected, rel=1e-5)


def test_correcting_twice_changes_nothing():
    once = correct_once(5000.0, "scan_start", "tracer_injection", ZR89, hours_since_reference=48.0)
    twice = correct_once(
        once, "tracer_injection", "tracer_injection", ZR89, hours_since_reference=48.0
    )
    assert twice == once


@pytest.mark.parametrize(
    ("state", "reference", "message"),
    [
        ("unknown", "tracer_injection", "unknown"),
        ("cell_infusion", "tracer_injection", "corrected to cell infusion"),
        ("tracer_injection", "cell_infusion", "corrected to tracer injection"),
        ("tracer_injection", "scan_start", "corrected to tracer injection"),
    ],
)
def test_a_value_of_another_clock_is_refused(state, reference, message):
    with pytest.raises(UserError, match=message):
        correct_once(5000.0, state, reference, ZR89, hours_since_reference=48.0)


def test_89zr_at_48_hours_is_38_percent_not_25():
    forgotten = percent_injected_activity(
        5000.0, 1500.0, 30.0, decay_state="tracer_injection",
        hours_from_injection_to_scan=48.0, half_life_h=ZR89,
    )  # fmt: skip
    right = percent_injected_activity(
        5000.0, 1500.0, 30.0, decay_state="scan_start",
        hours_from_injection_to_scan=48.0, half_life_h=ZR89,
    )  # fmt: skip
    assert forgotten == pytest.approx(25.0)
    assert right == pytest.approx(38.214, abs=5e-4)


def test_raw_counts_are_carried_over_both_intervals():
    found = correct_once(
        100.0, "none", "tracer_injection", ZR89,
        hours_since_scan_start=1.0, hours_since_reference=47.0,
    )  # fmt: skip
    assert found == pytest.approx(100.0 / AT_48_H, rel=1e-5)
