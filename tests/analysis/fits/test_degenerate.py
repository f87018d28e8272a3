"""Data that cannot say: a status, a reason and a sentence, never an exception, never a number."""

import json
import math

import numpy as np
import polars as pl
import pytest

from analysis import Fit, ModelSpec, fit_mixed, fit_specification


def trial(
    patients: int = 12, days: tuple[float, ...] = (7, 14, 21, 28), seed: int = 1, regions: int = 1
) -> pl.DataFrame:
    """A plain trial in the columns of the model frame; half the patients respond."""
    rng = np.random.default_rng(seed)
    rows = []
    for patient in range(patients):
        level = rng.normal(0, 0.5)
        for region in range(regions):
            own = rng.normal(0, 0.3)
            for day in days:
                value = 10 ** (2 + 0.5 * (patient % 2) + level + own + rng.normal(0, 0.2))
                rows.append(
                    {
                        "usubjid": f"P{patient:02d}",
                        "region_code": f"L{region}",
                        "rel_day": float(day),
                        "nominal_day": float(day),
                        "value": value,
                        "lower": None,
                        "upper": None,
                        "censored": "none",
                        "lloq": 1.0,
                        "group": "responder" if patient % 2 else "non-responder",
                    }
                )
    schema = {
        "usubjid": pl.String,
        "region_code": pl.String,
        "rel_day": pl.Float64,
        "nominal_day": pl.Float64,
        "value": pl.Float64,
        "lower": pl.Float64,
        "upper": pl.Float64,
        "censored": pl.String,
        "lloq": pl.Float64,
        "group": pl.String,
    }
    return pl.DataFrame(rows, schema=schema)


SPEC = ModelSpec(outcome="kinetics:CARTG:qPCR:BLOOD", time="visit", random="intercept")
BLQ = {"value": None, "lower": 0.0, "upper": 1.0, "censored": "left"}


def with_columns(frame: pl.DataFrame, **columns: object) -> pl.DataFrame:
    return frame.with_columns(
        [
            (value if isinstance(value, pl.Expr) else pl.lit(value, frame.schema[name])).alias(name)
            for name, value in columns.items()
        ]
    )


def y(value: pl.Expr) -> pl.DataFrame:
    """The plain trial with a numeric outcome column y for fit_mixed."""
    return trial().with_columns(y=value, x=pl.col("rel_day") / 7)


PLAIN = pl.col("value").log10()

SPECIFIED: dict[str, tuple[pl.DataFrame, ModelSpec, str]] = {
    "no subject": (trial(0), SPEC, "no_observations"),
    "one subject": (trial(1), SPEC, "one_group"),
    "two subjects": (trial(2), SPEC, "too_few_subjects"),
    "three subjects": (trial(3), SPEC, "too_few_subjects"),
    "four subjects": (trial(4), SPEC, "too_few_subjects"),
    "one visit each": (trial(12, (14,)), SPEC, "one_observation_per_subject"),
    "constant outcome": (with_columns(trial(), value=100.0), SPEC, "constant_outcome"),
    "all BLQ, half the limit": (with_columns(trial(), **BLQ), SPEC, "all_below_limit"),
    "all BLQ, dropped": (with_columns(trial(), **BLQ), SPEC.replace(blq="drop"),
                         "all_below_limit"),
    "all zero": (with_columns(trial(), value=0.0), SPEC, "all_below_limit"),
    "all zero, no limit known": (with_columns(trial(), value=0.0, lloq=None), SPEC,
                                 "no_observations"),
    "one arm": (with_columns(trial(), group="responder"), SPEC, "one_group"),
    "no group known": (with_columns(trial(), group=None), SPEC, "no_observations"),
    "no value": (with_columns(trial(), value=None), SPEC, "no_observations"),
    "all nan": (with_columns(trial(), value=math.nan), SPEC, "no_observations"),
    "two days for a spline": (trial(12, (7, 14)), SPEC.replace(time="spline", random="matching"),
                              "too_few_days"),
    "empty window": (trial(), SPEC.replace(day_low=100.0), "no_observations"),
    "groups never at the same visit": (
        trial().filter((pl.col("group") == "responder") == (pl.col("rel_day") > 14)), SPEC,
        "empty_cell"),
    "adjuster copies the group": (
        trial().with_columns(age_year=(pl.col("group") == "responder").cast(pl.Float64)),
        SPEC.replace(adjusters=("age_year",)), "collinear"),
}  # fmt: skip

BARE: dict[str, tuple[pl.DataFrame, dict, str]] = {
    "infinite outcome": (y(pl.when(pl.col("rel_day") == 7).then(0.0).otherwise(PLAIN)),
                         {"formula": "log10(y) ~ x"}, "infinite_values"),
    "infinite predictor": (y(PLAIN).with_columns(x=pl.lit(math.inf)), {}, "infinite_values"),
    "outcome is a term": (y(pl.col("rel_day") * 2.0), {}, "perfect_fit"),
    "constant term": (y(PLAIN).with_columns(x=pl.lit(3.0)), {}, "collinear"),
    "values beyond all scales": (y(PLAIN * 1e300), {}, "extreme_scale"),
    "spline with a second intercept": (y(PLAIN), {"formula": "y ~ cr(x, df=3)"}, "collinear"),
    "one region": (y(PLAIN), {"nested": ("region_code",)}, "nested_single_level"),
    "every row a region of its own": (
        y(PLAIN).with_columns(region_code=pl.col("rel_day").cast(pl.String)),
        {"nested": ("region_code",)}, "nested_without_replicates"),
    "single level of a factor": (y(PLAIN), {"formula": "y ~ x + region_code"}, "single_level"),
    "random part larger than the data": (y(PLAIN), {"random": "1 + x + I(x**2) + I(x**3)"},
                                         "random_part_too_large"),
    "random part repeats itself": (y(PLAIN), {"random": "1 + x + I(2*x)"}, "random_collinear"),
    "more terms than rows": (y(PLAIN).head(22).with_columns(k=pl.int_range(22).cast(pl.String)),
                             {"formula": "y ~ k"}, "too_few_observations"),
    "no residual variation": (
        y(PLAIN).with_columns(y=pl.col("usubjid").str.slice(1).cast(pl.Float64)
                              + pl.col("x") * pl.col("usubjid").str.slice(1).cast(pl.Float64)),
        {"random": "1 + x"}, "perfect_fit"),
}  # fmt: skip


def assert_says_nothing(fit: Fit, reason: str) -> None:
    assert (fit.status, fit.reason) == ("not_estimable", reason), fit.sentence
    assert fit.sentence.startswith("Not estimable: ")
    assert fit.sentence.endswith(".")
    assert fit.advice
    assert "Error" not in fit.sentence
    assert "nan" not in fit.sentence
    assert fit.estimates == fit.ratios == fit.variance_components == fit.curves == ()
    assert fit.table().is_empty()
    assert (fit.criterion, fit.log_likelihood, fit.icc, fit.interaction) == (None,) * 4
    assert Fit.from_dict(json.loads(json.dumps(fit.to_dict(), allow_nan=False))) == fit


@pytest.mark.parametrize("case", SPECIFIED)
def test_specification_that_cannot_be_answered(case):
    frame, spec, reason = SPECIFIED[case]
    assert_says_nothing(fit_specification(frame, spec), reason)


@pytest.mark.parametrize("case", BARE)
def test_model_that_cannot_be_fitted(case):
    frame, changed, reason = BARE[case]
    options = {"formula": "y ~ x", "group": "usubjid"} | changed
    assert_says_nothing(fit_mixed(frame, **options), reason)


def test_there_are_at_least_25_degenerate_cases():
    assert len(SPECIFIED) + len(BARE) >= 25


def test_the_empty_cell_is_named():
    frame, spec, _ = SPECIFIED["groups never at the same visit"]
    fit = fit_specification(frame, spec)
    assert fit.sentence == (
        "Not estimable: No observation has group = non-responder and "
        "visit = 21, so their interaction cannot be estimated."
    )


def test_zero_variance_between_patients_is_a_warning_with_finite_effects():
    rng = np.random.default_rng(5)
    values = 1 + rng.normal(0, 1, 48)
    values -= np.repeat(values.reshape(12, 4).mean(axis=1), 4)
    frame = y(PLAIN).with_columns(y=pl.Series(values) + pl.col("x"))
    fit = fit_mixed(frame, "y ~ x", "usubjid")
    assert (fit.status, fit.reason) == ("warning", "boundary")
    assert fit.variance_components[0].variance == 0.0
    assert fit.estimates[1].estimate == pytest.approx(1.0, abs=0.4)
    least_squares = np.polyfit(frame["x"], frame["y"], 1)
    assert fit.estimates[1].estimate == pytest.approx(least_squares[0], rel=1e-6)


@pytest.mark.parametrize("factor", [1e-140, 1e-12, 1e12, 1e140])
def test_huge_and_tiny_scales(factor):
    plain = fit_mixed(y(PLAIN), "y ~ x", "usubjid")
    scaled = fit_mixed(y(PLAIN * factor), "y ~ x", "usubjid")
    for one, other in zip(plain.estimates, scaled.estimates, strict=True):
        assert other.estimate == pytest.approx(one.estimate * factor, rel=1e-7)
        assert other.p_value == pytest.approx(one.p_value, rel=1e-6)


def test_large_offset_loses_no_digits():
    plain = fit_mixed(y(PLAIN), "y ~ x", "usubjid")
    moved = fit_mixed(y(PLAIN + 1e6), "y ~ x", "usubjid")
    assert moved.estimates[1].estimate == pytest.approx(plain.estimates[1].estimate, rel=1e-7)
    assert moved.variance_components[0].variance == pytest.approx(
        plain.variance_components[0].variance, rel=1e-4
    )


def test_missing_values_are_counted_and_named():
    frame = y(PLAIN).with_columns(
        y=pl.when(pl.int_range(48) < 3).then(None).otherwise(pl.col("y")),
        x=pl.when(pl.int_range(48) == 10).then(math.nan).otherwise(pl.col("x")),
    )
    fit = fit_mixed(frame, "y ~ x", "usubjid")
    assert [(item.reason, item.n) for item in fit.excluded] == [
        ("no value of x", 1),
        ("no value of y", 3),
    ]
    assert fit.n_observations == 44
    assert fit.check("missing").message == "Left out: 1 with no value of x, 3 with no value of y."


def test_rows_that_are_there_twice_are_named():
    frame = pl.concat([y(PLAIN), y(PLAIN).head(4)])
    fit = fit_mixed(frame, "y ~ x", "usubjid")
    assert (fit.status, fit.reason) == ("warning", "duplicates")
    assert fit.check("duplicates").value == 4


def test_time_reversed_and_patients_shuffled_change_nothing():
    frame = trial(14, seed=3)
    fit = fit_specification(frame, SPEC)
    for other in (frame.reverse(), frame.sample(fraction=1.0, shuffle=True, seed=2)):
        again = fit_specification(other, SPEC)
        assert again.criterion == pytest.approx(fit.criterion, rel=1e-9)
        assert again.key_ratio.ratio == pytest.approx(fit.key_ratio.ratio, rel=1e-7)
        assert again.sentence == fit.sentence


def test_a_visit_without_one_group_is_left_out_and_named():
    frame = trial(14, seed=3).filter((pl.col("rel_day") < 28) | (pl.col("group") == "responder"))
    fit = fit_specification(frame, SPEC)
    assert (fit.status, fit.reason) == ("warning", "empty_cells")
    assert fit.check("empty_cells").message == (
        "Left out because a group has no patient then: day 28."
    )
    assert fit.check("missing").message == (
        "Left out: 7 (a visit without a patient of some group)."
    )
    assert [ratio.day for ratio in fit.ratios] == [7.0, 14.0, 21.0]
    assert ("a visit without a patient of some group", 7) in [tuple(item) for item in fit.excluded]


def test_lesions_of_one_per_patient_are_not_nested():
    spec = SPEC.replace(unit="lesion", outcome="uptake:f18_fhbg:suv_mean:lesion")
    fit = fit_specification(trial(14, seed=3), spec)
    assert fit.nested == ()
    assert "No patient has more than one lesion" in fit.check("random_part").message
    assert fit_specification(trial(14, seed=3, regions=3), spec).nested == (
        "region_code",
        "visit",
    )


def test_uptake_without_a_decay_state_is_the_reason_of_an_empty_fit():
    """It once said only "No observation is left", and the filters were widened in vain."""
    spec = ModelSpec(outcome="uptake:f18_fhbg:suv_mean:lesion", time="none", random="intercept")
    empty = trial().clear()
    fit = fit_specification(empty, spec, [("decay correction unknown", 24)])
    assert (fit.status, fit.reason) == ("not_estimable", "decay_state_unknown")
    assert fit.sentence == (
        "Not estimable: 24 values of uptake have no known decay state, so nobody can say whether "
        "decay was corrected, and no other value is left."
    )
    assert fit.advice.startswith("Add decay_state (none, scan_start, ")
    fit = fit_specification(
        empty, spec, [("decay correction unknown", 1), ("scan not evaluable: motion", 3)]
    )
    assert "1 value of uptake has no known decay state" in fit.sentence
    assert fit.sentence.endswith("; 3 (scan not evaluable: motion) left out as well.")
    exposure = ModelSpec(
        outcome="response:responder", question="response_by_exposure",
        exposure="uptake:f18_fhbg:suv_mean:lesion", parameter="peak", day_low=0.0, day_high=28.0,
        landmark_day=28.0, time="none", random="intercept",
    )  # fmt: skip
    fit = fit_specification(empty, exposure, [("decay correction unknown", 24)])
    assert fit.reason == "decay_state_unknown"


def test_an_empty_fit_names_what_was_left_out_before():
    spec = ModelSpec(outcome="kinetics:CARTG:qPCR:BLOOD", time="none", random="intercept")
    fit = fit_specification(trial().clear(), spec, [("patient not in the imaging set", 40)])
    assert fit.sentence == (
        "Not estimable: No observation is left of those delivered: 40 (patient not in the imaging "
        "set) left out."
    )
    assert "No observation is left." in fit_specification(trial().clear(), spec).sentence
