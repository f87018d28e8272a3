"""The day axis: positions, knees, ticks."""

from itertools import pairwise

import pytest

from figures.day_scale import DayScale, scale_for


@pytest.mark.parametrize(
    ("day", "position"),
    [(-35, -14.0), (-7, -7.0), (0, 0.0), (14, 14.0), (28, 28.0), (42, 31.5), (90, 43.5),
     (98, 45.5), (178, 50.5)],
)  # fmt: skip
def test_positions_and_back(day: float, position: float) -> None:
    scale = DayScale(-35, 200)
    assert scale.position(day) == pytest.approx(position)
    assert scale.day(position) == pytest.approx(day)


def test_knees_and_note_only_where_the_axis_has_them() -> None:
    assert DayScale(-7, 28).knees == ()
    assert DayScale(-7, 28).note == ""
    assert DayScale(-7, 90).knees == (28.0,)
    assert DayScale(-7, 90).note == "Day scale 1:4 after day 28"
    assert DayScale(-30, 365).knees == (-7.0, 28.0, 98.0)


def test_ticks_stand_apart_and_hold_infusion_and_the_ends() -> None:
    scale = scale_for([-7, 0, 3, 5, 7, 10, 14, 21, 28, 42, 60, 75, 90])
    ticks = scale.ticks([-7, 0, 3, 5, 7, 10, 14, 21, 28, 42, 60, 75, 90])
    days = [tick.day for tick in ticks]
    assert {0, 28, 90, -7, 14} <= set(days)
    shares = [scale.fraction(day) for day in days]
    assert min(b - a for a, b in pairwise(shares)) >= 0.034
    assert [tick.day for tick in ticks if tick.narrow] == [-7, 0, 7, 14, 21, 28, 60, 90]


def test_a_window_cuts_the_axis() -> None:
    scale = scale_for([-7.0, 0.0, 14.0, 90.0], low=0, high=28)
    assert (scale.low, scale.high) == (-1.0, 14.0)
