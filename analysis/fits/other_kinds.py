"""What to use instead where a question for mixed models meets a fit of another kind."""

from collections.abc import Mapping

from analysis.errors import UserError
from analysis.results import Fit

MIXED = ("linear mixed model", "censored linear mixed model")
INSTEAD: Mapping[str, str] = {
    "Cox model": "read its hazard ratios with hazard_ratios(fit), compare groups with log_rank",
    "subdistribution hazards model": "read its hazard ratios with hazard_ratios(fit), show "
    "cumulative_incidence",
    "joint model": "read fit.table(), predict with predict_event_free(fit, ...), and compare "
    "joint_alternatives(fit)",
    "joint model of a response": "read fit.table(), its rows name their part",
    "logistic regression": "read its log odds ratios in fit.table()",
    "proportional odds regression": "read its log odds ratios in fit.table()",
    "generalized estimating equations": "read its coefficients in fit.table()",
    "population cellular kinetics": "read its parameters in fit.table()",
}


def require_mixed(fit: Fit, purpose: str) -> None:
    """Raises UserError for a fit that is no linear mixed model, in words true for its kind."""
    if fit.kind in MIXED:
        return
    instead = INSTEAD.get(fit.kind, "read fit.table()")
    raise UserError(
        f"{purpose}: there for linear mixed models, and this fit is of another kind "
        f"({fit.kind}); {instead}"
    )
