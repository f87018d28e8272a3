"""A fitted model again by maximum likelihood, for what REML cannot compare."""

from dataclasses import replace
from typing import overload

from analysis.errors import UserError
from analysis.fits.fitted import FittedMixed
from analysis.fits.search import search
from analysis.fits.structured import FittedStructured
from analysis.fits.structured.search import optimum, started


@overload
def by_maximum_likelihood(fitted: FittedMixed) -> FittedMixed: ...
@overload
def by_maximum_likelihood(fitted: FittedStructured) -> FittedStructured: ...
def by_maximum_likelihood(
    fitted: FittedMixed | FittedStructured,
) -> FittedMixed | FittedStructured:
    """The same model fitted by maximum likelihood. Raises UserError where no optimum is found."""
    if not fitted.reml:
        return fitted
    if isinstance(fitted, FittedStructured):
        dense = replace(fitted.dense, reml=False)
        found = optimum(dense, started(dense, fitted.theta))
        if not found.converged:
            raise UserError(
                "maximum likelihood: no optimum was found beside that of REML; ask a simpler "
                "question: fewer random effects, or a simpler residual"
            )
        return replace(fitted, dense=dense, theta=found.theta, inference="satterthwaite")
    best, again = search(fitted.design, False, verify=False)
    return FittedMixed(fitted.design, best, again, False, "satterthwaite")
