"""From a frame and a formula to scaled matrices, or to the reason why nothing can be fitted."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from analysis.engine.products import CrossProducts, Pooled, cross_products, pooled
from analysis.engine.structure import Array, RandomStructure, random_structure
from analysis.errors import UserError
from analysis.fits import formulas
from analysis.fits.column_values import without_missing
from analysis.results import Excluded

if TYPE_CHECKING:
    import polars as pl


Numbered = tuple[tuple[str, ...], NDArray[np.intp]]
"""The values of a column as text in alphabetical order, and the number of each row's."""


SMALLEST_SQUARE = 1e-280
"""Sum of squares of a column below which digits are lost."""


@dataclass(frozen=True, eq=False)
class Rows:
    """Complete rows and what was left out, by column."""

    frame: "pl.DataFrame"
    excluded: tuple[Excluded, ...]
    variables: frozenset[str]
    outcome: str
    _numbered: dict[str, Numbered] = field(default_factory=dict, init=False, repr=False)

    def numbered(self, name: str) -> Numbered:
        """The levels of a column, numbered once."""
        if name not in self._numbered:
            self._numbered[name] = numbered(self.frame[name])
        return self._numbered[name]

    def n_levels(self, name: str) -> int:
        """Distinct values of a column."""
        return len(self.numbered(name)[0])


@dataclass(eq=False)
class Design:
    """Matrices of one mixed model. Suffix _scaled: orthonormal columns times sqrt(n).

    x = x_scaled @ x_transform, z = z_scaled @ z_transform (diagonal part: columns scaled only),
    y = x @ b_ols + y_scale * y_scaled.
    """

    frame: "pl.DataFrame"
    formula: str
    random: str
    group: str
    nested: tuple[str, ...]
    matrices: formulas.Matrices
    labels: tuple[str, ...]
    patient: NDArray[np.intp]
    nested_levels: tuple[NDArray[np.intp], ...]
    structure: RandomStructure
    x_scaled: Array
    x_transform: Array
    z_scaled: Array
    z_transform: Array
    y_scaled: Array
    y_scale: float
    b_ols: Array
    products: CrossProducts

    @property
    def n_subjects(self) -> int:
        return len(self.labels)

    @property
    def n_observations(self) -> int:
        return len(self.y_scaled)

    @cached_property
    def z_columns(self) -> Array:
        """All columns of the scaled random design: the block, then one per nested level."""
        levels = (np.eye(int(level.max()) + 1)[level] for level in self.nested_levels)
        return np.column_stack([self.z_scaled, *levels])

    @cached_property
    def pooled(self) -> Pooled:
        """Cross-products summed over patients with the same visits."""
        return pooled(self.products)

    def fixed_rows(self, frame: "pl.DataFrame") -> Array:
        """Fixed design of new rows, on the original scale."""
        return formulas.matrix_at(self.matrices.x_encoder, frame)

    def random_rows(self, frame: "pl.DataFrame") -> Array:
        """Random design of new rows (the block only), on the original scale."""
        return formulas.matrix_at(self.matrices.z_encoder, frame)


def complete_rows(
    frame: "pl.DataFrame", formula: str, random: str, group: str, nested: tuple[str, ...]
) -> Rows:
    """Rows without a missing value in any column that is used, the others counted by column.

    Raises UserError for a column that does not exist.
    """
    parsed = formulas.parse_formula(formula, random)
    for name in (*sorted(parsed.variables), group, *nested):
        if name not in frame.columns and f"{name}(" in f"{formula} {random}":
            raise UserError(
                f"formula: there is no function '{name}'; known are log, log10, exp, I, C, cr, "
                f"bs, poly and np.<name>; the columns are {', '.join(frame.columns)}"
            )
        if name not in frame.columns:
            raise UserError(
                f"formula: there is no column '{name}'; the columns are {', '.join(frame.columns)}"
            )
    kept, excluded = without_missing(frame, [*sorted(parsed.variables), group, *nested])
    return Rows(kept, excluded, parsed.variables, parsed.outcome)


def assemble(
    rows: Rows,
    matrices: formulas.Matrices,
    *,
    formula: str,
    random: str,
    group: str,
    nested: tuple[str, ...],
    diagonal: bool,
) -> Design:
    """Scale, orthogonalize and cross-multiply; the matrices must be finite and of full rank."""
    labels, patient = rows.numbered(group)
    levels = tuple(nested_levels(numbered(rows.frame[name])[1], patient) for name in nested)
    x_scaled, x_transform = orthonormal(matrices.x)
    z_scaled, z_transform = unit_rms(matrices.z) if diagonal else orthonormal(matrices.z)
    b_ols: Array = x_scaled.T @ matrices.y / len(x_scaled)
    residual = matrices.y - x_scaled @ b_ols
    y_scale = root_mean_square(residual) or 1.0
    structure = random_structure(
        matrices.z.shape[1], diagonal, tuple(int(level.max()) + 1 for level in levels)
    )
    blocks = [z_scaled, *(np.eye(int(level.max()) + 1)[level] for level in levels)]
    y_scaled = residual / y_scale
    return Design(
        rows.frame,
        formula,
        random,
        group,
        nested,
        matrices,
        labels,
        patient,
        levels,
        structure,
        x_scaled,
        x_transform,
        z_scaled,
        z_transform,
        y_scaled,
        y_scale,
        np.asarray(np.linalg.solve(x_transform, b_ols)),
        cross_products(np.column_stack(blocks), x_scaled, y_scaled, patient),
    )


def numbered(column: "pl.Series") -> Numbered:
    """The levels of a column."""
    import polars as pl

    if column.dtype.is_integer():
        values, codes = np.unique(column.to_numpy(), return_inverse=True)
        names = values.astype(str)
        order = np.argsort(names, kind="stable")
        place = np.empty(len(order), dtype=np.intp)
        place[order] = np.arange(len(order))
        return tuple(names[order].tolist()), place[codes]
    text = column.cast(pl.String)
    labels = text.unique().sort()
    return tuple(labels), text.cast(pl.Enum(labels)).to_physical().to_numpy().astype(np.intp)


def nested_levels(values: NDArray[Any], patient: NDArray[np.intp]) -> NDArray[np.intp]:
    """Number of the level inside its patient, 0.. for each row."""
    if not len(values):
        return np.zeros(0, dtype=np.intp)
    codes = np.unique(values, return_inverse=True)[1]
    width = int(codes.max()) + 1
    pairs, index = np.unique(patient * width + codes, return_inverse=True)
    first = np.searchsorted(pairs // width, np.arange(int(patient.max()) + 1))
    return np.asarray(index - first[patient], dtype=np.intp)


def root_mean_square(column: Array) -> float:
    """Without overflow for values up to the largest float."""
    top = float(np.abs(column).max(initial=0.0))
    return top * float(np.sqrt(np.mean((column / top) ** 2))) if top > 0 else 0.0


def unit_rms(matrix: Array) -> tuple[Array, Array]:
    """Columns of root mean square 1 and the diagonal transform back."""
    with np.errstate(over="ignore", under="ignore"):
        squares = np.einsum("ij,ij->j", matrix, matrix)
    if ((squares > SMALLEST_SQUARE) & np.isfinite(squares)).all():
        scale = np.sqrt(squares / len(matrix))
    else:
        scale = np.array([root_mean_square(column) or 1.0 for column in matrix.T])
    return matrix / scale, np.diag(scale)


def orthonormal(matrix: Array) -> tuple[Array, Array]:
    """Orthogonal columns of root mean square 1, and the upper triangular transform back."""
    scaled, scale = unit_rms(matrix)
    q, r = np.linalg.qr(scaled)
    sign = np.where(np.diag(r) < 0, -1.0, 1.0)
    root = np.sqrt(len(matrix))
    return q * sign * root, (r * sign[:, None] / root) @ scale
