"""The dangerous mistakes as questions of a specification, and which test holds each of the ten.

 1 cells from a direct label: test_dangerous_mistakes 1; derive/test_signal (window of the label)
 2 decay corrected twice or never: test_dangerous_mistakes 2; test_decay_once
 3 one clock for all tracers: test_dangerous_mistakes 3; derive/test_flags (its own clock)
 4 variables pooled: test_dangerous_mistakes 4; test_specs and test_covariance_rules (mixed tracers,
   thresholds, units, readers, scanners); here from the database's rows
 5 immune or tumor signal called CAR-T cells: test_dangerous_mistakes 5; here for every tracer
 6 below the limit: test_dangerous_mistakes 6; test_below_limit
 7 copies of DNA read as cells: test_dangerous_mistakes 7; here as one outcome
 8 study days: test_dangerous_mistakes 8; test_day_arithmetic
 9 response logic: test_dangerous_mistakes 9; derive/test_response
10 immortal time: test_dangerous_mistakes 10, here for the joint question; lesions as patients:
   fits/test_specification, here for every question of an outcome; multiplicity: the former
"""

import numpy as np
import polars as pl
import pytest

from analysis import ModelSpec, fit_cox, fit_specification
from analysis.derive.signal import Signal, signal_series
from analysis.errors import UserError
from analysis.tracers import TRACERS

BLOOD = "kinetics:CARTG:qPCR:BLOOD"


@pytest.mark.parametrize("kind", ["immune_target", "tumor_tracer", "target_antigen"])
def test_5_no_tracer_of_other_cells_may_be_asked_about_expansion(kind):
    keys = [key for key, tracer in TRACERS.items() if tracer.tracer_class == kind]
    assert keys
    for key in keys:
        spec = ModelSpec(outcome=f"uptake:{key}:suv_mean:lesion", question="expansion_by_group")
        with pytest.raises(UserError, match="reporter gene or blood transgene"):
            spec.validate()


def test_7_copies_and_cells_are_not_one_outcome():
    kinetics = pl.DataFrame({
        "usubjid": ["A", "A"], "analyte": ["CARTG"] * 2, "assay": ["qPCR"] * 2,
        "matrix": ["BLOOD"] * 2, "rel_day": [7.0, 14.0], "nominal_day": [7.0, 14.0],
        "value": [1000.0, 20.0], "unit": ["copies/ug", "cells/uL"],
    })  # fmt: skip
    series = signal_series(Signal.parse(BLOOD), kinetics=kinetics)
    assert series.select("value", "unit").rows() == [(1000.0, "copies/ug")]
    other = signal_series(Signal.parse(f"{BLOOD}@unit=cells/uL"), kinetics=kinetics)
    assert other.select("value", "unit").rows() == [(20.0, "cells/uL")]
    with pytest.raises(UserError, match="never pooled"):
        ModelSpec(outcome=f"{BLOOD}@unit=copies/ug,cells/uL").validate()


@pytest.mark.parametrize(("question", "outcome", "more"), [
    ("response_by_exposure", "response:responder", {"parameter": "peak", "landmark_day": 28}),
    ("event_by_exposure", "event:PFS", {"parameter": "peak", "landmark_day": 28}),
    ("joint", "event:PFS", {}), ("joint_binary", "response:responder", {"landmark_day": 28}),
])  # fmt: skip
@pytest.mark.parametrize("unit", ["lesion", "organ"])
def test_10_regions_are_no_patients_in_any_question_of_an_outcome(question, outcome, more, unit):
    spec = ModelSpec(
        outcome=outcome, question=question, exposure=f"uptake:f18_fhbg:suv_mean:{unit}", unit=unit,
        day_low=0, day_high=28, **more,
    )  # fmt: skip
    with pytest.raises(UserError, match=f"{unit}s must not count as patients"):
        spec.validate()


def unrelated(seed: int, patients: int = 60) -> pl.DataFrame:
    """A rising signal that has nothing to do with the event; samples end with the patient, so that
    who lives longer has the higher peak."""
    rng, rows = np.random.default_rng(seed), []
    for number in range(patients):
        end, level = rng.exponential(60.0) + 8, rng.normal(0, 0.4)
        rows += [
            {"usubjid": f"P{number:02d}", "rel_day": float(day), "event_day": end, "event": 1,
             "value": 10.0 ** (level + 0.6 * np.log1p(day) + rng.normal(0, 0.2))}
            for day in range(1, 180, 7) if day < end
        ]  # fmt: skip
    return pl.DataFrame(rows)


def test_10_a_joint_question_has_no_immortal_time():
    """Without any effect the peak 'protects' nearly always; the true course hardly ever."""
    spec = ModelSpec(
        outcome="event:PFS", question="joint", exposure=BLOOD, day_low=0, random="intercept"
    )
    naive = joint = 0
    for seed in range(20):
        frame = unrelated(seed)
        peaks = frame.group_by("usubjid", maintain_order=True).agg(
            pl.col("value").max().log10().alias("peak"), pl.col("event_day", "event").first()
        )
        naive += fit_cox(peaks, "peak", "event_day", "event").estimates[0].conf_high < 0
        fit = fit_specification(frame, spec)
        row = next(item for item in fit.estimates if item.part == "association")
        joint += row.conf_low > 0 or row.conf_high < 0
    assert naive >= 18
    assert joint <= 4
