"""Numbers as people read them in a figure: three digits that matter, true minus, no noise."""

import math

MINUS = "\N{MINUS SIGN}"
EN_DASH = "\N{EN DASH}"


def significant(value: float | None, digits: int | None = None) -> str:
    """`value` to `digits` significant digits with thousands commas; a dash when there is none.

    Without `digits` three from ten on and two below, which is what an assay or a scanner can
    carry. A zero after the point is left out: "12", "11.2", "0.25", "31,400".
    """
    if value is None or not math.isfinite(value):
        return EN_DASH
    if value == 0:
        return "0"
    if digits is None:
        digits = 3 if abs(value) >= 9.95 else 2
    exponent = math.floor(math.log10(abs(value)))
    rounded = round(value, digits - 1 - exponent)
    exponent = math.floor(math.log10(abs(rounded)))
    decimals = max(0, digits - 1 - exponent)
    if exponent >= 0:
        decimals = min(decimals, 1)
    text = f"{abs(rounded):,.{decimals}f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return (MINUS if rounded < 0 else "") + text


def plain(value: float) -> str:
    """The shortest text of a limit or a tick: "0.2", "50", "1,000"."""
    text = f"{abs(value):,.6g}" if abs(value) < 1e15 else f"{abs(value):.3g}"
    if "e" in text:
        text = f"{abs(value):,.0f}" if abs(value) >= 1 else f"{abs(value):.6f}".rstrip("0")
    return (MINUS if value < 0 else "") + text


def short_tick(value: float) -> str:
    """A tick of a log axis: 0.1, 1, 10, 100, 1k, 10k, 1M."""
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size * 0.9999:
            return f"{plain(value / size)}{letter}"
    return plain(value)


def signed_percent(value: float | None) -> str:
    """A change in percent with its sign: "+17 %", "−98 %"; zero has no sign."""
    if value is None or not math.isfinite(value):
        return EN_DASH
    rounded = math.floor(abs(value) + 0.5)
    if rounded == 0:
        return "0 %"
    return f"{'+' if value > 0 else MINUS}{rounded:,} %"


def day_text(day: float) -> str:
    """A day from infusion as a whole number with a true minus."""
    whole = whole_day(day)
    return f"{MINUS}{-whole}" if whole < 0 else str(whole)


def day_range(start: float, end: float | None) -> str:
    """ "days 2–6", "day 14", "from day 14" when the end is not known."""
    if end is None:
        return f"from day {day_text(start)}"
    if whole_day(start) == whole_day(end):
        return f"day {day_text(start)}"
    joint = " to " if start < 0 or end < 0 else EN_DASH
    return f"days {day_text(start)}{joint}{day_text(end)}"


def whole_day(day: float) -> int:
    """The whole day nearest to `day`; halves go up, so that the rule is the same on every side."""
    return math.floor(day + 0.5)
