"""Every kind of data that cannot say, asked of both doors: `fit_mixed` and `fit_specification`."""

import importlib.util
import json
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from analysis import Fit, ModelSpec, fit_mixed, fit_specification

SPEC = ModelSpec(outcome="kinetics:CARTG:qPCR:BLOOD", time="visit", random="intercept")
LESIONS = SPEC.replace(outcome="uptake:f18_fhbg:suv_mean:lesion", unit="lesion")
RAW = SPEC.replace(transform="none")


def trial(patients: int = 12, days: tuple[int, ...] = (7, 14, 21, 28)) -> pl.DataFrame:
    """A plain trial in the columns of the model frame; half the patients respond."""
    rng = np.random.default_rng(1)
    rows = [
        {
            "usubjid": f"P{patient:02d}", "region_code": "L0", "rel_day": float(day),
            "nominal_day": float(day), "value": 10 ** (2 + 0.5 * (patient % 2) + level + noise),
            "lower": None, "upper": None, "censored": "none", "lloq": 1.0,
            "group": "responder" if patient % 2 else "non-responder",
        }
        for patient in range(patients)
        for level in [rng.normal(0, 0.5)]
        for day, noise in zip(days, rng.normal(0, 0.2, len(days)), strict=True)
    ]  # fmt: skip
    text = ("usubjid", "region_code", "censored", "group")
    names = ("usubjid", "region_code", "rel_day", "nominal_day", "value", "lower", "upper",
             "censored", "lloq", "group")  # fmt: skip
    schema = {name: pl.String if name in text else pl.Float64 for name in names}
    return pl.DataFrame(rows, schema=schema)


def level_of_nobody() -> pl.DataFrame:
    """Every patient has the same mean: the variance between patients is zero."""
    log = pl.col("value").log10()
    return trial().with_columns(value=10 ** (2 + log - log.mean().over("usubjid")))


def copied_adjuster() -> pl.DataFrame:
    return trial().with_columns(age_year=(pl.col("group") == "responder").cast(pl.Float64))


BELOW = {"value": pl.lit(None, pl.Float64), "lower": pl.lit(0.0), "upper": pl.lit(1.0),
         "censored": pl.lit("left")}  # fmt: skip
FIRST = pl.col("rel_day") == 7

# name: frame, what the specification changes, its answer, the answer of the bare model
CASES: dict[str, tuple[pl.DataFrame, ModelSpec, str, str]] = {
    "no subject": (trial(0), SPEC, "no_observations", "no_observations"),
    "one subject": (trial(1), SPEC, "one_group", "too_few_subjects"),
    "two subjects": (trial(2), SPEC, "too_few_subjects", "too_few_subjects"),
    "three subjects": (trial(3), SPEC, "too_few_subjects", "too_few_subjects"),
    "four subjects": (trial(4), SPEC, "too_few_subjects", "too_few_subjects"),
    "one visit each": (trial(12, (14,)), SPEC, "one_observation_per_subject", "single_level"),
    "constant outcome": (trial().with_columns(value=pl.lit(100.0)), SPEC, "constant_outcome",
                         "constant_outcome"),
    "zero variance between patients": (level_of_nobody(), SPEC, "boundary", "boundary"),
    "all below the limit": (trial().with_columns(**BELOW), SPEC, "all_below_limit",
                            "no_observations"),
    "one region": (trial(), LESIONS, "ok", "nested_single_level"),
    "one arm": (trial().with_columns(group=pl.lit("responder")), SPEC, "one_group",
                "single_level"),
    "collinear": (copied_adjuster(), SPEC.replace(adjusters=("age_year",)), "collinear",
                  "collinear"),
    "empty cell": (trial().filter((pl.col("group") == "responder") == (pl.col("rel_day") > 14)),
                   SPEC, "empty_cell", "empty_cell"),
    "nan": (trial().with_columns(value=pl.lit(math.nan)), SPEC, "no_observations",
            "no_observations"),
    "infinite": (trial().with_columns(value=pl.when(FIRST).then(math.inf)
                                      .otherwise(pl.col("value"))), SPEC, "infinite_values",
                 "infinite_values"),
    "beyond all scales": (trial().with_columns(pl.col("value") * 1e300), RAW, "extreme_scale",
                          "extreme_scale"),
    "rows twice": (pl.concat([trial(), trial().head(4)]), SPEC, "duplicates", "duplicates"),
    "time reversed": (trial().reverse(), SPEC, "ok", "ok"),
    "huge scale": (trial().with_columns(pl.col("value") * 1e12), SPEC, "ok", "ok"),
}  # fmt: skip


def bare(frame: pl.DataFrame, spec: ModelSpec) -> Fit:
    """The formula of the question, written by hand."""
    y = pl.col("value") if spec.transform == "none" else pl.col("value").log10()
    right = "visit * group" + (" + age_year" if spec.adjusters else "")
    visits = [str(day) for day in sorted(set(frame["nominal_day"]))]
    own = frame.with_columns(y=y, visit=pl.col("nominal_day").cast(pl.String).cast(pl.Enum(visits)))
    nested = ("region_code",) if spec.unit == "lesion" else ()
    return fit_mixed(own, f"y ~ {right}", "usubjid", nested=nested)


DOORS: dict[str, tuple[Callable[[pl.DataFrame, ModelSpec], Fit], int]] = {
    "specification": (fit_specification, 2), "bare model": (bare, 3),
}  # fmt: skip


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("case", CASES)
def test_status_reason_sentence_and_advice(case, door):
    fit_by, place = DOORS[door]
    frame, spec, reason = CASES[case][0], CASES[case][1], CASES[case][place]
    fit = fit_by(frame, spec)
    found = "ok" if fit.status == "ok" else fit.reason
    assert found == reason, fit.sentence
    assert fit.sentence.endswith(".")
    assert "nan" not in fit.sentence
    assert "Error" not in fit.sentence
    assert Fit.from_dict(json.loads(json.dumps(fit.to_dict(), allow_nan=False))) == fit
    if fit.status == "not_estimable":
        assert fit.sentence.startswith("Not estimable: ")
        assert fit.advice
        assert fit.estimates == fit.ratios == fit.variance_components == fit.curves == ()
        assert (fit.criterion, fit.log_likelihood, fit.icc) == (None, None, None)
    else:
        assert all(math.isfinite(row.estimate) for row in fit.estimates)
        assert fit.estimates
    if fit.status == "warning":
        assert fit.advice
        assert "Caution: " in fit.sentence


def test_with_those_of_the_other_file_there_are_at_least_25_kinds():
    path = Path(__file__).with_name("test_degenerate.py")
    spec = importlib.util.spec_from_file_location("test_degenerate", path)
    other = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(other)
    assert len(set(CASES) | set(other.SPECIFIED) | set(other.BARE)) >= 40
