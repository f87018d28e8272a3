"""Small pieces of running text."""

from collections.abc import Iterable

from dash import html
from dash.development.base_component import Component


def join_facts(facts: Iterable[str | None]) -> list[Component]:
    """Facts beside each other with room between them; missing ones are left out."""
    return [html.Span(fact) for fact in facts if fact]


def plural(n: int, singular: str, several: str | None = None) -> str:
    """`1 patient`, `3 patients`."""
    return f"{n:,} {singular if n == 1 else several or singular + 's'}"
