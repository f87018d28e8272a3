"""Errors a person can act on: one line that says what, where, what was expected, what to do."""

import traceback

SHOWN_FRAMES = 8


class CartographError(Exception):
    """Base of every error the program raises on purpose; anything else is a bug (exit code 70)."""


class UserError(CartographError):
    """The request cannot be done as asked; the message says what to change."""

    exit_code = 2


def trail(error: BaseException) -> str:
    """What kind of bug and where, in one line: without its message, which may hold a patient's
    value."""
    frames = traceback.extract_tb(error.__traceback__)[-SHOWN_FRAMES:]
    places = " > ".join(f"{frame.filename}:{frame.lineno}:{frame.name}" for frame in frames)
    return f"{type(error).__name__} at {places}"
