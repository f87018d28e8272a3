"""Marks of meaning outside figures: a response with its symbol, a grade in its shade."""

from dash import html
from dash.development.base_component import Component

from dashboard.theme import DASH
from figures.tracks.toxicity import grade_words

_RESPONSES = ("CR", "PR", "SD", "PD", "NE")
_RESPONSE_WORDS = {
    "CR": "complete response",
    "PR": "partial response",
    "SD": "stable disease",
    "PD": "progressive disease",
    "NE": "not evaluable",
}


def response_mark(response: str | None, *, text: bool = True) -> Component:
    """The symbol and code of a response category; another category stands as plain text and a
    missing one as a dash. Without `text` the words stay for a screen reader."""
    if response is None:
        return html.Span(DASH, className="cg-muted", title="never assessed")
    if response not in _RESPONSES:
        return html.Span(response, className="cg-response")
    words = _RESPONSE_WORDS[response]
    symbol = html.Span(
        className=f"cg-symbol cg-symbol-{response.lower()}", **{"aria-hidden": "true"}
    )
    label = (
        html.Span(response, title=words)
        if text
        else html.Span(words, className="cg-visually-hidden")
    )
    return html.Span([symbol, label], className="cg-response")


def grade_badge(category: str, grade: int | None) -> Component:
    """A toxicity grade: CRS on the purple ramp, ICANS on the orange one, others in grey.

    Grade 0 (looked for, none seen) is written as 0; a missing grade is a dash.
    """
    if grade is None:
        return html.Span(DASH, className="cg-muted", title=f"{category}: no grade delivered")
    step = min(max(grade, 0), 3)
    ramp = category.lower() if category in {"CRS", "ICANS"} else "grade"
    return html.Span(
        str(grade),
        className=f"cg-grade cg-{ramp}-{step}",
        title=f"{category} {grade_words(grade)}",
    )
