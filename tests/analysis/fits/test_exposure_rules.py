"""Response and events by exposure with samples below the limit: every rule beside the answer."""

import numpy as np
import polars as pl
import pytest

from analysis import below_limit_table, fit_specification
from tests.analysis.fits.test_exposure_question import EVENT, RESPONSE, samples, trial


def below_limit(frame: pl.DataFrame, limit: float) -> pl.DataFrame:
    """The same samples by an assay that reports nothing below its limit."""
    low = pl.col("value") < limit
    return frame.with_columns(
        lower=pl.when(low).then(0.0), upper=pl.when(low).then(limit),
        censored=pl.when(low).then(pl.lit("left")).otherwise(pl.lit("none")),
        lloq=pl.lit(limit), value=pl.when(low).then(None).otherwise(pl.col("value")),
    )  # fmt: skip


@pytest.mark.parametrize("spec", [RESPONSE, EVENT])
def test_every_rule_for_low_values_stands_beside_the_answer(spec):
    frame = below_limit(trial(), 300.0)
    fits = {
        rule: fit_specification(frame, spec.replace(blq=rule, parameter="last", level=0.9))
        for rule in ("half_lloq", "drop")
    }
    for fit in fits.values():
        assert [row.rule for row in fit.sensitivity] == ["half_lloq", "drop"]
        assert fit.n_censored > 0
        for row in fit.sensitivity:
            own = fits[row.rule].estimates[0 if spec is EVENT else 1]
            numbers = np.exp([own.estimate, own.conf_low, own.conf_high])
            assert (row.ratio, row.conf_low, row.conf_high) == pytest.approx(tuple(numbers))
            assert row.p_value == own.p_value
            assert row.n_observations == fits[row.rule].n_subjects
    ratios = [row.ratio for row in fit.sensitivity]
    assert ratios[0] != pytest.approx(ratios[1], rel=0.01)
    assert fit.check("conclusion_by_rule").value == pytest.approx(max(ratios) / min(ratios))
    assert below_limit_table(frame, spec.replace(parameter="last", level=0.9)) == fit.sensitivity


def test_a_rule_that_turns_the_answer_is_said():
    # Nothing but the values at half the limit goes with response.
    rng = np.random.default_rng(5)
    kept = rng.lognormal(3, 0.4, 24)
    rows = [
        (f"P{n:02d}", day, value, 8.0)
        for n, level in enumerate([*kept, *([None] * 12)])
        for day, value in ((5, level), (15, level))
    ]
    frame = samples(*rows).with_columns(
        group=pl.col("usubjid").str.slice(1).cast(pl.Int64).map_elements(
            lambda n: "responder" if n == 30 or (n % 2 and n < 24) else "non-responder",
            return_dtype=pl.String,
        ),
        response_day=pl.lit(30.0),
    )  # fmt: skip
    fit = fit_specification(frame, RESPONSE)
    half, drop = fit.sensitivity
    assert half.p_value < 0.05 < drop.p_value
    assert (half.n_observations, drop.n_observations) == (36, 24)
    assert (fit.status, fit.reason) == ("warning", "conclusion_by_rule")
    assert "The conclusion depends on the rule for values below the limit" in fit.sentence
    assert "an exposure has no censored likelihood" in fit.sentence


def test_a_rule_that_leaves_too_few_has_no_number():
    frame = below_limit(trial(), 10_000.0).with_columns(
        value=pl.when(pl.col("usubjid") < "P04").then(2e4).otherwise(pl.col("value"))
    )
    frame = frame.with_columns(
        censored=pl.when(pl.col("value").is_null()).then(pl.col("censored")).otherwise(
            pl.lit("none"))
    )  # fmt: skip
    fit = fit_specification(frame, RESPONSE)
    assert [(row.rule, row.status, row.ratio) for row in fit.sensitivity][1] == (
        "drop", "not_estimable", None)  # fmt: skip
    assert fit.check("conclusion_by_rule").status == "note"


def test_no_rule_where_no_value_is_below_the_limit():
    fit = fit_specification(trial(), RESPONSE)
    assert fit.sensitivity == ()
    assert fit.check("conclusion_by_rule").status == "ok"
