"""Linear mixed model: safe fitting, status, one sentence. `fit_mixed` is the entry point."""

from typing import TYPE_CHECKING

import numpy as np

from analysis.errors import UserError
from analysis.fits import design as designs
from analysis.fits import guards
from analysis.fits import statsmodels_bridge as bridge
from analysis.fits.design import Design
from analysis.fits.fitted import FittedMixed, variance_components
from analysis.fits.profiled import Array, Optimum, evaluate, optimize
from analysis.fits.versions import provenance
from analysis.results import Check, Estimate, Fit, Status, finite

if TYPE_CHECKING:
    import polars as pl

KIND = "linear mixed model"
CONF_LEVEL = 0.95
START_SCALES = (1.0, 0.2, 5.0)
"""Standard deviations of the random effects to start from, relative to the residual's."""
SEARCH_LIMIT_SUBJECTS = 1000
"""Above this statsmodels only evaluates our optimum: its own search would take minutes."""
AGREEMENT = 1e-4
INFERENCES = ("auto", "wald")
LATER = ("satterthwaite", "kenward_roger", "bootstrap")
WALD_NOTE = (
    "Wald intervals and p-values (normal reference); the small-sample correction is pending. With "
    "few patients they are too narrow: at 12 patients a true null is rejected in about 8 % of "
    "trials instead of 5 %."
)
METHOD = (
    "Linear mixed model by {name}; columns scaled to unit root mean square; {starts} starts of the "
    "profiled likelihood, then statsmodels MixedLM (lbfgs, then powell) from the best."
)
REFERENCES = (
    "Bates D et al. Fitting linear mixed-effects models using lme4. J Stat Softw 2015. "
    "doi:10.18637/jss.v067.i01",
    "Seabold S, Perktold J. statsmodels: econometric and statistical modeling with Python. 2010. "
    "doi:10.25080/Majora-92bf1922-011",
)


def fit_mixed(
    frame: "pl.DataFrame",
    formula: str,
    group: str,
    random: str = "1",
    nested: tuple[str, ...] | str = (),
    reml: bool = True,
    inference: str = "auto",
    covariance: str = "full",
) -> Fit:
    """Fit a linear mixed model with random effects nested in `group` (the patient).

    formula: "outcome ~ terms" (formulaic). random: formula of the random effects of a patient,
    "1" or "1 + rel_day". nested: columns whose levels inside the patient get a random intercept.
    covariance: "full", or "diagonal" for independent random effects.
    inference: "auto" and "wald" are Wald; the small-sample methods are not available yet.
    A model that cannot be fitted comes back with status not_estimable and no number.
    Raises UserError for a formula, column or option that does not exist.
    """
    nested = (nested,) if isinstance(nested, str) else tuple(nested)
    _check_options(inference, covariance)
    rows = designs.complete_rows(frame, formula, random, group, nested)
    shell = Fit(
        kind=KIND,
        status="not_estimable",
        reason=None,
        sentence="",
        formula=formula,
        group=group,
        random=random,
        nested=nested,
        reml=reml,
        excluded=rows.excluded,
        n_subjects=rows.frame[group].n_unique(),
        n_observations=rows.frame.height,
        inference="wald",
        inference_note=WALD_NOTE,
        conf_level=CONF_LEVEL,
        method=METHOD.format(
            name="REML" if reml else "maximum likelihood", starts=len(START_SCALES)
        ),
        references=REFERENCES,
        provenance=provenance(),
    )
    problem = guards.rows_problem(rows, group)
    if problem:
        return refused(shell, problem)
    matrices = bridge.build_matrices(rows.frame, formula, random)
    problem = guards.matrix_problem(rows, matrices, group, nested)
    if problem:
        return refused(shell, problem)
    design = designs.assemble(
        rows,
        matrices,
        formula=formula,
        random=random,
        group=group,
        nested=nested,
        diagonal=covariance == "diagonal",
    )
    return _fit_design(shell, design)


def refused(shell: Fit, problem: guards.Problem) -> Fit:
    """The same fit without a number: reason, sentence and what to do."""
    check = Check("estimable", "failed", f"{problem.sentence} {problem.advice}")
    return shell.replace(
        status="not_estimable",
        reason=problem.reason,
        checks=(check,),
        sentence=f"Not estimable: {problem.sentence}",
        advice=problem.advice,
    )


def _check_options(inference: str, covariance: str) -> None:
    if inference in LATER:
        raise UserError(
            f"inference {inference!r} is not available yet: the small-sample engine is "
            "a later release; use 'auto' (Wald, said so in the result)"
        )
    if inference not in INFERENCES:
        raise UserError(
            f"inference {inference!r} does not exist; use one of {', '.join((*INFERENCES, *LATER))}"
        )
    if covariance not in ("full", "diagonal"):
        raise UserError(f"covariance {covariance!r} does not exist; use 'full' or 'diagonal'")


def _fit_design(shell: Fit, design: Design) -> Fit:
    from analysis.checks import mixed_checks
    from analysis.sentences import mixed_sentence

    if designs.root_mean_square(design.y_scaled) == 0 or _is_perfect(design):
        return refused(
            shell,
            guards.Problem(
                "perfect_fit",
                "The fixed effects reproduce every value exactly, so there is no "
                "variation left to judge by.",
                "Check whether a term is a copy of the outcome.",
            ),
        )
    try:
        optimum, refit = _search(design, shell.reml)
    except np.linalg.LinAlgError:
        return refused(
            shell,
            guards.Problem(
                "not_converged",
                "The likelihood could not be evaluated.",
                "Ask a simpler question: a smaller random part or fewer terms.",
            ),
        )
    if optimum.profile.sigma2 < guards.PERFECT_FIT:
        return refused(
            shell,
            guards.Problem(
                "perfect_fit",
                "The model reproduces every value exactly, so there is no residual "
                "variation to judge by.",
                "Check for copied values, or take a smaller random part.",
            ),
        )
    if not optimum.converged:
        return refused(
            shell,
            guards.Problem(
                "not_converged",
                "No optimum of the likelihood was found from any start.",
                "Ask a simpler question: a smaller random part or fewer terms.",
            ),
        )
    fitted = FittedMixed(design, optimum, refit, shell.reml)
    fit = shell.replace(
        estimates=_estimates(fitted),
        variance_components=variance_components(fitted),
        criterion=finite(fitted.criterion),
        log_likelihood=finite(-fitted.criterion / 2),
        icc=fitted.between_share(_intercept_row(design)),
        r_squared_marginal=_marginal_r_squared(fitted),
        design=fitted,
    )
    checks = mixed_checks(fitted, shell)
    status, reason, advice = judged(checks)
    fit = fit.replace(checks=checks, status=status, reason=reason, advice=advice)
    return fit.replace(sentence=mixed_sentence(fit))


def judged(checks: tuple[Check, ...]) -> tuple[Status, str | None, str]:
    """Status, reason and advice of a fit that has numbers: the first check that is not fine."""
    from analysis.checks.inference import PENDING

    raised = [
        check for check in checks if check.status in ("failed", "warning") and check.name != PENDING
    ]
    if not raised:
        return "ok", None, ""
    return "warning", raised[0].name, raised[0].message


def _search(design: Design, reml: bool) -> tuple[Optimum, bridge.Refit]:
    """Best of several starts, then statsmodels from there; its optimum is taken when better."""
    structure = design.structure
    starts = [structure.start(scale) for scale in START_SCALES]
    optimum = optimize(design.products, structure, reml, starts)
    refit = _refit(design, optimum, reml)
    if criterion_at(design, refit.theta, reml) < optimum.profile.criterion - AGREEMENT:
        assert refit.theta is not None
        optimum = optimize(design.products, structure, reml, [optimum.theta, refit.theta])
        refit = _refit(design, optimum, reml)
    return optimum, refit


def criterion_at(design: Design, theta: Array | None, reml: bool) -> float:
    """Our criterion where statsmodels ended. Near a singular covariance its own log-likelihood
    can come out infinite, so its claim of a better optimum counts only when this confirms it."""
    if theta is None or not np.isfinite(theta).all():
        return float("inf")
    try:
        return evaluate(theta, design.products, design.structure, reml).criterion
    except np.linalg.LinAlgError:
        return float("inf")


def _refit(design: Design, optimum: Optimum, reml: bool) -> bridge.Refit:
    return bridge.statsmodels_refit(
        design.y_scaled,
        design.x_scaled,
        design.z_scaled,
        design.nested_levels,
        design.patient,
        design.structure,
        optimum.theta,
        reml,
        search=design.n_subjects <= SEARCH_LIMIT_SUBJECTS,
    )


def _estimates(fitted: FittedMixed) -> tuple[Estimate, ...]:
    from scipy.stats import norm

    width = float(norm.ppf(0.5 + CONF_LEVEL / 2))
    errors = np.sqrt(np.diag(fitted.covariance))
    return tuple(
        Estimate(
            name,
            float(value),
            float(error),
            None,
            float(value / error),
            float(2 * norm.sf(abs(value / error))),
            float(value - width * error),
            float(value + width * error),
        )
        for name, value, error in zip(
            fitted.design.matrices.x_names, fitted.beta, errors, strict=True
        )
    )


def _is_perfect(design: Design) -> bool:
    y = design.matrices.y
    return design.y_scale <= 1e-12 * designs.root_mean_square(y - y.mean())


def _intercept_row(design: Design) -> Array:
    """The mean row of the random design: where an average observation lies."""
    return np.asarray(design.matrices.z.mean(axis=0))


def _marginal_r_squared(fitted: FittedMixed) -> float | None:
    """Share of variance explained by the fixed effects (Nakagawa 2013,
    doi:10.1111/j.2041-210x.2012.00261.x; random slopes after Johnson 2014,
    doi:10.1111/2041-210X.12225)."""
    z = fitted.design.matrices.z
    random = float(np.einsum("ij,jk,ik->i", z, fitted.block, z).mean())
    fixed = float(np.var(fitted.fixed_fitted))
    return finite(fixed / (fixed + random + float(fitted.nested_variances.sum()) + fitted.sigma2))
