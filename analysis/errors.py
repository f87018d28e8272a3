"""Errors a person can act on: one line that says what, where, what was expected, what to do."""

import traceback

SHOWN_FRAMES = 8


class CartographError(Exception):
    """Base of every error the program raises on purpose; anything else is a bug (exit code 70)."""


class UserError(CartographError):
    """The request cannot be done as asked; the message says what to change."""

    exit_code = 2


def trail(error: BaseException) -> str:
    """Where a bug happened, for a log: without its message, which may hold a patient's value."""
    frames = traceback.extract_tb(error.__traceback__)[-SHOWN_FRAMES:]
    return " > ".join(f"{frame.filename}:{frame.lineno}:{frame.name}" for frame in frames)
