"""Peaks and their ratio between groups: literal series."""

import math

import polars as pl
import pytest

from analysis.derive.comparison import (
    color_groups,
    compare_peaks,
    drawn_series,
    group_order,
)
from analysis.derive.kinetics import parameters
from analysis.derive.peak import peaks


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
    assert found.rows() == [("A", False, False, 40.0, 9.0)]


def test_a_value_beats_any_limit_and_a_patient_below_it_stands_at_the_limit() -> None:
    found = peaks(series([("A", 7.0, None, 500.0), ("A", 9.0, 40.0, 50.0), ("B", 7.0, None, 50.0)]))
    assert sorted(found.rows()) == [("A", False, False, 40.0, 9.0), ("B", True, False, 50.0, 7.0)]


def bounded(
    rows: list[tuple[float, float | None, float | None, float | None, str]],
) -> pl.DataFrame:
    """One patient A: (day, value, lower, upper, censored)."""
    numbers = dict.fromkeys(("rel_day", "value", "lower", "upper"), pl.Float64)
    frame = pl.DataFrame(rows, schema={**numbers, "censored": pl.String}, orient="row")
    return frame.with_columns(usubjid=pl.lit("A"))


PEAKS = [
    # at_limit, above_limit, peak, day
    ("above ULOQ", [(7.0, None, 1e6, None, "right"), (14.0, 5e4, None, None, "none")],
     (False, True, 1e6, 7.0)),
    ("above a low ULOQ, then diluted", [(7.0, None, 1e3, None, "right"),
                                        (14.0, 5e4, None, None, "none")],
     (False, True, 5e4, 14.0)),
    ("between limits below the peak", [(7.0, None, 10.0, 90.0, "interval"),
                                       (14.0, 100.0, None, None, "none")],
     (False, False, 100.0, 14.0)),
    ("between limits around the peak", [(7.0, None, 10.0, 400.0, "interval"),
                                        (14.0, 100.0, None, None, "none")],
     (False, True, 100.0, 14.0)),
    ("before day 1", [(0.5, 900.0, None, None, "none"), (7.0, 100.0, None, None, "none")],
     (False, False, 100.0, 7.0)),
    ("before day 1, above ULOQ", [(0.5, None, 1e6, None, "right"),
                                  (7.0, 100.0, None, None, "none")],
     (False, False, 100.0, 7.0)),
]  # fmt: skip


@pytest.mark.parametrize(
    ("rows", "expected"), [case[1:] for case in PEAKS], ids=[c[0] for c in PEAKS]
)
def test_a_bounded_peak_is_marked_and_agrees_with_the_parameters(rows, expected) -> None:
    series = bounded(rows)
    assert peaks(series).row(0)[1:] == expected
    (row,) = parameters(series.filter(pl.col("rel_day") >= 1)).to_dicts()
    if expected[1]:
        assert row["cmax"] is None
        assert f"at least {expected[2]:g}" in row["cmax_reason"]
    else:
        assert (row["cmax"], row["tmax_day"]) == expected[2:]


def test_who_was_above_the_upper_limit_enters_at_it_and_is_counted() -> None:
    rows = [(f"R{i}", 9.0, 1000.0 + i, 1.0) for i in range(3)]
    rows += [(f"N{i}", 9.0, 100.0 + i, 1.0) for i in range(3)]
    high = bounded([(9.0, None, 1e6, None, "right")])
    both = pl.concat([series(rows).select(high.columns), high])
    result = compare_peaks(both, ["R0", "R1", "R2", "A"], ["N0", "N1", "N2"], label="x")
    assert (result.n_upper, result.n_at_limit, result.n_above_limit) == (4, 0, 1)
    peak = (1000.0 * 1001.0 * 1002.0 * 1e6) ** 0.25
    assert result.ratio == pytest.approx(peak / (100.0 * 101.0 * 102.0) ** (1 / 3))


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


def test_a_late_visit_counts_by_its_planned_day() -> None:
    late = series([("A", 7.0, 1.0, 1.0), ("A", 29.0, 9.0, 1.0)]).with_columns(
        nominal_day=pl.Series([7.0, 28.0])
    )
    assert peaks(late).select("peak", "peak_day").rows() == [(9.0, 29.0)]
