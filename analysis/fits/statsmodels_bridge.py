"""The one place that speaks pandas, formulaic and statsmodels; all are imported when called.

formulaic evaluates formulas as Python expressions with the frame's columns as names: a formula is
code of the caller (a specification builds its own from validated names), never text from a file.
"""

import re
import warnings
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.engine.structure import RandomStructure
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


class Refit(NamedTuple):
    """statsmodels from our optimum: its log-likelihood there and after its own search."""

    llf_at_start: float
    llf: float
    theta: Array | None
    converged: bool
    note: str


NOT_ASKED = Refit(float("nan"), float("nan"), None, True, "not asked for")


@lru_cache(maxsize=256)
def parse_formula(formula: str, random: str) -> ParsedFormula:
    """Raises UserError when a formula cannot be read."""
    from formulaic.errors import FormulaicError

    parts = []
    for text, role in ((formula, "formula"), (random, "random part")):
        try:
            parts.append(_parsed(text))
        except (FormulaicError, SyntaxError) as error:
            raise UserError(f"{role} {text!r} cannot be read: {_first_line(error)}") from error
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


def statsmodels_refit(
    y: Array,
    x: Array,
    z: Array,
    nested: Sequence[NDArray[np.intp]],
    patient: NDArray[np.intp],
    structure: RandomStructure,
    theta: Array,
    reml: bool,
    search: bool = True,
) -> Refit:
    """Fit the scaled problem by statsmodels MixedLM, lbfgs then powell, starting at `theta`.

    z holds only the block's columns; nested: level (0..) inside the patient for each row.
    Never raises for numerical trouble: the note says what statsmodels could not do.
    """
    from statsmodels.regression.mixed_linear_model import MixedLM, MixedLMParams

    block, variances = structure.covariance(theta)
    components = _components(z, nested, patient, structure)
    full = None if structure.diagonal or not structure.size else z
    start = MixedLMParams.from_components(
        fe_params=np.zeros(x.shape[1]),
        cov_re=_floored(block) if full is not None else np.empty((0, 0)),
        vcomp=np.maximum(np.append(np.diag(block), variances) if full is None else variances, 1e-7),
    )
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            model = MixedLM(y, x, patient, exog_re=full, exog_vc=components)
            model.reml, model.cov_pen, model._cov_sing = reml, None, 0
            at_start = float(model.loglike(start))
            if not search:
                return Refit(at_start, at_start, None, True, "evaluated, not searched")
            result = model.fit(start_params=start, reml=reml, method=["lbfgs", "powell"])
            found = _theta(result, structure, full is None)
            return Refit(at_start, float(result.llf), found, bool(result.converged), "")
        except (np.linalg.LinAlgError, ValueError, FloatingPointError) as error:
            return Refit(float("nan"), float("nan"), None, False, _first_line(error))


def statsmodels_results(
    matrices: Matrices,
    nested: Sequence[NDArray[np.intp]],
    patient: NDArray[np.intp],
    structure: RandomStructure,
    block: Array,
    variances: Array,
    reml: bool,
) -> Any:
    """statsmodels' own results object on the original scale, searched for from our optimum.

    block, variances: covariance of the patient's effects and of the nested ones, relative to the
    residual variance. Its standard errors are Wald's.
    """
    from statsmodels.regression.mixed_linear_model import MixedLM, MixedLMParams

    full = None if structure.diagonal else matrices.z
    model = MixedLM(
        matrices.y,
        matrices.x,
        patient,
        exog_re=full,
        exog_vc=_components(matrices.z, nested, patient, structure),
    )
    model.exog_names[:] = list(matrices.x_names)
    start = MixedLMParams.from_components(
        fe_params=np.zeros(matrices.x.shape[1]),
        cov_re=np.empty((0, 0)) if full is None else block,
        vcomp=np.append(np.diag(block), variances) if full is None else variances,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return model.fit(start_params=start, reml=reml, method="lbfgs")


def crossed_likelihood(
    y: Array, x: Array, levels: Sequence[NDArray[np.intp]], variances: Sequence[float], reml: bool
) -> float | None:
    """statsmodels' log-likelihood of crossed random intercepts, all rows in one group.

    variances: relative to the residual's. None where it cannot be computed.
    """
    from statsmodels.regression.mixed_linear_model import MixedLM, MixedLMParams, VCSpec

    names = [f"factor{index}" for index in range(len(levels))]
    mats = [[np.eye(int(level.max()) + 1)[level]] for level in levels]
    labels = [[[str(k) for k in range(mat[0].shape[1])]] for mat in mats]
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            model = MixedLM(y, x, np.zeros(len(y)), exog_vc=VCSpec(names, labels, mats))
            model.reml, model.cov_pen, model._cov_sing = reml, None, 0
            at = MixedLMParams.from_components(
                fe_params=np.zeros(x.shape[1]),
                cov_re=np.empty((0, 0)),
                vcomp=np.maximum(np.array(variances), 1e-7),
            )
            found = float(model.loglike(at))
        except (np.linalg.LinAlgError, ValueError, FloatingPointError):
            return None
    return found if np.isfinite(found) else None


def binary_gee(y: Array, x: Array, groups: NDArray[Any]) -> Any:
    """statsmodels GEE of 0 and 1 with exchangeable correlation in a group and Mancl and DeRouen's
    variance; None where it does not end."""
    from statsmodels.genmod.cov_struct import Exchangeable
    from statsmodels.genmod.families import Binomial
    from statsmodels.genmod.generalized_estimating_equations import GEE

    order = np.argsort(groups, kind="stable")
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            model = GEE(
                y[order], x[order], groups[order], family=Binomial(), cov_struct=Exchangeable()
            )
            result = model.fit(cov_type="bias_reduced", maxiter=200)
        except (np.linalg.LinAlgError, ValueError, FloatingPointError):
            return None
    return result if np.isfinite(result.bse).all() else None


def _theta(result: Any, structure: RandomStructure, all_components: bool) -> Array | None:
    variances = np.sqrt(np.maximum(np.asarray(result.vcomp) / result.scale, 0.0))
    if all_components:
        return np.asarray(variances)
    try:
        chol = np.linalg.cholesky(_floored(np.asarray(result.cov_re_unscaled), 1e-12))
    except np.linalg.LinAlgError:
        return None
    return np.asarray(np.append(chol[np.tril_indices(structure.size)], variances))


def _floored(matrix: Array, floor: float = 1e-7) -> Array:
    """Eigenvalues at least `floor`: at exact zeros statsmodels takes a pseudo-inverse, which
    stands for an infinite variance instead of none."""
    values, vectors = np.linalg.eigh(matrix)
    return np.asarray((vectors * np.maximum(values, floor)) @ vectors.T)


def _components(
    z: Array,
    nested: Sequence[NDArray[np.intp]],
    patient: NDArray[np.intp],
    structure: RandomStructure,
) -> Any:
    """Variance components, built from matrices: statsmodels' own formula way is slow."""
    from statsmodels.regression.mixed_linear_model import VCSpec

    order = np.argsort(patient, kind="stable")
    rows = np.split(order, np.cumsum(np.bincount(patient))[:-1])
    names, labels, mats = [], [], []
    if structure.diagonal:
        for column in range(structure.size):
            names.append(f"z{column}")
            mats.append([z[row][:, [column]] for row in rows])
            labels.append([[f"z{column}"]] * len(rows))
    for index, levels in enumerate(nested):
        names.append(f"nested{index}")
        # Only the columns a patient has: a column of zeros would change nothing but cost time.
        mats.append([np.eye(int(levels[row].max()) + 1)[levels[row]] for row in rows])
        labels.append([[str(k) for k in range(mat.shape[1])] for mat in mats[-1]])
    return VCSpec(names, labels, mats) if names else None


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
                f"formula: the term '{term}' cannot be evaluated ({_first_line(error)}); the "
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


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return re.sub(r"[^\x20-\x7e]|\x1b\[[0-9;]*m", "", lines[0]) if lines else type(error).__name__
