"""Days below the limit, with what was there before the infusion."""

import pytest

from figures.tracks.b_cells import below_limit
from figures.tracks.track import Point


@pytest.mark.parametrize(
    ("days", "low", "words"),
    [
        ([-7, 0, 7, 28, 60], "..LL.", "days 7–28"),
        ([-7, 0, 7, 28], "..LL", "from day 7"),
        ([-7, 0, 7, 28], "LLLL", "from day −7"),
        ([-7, 0, 7, 28], ".LL.", "days 0–7"),
        ([-7, -1, 7, 28], "LLL.", "days −7 to 7"),
        ([-7, 0, 7, 28], "L...", None),
        ([-7, 0, 7, 28], "....", None),
    ],
)
def test_days_below_the_limit(days: list[float], low: str, words: str | None) -> None:
    points = [
        Point(day, 1.0, "left" if mark == "L" else "none", "", "", "")
        for day, mark in zip(days, low, strict=True)
    ]
    assert below_limit(points) == words
