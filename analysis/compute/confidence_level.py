"""The one rule for the level of an interval."""

from numbers import Real

from analysis.errors import UserError


def require_level(level: object) -> None:
    """Raises UserError unless it is a number between 0 and 1."""
    if not isinstance(level, Real) or not 0 < float(level) < 1:
        raise UserError(f"level {level!r} must lie between 0 and 1, as 0.95 does")
