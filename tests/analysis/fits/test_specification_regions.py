"""fit_specification over lesions and organs: they are no independent patients."""

import numpy as np
import polars as pl
import pytest

from analysis import ModelSpec, fit_specification
from tests.analysis.fits.test_specification import SPEC, VISITS


def lesion_trial(seed: int) -> pl.DataFrame:
    """No difference between groups; lesions of one scan share what the patient does that day."""
    rng = np.random.default_rng(seed)
    days = (7.0, 14.0, 28.0, 60.0)
    rows = []
    for patient in range(24):
        level, course = rng.normal(0, 0.4), rng.normal(0, 0.3, len(days))
        for lesion in range(5):
            own = rng.normal(0, 0.3)
            rows += [
                {
                    "usubjid": f"P{patient:02d}",
                    "region_code": f"L{lesion}",
                    "rel_day": day,
                    "nominal_day": day,
                    "value": 10 ** (level + own + shared + rng.normal(0, 0.15)),
                    "group": "responder" if patient % 2 else "non-responder",
                }
                for day, shared in zip(days, course, strict=True)
            ]
    return pl.DataFrame(rows)


@pytest.mark.slow
def test_lesions_are_no_independent_patients():
    """Without the patient's visit in the random part 65 of 100 null trials are 'significant'."""
    spec = ModelSpec(
        outcome="uptake:f18_fhbg:suv_mean:lesion", unit="lesion", time="visit", random="intercept"
    )
    fits = [fit_specification(lesion_trial(seed), spec, influence=False) for seed in range(40)]
    assert {fit.nested for fit in fits} == {("region_code", "visit")}
    assert sum(fit.interaction.p_value < 0.05 for fit in fits) <= 6
    assert sum(fit.key_ratio.p_value < 0.05 for fit in fits) <= 6


def test_organs_are_fixed_by_time_and_nested(simulate_trial):
    frame = pl.concat(
        [
            simulate_trial(20 + index, log_ratio=0.4).with_columns(
                region_code=pl.lit(organ), value=pl.col("value") * 10**index
            )
            for index, organ in enumerate(("LIVER", "SPLEEN", "MARROW"))
        ]
    )
    spec = VISITS.replace(outcome="uptake:f18_fhbg:suv_mean:organ", unit="organ")
    fit = fit_specification(frame, spec.replace(question="signal_by_group"), influence=False)
    terms = [estimate.term for estimate in fit.estimates]
    assert "region_code[T.SPLEEN]" in terms
    assert "visit[T.14]:region_code[T.SPLEEN]" in terms
    assert fit.nested == ("region_code", "visit")
    curve = {(point.group, point.day): point.estimate for point in fit.curves}
    ratio = fit.key_ratio
    expected = curve["responder", ratio.day] / curve["non-responder", ratio.day]
    assert ratio.ratio == pytest.approx(expected, rel=1e-9)


def test_a_spline_over_lesions_has_the_patients_curve_and_nested_lesions(simulate_trial):
    frame = pl.concat(
        [simulate_trial(30, log_ratio=0.4).with_columns(region_code=pl.lit(name))
         .with_columns(value=pl.col("value") * factor * (1 + 0.1 * pl.col("rel_day").sin()))
         for name, factor in (("L1", 1.0), ("L2", 2.0))]
    )  # fmt: skip
    spec = SPEC.replace(
        outcome="uptake:f18_fhbg:suv_mean:lesion", unit="lesion", question="signal_by_group"
    )
    fit = fit_specification(frame, spec, influence=False)
    assert fit.nested == ("region_code",)
    assert fit.random.startswith("1 + cr(time, df=3")
    assert fit.variance_components[0].group == "usubjid:region_code"
