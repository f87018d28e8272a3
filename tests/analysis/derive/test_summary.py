"""The cohort table: who counts once, in which group, on which visit."""

import numpy as np
import polars as pl
import pytest

from analysis.derive.summary import SCHEMA, summarize, summary_rule


def series(*rows):
    """rows: (patient, day, nominal day, value)."""
    return pl.DataFrame(
        [
            {
                "usubjid": usubjid, "rel_day": day, "nominal_day": nominal, "value": value,
                "lower": None, "upper": None, "censored": "none", "delivered": value,
                "limit_source": None, "unit": "cells/uL",
            }
            for usubjid, day, nominal, value in rows
        ],
        schema_overrides={
            "lower": pl.Float64, "upper": pl.Float64, "nominal_day": pl.Float64,
            "limit_source": pl.String, "rel_day": pl.Float64, "value": pl.Float64,
        },
    )  # fmt: skip


def test_groups_and_visits():
    rows = [(f"P{i}", 14.0, 14.0, 10.0**i) for i in range(4)]
    groups = pl.DataFrame({"usubjid": ["P1", "P2", "P3"], "group": ["a", "a", "a"]})
    found = summarize(series(*rows), groups)
    assert found.select("group", "n").rows() == [("a", 3), ("not known", 1)]
    assert found["geometric_mean"][0] == pytest.approx(100.0)
    assert found.schema == pl.Schema(SCHEMA)


def test_a_patient_counts_once_per_visit_with_the_nearest_sample():
    found = summarize(
        series(("P1", 13.0, 14.0, 1.0), ("P1", 14.2, 14.0, 5.0), ("P1", 16.0, 14.0, 9.0))
    )
    assert found.select("n", "median").rows() == [(1, 5.0)]


def test_without_nominal_days_the_whole_day_is_the_visit():
    found = summarize(
        series(("P1", 13.2, None, 1.0), ("P2", 13.9, None, 3.0), ("P3", 14.1, None, 5.0))
    )
    assert found.select("nominal_day", "n").rows() == [(13.0, 2), (14.0, 1)]


def test_geometric_cv():
    values = [1.0, 10.0, 100.0]
    found = summarize(series(*((f"P{i}", 1.0, 1.0, v) for i, v in enumerate(values))))
    s = np.std(np.log(values), ddof=1)
    assert found["geometric_cv_percent"][0] == pytest.approx(100 * np.sqrt(np.exp(s**2) - 1))


def test_negative_values_have_no_geometric_mean():
    found = summarize(series(*((f"P{i}", 1.0, 1.0, v) for i, v in enumerate([-1.0, 2.0, 3.0]))))
    assert found.select("geometric_mean", "median", "note").rows() == [
        (None, 2.0, "not on a log scale")
    ]


@pytest.mark.parametrize("rule", ["censored", "half_lloq", "drop"])
def test_every_rule_has_words(rule):
    assert "limit" in summary_rule(rule)


def test_no_rows():
    assert summarize(series(("P1", 1.0, 1.0, 1.0)).clear()).is_empty()
