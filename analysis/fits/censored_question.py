"""The question of a specification with values below the limit in the likelihood.

At most three random effects of a patient are integrated, and the matching random part of a curve
has four or five. A straight line instead would take the patients' curves for evidence. So the
matching part is reduced to the directions in which the patients' curves differ most: principal
components of its covariance as the mixed model with half the limit estimates it (reduced rank:
James, Hastie, Sugar 2000, doi:10.1093/biomet/87.3.587).
"""

from typing import TYPE_CHECKING

import numpy as np

from analysis.engine.structure import Array
from analysis.errors import UserError
from analysis.fits import design as designs
from analysis.fits import formulas, guards
from analysis.fits.censored_fitted import ROBUST, SATTERTHWAITE
from analysis.fits.censored_mixed import INFERENCES, KIND, NOTES, REFERENCES, fit_matrices
from analysis.fits.censored_refusals import (
    MAXIMUM_DIMENSION,
    curves_with_lesions_problem,
    dimension_problem,
    nested_problem,
)
from analysis.fits.fitted import FittedMixed
from analysis.fits.joint.limits import Limits
from analysis.fits.mixed import fit_mixed, refused
from analysis.fits.recipe import FULL_PER_EFFECT, Recipe
from analysis.fits.versions import provenance
from analysis.results import Fit
from analysis.specs import ModelSpec

if TYPE_CHECKING:
    import polars as pl

NO_JOINT = (
    " The whole course is not tested at once: with the patients' curves reduced such a test "
    "rejects 10 to 30 % of null trials of 24 patients, while the ratio on a day rejects 1 to 5 %. "
    "For the whole course take half the limit."
)
NEGLIGIBLE = 1e-4
"""Share of the patients' variance below which a direction is none."""


def fit_censored_question(
    frame: "pl.DataFrame", recipe: Recipe, spec: ModelSpec
) -> tuple[Fit, str]:
    """The fit, and in words how the random part was reduced.

    frame: `ModelRows.frame` with y_low and y_high. Raises UserError for an inference that does
    not exist here.
    """
    if spec.inference not in INFERENCES:
        raise UserError(
            f"inference {spec.inference!r} does not exist for the censored likelihood; use auto"
        )
    names = (*recipe.columns, "censored_row", "y_low", "y_high")
    kept = frame.select(name for name in names if name in frame.columns)
    rows = designs.complete_rows(kept, recipe.formula, recipe.random, "usubjid", recipe.nested)
    limits = _limits(rows.frame)
    usual = SATTERTHWAITE if spec.time == "none" else ROBUST
    single = usual if spec.inference == "auto" else spec.inference
    shell = Fit(
        kind=KIND, status="not_estimable", reason=None, sentence="", formula=recipe.formula,
        group="usubjid", random=recipe.random, nested=recipe.nested, reml=False,
        excluded=rows.excluded, n_subjects=rows.frame["usubjid"].n_unique(),
        n_observations=rows.frame.height, n_censored=int(limits.censored.sum()), inference=single,
        joint_inference=single, conf_level=spec.level,
        inference_note=NOTES[single] + NO_JOINT * (spec.time != "none"),
        references=REFERENCES, provenance=provenance(),
    )  # fmt: skip
    problem = guards.rows_problem(rows, "usubjid") or nested_problem(recipe.nested)
    if problem:
        return refused(shell, problem), ""
    matrices = formulas.build_matrices(rows.frame, recipe.formula, recipe.random)
    if dimension_problem(matrices, recipe.nested) is None:
        return fit_matrices(shell, rows, matrices, limits), ""
    if recipe.nested:
        return refused(shell, curves_with_lesions_problem(matrices)), ""
    directions, share = _directions(rows.frame, matrices, recipe)
    if directions is None:
        return refused(shell, guards.Problem(
            "not_converged",
            "The patients' own curves could not be estimated with half the limit either.",
            "Ask a simpler question: a smaller random part or fewer terms.",
        )), ""  # fmt: skip
    n = directions.shape[1]
    reduced = matrices._replace(
        z=matrices.z @ directions, z_names=tuple(f"curve direction {k + 1}" for k in range(n))
    )
    what = "direction" if n == 1 else f"{n} directions"
    note = (
        f"With values below the limit in the likelihood, patients' own curves are reduced to the "
        f"{what} in which they differ most ({100 * share:.0f} % of their variance with half the "
        "limit); the rest counts as residual."
    )
    return fit_matrices(shell, rows, reduced, limits, directions), note


def _limits(frame: "pl.DataFrame") -> Limits:
    """A missing bound of a censored row is infinite."""
    low = frame["y_low"].fill_null(-np.inf).fill_nan(-np.inf).to_numpy()
    high = frame["y_high"].fill_null(np.inf).fill_nan(np.inf).to_numpy()
    return Limits(low, high, frame["censored_row"].to_numpy())


def _directions(
    frame: "pl.DataFrame", matrices: formulas.Matrices, recipe: Recipe
) -> tuple[Array | None, float]:
    """Columns that combine the random design into its leading components, and their share of the
    variance at the observed visits."""
    alone = fit_mixed(
        frame, recipe.formula, "usubjid", recipe.random, covariance=recipe.covariance, verify=False
    )
    if not isinstance(alone.design, FittedMixed):
        return None, 0.0
    root = np.linalg.cholesky(matrices.z.T @ matrices.z / len(matrices.z))
    values, vectors = np.linalg.eigh(root.T @ alone.design.block @ root)
    total = float(values.sum())
    if total <= 0:
        values, total = np.ones_like(values), float(len(values))
    allowed = max(1, min(MAXIMUM_DIMENSION, alone.n_subjects // FULL_PER_EFFECT))
    leading = [k for k in np.argsort(values)[::-1][:allowed] if values[k] > NEGLIGIBLE * total]
    directions = np.linalg.solve(root.T, vectors[:, leading])
    return np.asarray(directions), float(values[leading].sum()) / total
