"""Median peaks by group: literal series."""

import polars as pl
import pytest

from analysis.derive.measured_peaks import measured_peaks, patient_peaks

ROWS = [
    # patient, day, delivered, upper (limit of a censored sample)
    ("A", 7.0, 5.0, None),
    ("A", 14.0, 80.0, None),
    ("A", -7.0, 900.0, None),  # before infusion
    ("A", 0.0, 700.0, None),  # the day of infusion is no peak
    ("A", 35.0, 600.0, None),  # nor is a late rise
    ("B", 7.0, 0.0, 0.04),  # a zero delivered without a limit
    ("C", 7.0, None, 50.0),  # delivered as "< 50"
    ("D", 7.0, 20.0, None),
]


def series() -> pl.DataFrame:
    return pl.DataFrame(
        ROWS, schema=["usubjid", "rel_day", "delivered", "upper"], orient="row"
    ).with_columns(
        nominal_day=pl.col("rel_day"),
        value=pl.when(pl.col("upper").is_null()).then("delivered"),
        lower=pl.when(pl.col("upper").is_not_null()).then(0.0),
    )


def groups(**names: str) -> pl.DataFrame:
    return pl.DataFrame({"usubjid": list(names), "group": list(names.values())})


def test_a_peak_is_the_highest_delivered_value_after_infusion() -> None:
    found = {row["usubjid"]: row for row in patient_peaks(series()).to_dicts()}
    assert (found["A"]["height"], found["A"]["at_limit"]) == (80.0, False)
    assert (found["B"]["height"], found["B"]["at_limit"]) == (0.0, False)
    assert (found["C"]["height"], found["C"]["at_limit"]) == (50.0, True)


def test_medians_and_ranks() -> None:
    found = measured_peaks(series(), groups(A="CR", D="CR", B="no CR", C="no CR"), ("CR", "no CR"))
    first, second = found.groups
    assert (first.group, first.n, first.median, first.maximum) == ("CR", 2, 50.0, 80.0)
    assert second.median is None
    assert second.below == 50.0
    assert found.p_value == pytest.approx(0.33, abs=0.2)


def test_three_groups_have_no_p() -> None:
    found = measured_peaks(series(), groups(A="CR", B="SD", D="PD"), ("CR", "SD", "PD"))
    assert found.p_value is None
    assert [group.group for group in found.groups] == ["CR", "SD", "PD"]
