"""The one place that speaks statsmodels, which is imported when called."""

import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.engine.structure import RandomStructure
from analysis.fits.formulas import Matrices, first_line

if TYPE_CHECKING:
    pass

Array = NDArray[np.float64]


class Refit(NamedTuple):
    """statsmodels from our optimum: its log-likelihood there and after its own search."""

    llf_at_start: float
    llf: float
    theta: Array | None
    converged: bool
    note: str


NOT_ASKED = Refit(float("nan"), float("nan"), None, True, "not asked for")


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
            return Refit(float("nan"), float("nan"), None, False, first_line(error))


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
