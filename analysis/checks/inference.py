"""Which inference was used, and how many tests are shown."""

from typing import TYPE_CHECKING

from analysis.results import Check, Fit

if TYPE_CHECKING:
    from analysis.checks.answer import Answer
    from analysis.fits.fitted_model import FittedModel


def check_inference(fitted: "FittedModel", fit: Fit) -> Check:
    """Small-sample degrees of freedom are fine; Wald is said plainly."""
    return Check("inference", "note" if fit.inference == "wald" else "ok", fit.inference_note)


def check_multiplicity(answer: "Answer") -> Check:
    """Several ratios are several tests; adjusted p-values stand beside them (Holm 1979)."""
    n = sum(ratio.p_value is not None for ratio in answer.fit.ratios)
    if n <= 1:
        return Check("multiplicity", "ok", "One comparison.", float(n))
    return Check(
        "multiplicity",
        "note",
        f"{n} ratios are shown; the overall test comes first and "
        "p-values adjusted by Holm's method stand beside each ratio.",
        float(n),
    )
