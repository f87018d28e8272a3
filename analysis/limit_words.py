"""What is said of a zero that came without a limit, alike by a load and by a fit.

The rule itself: `analysis.derive.signal` and `analysis.derive.signal_fold`.
"""


def zero_rule(n: int) -> str:
    """How one zero, or several, that came without a limit are stored and used."""
    them, are = ("it", "is") if n == 1 else ("they", "are")
    return (
        f"stored as zero; on a log scale {them} {are} taken as below a limit, the smallest value "
        "above zero of that signal"
    )
