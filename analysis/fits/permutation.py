"""Permutation of patient labels: the reference for a comparison of groups in a small trial."""

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis.engine.inverse import inverses
from analysis.engine.newton import minimize
from analysis.engine.products import Pooled
from analysis.engine.structure import Array, Index
from analysis.errors import UserError
from analysis.fits.fitted import FittedMixed
from analysis.fits.inference_sentences import permutation_sentence
from analysis.fits.labelled import Labelled, labelled
from analysis.fits.permutation_fixed import fixed_statistics, null_theta
from analysis.fits.replicates import started
from analysis.fits.restored import fitted_of
from analysis.fits.structured import FittedStructured
from analysis.fits.structured.relabelled import require_exchangeable
from analysis.fits.structured.relabelled import statistics as structured_statistics
from analysis.frames import takes_frames
from analysis.results import Fit, finite

if TYPE_CHECKING:
    import polars as pl

MINIMUM = 99
MOST_BLOCKS = 40_000
"""Patients times distinct labels: each patient's design is formed under each label."""
BLOCK = 2_000_000
TERMS = ("any", "interaction")
VARIANCES = ("refitted", "null")
EQUAL = 1e-8
"""Relative difference below which two statistics are the same: a relabelled twin must count."""


@dataclass(frozen=True)
class PermutationResult:
    """Result of `permutation_test`: share of relabelled trials as extreme as the observed one.

    statistic: the observed F (no reference distribution is assumed). replicates include failures,
    which are left out; p_value counts the observed trial (Phipson B, Smyth GK 2010,
    doi:10.2202/1544-6115.1585). sentence: the finding with the patients, the method and its seed.
    """

    variable: str
    terms: str
    statistic: float
    df: int
    p_value: float
    replicates: int
    n_failed: int
    seed: int
    note: str
    n_subjects: int = 0
    n_observations: int = 0
    sentence: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        return {**asdict(self), "statistic": finite(self.statistic)}

    @classmethod
    def from_dict(cls, content: dict[str, Any]) -> "PermutationResult":
        """The result that `to_dict` described."""
        return cls(**content)


NOTE_FIXED = (
    "Labels of whole patients are exchanged, everything else stays with the patient; the F "
    "statistic is compared with those of the relabelled trials, all with the variances of the "
    "model without the label."
)
NOTE = (
    "Labels of whole patients are exchanged, everything else stays with the patient, and the model "
    "is fitted again; the F statistic is compared with those of the relabelled trials."
)


@takes_frames
def permutation_test(
    fit: Fit,
    variable: str = "group",
    replicates: int = 999,
    seed: int = 0,
    *,
    terms: str = "any",
    variances: str = "refitted",
    frame: "pl.DataFrame | None" = None,
) -> PermutationResult:
    """Test all terms with `variable` ("any") or those it shares with others ("interaction").

    variable: a column with one value per patient. variances: "refitted" to every relabelled trial,
    or "null": those of the model without the variable, the same for all and many times as fast.
    frame: the data of the fit, needed when the fit was restored from JSON.
    Raises UserError for a variable that varies within a patient, that is not in the model, or that
    its covariance is made of.
    """
    if replicates < MINIMUM:
        raise UserError(f"permutation test: {replicates} are too few; use {MINIMUM} or more")
    if variances not in VARIANCES:
        raise UserError(
            f"permutation test: variances {variances!r} does not exist; use "
            f"{' or '.join(VARIANCES)}"
        )
    fitted = fitted_of(fit, frame, "permutation test")
    columns = _columns(fitted, variable, terms)
    if isinstance(fitted, FittedStructured):
        require_exchangeable(fitted, variable)
    codes, values = _labels(fitted, variable)
    generator = np.random.default_rng(seed)
    order = generator.permuted(np.tile(codes, (replicates, 1)), axis=1)
    arrangements = np.vstack([codes, order])
    if isinstance(fitted, FittedStructured):
        statistics = structured_statistics(
            fitted, variable, values, arrangements, columns, refitted=variances == "refitted"
        )
    elif variances == "null":
        statistics = _fixed(fitted, variable, values, arrangements, columns)
    else:
        statistics = _statistics(fitted, variable, values, arrangements, columns)
    observed, others = statistics[0], statistics[1:]
    others = others[np.isfinite(others)]
    if not np.isfinite(observed) or len(others) < MINIMUM:
        raise UserError(
            f"permutation test: only {len(others)} of {replicates} relabelled trials could be "
            "fitted; take a smaller random part or fewer terms"
        )
    extreme = int((others >= observed * (1 - EQUAL)).sum())
    p_value, failed = (1 + extreme) / (1 + len(others)), replicates - len(others)
    n, n_values = fitted.design.n_subjects, fitted.design.n_observations
    return PermutationResult(
        variable,
        terms,
        float(observed),
        len(columns),
        p_value,
        replicates,
        failed,
        seed,
        NOTE if variances == "refitted" else NOTE_FIXED,
        n,
        n_values,
        permutation_sentence(variable, terms, p_value, replicates, failed, seed, n, n_values),
    )


def _fixed(
    fitted: FittedMixed, variable: str, values: list[Any], labels: Index, columns: list[int]
) -> Array:
    """F with the variances of the model without any term of the variable."""
    without = _columns(fitted, variable, "any")
    theta = fitted.optimum.theta
    if len(without) < len(fitted.beta):
        theta = null_theta(fitted, without)
    rows = fitted.scaled_rows(np.eye(len(fitted.beta))[columns])
    return fixed_statistics(fitted, theta, labelled(fitted, variable, values), labels, rows)


def _columns(fitted: FittedMixed | FittedStructured, variable: str, terms: str) -> list[int]:
    if terms not in TERMS:
        raise UserError(
            f"permutation test: terms {terms!r} does not exist; use {' or '.join(TERMS)}"
        )
    found = [
        index
        for _, variables, where in fitted.design.matrices.x_terms
        if variable in variables and (terms == "any" or len(variables) > 1)
        for index in range(where.start, where.stop)
    ]
    if not found:
        kind = "term" if terms == "any" else "interaction"
        raise UserError(f"permutation test: the model has no {kind} with '{variable}'")
    return found


def _labels(fitted: FittedMixed | FittedStructured, variable: str) -> tuple[Index, list[Any]]:
    """Label of each patient, numbered, and the values the numbers stand for."""
    import polars as pl

    design = fitted.design
    pairs_ = pl.DataFrame({"patient": design.patient, "value": design.frame[variable]})
    unique = pairs_.unique(maintain_order=True).sort("patient")
    if unique.height != design.n_subjects:
        raise UserError(
            f"permutation test: '{variable}' changes within a patient; only what belongs to the "
            "patient can be exchanged between patients"
        )
    values = unique["value"].unique(maintain_order=True).to_list()
    if len(values) * design.n_subjects > MOST_BLOCKS:
        raise UserError(
            f"permutation test: {len(values)} different values of '{variable}' in "
            f"{design.n_subjects} patients are too many; put them into classes"
        )
    where = {value: index for index, value in enumerate(values)}
    return np.array([where[value] for value in unique["value"]], dtype=np.intp), values


def _statistics(
    fitted: FittedMixed, variable: str, values: list[Any], labels: Index, columns: list[int]
) -> Array:
    """F of the columns for each row of `labels`; nan where the model cannot be fitted."""
    design = fitted.design
    blocks = labelled(fitted, variable, values)
    rows = fitted.scaled_rows(np.eye(len(fitted.beta))[columns])
    start = started(design, fitted.optimum.theta)
    step = max(1, BLOCK // (design.n_subjects * blocks.u_xx[0, 0].size))
    found = []
    for begin in range(0, len(labels), step):
        products = _gathered(
            design.products.pattern, design.pooled, blocks, labels[begin : begin + step]
        )
        starts = np.tile(start, (len(products.u_xx), 1))
        ends = minimize(products, design.structure, fitted.reml, starts)
        turned = ends.point.beta @ rows.T
        inverse, _, ok = inverses(rows @ ends.point.covariance @ rows.T)
        value = np.einsum("rk,rkm,rm->r", turned, inverse, turned) / ends.point.sigma2
        found.append(np.where(ends.converged & ok, value / len(columns), np.nan))
    return np.concatenate(found)


def _gathered(pattern: Index, whole: Pooled, blocks: Labelled, labels: Index) -> Pooled:
    """Sums over the patients of each pattern under the labels of each replicate."""
    m = labels.shape[1]
    order = np.argsort(pattern, kind="stable")
    starts = np.flatnonzero(np.diff(pattern[order], prepend=-1))
    chosen, who = labels[:, order], order[None]
    u_xx = np.add.reduceat(blocks.u_xx[chosen, who], starts, axis=1)
    u_y = np.add.reduceat(blocks.u_y[chosen, who], starts, axis=1)
    everyone = np.arange(m)[None]
    return whole._replace(
        u_xx=np.swapaxes(u_xx, 1, 2),
        u_y=np.swapaxes(u_y, 1, 2),
        c_xx=blocks.c_xx[labels, everyone].sum(axis=1),
        c_y=blocks.c_y[labels, everyone].sum(axis=1),
    )
