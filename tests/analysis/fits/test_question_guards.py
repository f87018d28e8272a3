"""What a question cannot be answered from is told with advice that helps."""

import polars as pl

from analysis.fits.specification import fit_specification
from analysis.specs import ModelSpec


def test_a_study_without_a_response_is_not_told_to_widen_its_filters() -> None:
    rows = [(f"P{i}", day, 50.0 + i, None) for i in range(24) for day in (0.0, 35.0, 70.0)]
    names = {"usubjid": pl.String, "rel_day": pl.Float64, "value": pl.Float64, "group": pl.String}
    frame = pl.DataFrame(rows, schema=names, orient="row")
    spec = ModelSpec(outcome="burden:SUMDIAM", time="spline", question="signal_by_group")
    fit = fit_specification(frame, spec)
    assert (fit.status, fit.reason) == ("not_estimable", "no_observations")
    assert "72 with no known group (responder)" in fit.sentence
    assert fit.advice == (
        "Load what the groups are made of, as response assessments are, or compare other groups; "
        "wider filters do not help."
    )
