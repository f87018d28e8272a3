"""Linear mixed model: safe fitting, status, one sentence. `fit_mixed` is the entry point."""

from typing import TYPE_CHECKING

import numpy as np

from analysis.compute.confidence_level import require_level
from analysis.engine.structure import Array
from analysis.errors import UserError
from analysis.fits import design as designs
from analysis.fits import formulas, guards
from analysis.fits.design import Design
from analysis.fits.fitted import FittedMixed, variance_components
from analysis.fits.inference import CONF_LEVEL, Choice, chosen, estimates
from analysis.fits.outcome_scale import transformed
from analysis.fits.residual_spec import parse_residual
from analysis.fits.search import Optimum, search
from analysis.fits.structured.model import fit_structured
from analysis.fits.structured.question import Structure, parse_nested
from analysis.fits.versions import provenance
from analysis.frames import takes_frames
from analysis.results import Check, Fit, Status, finite
from analysis.tracers.context import SignalContext, signal_name

if TYPE_CHECKING:
    import polars as pl

KIND = "linear mixed model"
METHOD = (
    "Linear mixed model by {name}; columns scaled to unit root mean square; profiled likelihood "
    "with exact gradient and Hessian, modified Newton from the best of several starts."
)
CONFIRMED = " The optimum is confirmed by statsmodels MixedLM."
REFERENCES = (
    "Bates D et al. Fitting linear mixed-effects models using lme4. J Stat Softw 2015. "
    "doi:10.18637/jss.v067.i01",
    "Seabold S, Perktold J. statsmodels: econometric and statistical modeling with Python. 2010. "
    "doi:10.25080/Majora-92bf1922-011",
)


@takes_frames
def fit_mixed(
    frame: "pl.DataFrame",
    formula: str,
    group: str,
    random: str = "1",
    nested: tuple[str, ...] | str = (),
    reml: bool = True,
    inference: str = "auto",
    covariance: str = "full",
    verify: bool = True,
    seed: int = 0,
    level: float = CONF_LEVEL,
    residual: str = "independent",
    crossed: tuple[str, ...] | str = (),
    weights: str = "",
    transform: str = "",
    context: str | SignalContext = "",
) -> Fit:
    """Fit a linear mixed model with random effects nested in `group` (the patient).

    formula: "outcome ~ terms" (formulaic). random: formula of the random effects of a patient,
    "1" or "1 + rel_day", "0" for none. nested: columns whose levels inside the patient get a
    random intercept; "lesion: 1 + rel_day" gives each lesion a slope as well.
    covariance: "full", or "diagonal" for independent random effects.
    inference: "auto" is "satterthwaite" (see `analysis.fits.inference`); "kenward_roger" needs
    REML; "bootstrap" simulates from the fit, with `seed`; "robust" takes patients as clusters;
    "wald" is the normal reference.
    verify: let statsmodels confirm the optimum. level: of the intervals.
    residual: "independent", "by:COLUMN", "ar1:COLUMN", "car1:COLUMN" or "unstructured:COLUMN" (see
    `analysis.fits.residual_spec`). crossed: columns whose levels cross patients, as readers do.
    weights: column of known precisions. transform: of the outcome, "log10", "log2" or "log".
    context: what the signal is, for the sentence: a noun phrase, or `SignalContext(name, tracer)`
    with a tracer or class of the registry. Words that such a signal must not be called are refused.
    A model that cannot be fitted comes back with status not_estimable and no number.
    Raises UserError for a formula, column or option that does not exist.
    """
    require_level(level)
    nested = (nested,) if isinstance(nested, str) else tuple(nested)
    crossed = (crossed,) if isinstance(crossed, str) else tuple(crossed)
    structure = Structure(parse_residual(residual), parse_nested(nested), crossed, weights)
    formula = transformed(formula, transform)
    context = signal_name(context)
    choice = chosen(inference, reml, seed)
    if covariance not in ("full", "diagonal"):
        raise UserError(f"covariance {covariance!r} does not exist; use 'full' or 'diagonal'")
    _require_supported(structure, choice, random)
    rows = designs.complete_rows(frame, formula, random or "0", group, structure.columns)
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
        n_subjects=rows.n_levels(group),
        n_observations=rows.frame.height,
        covariance=covariance,
        residual=residual,
        crossed=crossed,
        weights=weights,
        context=context,
        inference=choice.single,
        joint_inference=choice.joint,
        inference_note=choice.note,
        seed=seed if choice.single == "bootstrap" else None,
        conf_level=level,
        method=METHOD.format(name="REML" if reml else "maximum likelihood") + CONFIRMED * verify,
        references=REFERENCES,
        provenance=provenance(),
    )
    return _fit_rows(shell, rows, structure, verify)


def _fit_rows(shell: Fit, rows: designs.Rows, structure: Structure, verify: bool) -> Fit:
    """The fit that `shell` describes, or why these rows have none."""
    problem = guards.rows_problem(rows, shell.group)
    if problem:
        return refused(shell, problem)
    effects = "1" if without_effects(shell.random) else shell.random
    matrices = formulas.build_matrices(rows.frame, shell.formula, effects)
    own = shell.nested if structure.is_plain else ()
    with_random = not without_effects(shell.random) and structure.residual.kind != "unstructured"
    problem = guards.matrix_problem(rows, matrices, shell.group, own, with_random=with_random)
    if problem:
        return refused(shell, problem)
    design = designs.assemble(
        rows,
        matrices,
        formula=shell.formula,
        random=effects,
        group=shell.group,
        nested=own,
        diagonal=shell.covariance == "diagonal",
    )
    if structure.is_plain and with_random:
        return _fit_design(shell, design, verify)
    return _fit_structured(shell, design, structure, verify, with_random)


def without_effects(random: str) -> bool:
    """Whether the patient has no random effect of its own."""
    return random.strip() in ("0", "")


def _require_supported(structure: Structure, choice: Choice, random: str) -> None:
    if structure.is_plain and without_effects(random):
        raise UserError(
            f"random part {random!r} holds no effect; write '1' for an intercept, or a "
            "residual that holds what goes together within a patient"
        )
    if choice.single == "robust" and structure.crossed:
        raise UserError(
            "inference 'robust' takes patients for independent, which they are not under crossed "
            "effects; use 'satterthwaite', 'kenward_roger' or 'bootstrap'"
        )


def _fit_structured(
    shell: Fit, design: Design, structure: Structure, verify: bool, with_random: bool
) -> Fit:
    """The same stations as a plain fit, by the likelihood of whole covariances."""
    from analysis.checks import structured_checks
    from analysis.sentences import mixed_sentence

    if designs.root_mean_square(design.y_scaled) == 0 or is_perfect(design):
        return refused(shell, PERFECT)
    fit = fit_structured(shell, design, structure, verify, with_random=with_random)
    if isinstance(fit, guards.Problem):
        return refused(shell, fit)
    checks = (*fit.checks, *structured_checks(fit.design, shell))
    status, reason, advice = judged(checks)
    fit = fit.replace(checks=checks, status=status, reason=reason, advice=advice)
    return fit.replace(sentence=mixed_sentence(fit))


PERFECT = guards.Problem(
    "perfect_fit",
    "The fixed effects reproduce every value exactly, so there is no variation left to judge by.",
    "Check whether a term is a copy of the outcome.",
)


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


def _fit_design(shell: Fit, design: Design, verify: bool) -> Fit:
    from analysis.checks import mixed_checks
    from analysis.sentences import mixed_sentence

    if designs.root_mean_square(design.y_scaled) == 0 or is_perfect(design):
        return refused(shell, PERFECT)
    try:
        optimum, refit = search(design, shell.reml, verify)
    except np.linalg.LinAlgError:
        return refused(
            shell,
            guards.Problem(
                "not_converged",
                "The likelihood could not be evaluated.",
                "Ask a simpler question: a smaller random part or fewer terms.",
            ),
        )
    problem = _optimum_problem(optimum)
    if problem:
        return refused(shell, problem)
    fitted = FittedMixed(
        design,
        optimum,
        refit,
        shell.reml,
        shell.inference,
        shell.joint_inference,
        shell.seed or 0,
        shell.conf_level,
    )
    checks = mixed_checks(fitted, shell)
    status, reason, advice = judged(checks)
    fit = shell.replace(
        status=status,
        reason=reason,
        advice=advice,
        checks=checks,
        estimates=estimates(fitted),
        variance_components=variance_components(fitted),
        criterion=finite(fitted.criterion),
        log_likelihood=finite(-fitted.criterion / 2),
        icc=fitted.between_share(_intercept_row(design)),
        r_squared_marginal=_marginal_r_squared(fitted),
        design=fitted,
    )
    return fit.replace(sentence=mixed_sentence(fit))


def _optimum_problem(optimum: Optimum) -> guards.Problem | None:
    """Why the end of the search is no answer."""
    least = guards.PERFECT_FIT if optimum.converged else guards.NEARLY_PERFECT
    if optimum.sigma2 < least:
        return guards.Problem(
            "perfect_fit",
            "The model reproduces every value exactly, so there is no residual "
            "variation to judge by.",
            "Check for copied values, or take a smaller random part.",
        )
    if not optimum.converged:
        return guards.Problem(
            "not_converged",
            "No optimum of the likelihood was found from any start.",
            "Ask a simpler question: a smaller random part or fewer terms.",
        )
    return None


def judged(checks: tuple[Check, ...]) -> tuple[Status, str | None, str]:
    """Status, reason and advice of a fit that has numbers: the first check that is not fine."""
    raised = [check for check in checks if check.status in ("failed", "warning")]
    if not raised:
        return "ok", None, ""
    return "warning", raised[0].name, raised[0].message


def is_perfect(design: Design) -> bool:
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
    random = float((fitted.block * (z.T @ z)).sum()) / len(z)
    fixed = float(np.var(fitted.fixed_fitted))
    return finite(fixed / (fixed + random + float(fitted.nested_variances.sum()) + fitted.sigma2))
