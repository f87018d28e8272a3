"""The likelihood of a censored model on a grid of nodes, with or without lesions in patients."""

import numpy as np

from analysis.engine.structure import Array, Index
from analysis.fits.design import Design
from analysis.fits.joint.assembly import measurements, padded_measurements
from analysis.fits.joint.likelihood import Block, Likelihood
from analysis.fits.joint.limits import Limits
from analysis.fits.joint.parameters import Layout
from analysis.fits.joint.quadrature import hermite_grid
from analysis.fits.nested_likelihood import LesionBlock, NestedLikelihood

CELLS = 2_000_000
"""Nodes times visits of one block of patients: bounds the memory."""
Censored = Likelihood | NestedLikelihood


def layout_of(design: Design) -> Layout:
    """Fixed effects, effects of a patient, and the intercept of a lesion as the last effect."""
    nested = len(design.nested)
    return Layout(design.x_scaled.shape[1], design.z_scaled.shape[1] + nested, (), nested)


def likelihood_of(
    design: Design, limits: Limits, per_effect: int, patients: Index | None = None
) -> Censored:
    """Patients (all, or those chosen) in blocks whose nodes fit in memory."""
    layout = layout_of(design)
    chosen = np.arange(design.n_subjects, dtype=np.intp) if patients is None else patients
    rows = int(np.bincount(design.patient).max())
    size = max(1, CELLS // (per_effect**layout.n_random * rows))
    pieces = [chosen[first : first + size] for first in range(0, len(chosen), size)]
    if design.nested:
        blocks = tuple(_lesions(layout, design, limits, who) for who in pieces)
        return NestedLikelihood(layout, per_effect, blocks)
    plain = tuple(
        Block(who, np.ones(len(who)), (measurements(layout, design, limits, who),))
        for who in pieces
    )  # fmt: skip
    return Likelihood(layout, hermite_grid(layout.n_random, per_effect), plain)


def units(design: Design) -> Index:
    """Number of the patient, or of the lesion in the order of patients, of every row."""
    if not design.nested:
        return design.patient
    level = design.nested_levels[0]
    pairs = design.patient * (int(level.max()) + 1) + level
    return np.asarray(np.unique(pairs, return_inverse=True)[1], dtype=np.intp)


def random_columns(design: Design) -> Array:
    """Random design of every row on the working scale, the lesion's intercept last."""
    if not design.nested:
        return design.z_scaled
    return np.column_stack([design.z_scaled, np.ones(len(design.z_scaled))])


def _lesions(layout: Layout, design: Design, limits: Limits, patients: Index) -> LesionBlock:
    lesion, scale = units(design), design.y_scale
    patient_of = np.zeros(int(lesion.max()) + 1, dtype=np.intp)
    patient_of[lesion] = design.patient
    here = np.flatnonzero(np.isin(patient_of, patients))
    _, first, owner = np.unique(patient_of[here], return_index=True, return_inverse=True)
    part = padded_measurements(
        layout, lesion, here, design.x_scaled, random_columns(design), design.matrices.y / scale,
        limits.censored, limits.low / scale, limits.high / scale,
    )  # fmt: skip
    return LesionBlock(first.astype(np.intp), owner.astype(np.intp), part)
