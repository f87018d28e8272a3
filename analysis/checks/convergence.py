"""Did the search end at an optimum, and does statsmodels agree that it is one?"""

from math import isfinite
from typing import TYPE_CHECKING

from analysis.results import Check, Fit

if TYPE_CHECKING:
    from analysis.fits.fitted import FittedMixed

GRADIENT = 1e-2
LIKELIHOOD = 1e-4
"""Largest gap in -2 log-likelihood that two searches for the same optimum may leave."""


def check_convergence(fitted: "FittedMixed", fit: Fit) -> Check:
    """The gradient at the optimum is nothing beside the criterion's own scale."""
    norm = fitted.optimum.gradient_norm
    if norm < GRADIENT:
        return Check(
            "convergence",
            "ok",
            "The search ended at an optimum; other starts end there or higher.",
            norm,
        )
    return Check(
        "convergence",
        "failed",
        "The search did not end at an optimum; ask a simpler question.",
        norm,
    )


def check_verified(fitted: "FittedMixed", fit: Fit) -> Check:
    """statsmodels computes the same likelihood at our optimum and finds no better one.

    At a variance of zero statsmodels takes a pseudo-inverse and is off by a little: the gap is
    then judged ten times more loosely.
    """
    from analysis.fits.search import criterion_at
    from analysis.fits.statsmodels_bridge import NOT_ASKED

    refit, criterion = fitted.refit, fitted.optimum.criterion
    if refit is NOT_ASKED:
        return Check("verified", "note", "statsmodels was not asked to confirm this optimum.")
    if not isfinite(refit.llf_at_start):
        return Check(
            "verified",
            "note",
            "statsmodels could not evaluate this optimum "
            f"({refit.note or 'no likelihood'}); the profiled likelihood stands alone.",
        )
    gap = -2 * refit.llf_at_start - criterion
    better = criterion - criterion_at(fitted.design, refit.theta, fitted.reml)
    limit = LIKELIHOOD * (10 if fitted.singular else 1)
    if abs(gap) <= limit and better <= limit:
        return Check(
            "verified",
            "ok",
            "statsmodels finds the same log-likelihood at this optimum and no better one.",
            gap,
        )
    return Check(
        "verified",
        "warning",
        "statsmodels and the profiled likelihood disagree by "
        f"{max(abs(gap), better):.2g} in -2 log-likelihood; do not rely on this fit.",
        gap,
    )
