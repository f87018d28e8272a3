"""Counts in the words of findings."""


def plural(n: int, singular: str) -> str:
    """`1 cell`, `3 cells`."""
    return f"{n} {singular}" if n == 1 else f"{n} {singular}s"
