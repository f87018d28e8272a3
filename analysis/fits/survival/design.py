"""Covariates of a regression without an intercept of its own: centered, of unit size."""

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from analysis.engine.structure import Array
from analysis.errors import UserError
from analysis.fits import formulas
from analysis.fits.guards import Problem

if TYPE_CHECKING:
    import polars as pl

SAME = 1e-9


@dataclass(frozen=True, eq=False)
class Covariates:
    """x = center + scaled * scale, column by column."""

    names: tuple[str, ...]
    scaled: Array
    center: Array
    scale: Array


def right_side(formula: str) -> str:
    """The formula without a "~" in front. Raises UserError for one with a left side."""
    left, tilde, right = formula.partition("~")
    if (left.strip() and tilde) or "~" in right:
        raise UserError(
            f"formula {formula!r} is a right side only, such as 'age + sex' or '~ age + sex'; time "
            "and event have arguments of their own"
        )
    return right if tilde else formula


def covariate_names(formula: str, columns: list[str], event: str) -> list[str]:
    """Columns that a right side needs. Raises UserError for one that does not exist."""
    formula = right_side(formula)
    quoted = re.findall(r"`([^`]+)`", formula)
    plain = re.sub(r"`[^`]+`", "1", formula)
    parsed = formulas.parse_formula(f"`{event}` ~ {plain}", "1").variables - {event}
    names = sorted({*parsed, *quoted, event})
    for name in names:
        if name not in columns:
            raise UserError(
                f"formula: there is no column '{name}'; the columns are {', '.join(columns)}"
            )
    return names


def covariates_of(frame: "pl.DataFrame", formula: str, event: str) -> Covariates | Problem:
    """Columns of the formula without its intercept.

    Raises UserError for a formula that cannot be evaluated or leaves the intercept out.
    """
    matrices = formulas.build_matrices(frame, f"`{event}` ~ {right_side(formula)}", "1")
    if matrices.x_names[:1] != ("Intercept",):
        raise UserError(
            f"formula {formula!r}: leave out '0 +' and '- 1'; the baseline takes the place of the "
            "intercept"
        )
    raw, names = matrices.x[:, 1:], matrices.x_names[1:]
    if not names:
        return Problem(
            "no_covariates", "The formula names no covariate.", "Write one, such as 'age'."
        )
    for name, column in zip(names, raw.T, strict=True):
        if not np.isfinite(column).all():
            return Problem(
                "infinite_values",
                f"The term {name} is not finite in {int((~np.isfinite(column)).sum())} rows.",
                "Correct these values or leave them out.",
            )
    center = raw.mean(axis=0)
    spread = np.sqrt(((raw - center) ** 2).mean(axis=0))
    flat = spread <= SAME * np.maximum(np.abs(center), 1.0)
    if flat.any():
        name = names[int(np.flatnonzero(flat)[0])]
        return Problem(
            "constant_covariate",
            f"The term {name} has the same value in all {len(raw)} rows.",
            "Leave it out, or widen the selection.",
        )
    scaled = (raw - center) / spread
    rank = int(np.linalg.matrix_rank(scaled, tol=1e-8 * np.sqrt(scaled.size)))
    if rank < len(names):
        return Problem(
            "rank_deficient",
            f"{len(names)} terms hold only {rank} independent ones.",
            "Leave out a term that the others determine.",
        )
    return Covariates(tuple(names), scaled, center, spread)
