"""The one rule for the level of an interval."""

from analysis.errors import UserError


def require_level(level: float) -> None:
    """Raises UserError unless it is a number between 0 and 1."""
    if not isinstance(level, (int, float)) or not 0 < level < 1:
        raise UserError(f"level {level!r} must lie between 0 and 1, as 0.95 does")
