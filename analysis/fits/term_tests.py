"""Type III tests: every term of a mixed model, averaged over the levels of the other factors."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, NamedTuple

import numpy as np

from analysis.compute.multiplicity import adjust_p_values
from analysis.engine.structure import Array
from analysis.errors import UserError
from analysis.fits.fitted import FittedMixed
from analysis.fits.inference import chosen, joint_test
from analysis.fits.restored import fitted_of
from analysis.fits.structured import FittedStructured
from analysis.frames import takes_frames
from analysis.results import Fit
from analysis.serialized import Serialized

if TYPE_CHECKING:
    import polars as pl

ASKED = ("auto", "satterthwaite", "kenward_roger", "wald")


class TermTest(NamedTuple):
    """One term; den_df is None for a (Wald) chi-square. p_adjusted: over the terms shown."""

    term: str
    statistic: float
    df: int
    den_df: float | None
    p_value: float | None
    p_adjusted: float | None
    method: str


@dataclass(frozen=True)
class TermTests(Serialized):
    """Result of `term_tests`. adjustment: method of p_adjusted with the number of tests."""

    ROWS: ClassVar = {"tests": TermTest}

    tests: tuple[TermTest, ...]
    adjustment: str
    note: str

    def table(self) -> "pl.DataFrame":
        """term, statistic, df, den_df, p_value, p_adjusted, method."""
        return self.rows_table("tests")


NOTE = (
    "Type III: a main effect beside an interaction is its average over the levels of the other "
    "factor, with numbers at zero; center a number for a main effect at its mean."
)


@takes_frames
def term_tests(
    fit: Fit,
    inference: str | None = None,
    *,
    adjust: str = "holm",
    frame: "pl.DataFrame | None" = None,
) -> TermTests:
    """F test (Wald: chi-square) of every term but the intercept.

    inference: that of the fit, or "auto", "satterthwaite", "kenward_roger" or "wald". adjust: a
    method of `adjust_p_values`. frame: the data, for a fit restored from JSON.
    Raises UserError for a method that does not exist or apply.
    """
    fitted = fitted_of(fit, frame, "tests of terms")
    if inference is not None:
        if inference not in ASKED:
            raise UserError(
                f"tests of terms: inference {inference!r} does not exist; use {', '.join(ASKED)}"
            )
        choice = chosen(inference, fitted.reml)
        fitted = replace(fitted, inference=choice.single, joint_inference=choice.joint)
    tests = [joint_test(fitted, term, rows) for term, rows in term_rows(fitted)]
    family = adjust_p_values([test.p_value for test in tests], adjust, "terms of the model")
    return TermTests(
        tuple(
            TermTest(test.name, test.statistic, test.df, test.den_df, p, adjusted, test.method)
            for test, p, adjusted in zip(tests, family.p_values, family.adjusted, strict=True)
        ),
        family.note,
        NOTE,
    )


def term_rows(fitted: FittedMixed | FittedStructured) -> tuple[tuple[str, Array], ...]:
    """Contrasts of every term but the intercept, on the coefficients as they are coded.

    A treatment-coded indicator is its mean over the levels plus a centered part. Multiplied out, a
    term of the centered coding gathers the coefficients of all larger terms that hold it, each
    divided by the number of levels of what is averaged over.
    """
    matrices = fitted.design.matrices
    parts = [frozenset(name.split(":")) for name in matrices.x_names]
    levels = _levels(parts)
    found = []
    for term, variables, where in matrices.x_terms:
        if not variables:
            continue
        rows = np.zeros((where.stop - where.start, len(parts)))
        for row, own in zip(rows, parts[where], strict=True):
            for column, others in enumerate(parts):
                extra = others - own
                if own <= others and all(_is_indicator(part) for part in extra):
                    row[column] = np.prod([1 / levels[_factor(part)] for part in extra])
        found.append((term, rows))
    return tuple(found)


def _levels(parts: list[frozenset[str]]) -> dict[str, int]:
    """Levels of every treatment-coded factor: its indicators and the reference."""
    indicators = {part for names in parts for part in names if _is_indicator(part)}
    factors = [_factor(part) for part in indicators]
    return {factor: factors.count(factor) + 1 for factor in factors}


def _is_indicator(part: str) -> bool:
    return "[T." in part


def _factor(part: str) -> str:
    return part.rpartition("[T.")[0]
