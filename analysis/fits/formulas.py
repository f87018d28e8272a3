"""Formulas: the names they need and the design matrices they make, by formulaic and pandas.

formulaic evaluates formulas as Python expressions with the frame's columns as names: a formula is
code of the caller (a specification builds its own from validated names), never text from a file.
Both libraries are imported when called.
"""

import re
import warnings
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.errors import UserError
from analysis.fits.plain_terms import PlainTerms

if TYPE_CHECKING:
    import polars as pl

Array = NDArray[np.float64]


class ParsedFormula(NamedTuple):
    """Names a formula needs; `outcome` is its left side as text."""

    outcome: str
    variables: frozenset[str]


class Matrices(NamedTuple):
    """Outcome, fixed and random design with their names and their encoders for new rows."""

    y: Array
    x: Array
    x_names: tuple[str, ...]
    x_terms: tuple[tuple[str, tuple[str, ...], slice], ...]
    z: Array
    z_names: tuple[str, ...]
    x_encoder: Any
    z_encoder: Any


@lru_cache(maxsize=256)
def parse_formula(formula: str, random: str) -> ParsedFormula:
    """Raises UserError when a formula cannot be read."""
    from formulaic.errors import FormulaicError

    parts = []
    for text, role in ((formula, "formula"), (random, "random part")):
        try:
            parts.append(_parsed(text))
        except (FormulaicError, SyntaxError) as error:
            raise UserError(f"{role} {text!r} cannot be read: {first_line(error)}") from error
    fixed, effects = parts
    if not hasattr(fixed, "lhs") or not hasattr(fixed, "rhs"):
        raise UserError(f"formula {formula!r} needs an outcome: write 'outcome ~ terms'")
    if isinstance(fixed.rhs, tuple) or isinstance(effects, tuple):
        raise UserError(
            f"formula {formula!r}: '|' is not read here; name the patient column in 'group' and "
            "its effects in 'random'"
        )
    if hasattr(effects, "lhs"):
        raise UserError(
            f"random part {random!r} is a right side only, such as '1 + rel_day'; the "
            "patient column goes into 'group'"
        )
    names = fixed.required_variables | effects.required_variables
    return ParsedFormula(
        formula.split("~", maxsplit=1)[0].strip(), frozenset(str(name) for name in names)
    )


@lru_cache(maxsize=256)
def _parsed(text: str) -> Any:
    from formulaic import Formula

    return Formula(text)


def build_matrices(frame: "pl.DataFrame", formula: str, random: str) -> Matrices:
    """Design matrices of complete rows. Raises UserError naming a term that cannot be evaluated."""
    plain = _plain_matrices(frame, formula, random)
    if plain is not None:
        return plain
    data = _to_pandas(frame)
    fixed = _materialize(formula, data, frame.columns)
    effects = _materialize(random, data, frame.columns)
    outcome = np.asarray(fixed.lhs, dtype=float)
    if outcome.ndim == 2 and outcome.shape[1] != 1:
        raise UserError(
            f"formula {formula!r}: the outcome must be one number per row, not text or a category"
        )
    if not effects.shape[1]:
        raise UserError(f"random part {random!r} holds no effect; write '1' for an intercept")
    rhs = fixed.rhs
    spec = rhs.model_spec
    terms = tuple(
        (
            str(term),
            tuple(sorted({str(v) for f in term.factors for v in _names(f.expr, frame)})),
            where,
        )
        for term, where in spec.term_slices.items()
    )
    return Matrices(
        outcome.reshape(-1),
        np.asarray(rhs, dtype=float),
        tuple(spec.column_names),
        terms,
        np.asarray(effects, dtype=float),
        tuple(
            "(Intercept)" if name == "Intercept" else name
            for name in effects.model_spec.column_names
        ),
        spec,
        effects.model_spec,
    )


def _plain_matrices(frame: "pl.DataFrame", formula: str, random: str) -> Matrices | None:
    """The same, where every term is a product of numeric columns."""
    import polars as pl

    parsed = _parsed(formula)
    outcome, fixed, effects = (
        PlainTerms.of(side, frame) for side in (parsed.lhs, parsed.rhs, _parsed(random))
    )
    if outcome is None or fixed is None or effects is None or not effects.terms:
        return None
    if len(outcome.terms) != 1 or len(outcome.terms[0]) != 1:
        return None
    return Matrices(
        frame[outcome.terms[0][0]].cast(pl.Float64).to_numpy(),
        fixed.matrix(frame),
        fixed.column_names,
        fixed.term_columns,
        effects.matrix(frame),
        tuple("(Intercept)" if name == "Intercept" else name for name in effects.column_names),
        fixed,
        effects,
    )


def matrix_at(encoder: Any, frame: "pl.DataFrame") -> Array:
    """Rows of a design matrix for new data, with the knots and levels of the fit."""
    if isinstance(encoder, PlainTerms):
        return encoder.matrix(frame)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return np.asarray(
            encoder.get_model_matrix(_to_pandas(frame), na_action="ignore"), dtype=float
        )


def _materialize(formula: str, data: Any, columns: Sequence[str]) -> Any:
    from formulaic.errors import FormulaicError

    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            return _parsed(formula).get_model_matrix(data, context={}, na_action="ignore")
        except (FormulaicError, ValueError, TypeError, SyntaxError) as error:
            named = re.search(r"factor `(.+?)`", str(error))
            term = named.group(1) if named else formula
            raise UserError(
                f"formula: the term '{term}' cannot be evaluated ({first_line(error)}); the "
                f"columns are {', '.join(columns)}"
            ) from error


def _names(expression: str, frame: "pl.DataFrame") -> list[str]:
    words = set(re.findall(r"[A-Za-z_]\w*", str(expression)))
    return [name for name in frame.columns if name in words]


def _to_pandas(frame: "pl.DataFrame") -> Any:
    """Numbers and booleans as float, text as categories in sorted (or declared) order."""
    import pandas as pd
    import polars as pl

    columns: dict[str, Any] = {}
    for name, dtype in frame.schema.items():
        series = frame[name]
        if dtype.is_numeric() or dtype == pl.Boolean:
            columns[name] = series.cast(pl.Float64).to_numpy()
        else:
            texts = series.cast(pl.String).to_list()
            levels = sorted({text for text in texts if text is not None})
            if isinstance(dtype, pl.Enum):
                levels = [level for level in dtype.categories.to_list() if level in set(levels)]
            columns[name] = pd.Categorical(texts, categories=levels)
    return pd.DataFrame(columns)


def first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return re.sub(r"[^\x20-\x7e]|\x1b\[[0-9;]*m", "", lines[0]) if lines else type(error).__name__
