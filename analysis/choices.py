"""Fields of a question that take one of a few values."""

from collections.abc import Iterable


def not_among(name: str, values: Iterable[str], allowed: Iterable[str]) -> list[str]:
    """One sentence for each value of the field that is no choice of it."""
    known = tuple(allowed)
    return [
        f"{name} {value!r} is not one of {', '.join(known)}"
        for value in values
        if value not in known
    ]
