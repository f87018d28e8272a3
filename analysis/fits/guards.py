"""What the data cannot say, found before anything is fitted. No number comes out of these."""

from itertools import combinations
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.engine.structure import Array
from analysis.fits.design import Rows, nested_levels, numbered, unit_rms
from analysis.fits.formulas import Matrices
from analysis.number_words import count

if TYPE_CHECKING:
    import polars as pl

MINIMUM_SUBJECTS = 5
"""Fewer levels of a grouping factor give no usable variance (Bolker 2009,
doi:10.1016/j.tree.2008.10.008)."""
RANK_TOLERANCE = 1e-8
PERFECT_FIT = 1e-9
"""Residual variance relative to what the fixed effects leave."""
NEARLY_PERFECT = 1e-6
"""The same where the search has no end: the likelihood grows until rounding errors stop it."""
SMALLEST, LARGEST = 1e-150, 1e150
"""Spread of an outcome whose variance is still a number."""


class Problem(NamedTuple):
    """Why nothing can be estimated: a code, one sentence, what to do."""

    reason: str
    sentence: str
    advice: str


def rows_problem(rows: Rows, group: str) -> Problem | None:
    """Problems seen without a design matrix."""
    if rows.frame.is_empty():
        lost = ", ".join(f"{item.n} with {item.reason}" for item in rows.excluded)
        return Problem(
            "no_observations",
            "There is no complete observation to fit" + (f" ({lost} left out)." if lost else "."),
            "Check the filters, the day window and the missing values.",
        )
    single = [
        name
        for name in sorted(rows.variables)
        if _is_text(rows.frame, name) and rows.frame[name].n_unique() == 1
    ]
    n = rows.n_levels(group)
    if n < MINIMUM_SUBJECTS:
        return Problem(
            "too_few_subjects",
            f"{count(n, 'patient')} cannot carry a model with a random "
            f"part; at least {MINIMUM_SUBJECTS} are needed.",
            "Show the individual curves instead.",
        )
    if single:
        name = single[0]
        return Problem(
            "single_level",
            f"'{name}' has one level only ('{rows.frame[name][0]}'), so nothing can be compared.",
            f"Leave '{name}' out or widen the selection.",
        )
    return None


def matrix_problem(
    rows: Rows,
    matrices: Matrices,
    group: str,
    nested: tuple[str, ...],
    *,
    with_random: bool = True,
) -> Problem | None:
    """Problems of the outcome, the random part and the rank, in the order a person meets them."""
    patient = rows.numbered(group)[1]
    return (
        _infinite(rows, matrices)
        or _constant(rows, matrices)
        or (_random_part(matrices, patient) if with_random else None)
        or _nested(rows.frame, nested, patient)
        or _rank(rows.frame, matrices)
        or _size(matrices)
    )


def _infinite(rows: Rows, matrices: Matrices) -> Problem | None:
    bad = int((~np.isfinite(matrices.y)).sum())
    if bad:
        return Problem(
            "infinite_values",
            f"{bad} of {len(matrices.y)} values of {rows.outcome} "
            "are not finite, as the logarithm of zero is.",
            "Treat values below the limit as such before taking a logarithm.",
        )
    if np.isfinite(matrices.x).all() and np.isfinite(matrices.z).all():
        return None
    named = [
        (name, column)
        for names, matrix in ((matrices.x_names, matrices.x), (matrices.z_names, matrices.z))
        for name, column in zip(names, matrix.T, strict=True)
    ]
    for name, column in named:
        if not np.isfinite(column).all():
            return Problem(
                "infinite_values",
                f"The term {name} is not finite in {int((~np.isfinite(column)).sum())} rows.",
                "Correct these values or leave them out.",
            )
    return None


def _constant(rows: Rows, matrices: Matrices) -> Problem | None:
    y = matrices.y
    spread = float(y.max() - y.min())
    if spread == 0 or spread <= 1e-13 * float(np.abs(y).max()):
        return Problem(
            "constant_outcome",
            f"{rows.outcome} has the same value in all {len(y)} observations.",
            "There is nothing to explain; check the column.",
        )
    if not SMALLEST < spread < LARGEST:
        return Problem(
            "extreme_scale",
            f"The values of {rows.outcome} spread over {spread:.1g}, "
            "whose square a computer cannot hold.",
            "Change the unit.",
        )
    return None


def _random_part(matrices: Matrices, patient: NDArray[np.intp]) -> Problem | None:
    n, m, k = len(patient), int(patient.max()) + 1, matrices.z.shape[1]
    if np.bincount(patient).max() == 1:
        return Problem(
            "one_observation_per_subject",
            "Every patient has one observation, so "
            "differences between and within patients cannot be told apart.",
            "Compare the groups with a simple test instead.",
        )
    if n <= k * m:
        return Problem(
            "random_part_too_large",
            f"{n} observations of {m} patients cannot carry {k} random effects per patient.",
            "Take a smaller random part, or only a random intercept.",
        )
    aliased = _aliased(matrices.z)
    if aliased:
        name = matrices.z_names[aliased[0]]
        return Problem(
            "random_collinear",
            f"The random effect of {name} repeats the others.",
            "Leave it out of the random part.",
        )
    return None


def _nested(
    frame: "pl.DataFrame", nested: tuple[str, ...], patient: NDArray[np.intp]
) -> Problem | None:
    for name in nested:
        levels = nested_levels(numbered(frame[name])[1], patient)
        pairs = len(set(zip(patient.tolist(), levels.tolist(), strict=True)))
        if levels.max() == 0:
            return Problem(
                "nested_single_level",
                f"No patient has more than one level of "
                f"'{name}', so it cannot be told from the patient.",
                f"Leave '{name}' out of the nested effects.",
            )
        if pairs >= len(patient):
            return Problem(
                "nested_without_replicates",
                f"Every level of '{name}' was seen once, "
                "so its variance cannot be told from the residual.",
                f"Leave '{name}' out of the nested effects.",
            )
    return None


def _rank(frame: "pl.DataFrame", matrices: Matrices) -> Problem | None:
    aliased = _aliased(matrices.x)
    if not aliased:
        return None
    for _, variables, _ in matrices.x_terms:
        factors = [name for name in variables if _is_text(frame, name)]
        for first, second in combinations(factors, 2):
            empty = _empty_cell(frame, first, second)
            if empty:
                cell = f"{first} = {empty[0]} and {second} = {empty[1]}"
                return Problem(
                    "empty_cell",
                    f"No observation has {cell}, so their interaction cannot be estimated.",
                    "Leave out that level, or drop the interaction.",
                )
    names = ", ".join(matrices.x_names[index] for index in aliased)
    if "cr(" in names and "constraints" not in names:
        return Problem(
            "collinear",
            f"The terms {names} hold the intercept a second time.",
            "Write cr(..., constraints='center').",
        )
    return Problem(
        "collinear",
        f"The terms {names} follow from the others, so their effects cannot be separated.",
        "Leave out one of the terms that say the same.",
    )


def _size(matrices: Matrices) -> Problem | None:
    n, p = matrices.x.shape
    if n <= p + 1:
        return Problem(
            "too_few_observations",
            f"{n} observations cannot carry {p} fixed effects.",
            "Ask a simpler question or widen the selection.",
        )
    return None


def _aliased(matrix: Array) -> list[int]:
    """Columns that are combinations of earlier ones, by modified Gram-Schmidt on unit columns."""
    if _of_full_rank(matrix):
        return []
    scaled, _ = unit_rms(matrix)
    basis: list[Array] = []
    found = []
    for index, column in enumerate(scaled.T):
        rest = column.copy()
        for _ in range(2):
            for vector in basis:
                rest = rest - vector * float(vector @ rest)
        size = float(np.linalg.norm(rest))
        if size <= RANK_TOLERANCE * np.sqrt(len(matrix)):
            found.append(index)
        else:
            basis.append(rest / size)
    return found


def _of_full_rank(matrix: Array) -> bool:
    """The same question for all columns at once: what is left of each against its length."""
    if len(matrix) < matrix.shape[1]:
        return False
    triangle: Array = np.linalg.qr(matrix, mode="r")  # type: ignore[assignment]
    with np.errstate(over="ignore"):
        length = np.sqrt((triangle * triangle).sum(axis=0))
    return bool((np.abs(np.diag(triangle)) > RANK_TOLERANCE * length).all())


def _empty_cell(frame: "pl.DataFrame", first: str, second: str) -> tuple[str, str] | None:
    import polars as pl

    seen = set(frame.select(first, second).cast(pl.String).unique().iter_rows())
    return next(
        (
            (one, two)
            for one in sorted({pair[0] for pair in seen})
            for two in sorted({pair[1] for pair in seen})
            if (one, two) not in seen
        ),
        None,
    )


def _is_text(frame: "pl.DataFrame", name: str) -> bool:
    return not (frame.schema[name].is_numeric() or str(frame.schema[name]) == "Boolean")
