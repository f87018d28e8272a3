"""What a structure does not have, and what to ask instead."""

from analysis.errors import UserError
from analysis.fits.fitted import FittedMixed
from analysis.fits.guards import Problem
from analysis.fits.structured.fitted import FittedStructured


def without_patient_effects(fitted: FittedMixed | FittedStructured) -> Problem | None:
    """Where the model has no random effects of the patient that could be predicted."""
    if not isinstance(fitted, FittedStructured) or fitted.patient_effects is not None:
        return None
    return Problem(
        "no_random_effects",
        f"The model has no random effects of a patient, only {fitted.asked.residual.words}.",
        "Fit it with random='1' and independent or autoregressive residuals; means of groups and "
        "residuals are there as it stands.",
    )


def require_independent_patients(fitted: FittedMixed | FittedStructured, purpose: str) -> None:
    """Raises UserError where patients share the levels of what crosses them."""
    if isinstance(fitted, FittedStructured) and fitted.asked.crossed:
        raise UserError(
            f"{purpose}: patients share the levels of {', '.join(fitted.asked.crossed)}, so they "
            "cannot be drawn independently of each other; use the parametric bootstrap, which "
            "draws those levels too"
        )
