"""Design matrices of plain numeric columns and their products, without a formula's machinery.

The numbers, names and order are formulaic's; what is more than a product of numeric columns (text,
a function, a scale) is left to it.
"""

from typing import TYPE_CHECKING, Any, NamedTuple, Self

import numpy as np

from analysis.engine.structure import Array

if TYPE_CHECKING:
    import polars as pl


class PlainTerms(NamedTuple):
    """The columns that each term multiplies; none for the intercept."""

    terms: tuple[tuple[str, ...], ...]

    @classmethod
    def of(cls, formula: Any, frame: "pl.DataFrame") -> Self | None:
        """Of a parsed right side; None when a term is not a product of numeric columns."""
        found = []
        for term in formula:
            names = tuple(str(factor.expr) for factor in term.factors)
            if names == ("1",):
                names = ()
            if not all(
                name in frame.columns
                and frame.schema[name].is_numeric()
                and factor.eval_method.name == "LOOKUP"
                for name, factor in zip(names, term.factors, strict=False)
            ):
                return None
            found.append(names)
        return cls(tuple(found))

    @property
    def column_names(self) -> tuple[str, ...]:
        """As formulaic names them."""
        return tuple(":".join(names) or "Intercept" for names in self.terms)

    @property
    def term_columns(self) -> tuple[tuple[str, tuple[str, ...], slice], ...]:
        """Name, variables and columns of each term."""
        return tuple(
            (":".join(names) or "1", tuple(sorted(names)), slice(index, index + 1))
            for index, names in enumerate(self.terms)
        )

    def matrix(self, frame: "pl.DataFrame") -> Array:
        """One row per row of the frame."""
        import polars as pl

        used = {name for names in self.terms for name in names}
        columns = {name: frame[name].cast(pl.Float64).to_numpy() for name in used}
        matrix = np.ones((frame.height, len(self.terms)), order="F")
        for index, names in enumerate(self.terms):
            for name in names:
                matrix[:, index] *= columns[name]
        return np.ascontiguousarray(matrix)
