"""Peaks and their ratio between groups: literal series."""

import math

import polars as pl
import pytest

from analysis.derive.comparison import (
    color_groups,
    compare_peaks,
    drawn_series,
    group_order,
    peaks,
)


def series(rows: list[tuple[str, float, float | None, float | None]]) -> pl.DataFrame:
    """(patient, day, value, limit): a limit without a value is a censored sample."""
    return pl.DataFrame(
        [
            {
                "usubjid": patient,
                "rel_day": day,
                "nominal_day": float(round(day)),
                "value": value,
                "lower": None if value is not None else 0.0,
                "upper": None if value is not None else limit,
                "censored": "none" if value is not None else "left",
                "lloq": limit,
                "source_file": "lab/qpcr.csv",
                "source_row": 7,
            }
            for patient, day, value, limit in rows
        ],
        schema_overrides={"value": pl.Float64, "lower": pl.Float64, "upper": pl.Float64},
    )


def test_the_peak_is_the_highest_value_of_the_window_and_its_first_day() -> None:
    found = peaks(series([("A", 3.0, 5.0, 1.0), ("A", 9.0, 40.0, 1.0), ("A", 14.0, 40.0, 1.0),
                          ("A", 60.0, 900.0, 1.0)]))  # fmt: skip
    assert found.rows() == [("A", False, 40.0, 9.0)]


def test_a_value_beats_any_limit_and_a_patient_below_it_stands_at_the_limit() -> None:
    found = peaks(series([("A", 7.0, None, 500.0), ("A", 9.0, 40.0, 50.0), ("B", 7.0, None, 50.0)]))
    assert sorted(found.rows()) == [("A", False, 40.0, 9.0), ("B", True, 50.0, 7.0)]


def test_the_ratio_is_that_of_geometric_means() -> None:
    rows = [(f"R{i}", 9.0, value, 1.0) for i, value in enumerate((100.0, 1000.0, 10_000.0))]
    rows += [(f"N{i}", 9.0, value, 1.0) for i, value in enumerate((10.0, 100.0, 1000.0))]
    result = compare_peaks(series(rows), ["R0", "R1", "R2"], ["N0", "N1", "N2"], label="x")
    assert result.ratio == pytest.approx(10.0)
    assert (result.n_upper, result.n_lower, result.n_at_limit) == (3, 3, 0)
    # Welch t on natural logs: SD ln(10) in both groups, SE ln(10) sqrt(2/3), df 4.
    error = math.log(10) * math.sqrt(2 / 3)
    assert result.conf_low == pytest.approx(math.exp(math.log(10) - 2.7764451 * error), rel=1e-6)


def test_fewer_than_three_patients_are_not_compared() -> None:
    rows = [("R0", 9.0, 1.0, 1.0), ("R1", 9.0, 2.0, 1.0), ("N0", 9.0, 3.0, 1.0)]
    result = compare_peaks(series(rows), ["R0", "R1"], ["N0"], label="x")
    assert not result.estimable
    assert result.note == "2 against 1 patients"


def test_who_was_never_above_the_limit_is_counted() -> None:
    rows = [(f"R{i}", 9.0, 100.0 + i, 1.0) for i in range(3)]
    rows += [(f"N{i}", 9.0, None, 50.0) for i in range(3)]
    result = compare_peaks(series(rows), ["R0", "R1", "R2"], ["N0", "N1", "N2"], label="x")
    assert result.n_at_limit == 3
    assert result.ratio == pytest.approx(101 / 50, rel=1e-3)


def test_drawn_values_stand_at_the_limit_and_name_their_row() -> None:
    groups = pl.DataFrame({"usubjid": ["A"], "group": ["CR"]})
    drawn = drawn_series(series([("A", 7.0, None, 50.0), ("A", 9.0, 40.0, 50.0)]), groups)
    assert drawn.select("drawn", "censored", "source").rows() == [
        (50.0, True, "qpcr.csv, row 7"),
        (40.0, False, "qpcr.csv, row 7"),
    ]


def test_groups_stand_from_best_to_worst_and_missing_last() -> None:
    assert group_order(["PD", "Not assessed", "CR", "SD"]) == ("CR", "SD", "PD", "Not assessed")
    assert group_order(["B", "Not recorded", "A"]) == ("A", "B", "Not recorded")


def test_a_patient_never_assessed_is_said_to_be_so() -> None:
    subjects = pl.DataFrame({"usubjid": ["A", "B"], "dose_level": ["1", None]})
    best = pl.DataFrame({"usubjid": ["A"], "best_category": ["CR"]})
    assert color_groups("response", subjects, best).rows() == [("A", "CR"), ("B", "Not assessed")]
    assert color_groups("dose_level", subjects, best).rows() == [("A", "1"), ("B", "Not recorded")]
