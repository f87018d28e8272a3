"""One patient among a cohort: percentile, quartiles, positions."""

import pytest

from figures.cohort_strip import draw_cohort_strip, percentile, prepare_cohort_strip
from figures.theme import DARK, LIGHT


@pytest.mark.parametrize(
    ("own", "expected"), [(1.0, 10), (3.0, 50), (5.0, 90), (2.5, 40), (10.0, 100)]
)
def test_percentile_counts_ties_half(own: float, expected: int) -> None:
    assert percentile([1.0, 2.0, 3.0, 4.0, 5.0], own) == expected


def test_percentile_of_few_is_none() -> None:
    assert percentile([1.0, 2.0, 3.0], 2.0) is None


def test_log_strip_positions() -> None:
    strip = prepare_cohort_strip([1.0, 10.0, 100.0, 1000.0, 10000.0], 100.0, log=True)
    assert strip is not None
    assert strip.ticks == pytest.approx((0, 0.25, 0.5, 0.75, 1))
    assert (strip.lower_quartile, strip.median, strip.upper_quartile) == pytest.approx(
        (0.25, 0.5, 0.75)
    )
    assert strip.own == pytest.approx(0.5)
    assert strip.median_value == pytest.approx(100.0)
    assert strip.n == 5


def test_missing_own_and_small_cohorts() -> None:
    strip = prepare_cohort_strip([1.0, 2.0, 3.0, 4.0, 5.0], None, log=False)
    assert strip is not None
    assert (strip.own, strip.percentile) == (None, None)
    assert prepare_cohort_strip([1.0, 2.0], 1.0, log=False) is None
    assert prepare_cohort_strip([0.0, 0.0, 1.0], 1.0, log=True) is None


def test_drawing_follows_theme_and_input() -> None:
    strip = prepare_cohort_strip([1.0, 2.0, 3.0], 2.0, log=False)
    assert strip is not None
    light = draw_cohort_strip(strip, LIGHT, "blood")
    assert light == draw_cohort_strip(strip, LIGHT, "blood")
    assert LIGHT.signal["blood"] in light
    assert DARK.signal["blood"] in draw_cohort_strip(strip, DARK, "blood")
