"""What is asked for beside the patient's random effects: residual, nested and crossed, weights."""

from dataclasses import dataclass
from typing import NamedTuple

from analysis.fits import formulas
from analysis.fits.residual_spec import ResidualSpec


class NestedTerm(NamedTuple):
    """A factor inside the patient and the formula of its effects; "1" is an intercept."""

    column: str
    effects: str


@dataclass(frozen=True)
class Structure:
    """What is asked for beside the patient's random effects."""

    residual: ResidualSpec
    nested: tuple[NestedTerm, ...]
    crossed: tuple[str, ...]
    weights: str

    @property
    def is_plain(self) -> bool:
        """Whether cross-products can carry it."""
        simple = all(term.effects == "1" for term in self.nested)
        return (
            self.residual.kind == "independent" and simple and not self.crossed and not self.weights
        )

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns it needs beside those of the formulas."""
        named = (*(term.column for term in self.nested), *self.effect_columns, *self.crossed)
        return tuple(name for name in (*named, *self.residual_columns) if name)

    @property
    def effect_columns(self) -> tuple[str, ...]:
        """Columns that the effects of nested levels are made of."""
        found = set[str]()
        for term in self.nested:
            found |= formulas.parse_formula("_one ~ 1", term.effects).variables - {"_one"}
        return tuple(sorted(found))

    @property
    def residual_columns(self) -> tuple[str, ...]:
        """Columns that say how the residual of a value is distributed."""
        return tuple(name for name in (self.residual.column, self.weights) if name)


def parse_nested(texts: tuple[str, ...]) -> tuple[NestedTerm, ...]:
    """ "lesion" is a random intercept of each lesion, "lesion: 1 + rel_day" a slope as well."""
    terms = []
    for text in texts:
        column, _, effects = text.partition(":")
        terms.append(NestedTerm(column.strip(), effects.strip() or "1"))
    return tuple(terms)
