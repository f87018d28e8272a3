"""The look of the program: Mantine theme, CSS tokens and how numbers are written.

Colors come from `figures.theme` only, so that a mark in a figure and the chip beside it are the
same color in both schemes.
"""

import math
from typing import Any

from figures.theme import DARK, FONT_FAMILY, LIGHT, Theme, rgba

NO_BREAK = "\N{NO-BREAK SPACE}"

DASH = "–"
"""What stands for a missing value in a table: a thin dash, never 0, NA or an empty cell."""

# Ten shades from the ground to the ink of the accent; index 6 is the light scheme's accent and
# index 4 the dark scheme's, as `figures.theme` defines them.
_ACCENT_SHADES = [
    "#E6F3F3",
    "#CFE7E7",
    "#A3D3D1",
    "#79C8C2",
    DARK.accent,
    "#1F8088",
    LIGHT.accent,
    "#08545D",
    "#06444C",
    "#04343A",
]


def mantine_theme() -> dict[str, Any]:
    """The theme object of `MantineProvider`: one accent, Inter, 8 px radius, 14 px body."""
    return {
        "primaryColor": "accent",
        "primaryShade": {"light": 6, "dark": 4},
        "autoContrast": True,
        "luminanceThreshold": 0.36,
        "colors": {"accent": _ACCENT_SHADES},
        "fontFamily": FONT_FAMILY,
        "fontSizes": {"xs": "12px", "sm": "13px", "md": "14px", "lg": "15px", "xl": "18px"},
        "defaultRadius": "md",
        "radius": {"md": "8px"},
        "headings": {"fontFamily": FONT_FAMILY, "fontWeight": "650"},
        "respectReducedMotion": True,
        "cursorType": "pointer",
        "focusRing": "auto",
    }


def css_tokens() -> str:
    """Custom properties of both schemes, written into the page's head once."""
    return "\n".join(
        f':root[data-mantine-color-scheme="{theme.scheme}"]{{{_declarations(theme)}}}'
        for theme in (LIGHT, DARK)
    )


def _declarations(theme: Theme) -> str:
    tokens = {
        "ground": theme.ground,
        "card": theme.card,
        "hairline": theme.hairline,
        "grid": theme.grid,
        "ink": theme.ink,
        "secondary": theme.secondary,
        "muted": theme.muted,
        "accent": theme.accent,
        "accent-tint": rgba(theme.accent, 0.12),
        "accent-soft": rgba(theme.accent, 0.06),
        "on-accent": "#FFFFFF" if theme.scheme == "light" else DARK.ground,
        **{f"response-{name.lower()}": color for name, color in theme.response.items()},
        **{f"signal-{name.replace('_', '-')}": color for name, color in theme.signal.items()},
        **{f"crs-{grade}": color for grade, color in enumerate(theme.crs, start=1)},
        **{f"icans-{grade}": color for grade, color in enumerate(theme.icans, start=1)},
    }
    pairs = [f"--cg-{name}:{value}" for name, value in tokens.items()]
    mantine = {
        "body": theme.ground,
        "text": theme.ink,
        "dimmed": theme.muted,
        "default": theme.card,
        "default-border": theme.hairline,
        "anchor": theme.accent,
    }
    pairs += [f"--mantine-color-{name}:{value}" for name, value in mantine.items()]
    return ";".join(pairs)


def format_percent(fraction: float | None, decimals: int = 0) -> str:
    """A fraction of 0 to 1 as a percentage that does not break before its sign."""
    if fraction is None or not math.isfinite(fraction):
        return DASH
    return f"{fraction * 100:.{decimals}f}{NO_BREAK}%".replace("-", "−")
