"""What a load and a fit say alike of values that models use otherwise than as delivered."""

DECAY_UNKNOWN = "decay correction unknown"
"""Reason of the rows of uptake that `analysis.derive.model_frame` leaves out."""
ADD_DECAY_STATE = (
    "add decay_state (none, scan_start, tracer_injection or cell_infusion) to the scans: a column "
    "of the file, or under constants of the table in its profile"
)


def zero_rule(n: int) -> str:
    """How one zero, or several, that came without a limit are stored and used; the rule itself is
    that of `analysis.derive.signal`."""
    them, are = ("it", "is") if n == 1 else ("they", "are")
    return (
        f"stored as zero; on a log scale {them} {are} taken as below a limit, the smallest value "
        "above zero of that signal"
    )
