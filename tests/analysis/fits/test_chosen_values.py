"""Chosen days of a specification, for every answer that takes values."""

import numpy as np
import pytest

from analysis import (
    Fit,
    ModelSpec,
    fit_specification,
    marginal_means,
    patient_influence,
    predict_patients,
    variance_shares,
)
from analysis.errors import UserError

SPEC = ModelSpec(outcome="kinetics:CARTG:qPCR:BLOOD")


@pytest.fixture(scope="module")
def spline(simulate_trial) -> Fit:
    return fit_specification(simulate_trial(1), SPEC.replace(days=(7.0,)), influence=False)


@pytest.fixture(scope="module")
def visits(simulate_trial) -> Fit:
    return fit_specification(
        simulate_trial(1), SPEC.replace(time="visit", days=(7.0,)), influence=False
    )


@pytest.mark.parametrize("kind", ["spline", "visits"])
def test_the_ratio_of_a_day_is_the_contrast_on_that_day(kind, request):
    fit = request.getfixturevalue(kind)
    at, against = ({"group": group, "rel_day": 7.0} for group in ("responder", "non-responder"))
    found = fit.contrast(at, against)
    ratio = fit.key_ratio
    assert 10**found.estimate == pytest.approx(ratio.ratio)
    assert 10**found.conf_low == pytest.approx(ratio.conf_low)
    rows = marginal_means(
        fit, {"group": ["non-responder", "responder"], "rel_day": [7.0]}, contrast="group"
    ).rows
    assert rows[-1].estimate == pytest.approx(found.estimate)
    assert rows[-1].p_value == pytest.approx(ratio.p_value)
    assert "rel_day = 7.0" in rows[0].term


def test_predictions_shares_and_influence_take_days(spline):
    row = predict_patients(spline, [{"rel_day": 14.0}], ["P00"]).predictions[0]
    assert row.at == "rel_day = 14.0"
    observed = spline.design.design.frame.filter(
        spline.design.design.frame["usubjid"] == "P00"
    ).sort("day")
    near = float(np.interp(14.0, observed["day"], observed["y"]))
    assert row.estimate == pytest.approx(near, abs=0.5)
    early, late = variance_shares(spline, [{"rel_day": 3.0}, {"rel_day": 14.0}]).icc_at
    assert early.icc != late.icc
    assert late.icc == pytest.approx(
        spline.design.between_share(
            spline.design.design.random_rows(
                observed.head(1).with_columns(time=np.log1p(14.0)).select("time")
            )[0]
        )
    )
    points = patient_influence(spline, {"group": "responder", "rel_day": 7.0}).patients
    assert all(point.contrast is not None for point in points)


@pytest.mark.parametrize(
    ("kind", "at", "said"),
    [
        ("visits", {"rel_day": 8.0}, "day 8 is no planned visit of the fit; it has 1, 3, 7"),
        ("spline", {"rel_day": -2.0}, "day -2 lies before the infusion"),
    ],
)
def test_days_that_cannot_be_chosen(kind, at, said, request):
    with pytest.raises(UserError, match=said):
        request.getfixturevalue(kind).contrast(at)


@pytest.mark.parametrize("kind", ["spline", "visits"])
@pytest.mark.parametrize("day", [float("nan"), "x", None])
def test_a_day_must_be_a_number(kind, day, request):
    with pytest.raises(UserError, match="'rel_day' must be a finite number"):
        request.getfixturevalue(kind).contrast({"rel_day": day})


def test_a_day_beyond_the_course_is_a_warning(spline):
    last = spline.design.design.frame["day"].max()
    inside = spline.contrast({"group": "responder", "rel_day": 14.0})
    beyond = spline.contrast({"group": "responder", "rel_day": last + 100})
    assert (inside.status, beyond.status) == ("ok", "warning")
    assert "rel_day" in beyond.caution
