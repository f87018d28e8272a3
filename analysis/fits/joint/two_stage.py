"""Two stages: the mixed model alone, then a Cox model with its course as if it were known."""

from analysis.fits.censored_fitted import FittedCensored
from analysis.fits.fitted import FittedMixed
from analysis.fits.joint.cox_alternative import (
    CoxAlternative,
    answer,
    fitted_course,
    mixed_alone,
    refused,
    risk_sets,
    usable,
)
from analysis.results import Fit


def two_stage(fit: Fit) -> CoxAlternative:
    """The mixed model alone, then Cox with its fitted course at every event time."""
    fitted, refusal = usable(fit, "two-stage")
    if refusal:
        return refusal
    p = fitted.problem
    alone = mixed_alone(fitted, p.rows.visits.frame)
    if not isinstance(alone.design, FittedMixed | FittedCensored):
        return refused("two-stage", "no_mixed_model", alone.sentence, alone.advice)
    mixed = alone.design
    sets = risk_sets(p, lambda who, time: fitted_course(p, mixed, who, time, p.association))
    return answer(fit, "two-stage", sets, p.association, len(p.rows.labels))
