"""Why a mixed model with values beyond a limit cannot be fitted, in plain words."""

import numpy as np

from analysis.engine.structure import Array
from analysis.fits.design import Rows
from analysis.fits.formulas import Matrices
from analysis.fits.guards import Problem
from analysis.fits.joint.limits import Limits
from analysis.number_words import count

MAXIMUM_DIMENSION = 3
"""Random effects of a patient that are integrated; each multiplies the nodes."""
SUBSTITUTE = "Set values below the limit to half the limit, and show the rate of values above it."

NOT_CONVERGED = Problem(
    "not_converged",
    "No maximum of the censored likelihood was found.",
    "Ask a simpler question: a smaller random part or fewer terms.",
)
NOT_IDENTIFIED = Problem(
    "not_identified",
    "The values do not tell the parameters apart: the likelihood has a direction without "
    "curvature.",
    "Take a smaller random part or fewer terms.",
)


def nested_problem(nested: tuple[str, ...]) -> Problem | None:
    """One intercept per level is integrated within the patient's effects; no more than that."""
    if len(nested) < 2 and not any(":" in text for text in nested):
        return None
    return Problem(
        "nested_censored",
        f"The random effects asked for within a patient ({', '.join(nested)}) are more than one "
        "intercept per level of one column, which is what is integrated.",
        f"Take one column without slopes, or one value per patient and day. {SUBSTITUTE}",
    )


def curves_with_lesions_problem(matrices: Matrices) -> Problem:
    """Curves reduced to the two directions that lesions leave room for: what lesions share and the
    two do not hold would be reported as a difference between lesions."""
    return Problem(
        "nested_censored",
        f"The patients' own curves have {matrices.z.shape[1]} dimensions, and beside lesions at "
        f"most {MAXIMUM_DIMENSION - 1} are integrated.",
        f"Let patients differ in their level only, or take one value per patient and day. "
        f"{SUBSTITUTE}",
    )


def dimension_problem(matrices: Matrices, nested: tuple[str, ...]) -> Problem | None:
    """More random effects than are integrated. All levels of a nested column count as one: given
    the patient's effects each is an integral of its own."""
    n = matrices.z.shape[1] + len(nested)
    if n <= MAXIMUM_DIMENSION:
        return None
    return Problem(
        "random_part_too_large",
        f"{n} random effects per patient{' and level' * bool(nested)} need an integral of as many "
        f"dimensions; at most {MAXIMUM_DIMENSION} are computed.",
        "Take fewer, such as '1 + time'.",
    )


def limits_problem(rows: Rows, limits: Limits, matrices: Matrices) -> Problem | None:
    """What only values beyond a limit say has no finite estimate."""
    n = len(limits.censored)
    exact = ~limits.censored
    if not exact.any():
        return Problem(
            "all_below_limit",
            f"All {n} values are known by their limits only.",
            "Report the rate of values above the limit instead.",
        )
    if np.ptp(matrices.y[exact]) == 0:
        return Problem(
            "constant_outcome",
            f"{rows.outcome} has the same value in all {int(exact.sum())} rows that have one.",
            "There is nothing to explain; check the column.",
        )
    bounded = exact | (np.isfinite(limits.low) & np.isfinite(limits.high))
    rank = 0
    for index, name in enumerate(matrices.x_names):
        found = int(np.linalg.matrix_rank(_unit(matrices.x[bounded, : index + 1]), tol=1e-8))
        if found == rank:
            return Problem(
                "only_below_limit",
                f"The effect of {name} rests on values beyond a limit alone, so it could be any "
                "size.",
                "Leave out the visit, group or term in which nothing was measured.",
            )
        rank = found
    return None


def few_patients_problem(n_subjects: int, n_between: int) -> Problem | None:
    """No patient is left to judge the variance between patients by."""
    if n_subjects > n_between:
        return None
    return Problem(
        "too_few_subjects",
        f"{count(n_subjects, 'patient')} cannot carry {count(n_between, 'effect')} "
        "between patients.",
        "Ask a simpler question or widen the selection.",
    )


def _unit(matrix: Array) -> Array:
    size = np.linalg.norm(matrix, axis=0)
    return np.asarray(matrix / np.where(size > 0, size, 1.0))
