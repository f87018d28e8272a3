"""Linear mixed model with values known by their limits only: `fit_censored_mixed`.

Exact values enter by their density, a value below a limit by the probability of lying there. Given
a patient's effects the rows are independent; the effects are integrated on Gauss-Hermite nodes at
the mode and along the curvature of the patient's own posterior, where a patient without censored
values is integrated exactly. The likelihood, its exact score and its information are those of the
measurements of the joint model (`analysis.fits.joint.likelihood`); the effects of lesions are
integrated inside those of their patient (`analysis.fits.nested_likelihood`).
"""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from analysis.checks.censored_fit import censored_checks
from analysis.engine.structure import Array
from analysis.errors import UserError
from analysis.fits import design as designs
from analysis.fits import formulas, guards
from analysis.fits.censored_fitted import ROBUST, SATTERTHWAITE, FittedCensored
from analysis.fits.censored_likelihood import Censored, layout_of, likelihood_of
from analysis.fits.censored_refusals import (
    NOT_CONVERGED,
    NOT_IDENTIFIED,
    dimension_problem,
    few_patients_problem,
    limits_problem,
    nested_problem,
)
from analysis.fits.design import Design
from analysis.fits.inference import estimate_row
from analysis.fits.joint.limits import Limits, limits_of, with_stand_in
from analysis.fits.joint.search import Found, search
from analysis.fits.joint.starts import mixed_start
from analysis.fits.mixed import is_perfect, judged, refused
from analysis.fits.structured.question import parse_nested
from analysis.fits.versions import provenance
from analysis.frames import takes_frames
from analysis.results import Fit, finite

if TYPE_CHECKING:
    import polars as pl

KIND = "censored linear mixed model"
NODES = {1: 16, 2: 10, 3: 6}
MOST_NODES = {1: 128, 2: 40, 3: 12}
"""Nodes per random effect to begin with, and at most; doubled until the log-likelihood rests."""
ACCURACY = 1e-6
"""Change of the log-likelihood with twice the nodes that is no change."""
INFERENCES = ("auto", "satterthwaite", "robust", "wald")
METHOD = (
    "Linear mixed model by maximum likelihood with values beyond a limit entering as the "
    "probability of lying there (Tobit); random effects integrated by adaptive Gauss-Hermite "
    "quadrature ({nodes} nodes per effect); exact score and observed information, Newton's method."
)
NOTES = {
    SATTERTHWAITE: "t tests with Satterthwaite degrees of freedom; standard errors and degrees of "
    "freedom at the variances of the restricted likelihood (Cox and Reid 1987), which is REML "
    "where nothing is censored; estimates by maximum likelihood; joint tests by Hotelling's T2.",
    ROBUST: "t tests with patients minus effects between patients as degrees of freedom and "
    "variances from leaving out each patient (jackknife), for a random part smaller than the "
    "patients' curves; joint tests by Hotelling's T2.",
    "wald": "Normal (Wald) intervals from the observed information, as asked for. With few "
    "patients they are too narrow.",
}
REFERENCES = (
    "Vaida F, Liu L. Fast implementation for normal mixed effects models with censored response. "
    "J Comput Graph Stat 2009. doi:10.1198/jcgs.2009.07130",
    "Beal SL. Ways to fit a PK model with some data below the quantification limit. "
    "J Pharmacokinet Pharmacodyn 2001. doi:10.1023/A:1012299115260",
    "Cox DR, Reid N. Parameter orthogonality and approximate conditional inference. J R Stat Soc B "
    "1987. doi:10.1111/j.2517-6161.1987.tb01422.x",
    "Pinheiro JC, Bates DM. Approximations to the log-likelihood function in the nonlinear "
    "mixed-effects model. J Comput Graph Stat 1995. doi:10.1080/10618600.1995.10474663",
)


class Integrated(NamedTuple):
    """A maximum, the likelihood it belongs to, and how exact its integral is."""

    likelihood: Censored
    found: Found
    per_effect: int
    accuracy: float


@takes_frames
def fit_censored_mixed(
    frame: "pl.DataFrame",
    formula: str,
    group: str,
    random: str = "1",
    nested: tuple[str, ...] | str = (),
    lower: str | None = "lower",
    upper: str | None = "upper",
    *,
    level: float = 0.95,
    inference: str = "auto",
) -> Fit:
    """Fit a linear mixed model whose outcome is partly known by limits only.

    formula, group, random: as in `fit_mixed`; the left side holds one column or a function of it,
    such as "log10(value) ~ day". lower, upper: columns of limits in the unit of that column. A row
    is exact where both are missing or equal; a missing lower limit is minus infinity, a missing
    upper one infinity; the value of any other row is not used. nested: one column whose levels
    within the patient, such as lesions, get a random intercept; more is refused, with the reason.
    inference: "auto" and "satterthwaite" are t with degrees of freedom and variances of the
    restricted likelihood (see `analysis.fits.censored_restricted`); "robust" takes variances from
    leaving out each patient; "wald" is the normal reference, unscaled.
    A model that cannot be fitted comes back with status not_estimable and no number.
    Raises UserError for a formula, column or option that does not exist.
    """
    nested = (nested,) if isinstance(nested, str) else tuple(nested)
    _check_options(frame, level, inference, (lower, upper))
    single = SATTERTHWAITE if inference == "auto" else inference
    levels = tuple(term.column for term in parse_nested(nested))
    rows = designs.complete_rows(
        with_stand_in(frame, formula, lower, upper), formula, random, group, levels
    )
    limits = limits_of(rows.frame, formula, lower, upper)
    shell = Fit(
        kind=KIND, status="not_estimable", reason=None, sentence="", formula=formula, group=group,
        random=random, nested=nested, reml=False, excluded=rows.excluded,
        n_subjects=rows.frame[group].n_unique(), n_observations=rows.frame.height,
        n_censored=int(limits.censored.sum()), inference=single, joint_inference=single,
        inference_note=NOTES[single], conf_level=level, references=REFERENCES,
        limits=(lower or "", upper or ""),
        provenance=provenance(),
    )  # fmt: skip
    problem = nested_problem(nested) or guards.rows_problem(rows, group)
    if problem:
        return refused(shell, problem)
    matrices = formulas.build_matrices(rows.frame, formula, random)
    return fit_matrices(shell, rows, matrices, limits)


def fit_matrices(
    shell: Fit,
    rows: designs.Rows,
    matrices: formulas.Matrices,
    limits: Limits,
    directions: Array | None = None,
) -> Fit:
    """The same from design matrices. directions: see `FittedCensored`."""
    problem = (
        limits_problem(rows, limits, matrices)
        or guards.matrix_problem(rows, matrices, shell.group, shell.nested)
        or dimension_problem(matrices, shell.nested)
    )
    if problem:
        return refused(shell, problem)
    design = designs.assemble(
        rows, matrices, formula=shell.formula, random=shell.random, group=shell.group,
        nested=shell.nested, diagonal=False,
    )  # fmt: skip
    if is_perfect(design):
        return refused(shell, NOT_IDENTIFIED)
    try:
        best = integrated(design, limits)
    except np.linalg.LinAlgError:
        return refused(shell, NOT_CONVERGED)
    fitted = FittedCensored(
        design, limits, best.likelihood, best.found, shell.inference, shell.conf_level,
        best.per_effect, best.accuracy, directions,
    )  # fmt: skip
    problem = _no_answer(fitted)
    if problem:
        return refused(shell, problem)
    return _reported(shell, fitted)


def integrated(design: Design, limits: Limits) -> Integrated:
    """The maximum with enough nodes. Raises LinAlgError when it cannot be evaluated."""
    layout = layout_of(design)
    q = layout.n_random
    per_effect = NODES[q] if limits.censored.any() else 3
    start = mixed_start(layout, design)
    while True:
        likelihood = likelihood_of(design, limits, per_effect)
        found = search(likelihood, start)
        finer = likelihood_of(design, limits, 2 * per_effect)
        # The blocks differ in size, so the centers of one grid are laid out anew for the other.
        value = finer.value(found.theta, finer.centers(found.theta, finer.start()))
        accuracy = abs(value - found.evaluation.value)
        if accuracy < ACCURACY or 2 * per_effect > MOST_NODES[q] or not found.converged:
            return Integrated(likelihood, found, per_effect, accuracy)
        per_effect, start = 2 * per_effect, found.theta


def _no_answer(fitted: FittedCensored) -> guards.Problem | None:
    if not fitted.found.converged:
        return NOT_CONVERGED
    if fitted.information_inverse is None:
        return NOT_IDENTIFIED
    if fitted.sigma2 < guards.PERFECT_FIT * fitted.design.y_scale**2:
        return NOT_IDENTIFIED
    return few_patients_problem(fitted.design.n_subjects, fitted.n_between)


def _reported(shell: Fit, fitted: FittedCensored) -> Fit:
    from analysis.sentences import mixed_sentence

    names = fitted.design.matrices.x_names
    found = fitted.tested(np.eye(len(names)))
    fit = shell.replace(
        estimates=tuple(estimate_row(name, found, index) for index, name in enumerate(names)),
        variance_components=fitted.variance_components(),
        criterion=finite(fitted.criterion),
        log_likelihood=finite(-fitted.criterion / 2),
        icc=fitted.between_share(fitted.design.matrices.z.mean(axis=0)),
        method=METHOD.format(nodes=fitted.per_effect),
        design=fitted,
    )
    checks = censored_checks(fitted, fit)
    status, reason, advice = judged(checks)
    fit = fit.replace(checks=checks, status=status, reason=reason, advice=advice)
    return fit.replace(sentence=mixed_sentence(fit))


def _check_options(
    frame: "pl.DataFrame", level: float, inference: str, limits: tuple[str | None, ...]
) -> None:
    if inference not in INFERENCES:
        raise UserError(
            f"inference {inference!r} does not exist for a censored model; use one of "
            f"{', '.join(INFERENCES)}"
        )
    if not 0 < level < 1:
        raise UserError(f"level must lie between 0 and 1, as 0.95 does; it is {level:g}")
    for name in limits:
        if name is not None and name not in frame.columns:
            raise UserError(
                f"limits: there is no column '{name}'; the columns are {', '.join(frame.columns)}"
            )
        if name is not None and not frame.schema[name].is_numeric() and (
            frame[name].null_count() < frame.height
        ):  # fmt: skip
            raise UserError(f"limits: column '{name}' must hold numbers")
