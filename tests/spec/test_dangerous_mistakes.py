"""The ten dangerous mistakes of cell-tracking trials: each is refused, or shown to be avoided."""

from datetime import date

import numpy as np
import polars as pl
import pytest

from analysis import ModelSpec, adjust_p_values, fit_cox, fit_specification
from analysis.compute.decay import correct_once
from analysis.compute.time import ady
from analysis.compute.units import conversion, convert
from analysis.derive.response import best_response, response_category, response_rate
from analysis.errors import UserError
from analysis.tracers import TRACERS, check_words

BLOOD = "kinetics:CARTG:qPCR:BLOOD"
LANDMARK = ModelSpec(
    outcome="event:PFS", question="event_by_exposure", exposure=BLOOD, parameter="peak",
    day_high=28, landmark_day=28,
)  # fmt: skip


def test_1_cells_are_not_counted_from_a_direct_label():
    labels = [key for key, tracer in TRACERS.items() if tracer.tracer_class == "direct_label"]
    assert len(labels) >= 15
    for key in labels:
        spec = ModelSpec(outcome=f"uptake:{key}:suv_mean", question="expansion_by_group")
        with pytest.raises(UserError, match="can never show expansion"):
            spec.validate()


def test_2_decay_is_corrected_once():
    once = correct_once(25.0, "scan_start", "cell_infusion", 78.41, hours_since_reference=48.0)
    assert once == pytest.approx(38.21, abs=5e-3)
    again = correct_once(once, "cell_infusion", "cell_infusion", 78.41, hours_since_reference=48.0)
    assert again == once


def test_3_every_tracer_has_the_clock_of_its_class():
    for tracer in TRACERS.values():
        infused = tracer.tracer_class == "direct_label"
        assert (tracer.decay_clock == "cell_infusion") == infused


@pytest.mark.parametrize(("column", "values"), [
    ("tracer_id", ("f18_fhbg", "zr89_oxine_cells")), ("unit", ("g/mL", "kBq/mL")),
    ("metric", ("suv_max", "suv_peak")), ("method", ("41 %", "SUV 4.0")),
    ("assay", ("qPCR", "ddPCR")),
])  # fmt: skip
def test_4_variables_are_not_pooled(column, values):
    frame = pl.DataFrame({
        "usubjid": ["A", "A", "B", "B"], "rel_day": [7.0, 14.0] * 2, "nominal_day": [7.0, 14.0] * 2,
        "value": [1.0, 2.0, 3.0, 4.0], "group": ["responder"] * 2 + ["non-responder"] * 2,
        column: [values[0], values[1]] * 2,
    })  # fmt: skip
    for spec in (ModelSpec(outcome=BLOOD), LANDMARK):
        own = frame.with_columns(event_day=pl.lit(90.0), event=pl.lit(1))
        with pytest.raises(UserError, match=f"mix 2 values of {column}"):
            fit_specification(own, spec)


def test_5_immune_and_tumor_signals_are_not_called_car_t_cells():
    for kind in ("immune_target", "tumor_tracer"):
        assert "CAR-T cells" in check_words("CAR-T cells in the lesion", kind)


def test_6_values_below_the_limit_are_neither_zero_nor_dropped(simulate_values):
    """True geometric mean 10, limit 8: dropping gives 18 or so; the shown rule is never alone."""
    frame = simulate_values
    spec = ModelSpec(outcome=BLOOD, time="visit", random="intercept")
    fit = fit_specification(frame, spec, influence=False)
    assert fit.n_censored > 20
    rules = {row.rule for row in fit.sensitivity}
    assert {"half_lloq", "drop"} <= rules
    dropped = fit_specification(frame, spec.replace(blq="drop"), influence=False)
    level = {f.spec["blq"]: np.mean([p.estimate for p in f.curves]) for f in (fit, dropped)}
    assert level["drop"] > 14
    assert 8 < level["half_lloq"] < 12


@pytest.fixture
def simulate_values() -> pl.DataFrame:
    rng = np.random.default_rng(3)
    rows = []
    for patient in range(24):
        own = rng.normal(0, 0.3)
        for day in (7.0, 14.0, 21.0):
            value = 10 ** (1 + own + rng.normal(0, 0.3))
            below = value < 8
            rows.append({
                "usubjid": f"P{patient:02d}", "rel_day": day, "nominal_day": day,
                "value": None if below else value, "lower": 0.0 if below else None,
                "upper": 8.0 if below else None, "censored": "left" if below else "none",
                "lloq": 8.0, "group": "responder" if patient % 2 else "non-responder",
            })  # fmt: skip
    return pl.DataFrame(rows, infer_schema_length=None)


def test_7_copies_of_dna_are_not_cells():
    assert convert(100.0, "copies/ug", "cells/uL") is None
    assert conversion("CARFLOW", "copies/ug").factor is None


def test_8_the_study_day_without_a_zero_is_for_export_only():
    infusion = date(2026, 3, 10)
    assert ady(date(2026, 4, 7), infusion) == 29  # day 28 after infusion
    assert [ady(date(2026, 3, day), infusion) for day in (9, 10, 11)] == [-1, 1, 2]


def test_9_calls_are_read_as_they_are():
    assert response_category("iUPD") == "NE"
    assert response_category("NE") == "NE"
    calls = pl.DataFrame({
        "usubjid": ["A", "B"], "criterion": ["iRECIST"] * 2, "reader": ["IRC"] * 2,
        "component": ["overall"] * 2, "response": ["iUPD", "NE"], "rel_day": [28.0, 28.0],
    })  # fmt: skip
    best = best_response(calls)
    assert best["responder"].to_list() == [None, None]
    infused, evaluable = response_rate(best, ["A", "B", "C"])
    assert (infused.n, evaluable.n) == (3, 0)


def survivors(seed: int, patients: int = 60) -> pl.DataFrame:
    """Signal and event have nothing to do with each other; samples end with the patient."""
    rng = np.random.default_rng(seed)
    rows = []
    for number in range(patients):
        end = rng.exponential(60.0) + 2
        rows += [
            {"usubjid": f"P{number:02d}", "rel_day": float(day), "event_day": end, "event": 1,
             "value": float(np.exp(rng.normal(0, 1)))}
            for day in range(1, 180, 7) if day < end
        ]  # fmt: skip
    return pl.DataFrame(rows)


def test_10_a_peak_is_no_baseline_covariate():
    """Without any effect the peak 'protects' nearly always; from a landmark it hardly ever does."""
    naive = landmark = 0
    for seed in range(30):
        frame = survivors(seed)
        peaks = frame.group_by("usubjid", maintain_order=True).agg(
            pl.col("value").max().log10().alias("peak"), pl.col("event_day", "event").first()
        )
        naive += fit_cox(peaks, "peak", "event_day", "event").estimates[0].conf_high < 0
        row = fit_specification(frame, LANDMARK).estimates[0]
        landmark += row.conf_high < 0 or row.conf_low > 0
    assert naive >= 25
    assert landmark <= 5
    with pytest.raises(UserError, match="immortal-time bias"):
        fit_cox(peaks, "peak", "event_day", "event", known_on_day={"peak": 28})


def test_10_dozens_of_organs_are_corrected_for():
    rng = np.random.default_rng(1)
    p_values = rng.uniform(size=40).tolist()
    assert min(p_values) < 0.05
    family = adjust_p_values(p_values, "benjamini_hochberg", "organs")
    assert min(family.adjusted) > 0.05
    assert "40" in family.note
