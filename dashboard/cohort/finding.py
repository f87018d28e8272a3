"""The finding of the trajectories in one sentence."""

from collections.abc import Sequence
from typing import Any

from dash import html

from analysis.derive.comparison import Comparison
from analysis.number_words import count, number, p_words
from dashboard.cohort.numbers import CohortNumbers
from dashboard.cohort.words import differing
from dashboard.components.text import lower_first
from figures.number_text import EN_DASH
from figures.ratio_forest import ForestRow


def sentence(found: CohortNumbers) -> Any:
    """The finding and its n, in words that the signal allows."""
    have = "has" if found.n_with_values == 1 else "have"
    head = (
        f"{found.n_with_values} of {count(found.n_selected, 'patient')} {have} values of "
        f"{lower_first(found.signal.label)}{'' if found.n_with_values else ' to draw'}. "
    )
    if not found.n_with_values:
        return head.rstrip()
    if not found.mains:
        return head + "No response has been assessed, so peaks are not compared."
    parts: list[Any] = [head + "Their peak to day 28 was "]
    # A cohort in which nobody was measured is no finding.
    measured = [main for main in found.mains if main.n_upper + main.n_lower] or found.mains
    clear, n_tests = differing(found.forest.rows)
    for place, main in enumerate(measured):
        where = f" in {main.note}" if len(found.mains) > 1 else ""
        lost = is_among(main, found.forest.rows) and not is_among(main, [row for row, _ in clear])
        parts += [", " if place else "", *finding(main, where, n_tests if lost else 1)]
    return [*parts, "."]


def is_among(main: Comparison, rows: Sequence[ForestRow]) -> bool:
    """Whether the comparison is one of these rows, by whatever name."""
    return any((row.ratio, row.p_value) == (main.ratio, main.p_value) for row in rows)


def finding(main: Comparison, where: str, n_tests: int = 1) -> list[Any]:
    """One comparison in words: "2.6 times higher in responders (95 % CI ...)". What does not hold
    among the `n_tests` comparisons of the page is not set in bold, and says so."""
    counts = f"n = {main.n_upper} against {main.n_lower}"
    if not main.estimable:
        return [f"not comparable between responders and others{where} ({counts})"]
    range_words = f"{number(main.conf_low)}{EN_DASH}{number(main.conf_high)}"
    facts = f"95 % CI {range_words}; {counts}, {p_words(main.p_value)})"
    if main.conf_low <= 1 <= main.conf_high:
        return [f"not clearly different{where} (ratio {number(main.ratio)}, {facts}"]
    higher = main.ratio > 1
    factor = number(main.ratio if higher else 1 / main.ratio)
    said = f"{factor} times {'higher' if higher else 'lower'} in responders{where}"
    behind = f" ({'' if higher else f'ratio {number(main.ratio)}, '}{facts}"
    if n_tests > 1:
        return [said, behind[:-1] + f", not after correction for {count(n_tests, 'comparison')})"]
    return [html.Strong(said), behind]
