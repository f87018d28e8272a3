"""How numbers are written."""

import math

import pytest

from dashboard.theme import (
    DASH,
    css_tokens,
    format_interval,
    format_number,
    format_p,
    format_percent,
)
from figures.theme import DARK, LIGHT


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, DASH),
        (math.nan, DASH),
        (math.inf, DASH),
        (0.0, "0"),
        (31_400.0, "31,400"),
        (31_449.0, "31,400"),
        (11.23, "11.2"),
        (0.01234, "0.0123"),
        (-4.4, "−4.40"),
        (999.96, "1,000"),
        (1_500_000.0, "1.50 × 10⁶"),
        (0.000012, "1.20 × 10⁻⁵"),
    ],
)
def test_significant_digits(value, text):
    assert format_number(value) == text


def test_percent_interval_and_p():
    assert format_percent(0.7272) == "73\N{NO-BREAK SPACE}%"
    assert format_percent(None) == DASH
    assert format_interval(2.31, 1.44, 3.79) == "2.3\N{NO-BREAK SPACE}(1.4–3.8)"
    assert [format_p(p) for p in (0.00001, 0.00014, 0.0456, 0.5, 0.999, None)] == [
        "< 0.0001", "0.00014", "0.046", "0.5", "1.0", DASH,
    ]  # fmt: skip


def test_tokens_hold_both_schemes_and_every_meaning():
    text = css_tokens()
    for theme in (LIGHT, DARK):
        assert f'data-mantine-color-scheme="{theme.scheme}"' in text
        for color in (*theme.response.values(), *theme.signal.values(), *theme.crs, *theme.icans):
            assert color in text


def _luminance(color: str) -> float:
    parts = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    r, g, b = (p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


def _contrast(a: str, b: str) -> float:
    high, low = sorted((_luminance(a), _luminance(b)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_text_and_marks_have_their_contrast(theme):
    """WCAG 2.2: 4.5 for text (1.4.3), 3 for marks (1.4.11), on ground and card."""
    for surface in (theme.ground, theme.card):
        for ink in (theme.ink, theme.secondary, theme.muted, theme.accent):
            assert _contrast(ink, surface) >= 4.5
        for name, mark in {**theme.response, **theme.signal}.items():
            assert _contrast(mark, surface) >= 3, (name, surface)
