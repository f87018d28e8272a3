"""What is looked at in a fit with a residual structure: search, likelihood, boundary."""

import numpy as np

from analysis.engine.covariance_parts import RandomTerm
from analysis.fits import statsmodels_bridge as bridge
from analysis.fits.structured.fitted import FittedStructured
from analysis.results import Check


def fit_checks(fitted: FittedStructured, verify: bool) -> tuple[Check, ...]:
    """Of the search, of the likelihood beside statsmodels', and of what lies at its edge."""
    score = float(np.abs(fitted.point.score).max())
    found = [
        Check("convergence", "ok", "The search ended at an optimum of the likelihood.", score),
        _verified(fitted) if verify else NOT_VERIFIED,
    ]
    if fitted.singular:
        found.append(
            Check(
                "boundary", "note",
                f"Singular fit: {'; '.join(fitted.singular)}. A smaller random part says the same "
                "more simply.",
            )
        )  # fmt: skip
    if fitted.residual_correlation == "none":
        found.append(
            Check(
                "boundary", "note",
                "The correlation of the residuals is estimated as zero, the least it can be; the "
                "model without it says the same more simply.",
            )
        )  # fmt: skip
    if fitted.residual_correlation == "complete":
        found.append(
            Check(
                "boundary", "warning",
                "The correlation of the residuals lies at the edge of what it can be, so intervals "
                "are rough; leave it out, or take the random effects out that say the same.",
            )
        )  # fmt: skip
    return tuple(found)


NOT_VERIFIED = Check("verified", "note", "statsmodels was not asked to confirm this optimum.")
OTHER = Check(
    "verified", "note",
    "statsmodels has no such covariance and cannot confirm this optimum; the likelihood's slope is "
    "zero there, and it is checked against nlme and mmrm on published data.",
)  # fmt: skip


def _verified(fitted: FittedStructured) -> Check:
    """Crossed and nested effects with independent residuals exist in statsmodels as well."""
    if fitted.asked.residual.kind != "independent" or fitted.asked.weights:
        return OTHER
    terms = [part for part in fitted.dense.parts if isinstance(part, RandomTerm)]
    if any(term.z.shape[1] > 1 for term in terms):
        return OTHER
    residual = float(np.exp(2 * fitted.theta[-1]))
    sizes = [float(own[0] ** 2) for own in fitted.dense.split.of(fitted.theta)[: len(terms)]]
    llf = bridge.crossed_likelihood(
        fitted.dense.y, fitted.dense.x, [term.level for term in terms],
        [size / residual for size in sizes], fitted.dense.reml,
    )  # fmt: skip
    if llf is None:
        return OTHER
    gap = abs(llf - fitted.point.value)
    if gap < 1e-4 * max(1.0, abs(fitted.point.value)):
        return Check(
            "verified", "ok", "statsmodels finds the same log-likelihood at this optimum.", gap
        )
    return Check(
        "verified", "warning",
        f"statsmodels finds another log-likelihood at this optimum (gap {gap:.2g}); report this.",
        gap,
    )  # fmt: skip
