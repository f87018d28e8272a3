"""Radioactive decay: one exponential, and the rule that a value is corrected exactly once."""

from typing import Literal

import numpy as np

from analysis.errors import UserError

DecayState = Literal["none", "scan_start", "tracer_injection", "cell_infusion", "unknown"]
DecayReference = Literal["scan_start", "tracer_injection", "cell_infusion"]


def decay_constant(half_life_h: float) -> float:
    """ln 2 / half-life, per hour. Raises ValueError unless the half-life is positive."""
    if not half_life_h > 0:
        raise ValueError(f"half-life must be positive, not {half_life_h}")
    return float(np.log(2.0) / half_life_h)


def decay_factor(elapsed_h: float, half_life_h: float) -> float:
    """Fraction of the activity left after `elapsed_h`; above 1 for earlier times."""
    return float(np.exp(-decay_constant(half_life_h) * elapsed_h))


def net_injected_activity(
    assayed_mbq: float,
    hours_from_assay_to_injection: float,
    half_life_h: float,
    *,
    residual_mbq: float = 0.0,
    hours_from_injection_to_residual: float = 0.0,
) -> float:
    """Activity in the patient at injection, MBq: syringe before less syringe after.

    The assay before is decayed to the injection, the residual measured after it is taken back.
    Raises ValueError when the residual exceeds what was drawn up.
    """
    drawn = assayed_mbq * decay_factor(hours_from_assay_to_injection, half_life_h)
    left = residual_mbq * decay_factor(-hours_from_injection_to_residual, half_life_h)
    if left > drawn:
        raise ValueError(f"residual {left:.3g} MBq exceeds the {drawn:.3g} MBq drawn up")
    return drawn - left


def correct_once(
    value: float,
    decay_state: DecayState,
    reference: DecayReference,
    half_life_h: float,
    *,
    hours_since_scan_start: float = 0.0,
    hours_since_reference: float = 0.0,
) -> float:
    """An activity corrected to `reference`, each interval applied once.

    value: activity or activity concentration; decay_state: what it is already corrected to;
    hours_since_scan_start: from scan start to the measurement (for state "none");
    hours_since_reference: from the reference time to scan start.
    A value already at the reference is returned unchanged. Raises UserError for "unknown", and
    for a value corrected to a different clock than the one asked for.
    """
    if decay_state == reference:
        return value
    if decay_state == "unknown":
        raise UserError(
            "decay correction: the state of this value is unknown; state in the profile to what "
            "time it was corrected"
        )
    if decay_state in {"tracer_injection", "cell_infusion"}:
        raise UserError(
            f"decay correction: the value is corrected to {decay_state.replace('_', ' ')}, not to "
            f"{reference.replace('_', ' ')}; correct from the measured value"
        )
    to_start = hours_since_scan_start if decay_state == "none" else 0.0
    to_reference = hours_since_reference if reference != "scan_start" else 0.0
    return value / decay_factor(to_start + to_reference, half_life_h)


def frame_average_to_start(average: float, half_life_h: float, duration_s: float) -> float:
    """Value at frame start of a value averaged over a frame of `duration_s`."""
    x = decay_constant(half_life_h) * duration_s / 3600.0
    return float(average * x / -np.expm1(-x))


def percent_injected_activity(
    concentration_bq_ml: float,
    volume_ml: float,
    injected_mbq: float,
    *,
    decay_state: DecayState,
    hours_from_injection_to_scan: float,
    half_life_h: float,
) -> float:
    """Percent of the injected activity in a region, both at the time of injection.

    Without the correction an 89Zr scan at 48 h reads 25.0 % where 38.2 % are there.
    """
    at_injection = correct_once(
        concentration_bq_ml,
        decay_state,
        "tracer_injection",
        half_life_h,
        hours_since_reference=hours_from_injection_to_scan,
    )
    return 100.0 * at_injection * volume_ml / (injected_mbq * 1e6)


def residue_fraction(
    earlier_mbq: float,
    earlier_half_life_h: float,
    hours_between: float,
    later_mbq: float,
) -> float:
    """Activity left of an earlier tracer as a fraction of a later injection, at that injection.

    PET cannot tell positron emitters apart, so this is the size of the signal that is not the
    later tracer's, before both are weighed by positron yield and distribution.
    """
    return earlier_mbq * decay_factor(hours_between, earlier_half_life_h) / later_mbq
