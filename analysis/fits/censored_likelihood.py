"""The likelihood of a censored model on a grid of nodes."""

import numpy as np

from analysis.fits.design import Design
from analysis.fits.joint.assembly import measurements
from analysis.fits.joint.likelihood import Block, Likelihood
from analysis.fits.joint.limits import Limits
from analysis.fits.joint.parameters import Layout
from analysis.fits.joint.quadrature import hermite_grid

CELLS = 2_000_000
"""Nodes times visits of one block of patients: bounds the memory."""


def likelihood_of(design: Design, limits: Limits, per_effect: int) -> Likelihood:
    """Patients in blocks whose nodes fit in memory."""
    q, n = design.z_scaled.shape[1], design.n_subjects
    layout = Layout(design.x_scaled.shape[1], q, ())
    visits = int(np.bincount(design.patient).max())
    size = max(1, CELLS // (per_effect**q * visits))
    blocks = []
    for first in range(0, n, size):
        who = np.arange(first, min(first + size, n), dtype=np.intp)
        parts = (measurements(layout, design, limits, who),)
        blocks.append(Block(who, np.ones(len(who)), parts))
    return Likelihood(layout, hermite_grid(q, per_effect), tuple(blocks))
