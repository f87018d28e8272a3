"""The table of rules for values below the limit, end to end, against fits made by hand."""

import json

import numpy as np
import polars as pl
import pytest

from analysis import Fit, ModelSpec, fit_censored_mixed, fit_mixed, fit_specification

LIMIT = 60.0
SPEC = ModelSpec(
    outcome="kinetics:CARTG:qPCR:BLOOD", blq="censored", time="none", random="intercept"
)


def by_hand(frame: pl.DataFrame, formula: str, robust: str = "") -> dict[str, Fit]:
    """log10 by hand: the interval, half the limit, and no row at all."""
    own = frame.with_columns(
        y=pl.col("value").log10(),
        low=pl.when(pl.col("censored") == "none").then(pl.col("value").log10()),
        high=pl.when(pl.col("censored") == "none")
        .then(pl.col("value").log10())
        .otherwise(np.log10(LIMIT)),
        responds=(pl.col("group") == "responder").cast(float),
    )
    half = own.with_columns(pl.col("y").fill_null(np.log10(LIMIT / 2)))
    kept = own.filter(pl.col("censored") == "none")
    inference = {"inference": robust} if robust else {}
    censored = fit_censored_mixed(own, formula, "usubjid", lower="low", upper="high", **inference)
    return {
        "censored": censored,
        "half_lloq": fit_mixed(half, formula, "usubjid", **inference),
        "drop": fit_mixed(kept, formula, "usubjid", **inference),
    }


@pytest.mark.parametrize("rule", ["censored", "half_lloq", "drop"])
def test_each_row_is_the_fit_made_by_hand(simulate_trial, rule):
    frame = simulate_trial(4, log_ratio=0.5, lloq=LIMIT)
    fit = fit_specification(frame, SPEC.replace(blq=rule), influence=False)
    assert [row.rule for row in fit.sensitivity] == ["censored", "half_lloq", "drop"]
    direct = by_hand(frame, "y ~ responds")
    for row in fit.sensitivity:
        own = direct[row.rule].estimates[1]
        assert row.ratio == pytest.approx(10**own.estimate, rel=1e-5)
        assert row.conf_low == pytest.approx(10**own.conf_low, rel=1e-4)
        assert row.conf_high == pytest.approx(10**own.conf_high, rel=1e-4)
        assert row.p_value == pytest.approx(own.p_value, rel=1e-3)
        assert row.n_observations == direct[row.rule].n_observations
        assert row.status == "ok"
    asked = next(row for row in fit.sensitivity if row.rule == rule)
    assert asked.ratio == fit.key_ratio.ratio
    again = Fit.from_dict(json.loads(json.dumps(fit.to_dict(), allow_nan=False)))
    assert again.sensitivity == fit.sensitivity


def test_with_visits_too(simulate_trial):
    """Planned visits take the robust variances under every rule."""
    frame = simulate_trial(4, log_ratio=0.5, lloq=LIMIT)
    spec = SPEC.replace(time="visit", days=(14.0,))
    fit = fit_specification(frame, spec, influence=False)
    direct = by_hand(frame, "y ~ C(nominal_day) * responds", "robust")
    for row in fit.sensitivity:
        at, against = ({"nominal_day": 14.0, "responds": value} for value in (1.0, 0.0))
        own = direct[row.rule].contrast(at, against)
        assert row.day == 14.0
        assert row.ratio == pytest.approx(10**own.estimate, rel=1e-5)
        assert row.p_value == pytest.approx(own.p_value, rel=1e-3)


def test_the_rules_differ_as_they_must(simulate_trial):
    """Left out, the low values are missing from the mean; at half the limit they are too high."""
    means = {
        rule: fit.estimates[0].estimate
        for rule, fit in by_hand(simulate_trial(4, lloq=LIMIT), "y ~ 1").items()
    }
    assert means["censored"] < means["half_lloq"] < means["drop"]
