"""What is looked at after a joint model was fitted."""

import numpy as np

from analysis.fits.joint.quadrature import hermite_grid
from analysis.fits.joint.reported import FittedJoint
from analysis.number_words import count
from analysis.results import Check

EVENTS_PER_PARAMETER = 5
QUADRATURE = 0.05
"""Change of the log-likelihood with a finer grid that is still unimportant."""
FINER = 2
HARDLY = 1.5
"""Standard error per standard deviation: an interval from a ratio of 1/19 to 19 around none."""


def joint_checks(fitted: FittedJoint) -> tuple[Check, ...]:
    """Convergence, events, the random part, and the accuracy of the integral."""
    return (
        _converged(fitted),
        _events(fitted),
        _random_part(fitted),
        _determined(fitted),
        _integral(fitted),
        _assumptions(fitted),
    )


def response_checks(fitted: FittedJoint) -> tuple[Check, ...]:
    """The same for a binary response."""
    p = fitted.problem
    n, responders = len(p.rows.labels), int(p.rows.event.sum())
    wanted = len(p.covariates.names) + len(p.association)
    rarer = min(responders, n - responders)
    counts = Check("responses", "ok", f"{responders} of {n} patients responded.", float(responders))
    if rarer < EVENTS_PER_PARAMETER * wanted:
        counts = Check(
            "responses", "warning",
            f"{rarer} patients in the smaller group carry {wanted} effects on the response; leave "
            f"out covariates until there are {EVENTS_PER_PARAMETER} for each.", float(rarer),
        )  # fmt: skip
    note = (
        "The response depends on the true course as modeled, and measurements are missing for "
        "reasons seen in the data only."
    )
    return (
        _converged(fitted),
        counts,
        _random_part(fitted),
        _determined(fitted),
        _integral(fitted),
        Check("assumptions", "note", note),
    )


def _converged(fitted: FittedJoint) -> Check:
    steps, left = fitted.found.steps, fitted.found.decrement
    return Check(
        "converged", "ok",
        f"The maximum was reached in {steps} Newton steps; a further one promises a gain of "
        f"{left:.0e} in log-likelihood.", left,
    )  # fmt: skip


def _events(fitted: FittedJoint) -> Check:
    p = fitted.problem
    n = int(p.rows.event.sum())
    wanted = len(p.covariates.names) + len(p.association)
    per_cause = np.bincount(p.rows.cause[p.rows.event > 0], minlength=len(p.rows.causes))
    if per_cause.min() < EVENTS_PER_PARAMETER * wanted:
        return Check(
            "events", "warning",
            f"{int(per_cause.min())} events carry {wanted} effects on the hazard; leave out "
            f"covariates until there are {EVENTS_PER_PARAMETER} events for each.", float(n),
        )  # fmt: skip
    return Check(
        "events",
        "ok",
        f"{count(n, 'event')} among {count(len(p.rows.labels), 'patient')}.",
        float(n),
    )


def _random_part(fitted: FittedJoint) -> Check:
    if not fitted.vanished:
        return Check("random_part", "ok", "Every random effect has a variance.")
    return Check(
        "random_part", "warning",
        f"{len(fitted.vanished)} of {fitted.problem.layout.n_random} directions of the random "
        "effects have no variance; take a smaller random part.", float(len(fitted.vanished)),
    )  # fmt: skip


def _determined(fitted: FittedJoint) -> Check:
    """Effects whose interval spans more than any real effect."""
    name, size = max(fitted.uncertainty.items(), key=lambda item: item[1])
    if size <= HARDLY:
        return Check("determined", "ok", "Every effect is determined by the data.", size)
    return Check(
        "determined", "warning",
        f"The data hardly determine the effect of '{name}' (standard error {size:.1f} per standard "
        f"deviation of it); leave '{name}' out, or take a smaller random part.", size,
    )  # fmt: skip


def _integral(fitted: FittedJoint) -> Check:
    """The log-likelihood at the maximum on a finer grid with the same centers."""
    likelihood = fitted.problem.likelihood
    q = fitted.problem.layout.n_random
    per_effect = round(len(likelihood.grid.nodes) ** (1 / q)) + FINER
    finer = type(likelihood)(likelihood.layout, hermite_grid(q, per_effect), likelihood.blocks)
    evaluation = fitted.found.evaluation
    change = abs(finer.value(fitted.theta, evaluation.centers) - evaluation.value)
    message = f"A finer integral changes the log-likelihood by {change:.1e}."
    if change <= QUADRATURE:
        return Check("integral", "ok", message, change)
    return Check("integral", "warning", f"{message} Fit again with nodes={per_effect}.", change)


def _assumptions(fitted: FittedJoint) -> Check:
    names = " and ".join(fitted.problem.association)
    text = (
        f"The hazard depends on the {names} of the true course at the same time, and measurements "
        "are missing after the event only or for reasons seen in the data; the course is taken to "
        "go on between and after the visits as the formula says."
    )
    if fitted.problem.rows.entry.any():
        text += " Late entry: the course holds from time 0, before anything was measured."
    return Check("assumptions", "note", text)
