"""Markdown pieces: headings with a note of origin, tables, the first words of a docstring."""

import inspect
from collections.abc import Iterable, Sequence
from types import ModuleType

NOTE = "<!-- Written by `make docs` from the code. Edit the code, not this page. -->"


def page(title: str, *parts: str) -> str:
    """A whole page; empty parts are left out."""
    return "\n\n".join([f"# {title}", NOTE, *(part for part in parts if part)]) + "\n"


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table; "" when there is no row."""
    lines = ["| " + " | ".join(cell(value) for value in row) + " |" for row in rows]
    if not lines:
        return ""
    return "\n".join(["| " + " | ".join(head) + " |", "|" + "---|" * len(head), *lines])


def cell(value: object) -> str:
    """A value in one cell: no line break, no bar that would end the cell."""
    return " ".join(str(value).split()).replace("|", "\\|")


def bullets(items: Iterable[str]) -> str:
    return "\n".join(f"- {' '.join(item.split())}" for item in items)


def code(text: object) -> str:
    return f"`{text}`"


def summary(documented: object) -> str:
    """The first paragraph of a docstring in one line."""
    text = documented.__doc__ if isinstance(documented, ModuleType) else inspect.getdoc(documented)
    return " ".join((text or "").strip().split("\n\n")[0].split())


def description(documented: object) -> str:
    """The docstring without its Raises and Returns sections, paragraphs kept."""
    paragraphs = (inspect.getdoc(documented) or "").split("\n\n")
    kept = [text for text in paragraphs if not text.startswith(("Raises:", "Returns:"))]
    return "\n\n".join(" ".join(text.split()) for text in kept).replace("``", "`")
