"""Small pieces of running text."""

import re
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from dash import html
from dash.development.base_component import Component


def join_facts(facts: Iterable[str | None]) -> list[Component]:
    """Facts beside each other with room between them; missing ones are left out."""
    return [html.Span(fact) for fact in facts if fact]


def present(parts: Iterable[Component | None]) -> list[Component]:
    """The parts that there are."""
    return [part for part in parts if part is not None]


def sentence_case(words: str) -> str:
    """Words at the start of a line."""
    return words[:1].upper() + words[1:]


def lower_first(label: str) -> str:
    """A label inside a sentence: "blood transgene, qPCR"; abbreviations keep their capitals."""
    return label if label[:2].isupper() else label[:1].lower() + label[1:]


UNBROKEN = re.compile(
    r"95\s%\sCI\s[^\s,;)]+(?:\sto\s[^\s,;)]+)?(?:\s%)?|\bn\s=\s\d[\d,]*|\bp\s(?:<\s)?\d[\d.]*"
    r"|\d[\d.,]*\s%|\bday\s\d+"
)
"""Numbers that lose their meaning when a line ends inside them."""


def unbroken(words: Any) -> Any:
    """Text, or a list of text and components, with its numbers kept on one line each."""
    if isinstance(words, list):
        return [part for one in words for part in _parts(one)]
    return _parts(words) if isinstance(words, str) else words


def _parts(words: Any) -> list[Any]:
    if not isinstance(words, str):
        return [words]
    parts: list[Any] = []
    start = 0
    for found in UNBROKEN.finditer(words):
        parts += [words[start : found.start()], html.Span(found[0], className="cg-nowrap")]
        start = found.end()
    return [part for part in [*parts, words[start:]] if part != ""]


def soft_breaks(name: str) -> list[Any]:
    """A name of a file or a column that may go on after its slashes and underscores."""
    parts = [part for part in re.split(r"(?<=[/_])", name) if part]
    return [one for part in parts for one in (part, html.Wbr())][:-1]


def moment(at: datetime) -> list[Any]:
    """A date and a time; a line ends between them only."""
    return [html.Span(f"{at:%Y-%m-%d}", className="cg-nowrap"), f" {at:%H:%M}"]
