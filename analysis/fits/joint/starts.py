"""Where the search begins: the parts of a joint model fitted apart."""

import numpy as np

from analysis.engine.structure import Array
from analysis.fits import search as mixed_search
from analysis.fits.design import Design
from analysis.fits.joint.assembly import Problem
from analysis.fits.joint.parameters import Layout

WEAK = 0.02
"""Smallest standard deviation of a random effect to start from, in units of the outcome's."""


def start_of(joint: Problem) -> Array:
    """The mixed model alone, a constant hazard of each cause, no association."""
    theta, rows = start_of_mixed(joint), joint.rows
    at_risk = float((rows.first - rows.entry).sum())
    for number, baseline in enumerate(joint.baselines):
        n = float((rows.event * (rows.cause == number)).sum())
        theta[joint.layout.outcome[number].baseline] = baseline.start(n / at_risk)
    return theta


def start_of_mixed(joint: Problem) -> Array:
    """Parameters with the maximum of the mixed model alone, all others zero."""
    return mixed_start(joint.layout, joint.design)


def mixed_start(layout: Layout, design: Design) -> Array:
    """The same from a layout and a design."""
    optimum, _ = mixed_search.search(design, False, False)
    theta = np.zeros(layout.size)
    theta[layout.beta] = design.x_transform @ design.b_ols / design.y_scale + optimum.beta
    q = layout.n_random
    lam = np.sqrt(optimum.sigma2) * design.structure.factor(optimum.theta)[:q, :q]
    # An effect without variance would stay without: zero is a stationary point.
    weak = np.abs(np.diag(lam)) < WEAK
    lam[np.diag_indices(q)] = np.where(weak, WEAK, np.diag(lam))
    theta[layout.factor] = lam[layout.entries]
    theta[layout.log_sigma] = 0.5 * np.log(optimum.sigma2)
    return theta
