"""Comparison by day: numbers of a small table by hand, and its refusals."""

import math

import polars as pl
import pytest

from analysis import compare_by_day
from analysis.errors import UserError

# Day 7: CRP separates the groups, IL-6 does not; day 9 has no reference patient.
ROWS = [
    ("P1", "CRP", 7.0, "CR", 100.0), ("P2", "CRP", 7.0, "CR", 1000.0),
    ("P3", "CRP", 7.0, "CR", 10.0), ("P4", "CRP", 7.0, "PD", 1.0),
    ("P5", "CRP", 7.0, "PD", 2.0), ("P6", "CRP", 7.0, "PD", 5.0),
    ("P1", "IL-6", 7.0, "CR", 4.0), ("P2", "IL-6", 7.0, "CR", 2.0),
    ("P4", "IL-6", 7.0, "PD", 3.0), ("P5", "IL-6", 7.0, "PD", 0.0),
    ("P1", "CRP", 9.0, "CR", 8.0), ("P7", "CRP", 9.0, "other", 8.0),
    ("P4", "CRP", 9.0, "PD", None),
]  # fmt: skip


@pytest.fixture
def frame() -> pl.DataFrame:
    return pl.DataFrame(ROWS, schema=["usubjid", "signal", "day", "group", "value"], orient="row")


def test_numbers_of_a_table_by_hand(frame):
    crp, il6, later = compare_by_day(frame, "CR", "PD")
    assert (crp.signal, crp.day, crp.group.n, crp.reference.n) == ("CRP", 7.0, 3, 3)
    assert crp.group.mean == pytest.approx(370.0)
    assert crp.group.mean_log10 == pytest.approx(2.0)
    assert crp.group.iqr_log10 == pytest.approx(1.0)
    assert crp.fold_of_means == pytest.approx(370.0 * 3 / 8)
    assert crp.fold_of_geometric_means == pytest.approx(100 / 10 ** (1 / 3))
    # All of the 20 orders of 3 + 3 values: the two extreme ones.
    assert crp.p_value == pytest.approx(2 / 20)
    assert il6.p_value == pytest.approx(2 * 2 / 6), "4, 2 against 3, 0: the second of six orders"
    assert crp.q_value == pytest.approx(0.2)
    assert il6.q_value == pytest.approx(il6.p_value)
    assert crp.n_tests == il6.n_tests == 2
    assert later.n_tests == 0
    assert later.p_value is None
    assert later.fold_of_means is None


def test_a_zero_has_no_logarithm_and_costs_no_number_but_those(frame):
    il6 = compare_by_day(frame, "CR", "PD")[1]
    assert il6.reference.mean == pytest.approx(1.5)
    assert il6.reference.mean_log10 is None
    assert il6.fold_of_geometric_means is None
    assert il6.fold_of_means == pytest.approx(2.0)


def test_groups_swapped_turn_the_folds_over(frame):
    one, other = compare_by_day(frame, "CR", "PD")[0], compare_by_day(frame, "PD", "CR")[0]
    assert math.isclose(one.fold_of_means * other.fold_of_means, 1.0)
    assert one.p_value == pytest.approx(other.p_value)


def test_refusals_name_the_trouble(frame):
    with pytest.raises(UserError, match="no column 'day'"):
        compare_by_day(frame.drop("day"), "CR", "PD")
    with pytest.raises(UserError, match="1 times a patient has several values"):
        compare_by_day(pl.concat([frame, frame.head(1)]), "CR", "PD")
    assert compare_by_day(frame.clear(), "CR", "PD") == ()
