"""Mixed models beyond cross-products: `fit_mixed` comes here when a residual structure, weights,
slopes of nested levels or crossed effects are asked for."""

import numpy as np

from analysis.engine.covariance_parts import Part
from analysis.engine.crossed_likelihood import CrossedLikelihood
from analysis.engine.dense_likelihood import DenseLikelihood
from analysis.errors import UserError
from analysis.fits.design import Design
from analysis.fits.guards import Problem
from analysis.fits.residual_spec import ResidualRows, residual_part
from analysis.fits.structured.checks import fit_checks
from analysis.fits.structured.fitted import FittedStructured
from analysis.fits.structured.question import Structure
from analysis.fits.structured.search import optimum
from analysis.fits.structured.shares import between_share, marginal_r_squared
from analysis.fits.structured.terms import levels_problem, random_effects, unit_codes
from analysis.fits.structured.weights import case_weights
from analysis.results import Fit, finite

METHOD = (
    "Linear mixed model by {name} with {parts}; likelihood of each patient's covariance with exact "
    "gradient, Fisher scoring, then Newton with the observed information."
)
CROSSED_NOTE = (
    " Effects that cross patients are fitted with the covariance of all values at once; "
    "statsmodels evaluates the same likelihood."
)
REFERENCES = (
    "Pinheiro JC, Bates DM. Mixed-effects models in S and S-PLUS. Springer 2000. "
    "doi:10.1007/b98882",
    "Sabanes Bove D et al. mmrm: mixed models for repeated measures. R package. "
    "doi:10.32614/CRAN.package.mmrm",
)
LARGEST_CLUSTER, LARGEST_BLOCK = 5_000, 1_000
"""Values under crossed effects. Independent residuals: the likelihood grows with the number of
effects, residuals and predictions hold the covariance of all values. Autoregressive ones: the
likelihood holds it too, and its cost is cubic."""
NOT_CONVERGED = Problem(
    "not_converged",
    "No optimum of the likelihood was found.",
    "Ask a simpler question: fewer random effects, or a simpler residual.",
)


def fit_structured(
    shell: Fit, design: Design, structure: Structure, verify: bool, *, with_random: bool
) -> Fit | Problem:
    """The fit of complete, checked rows; a Problem where the data cannot carry it.

    with_random: the patient has random effects of its own. Raises UserError for a combination that
    has no meaning.
    """
    from analysis.fits.inference import estimates

    fitted = _fitted(shell, design, structure, with_random)
    if isinstance(fitted, Problem):
        return fitted
    words = [structure.residual.words]
    names = " and ".join(one.part.name for one in fitted.effects)
    words += [f"random effects of {names}"] if names else []
    words += [f"weights {structure.weights}"] if structure.weights else []
    name = "REML" if shell.reml else "maximum likelihood"
    return shell.replace(
        method=METHOD.format(name=name, parts=", ".join(words))
        + CROSSED_NOTE * bool(structure.crossed),
        references=(*shell.references, *REFERENCES),
        estimates=estimates(fitted),
        variance_components=fitted.variance_components(),
        criterion=finite(fitted.criterion),
        log_likelihood=finite(-fitted.criterion / 2),
        icc=between_share(fitted),
        r_squared_marginal=marginal_r_squared(fitted),
        design=fitted,
        checks=fit_checks(fitted, verify),
    )


def _fitted(
    shell: Fit, design: Design, structure: Structure, with_random: bool
) -> FittedStructured | Problem:
    weights = case_weights(design.frame, structure.weights)
    plain = design.matrices.y - design.matrices.x @ design.b_ols
    unit = unit_codes(design.frame, (design.group, *(term.column for term in structure.nested)))
    rows = ResidualRows(
        design.frame, design.patient, unit, design.x_scaled, plain / design.y_scale, weights.root
    )
    residual = residual_part(structure.residual, rows)
    if isinstance(residual, Problem):
        return residual
    effects = random_effects(design, structure, shell.covariance == "diagonal", with_random)
    problem = levels_problem(effects, design)
    if problem is not None:
        return problem
    cluster = design.patient
    if structure.crossed:
        cluster = np.zeros(design.n_observations, dtype=np.intp)
    parts: tuple[Part, ...] = (*(one.part for one in effects), residual)
    kind = DenseLikelihood
    if structure.crossed:
        kind = CrossedLikelihood if CrossedLikelihood.carries(parts) else DenseLikelihood
        most = LARGEST_CLUSTER if kind is CrossedLikelihood else LARGEST_BLOCK
        if design.n_observations > most:
            raise UserError(
                f"crossed effects of {design.n_observations:,} values: at most {most:,} can be "
                "held at once; average repeated values first"
            )
    dense = kind(design.x_scaled, design.y_scaled, cluster, parts, shell.reml)
    try:
        found = optimum(dense, dense.start)
    except np.linalg.LinAlgError:
        return NOT_CONVERGED
    if not found.converged:
        return NOT_CONVERGED
    return FittedStructured(
        design, dense, found.theta, structure, effects, shell.inference, shell.joint_inference,
        shell.conf_level, weights.mean, shell.seed or 0,
    )  # fmt: skip
