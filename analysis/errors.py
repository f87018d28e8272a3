"""Errors a person can act on: one line that says what, where, what was expected, what to do."""


class CartographError(Exception):
    """Base of every error the program raises on purpose; anything else is a bug (exit code 70)."""


class UserError(CartographError):
    """The request cannot be done as asked; the message says what to change."""

    exit_code = 2
