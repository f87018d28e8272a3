"""Numbers as they are read."""

import pytest

from figures.number_text import day_range, short_tick, signed_percent, significant, whole_day


@pytest.mark.parametrize(
    ("value", "text"),
    [(31400.0, "31,400"), (11.2, "11.2"), (12.0, "12"), (5.83, "5.8"), (0.153, "0.15"),
     (0.0, "0"), (None, "–"), (float("nan"), "–"), (-6.12, "−6.1"), (9.99, "10"),
     (263123.0, "263,000")],
)  # fmt: skip
def test_significant(value: float | None, text: str) -> None:
    assert significant(value) == text


@pytest.mark.parametrize(("value", "text"), [(17.3, "+17 %"), (-98.2, "−98 %"), (0.2, "0 %")])
def test_signed_percent(value: float, text: str) -> None:
    assert signed_percent(value) == text


@pytest.mark.parametrize(
    ("value", "text"), [(0.1, "0.1"), (1.0, "1"), (100.0, "100"), (1000.0, "1k"), (1e6, "1M")]
)
def test_short_tick(value: float, text: str) -> None:
    assert short_tick(value) == text


def test_days() -> None:
    assert [whole_day(day) for day in (-0.25, 0.49, 0.5, 13.5, -6.5)] == [0, 0, 1, 14, -6]
    assert day_range(2, 6) == "days 2–6"
    assert day_range(-5, -3) == "days −5 to −3"
    assert day_range(14, 14) == "day 14"
    assert day_range(14, None) == "from day 14"
