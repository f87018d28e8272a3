"""Random effects of patients, of what is nested in them and of what crosses them."""

from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from analysis.engine.covariance_parts import RandomTerm
from analysis.engine.structure import Array, Index
from analysis.errors import UserError
from analysis.fits import formulas
from analysis.fits.design import Design, numbered, orthonormal
from analysis.fits.guards import Problem
from analysis.fits.structured.question import NestedTerm, Structure

if TYPE_CHECKING:
    import polars as pl


class Effects(NamedTuple):
    """Random effects of one factor. encoder: makes their design of new rows; None for intercepts
    alone."""

    role: Literal["patient", "nested", "crossed"]
    part: RandomTerm
    encoder: Any

    def rows(self, frame: "pl.DataFrame") -> Array:
        """Their design at new rows, on the original scale."""
        if self.encoder is None:
            return np.ones((frame.height, 1))
        return formulas.matrix_at(self.encoder, frame.with_columns(_one=1.0))

    @property
    def back(self) -> Array:
        """From effects of the scaled columns to those in the units of the columns."""
        if self.part.transform is None:
            return np.eye(self.part.z.shape[1])
        return np.asarray(np.linalg.inv(self.part.transform))

    def covariance(self, theta: Array) -> Array:
        """Of the effects in the units of their columns; of the scaled outcome."""
        return np.asarray(self.back @ self.part.psi(theta) @ self.back.T)


def random_effects(
    design: Design, structure: Structure, diagonal: bool, with_random: bool
) -> tuple[Effects, ...]:
    """The patient's effects (none beside an unstructured covariance), nested and crossed ones.

    Raises UserError for what an unstructured covariance holds already.
    """
    names = tuple(design.matrices.z_names)
    if structure.residual.kind == "unstructured":
        if names != ("(Intercept)",) or structure.nested or structure.crossed:
            raise UserError(
                "residual: an unstructured covariance holds all that goes together within a "
                "patient; leave out slopes, nested and crossed effects"
            )
        return ()
    found: list[Effects] = []
    if with_random:
        part = RandomTerm(
            design.group, names, design.z_scaled, design.patient, diagonal, design.z_transform
        )
        found.append(Effects("patient", part, design.matrices.z_encoder))
    for nested in structure.nested:
        codes = unit_codes(design.frame, (design.group, nested.column))
        z, names, encoder = _nested_design(design.frame, nested)
        scaled, transform = orthonormal(z)
        name = f"{design.group}:{nested.column}"
        part = RandomTerm(name, names, scaled, codes, transform=transform)
        found.append(Effects("nested", part, encoder))
    for name in structure.crossed:
        codes = numbered(design.frame[name])[1]
        ones = np.ones((design.n_observations, 1))
        found.append(Effects("crossed", RandomTerm(name, ("(Intercept)",), ones, codes), None))
    return tuple(found)


def _nested_design(frame: "pl.DataFrame", nested: NestedTerm) -> tuple[Array, tuple[str, ...], Any]:
    if nested.effects == "1":
        return np.ones((frame.height, 1)), ("(Intercept)",), None
    matrices = formulas.build_matrices(frame.with_columns(_one=1.0), "_one ~ 1", nested.effects)
    return matrices.z, tuple(matrices.z_names), matrices.z_encoder


def unit_codes(frame: "pl.DataFrame", columns: tuple[str, ...]) -> Index:
    """Number of the combination of the columns' values in each row."""
    keys = frame.select(columns).rows()
    known = {key: number for number, key in enumerate(dict.fromkeys(keys))}
    return np.array([known[key] for key in keys], dtype=np.intp)


def levels_problem(effects: tuple[Effects, ...], design: Design) -> Problem | None:
    """A factor whose variance cannot be told from the rest."""
    n = design.n_observations
    for term in (one.part for one in effects):
        levels = int(term.level.max()) + 1
        if levels < 2 or levels == n:
            each = "one level" if levels < 2 else "a level of its own for each value"
            return Problem(
                "nested_levels" if levels < n else "one_visit_each",
                f"'{term.name}' has {each}, so its variance cannot be told from the rest.",
                f"Leave '{term.name}' out.",
            )
    return None
