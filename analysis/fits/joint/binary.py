"""Shared random effects: the course of a signal and a binary response of the same patients."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from analysis.compute.confidence_level import require_level
from analysis.engine.structure import Array, Index
from analysis.errors import UserError
from analysis.fits import design as designs
from analysis.fits import guards
from analysis.fits.joint.assembly import (
    Covariates,
    Problem,
    covariates_of,
    measurements,
    scaled_features,
    trajectory_of,
)
from analysis.fits.joint.baseline import Baseline
from analysis.fits.joint.checks import response_checks
from analysis.fits.joint.likelihood import Block, Likelihood
from analysis.fits.joint.limits import limits_of, with_stand_in
from analysis.fits.joint.model import counted, log_likelihood
from analysis.fits.joint.parameters import Layout
from analysis.fits.joint.parts import Associated, Response
from analysis.fits.joint.quadrature import NODES_BY_DIMENSION, hermite_grid
from analysis.fits.joint.refusals import (
    NOT_CONVERGED,
    NOT_IDENTIFIED,
    covariate_problem,
    joint_design,
    separation,
)
from analysis.fits.joint.reported import FittedJoint
from analysis.fits.joint.rows import (
    Columns,
    JointRows,
    check_columns,
    check_numbers,
    matched,
    named,
    timed_visits,
)
from analysis.fits.joint.search import search
from analysis.fits.joint.sentences import SignalName, response_sentence
from analysis.fits.joint.starts import start_of_mixed
from analysis.fits.mixed import judged, refused
from analysis.fits.versions import provenance
from analysis.frames import takes_frames
from analysis.results import Excluded, Fit, finite

if TYPE_CHECKING:
    import polars as pl

KIND = "joint model of a response"
MINIMUM_OF_EACH = 8
"""Responders, and non-responders, below which no odds ratio is fitted."""
PATIENTS = 500
"""Patients of one block of the likelihood."""
METHOD = (
    "Shared random effects by maximum likelihood: linear mixed model of the signal, logistic model "
    "of the response on {association}. Random effects integrated by adaptive Gauss-Hermite "
    "quadrature ({nodes} nodes per patient); exact score and observed information, Newton's method."
)
REFERENCES = (
    "Wang CY, Wang N, Wang S. Regression analysis when covariates are regression parameters of a "
    "random effects model for observed longitudinal measurements. Biometrics 2000. "
    "doi:10.1111/j.0006-341X.2000.00487.x",
)


@takes_frames
def fit_joint_binary(
    longitudinal: "pl.DataFrame",
    responses: "pl.DataFrame",
    formula: str,
    group: str,
    random: str,
    long_time: str,
    response: str,
    response_formula: str = "1",
    association: Sequence[str] = ("value",),
    landmark: float | None = None,
    lower: str | None = None,
    upper: str | None = None,
    *,
    nodes: int | None = None,
    level: float = 0.95,
    signal: str = "",
    tracer_class: str | None = None,
) -> Fit:
    """Fit the course of a signal together with a binary response that depends on it.

    longitudinal, formula, random, long_time, lower, upper: as in `fit_joint`. responses: one row
    per patient, `response` 1 or 0 (or true, false), response_formula its covariates. association:
    "value" and/or "slope" of the true course at `landmark`, or "effects", all random effects of
    the patient. Measurements after the landmark are left out and counted, so that the signal
    comes before the response. Reports log odds ratios; the sentence an odds ratio.
    A model that cannot be fitted comes back not_estimable. Raises UserError for a formula, column
    or option that does not exist.
    """
    require_level(level)
    features = _known_features(association, landmark)
    name = SignalName(formula, signal, tracer_class)
    columns = Columns(group, long_time, (), response, lower=lower, upper=upper)
    shell = Fit(
        kind=KIND, status="not_estimable", reason=None, sentence="", formula=formula, group=group,
        random=random, reml=False, inference="wald", conf_level=level,
        inference_note="Normal intervals from the observed information.", references=REFERENCES,
        provenance=provenance(),
    )  # fmt: skip
    rows = _rows(longitudinal, responses, formula, random, response_formula, columns, landmark)
    if isinstance(rows, guards.Problem):
        return refused(shell, rows)
    shell = counted(shell, rows)
    design = joint_design(rows, formula, random, group, long_time)
    if isinstance(design, guards.Problem):
        return refused(shell, design)
    covariates = covariates_of(rows.events, response, response_formula)
    problem = covariate_problem(covariates)
    if problem:
        return refused(shell, problem)
    joint = _assembled(rows, design, covariates, features, columns, landmark, nodes)
    shell = shell.replace(
        method=METHOD.format(
            association=_feature_words(features, landmark), nodes=len(joint.likelihood.grid.nodes)
        )
    )
    return _fitted(shell, joint, name, columns)


def _fitted(shell: Fit, joint: Problem, name: SignalName, columns: Columns) -> Fit:
    theta = start_of_mixed(joint)
    share = float(joint.rows.event.mean())
    theta[joint.layout.outcome[0].baseline] = np.log(share / (1 - share))
    try:
        found = search(joint.likelihood, theta)
    except np.linalg.LinAlgError:
        return refused(shell, NOT_CONVERGED)
    fitted = FittedJoint(joint, found, shell.conf_level, columns, name, "response")
    if fitted.covariance is None:
        return refused(shell, NOT_IDENTIFIED)
    if fitted.runaway:
        return refused(shell, separation(fitted))
    if not found.converged:
        return refused(shell, NOT_CONVERGED)
    fit = shell.replace(
        estimates=fitted.estimates(),
        variance_components=fitted.variance_components(columns.group),
        log_likelihood=finite(log_likelihood(fitted)),
        criterion=finite(-2 * log_likelihood(fitted)),
        design=fitted,
    )
    checks = response_checks(fitted)
    status, reason, advice = judged(checks)
    fit = fit.replace(checks=checks, status=status, reason=reason, advice=advice)
    return fit.replace(sentence=response_sentence(fit, fitted))


def _rows(
    longitudinal: "pl.DataFrame",
    responses: "pl.DataFrame",
    formula: str,
    random: str,
    response_formula: str,
    columns: Columns,
    landmark: float | None,
) -> JointRows | guards.Problem:
    """Visits until the landmark and one response per patient."""
    check_columns(longitudinal, "longitudinal", (columns.group, columns.long_time))
    check_columns(longitudinal, "longitudinal", (columns.lower, columns.upper))
    check_columns(responses, "responses", (columns.group, columns.event))
    check_numbers(longitudinal, "longitudinal", (columns.long_time, columns.lower, columns.upper))
    check_numbers(responses, "responses", (columns.event,))
    limited = columns.lower is not None or columns.upper is not None
    if limited:
        longitudinal = with_stand_in(longitudinal, formula, columns.lower, columns.upper)
    visits = designs.complete_rows(longitudinal, formula, random, columns.group, ())
    visits = timed_visits(visits, columns.long_time)
    lost: tuple[Excluded, ...] = ()
    if landmark is not None:
        early = visits.frame.filter(visits.frame[columns.long_time].cast(float) <= landmark)
        if early.height < visits.frame.height:
            lost = (Excluded(f"measured after the landmark ({landmark:g})",
                             visits.frame.height - early.height),)  # fmt: skip
        visits = replace(visits, frame=early)
    answered = designs.complete_rows(
        responses, f"{columns.event} ~ {response_formula}", "1", columns.group, ()
    )
    twice = answered.frame.filter(answered.frame[columns.group].is_duplicated())
    if twice.height:
        return guards.Problem(
            "duplicate_subject",
            f"More than one response of {named(twice[columns.group])}.",
            "Give one row per patient, such as the best response.",
        )
    visits, kept, unmatched = matched(visits, answered.frame, columns.group)
    excluded = (*visits.excluded, *lost, *answered.excluded, *unmatched)
    problem = guards.rows_problem(visits, columns.group)
    if problem:
        return problem
    limits = limits_of(visits.frame, formula, columns.lower, columns.upper) if limited else None
    labels, order = designs.numbered(kept[columns.group])
    kept = kept[np.argsort(order)]
    answer = kept[columns.event].cast(float).to_numpy()
    if not np.isin(answer, (0.0, 1.0)).all():
        raise UserError(f"response column '{columns.event}' must hold 1 (response) or 0 (none)")
    counts = (int(answer.sum()), int((1 - answer).sum()))
    if min(counts) < MINIMUM_OF_EACH:
        return guards.Problem(
            "too_few_responses",
            f"{counts[0]} with and {counts[1]} without response cannot carry a model of the "
            f"response; {MINIMUM_OF_EACH} of each are needed.",
            "Show the curves by response, or compare them at one day with an exact test.",
        )
    time = visits.frame[columns.long_time].cast(float).to_numpy()
    end = np.full(len(answer), float(time.max()) if landmark is None else landmark)
    nobody = np.zeros(len(answer), dtype=np.intp)
    return JointRows(
        visits, kept, labels, end, end, answer, nobody, ("",), np.zeros(len(answer)), limits,
        excluded,
    )  # fmt: skip


def _assembled(
    rows: JointRows,
    design: designs.Design,
    covariates: Covariates,
    features: tuple[str, ...],
    columns: Columns,
    landmark: float | None,
    nodes: int | None,
) -> Problem:
    """Blocks of patients; the effects themselves are a course without a fixed part."""
    trajectory = trajectory_of(design, rows, columns.long_time, columns.group)
    n, p, q = len(rows.labels), design.x_scaled.shape[1], design.z_scaled.shape[1]
    if features == ("effects",):
        names = tuple(design.matrices.z_names)
        x, z = _effects(design, n)
        center = np.zeros(q)
    else:
        assert landmark is not None
        names = features
        x, z = scaled_features(design, trajectory, features, np.arange(n), np.full(n, landmark))
        mean = float(design.matrices.y.mean()) / design.y_scale
        center = np.array([mean if name == "value" else 0.0 for name in features])
    layout = Layout(p, q, ((1, len(covariates.names), len(names)),))
    everyone = np.column_stack([np.ones(n), covariates.scaled])[:, None, :]
    blocks = []
    for start in range(0, n, PATIENTS):
        who: Index = np.arange(start, min(start + PATIENTS, n))
        linear = Associated(
            layout, layout.outcome[0], everyone[who], x[:, who, None], z[:, who, None], center
        )
        parts = (measurements(layout, design, rows.limits, who), Response(linear, rows.event[who]))
        blocks.append(Block(who, np.ones(len(who)), parts))
    likelihood = Likelihood(layout, hermite_grid(q, nodes or NODES_BY_DIMENSION[q]), tuple(blocks))
    intercept = Baseline("intercept", np.empty(0), float(rows.first.max()), ("Intercept",))
    return Problem(
        rows, design, trajectory, covariates, (intercept,), names, layout, center, likelihood
    )


def _effects(design: designs.Design, n: int) -> tuple[Array, Array]:
    """Design of each random effect of a patient on the original scale, in units of y_scale."""
    q = design.z_scaled.shape[1]
    back = np.linalg.inv(design.z_transform)
    return np.zeros((q, n, design.x_scaled.shape[1])), np.repeat(back[:, None, :], n, axis=1)


def _known_features(association: Sequence[str], landmark: float | None) -> tuple[str, ...]:
    features = (association,) if isinstance(association, str) else tuple(association)
    for name in features:
        if name not in ("value", "slope", "effects"):
            raise UserError(
                f"association {name!r} does not exist; use 'value', 'slope', both, or 'effects'"
            )
    if not features or len(set(features)) < len(features):
        raise UserError("association must name 'value', 'slope', both, or 'effects', each once")
    if "effects" in features and len(features) > 1:
        raise UserError("association 'effects' stands alone: it holds the value and the slope")
    if "effects" not in features and landmark is None:
        raise UserError(
            "landmark is needed for 'value' and 'slope': the day at which the course is taken, "
            "before the response was assessed"
        )
    if landmark is not None and not (np.isfinite(landmark) and landmark > 0):
        raise UserError(f"landmark must be a day after 0; it is {landmark:g}")
    return features


def _feature_words(features: tuple[str, ...], landmark: float | None) -> str:
    if features == ("effects",):
        return "the patient's random effects"
    return f"the {' and '.join(features)} of the true course at {landmark:g}"
