"""How numbers are written."""

import pytest

from dashboard.theme import (
    DASH,
    css_tokens,
    format_percent,
)
from figures.theme import DARK, LIGHT


def test_percent():
    assert format_percent(0.7272) == "73\N{NO-BREAK SPACE}%"
    assert format_percent(None) == DASH


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
