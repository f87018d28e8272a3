"""Checks of a fitted model. Each looks at one thing and says in plain words what it saw.

CHECKS: (fitted, fit) -> Check for every mixed model, in the order they are shown.
SPECIFICATION_CHECKS: (answer) -> Check for the answer to a `ModelSpec`.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from analysis.checks.balance import check_dropout, check_empty_cells
from analysis.checks.boundary import check_boundary
from analysis.checks.censoring import check_below_limit
from analysis.checks.conclusion import check_conclusion_by_day, check_conclusion_by_rule
from analysis.checks.convergence import check_convergence, check_verified
from analysis.checks.enough_subjects import check_enough_subjects, check_group_sizes
from analysis.checks.inference import check_inference, check_multiplicity
from analysis.checks.influence import check_influence
from analysis.checks.mean_curve import check_mean_curve
from analysis.checks.random_part import check_random_part
from analysis.checks.records import check_duplicates, check_missing
from analysis.checks.residuals import check_outliers, check_residual_shape
from analysis.results import Check, Fit

if TYPE_CHECKING:
    from analysis.checks.answer import Answer
    from analysis.fits.fitted import FittedMixed
    from analysis.fits.fitted_model import FittedModel

CHECKS: tuple[Callable[["FittedMixed", Fit], Check], ...] = (
    check_convergence,
    check_verified,
    check_boundary,
    check_enough_subjects,
    check_residual_shape,
    check_outliers,
    check_missing,
    check_duplicates,
    check_inference,
)

SPECIFICATION_CHECKS: tuple[Callable[["Answer"], Check], ...] = (
    check_conclusion_by_rule,
    check_conclusion_by_day,
    check_mean_curve,
    check_group_sizes,
    check_empty_cells,
    check_random_part,
    check_below_limit,
    check_dropout,
    check_influence,
    check_multiplicity,
)


STRUCTURED_CHECKS: tuple[Callable[["FittedModel", Fit], Check], ...] = (
    check_enough_subjects,
    check_residual_shape,
    check_outliers,
    check_missing,
    check_duplicates,
    check_inference,
)


def structured_checks(fitted: "FittedModel", fit: Fit) -> tuple[Check, ...]:
    """Every check of a model with a residual structure; its residuals are decorrelated."""
    return tuple(check(fitted, fit) for check in STRUCTURED_CHECKS)


def mixed_checks(fitted: "FittedMixed", fit: Fit) -> tuple[Check, ...]:
    """Every check of a mixed model."""
    return tuple(check(fitted, fit) for check in CHECKS)


def specification_checks(answer: "Answer") -> tuple[Check, ...]:
    """Every check of the answer to a specification."""
    return tuple(check(answer) for check in SPECIFICATION_CHECKS)
