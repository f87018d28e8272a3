"""How an estimate, a p-value and a count are written: one rule for sentences, tables and figures.

Values as an assay or a scanner delivers them are written by `figures.number_text.significant`.
"""

import math

LEAST_P = 1e-4


def number(value: float) -> str:
    """An estimate or a limit of its interval: two significant digits below 10, whole numbers
    above, from a thousand on three digits that count and a comma; exponents from a million on and
    below a thousandth."""
    if not math.isfinite(value):
        return "\N{INFINITY}"
    if value == 0:
        return "0"
    if abs(value) >= 1e6 or abs(value) < 1e-3:
        return f"{value:.1e}"
    magnitude = math.floor(math.log10(abs(value)))
    rounded = round(value, 1 - magnitude)
    digits = 1 - math.floor(math.log10(abs(rounded)))
    if abs(rounded) < 10:
        return f"{rounded:.{digits}f}"
    return f"{round(value, min(0, 2 - magnitude)):,.0f}"


def p_words(p_value: float | None) -> str:
    """ "p 0.00014": two significant digits, never rounded to zero; "" where there is none."""
    if p_value is None or not math.isfinite(p_value):
        return ""
    if p_value < LEAST_P:
        return "p < 0.0001"
    return f"p {p_value:#.2g}" if p_value < 0.995 else "p 1.0"


def count(n: int, noun: str, several: str | None = None) -> str:
    """'1 patient', '24 patients', '1,234 observations', '2 studies'."""
    return f"{n:,} {noun if n == 1 else several or noun + 's'}"
