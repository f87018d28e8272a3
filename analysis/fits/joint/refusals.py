"""Why a joint model cannot be fitted: its course, its covariates, its maximum."""

import numpy as np

from analysis.fits import design as designs
from analysis.fits import formulas, guards
from analysis.fits.joint.assembly import Covariates
from analysis.fits.joint.limits import outcome_column
from analysis.fits.joint.quadrature import MAXIMUM_DIMENSION
from analysis.fits.joint.reported import FittedJoint
from analysis.fits.joint.rows import JointRows

NOT_CONVERGED = guards.Problem(
    "not_converged",
    "No maximum of the likelihood was found.",
    "Ask a simpler question: a smaller random part, fewer pieces of the hazard or one association.",
)
NOT_IDENTIFIED = guards.Problem(
    "not_identified",
    "The data do not tell the parameters apart: the information has a direction without curvature.",
    "Take a smaller random part, fewer covariates of the hazard, or fewer knots.",
)


def separation(fitted: FittedJoint) -> guards.Problem:
    """An effect that grows without end; see `FittedJoint.runaway`."""
    name, outcome = fitted.runaway, "hazard" if fitted.outcome_part == "event" else "response"
    if name in fitted.problem.association:
        return guards.Problem(
            "separation",
            f"The association of the {outcome} with '{name}' has no finite estimate: the patients' "
            "courses do not differ enough in it, or it orders the patients perfectly.",
            f"Leave '{name}' out of the association, or take a smaller random part.",
        )
    return guards.Problem(
        "separation",
        f"The effect of '{name}' on the {outcome} has no finite estimate: it orders the patients "
        f"with and without {'event' if outcome == 'hazard' else 'response'} perfectly.",
        f"Leave '{name}' out, or join the levels of which one has no event or nothing else.",
    )


def joint_design(
    rows: JointRows, formula: str, random: str, group: str, long_time: str
) -> designs.Design | guards.Problem:
    """Scaled matrices of the mixed model, or why it or its course cannot be fitted."""
    matrices = formulas.build_matrices(rows.visits.frame, formula, random)
    problem = guards.matrix_problem(rows.visits, matrices, group, ()) or _course_problem(
        rows, formula, group, long_time
    )
    if problem:
        return problem
    if matrices.z.shape[1] > MAXIMUM_DIMENSION:
        return guards.Problem(
            "random_part_too_large",
            f"{matrices.z.shape[1]} random effects per patient need an integral of as many "
            f"dimensions; at most {MAXIMUM_DIMENSION} are computed.",
            "Take fewer, such as a spline of fewer degrees of freedom.",
        )
    return designs.assemble(
        rows.visits, matrices, formula=formula, random=random, group=group, nested=(),
        diagonal=False,
    )  # fmt: skip


def _course_problem(
    rows: JointRows, formula: str, group: str, long_time: str
) -> guards.Problem | None:
    """A covariate that changes within a patient leaves the course between visits undefined."""
    frame = rows.visits.frame
    outcome = outcome_column(frame, formula) if rows.limits is not None else ""
    left = set(formulas.parse_formula(f"{formula.split('~', maxsplit=1)[0]} ~ 1", "1").variables)
    for name in sorted(rows.visits.variables - {long_time, group, outcome} - left):
        if name in frame.columns and (frame.group_by(group).n_unique()[name] > 1).any():
            return guards.Problem(
                "time_varying_covariate",
                f"'{name}' changes within a patient, so the course of the signal between the "
                "visits is not defined.",
                f"Use the value of '{name}' at the start, or leave it out.",
            )
    return None


def covariate_problem(covariates: Covariates) -> guards.Problem | None:
    """Covariates of the outcome that are not finite or cannot be told apart."""
    raw = covariates.scaled
    if raw.shape[1] and not np.isfinite(raw).all():
        return guards.Problem(
            "infinite_values",
            "A covariate of the hazard is not finite for some patients.",
            "Correct these values or leave them out.",
        )
    if raw.shape[1] and np.linalg.matrix_rank(raw, tol=1e-8 * np.sqrt(len(raw))) < raw.shape[1]:
        names = ", ".join(covariates.names)
        return guards.Problem(
            "collinear",
            f"The covariates of the hazard ({names}) follow from each other or do not vary.",
            "Leave out one of the terms that say the same.",
        )
    return None
