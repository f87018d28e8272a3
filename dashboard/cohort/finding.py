"""The finding of the trajectories in one sentence."""

from typing import Any

from dash import html

from analysis.derive.comparison import Comparison
from analysis.number_words import count, number, p_words
from dashboard.cohort.numbers import CohortNumbers
from figures.number_text import EN_DASH


def sentence(found: CohortNumbers) -> Any:
    """The finding and its n, in words that the signal allows."""
    have = "has" if found.n_with_values == 1 else "have"
    head = (
        f"{found.n_with_values} of {count(found.n_selected, 'patient')} {have} values of "
        f"{lower_first(found.signal.label)}. "
    )
    if not found.mains:
        return head + "No response has been assessed, so peaks are not compared."
    parts: list[Any] = [head + "Their peak to day 28 was "]
    # A cohort in which nobody was measured is no finding.
    measured = [main for main in found.mains if main.n_upper + main.n_lower] or found.mains
    for place, main in enumerate(measured):
        where = f" in {main.note}" if len(found.mains) > 1 else ""
        parts += [", " if place else "", *finding(main, where)]
    return [*parts, "."]


def finding(main: Comparison, where: str) -> list[Any]:
    """One comparison in words: "2.6 times higher in responders (95 % CI ...)"."""
    counts = f"n = {main.n_upper} against {main.n_lower}"
    if not main.estimable:
        return [f"not comparable between responders and others{where} ({counts})"]
    range_words = f"{number(main.conf_low)}{EN_DASH}{number(main.conf_high)}"
    facts = f"95 % CI {range_words}; {counts}, {p_words(main.p_value)})"
    if main.conf_low <= 1 <= main.conf_high:
        return [f"not clearly different{where} (ratio {number(main.ratio)}, {facts}"]
    if main.ratio > 1:
        strong = f"{number(main.ratio)} times higher in responders{where}"
        return [html.Strong(strong), f" ({facts}"]
    strong = f"{number(1 / main.ratio)} times lower in responders{where}"
    return [html.Strong(strong), f" (ratio {number(main.ratio)}, {facts}"]


def lower_first(label: str) -> str:
    """A label inside a sentence: "blood transgene, qPCR"; abbreviations keep their capitals."""
    return label if label[:2].isupper() else label[:1].lower() + label[1:]
