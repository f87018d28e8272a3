"""Which signals may have a curve of growth, and what they are called."""

from analysis.errors import UserError
from analysis.tracers.context import SignalContext, signal_name
from analysis.tracers.registry import TRACERS
from analysis.tracers.words import words_for


def growing_signal(context: str | SignalContext) -> str:
    """Name of a signal that can grow with the cells. Raises UserError for a direct label."""
    name = signal_name(context, "kinetics: context")
    tracer = context.tracer if isinstance(context, SignalContext) else ""
    known = TRACERS.get(tracer)
    if "direct_label" in (tracer, known.tracer_class if known else ""):
        raise UserError(
            f"kinetics: '{name}' is a label put on the cells before infusion. "
            f"{words_for('direct_label').caution} Choose a blood assay or a reporter gene."
        )
    return name
