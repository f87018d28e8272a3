"""Is the covariance of one fit a special case of another's, and what a test of the two refers to.

A variance of zero, and a correlation over time of zero under CAR(1), lie on the edge of what is
possible: there the likelihood ratio is a mixture (Stram DO, Lee JW 1994, doi:10.2307/2533455).
Groups of residual variances, AR(1) and an unstructured covariance have their null inside.
"""

from typing import NamedTuple

import numpy as np

from analysis.engine.residual_parts import IndependentResidual, UnstructuredResidual
from analysis.engine.structure import Array, Index
from analysis.fits.fitted import FittedMixed
from analysis.fits.structured.fitted import FittedStructured

Fitted = FittedMixed | FittedStructured
SPAN = 1e-7
"""Relative residual up to which a column is a combination of others."""
LIKE = 1e-6
"""Relative difference of two covariances that are the same."""


class Step(NamedTuple):
    """One way in which a covariance is larger. on_edge: its null lies at an edge; inside: how many
    parameters more do not, beside the one that does; None for several variances at once."""

    on_edge: bool
    inside: int | None


class Covariance(NamedTuple):
    """What a covariance is made of. random: the patient's design and whether its effects are
    independent; nested: designs by factor."""

    random: Array
    diagonal: bool
    nested: dict[str, Array]
    crossed: frozenset[str]
    kind: str
    column: str
    group: Index
    weights: str


def covariance_of(fitted: Fitted) -> Covariance:
    """In the same words for both engines."""
    design = fitted.design
    n = design.n_observations
    group = np.zeros(n, dtype=np.intp)
    if isinstance(fitted, FittedMixed):
        nested = {f"{design.group}:{name}": np.ones((n, 1)) for name in design.nested}
        return Covariance(
            design.matrices.z, design.structure.diagonal, nested, frozenset(), "independent", "",
            group, "",
        )  # fmt: skip
    residual, patient = fitted.dense.parts[-1], fitted.patient_effects
    if isinstance(residual, IndependentResidual):
        group = residual.group
    random = np.zeros((n, 0)) if patient is None else patient.part.z
    return Covariance(
        random,
        patient is not None and patient.part.diagonal,
        {one.part.name: one.part.z for one in fitted.effects if one.role == "nested"},
        frozenset(fitted.asked.crossed),
        fitted.asked.residual.kind,
        fitted.asked.residual.column,
        group,
        fitted.asked.weights,
    )


def steps_between(large: Fitted, small: Fitted) -> list[Step] | None:
    """Every way in which the covariance of `large` is the larger one; None where it is not."""
    one, other = covariance_of(large), covariance_of(small)
    if one.weights != other.weights:
        return None
    if one.kind == "unstructured" and other.kind != "unstructured":
        more = n_parameters(large) - n_parameters(small)
        return (
            [Step(False, more)]
            if isinstance(large, FittedStructured) and _holds(large, small)
            else None
        )
    found = [
        _effects_step(one.random, other.random, one.diagonal, other.diagonal),
        _residual_step(one, other),
    ]
    if set(other.nested) - set(one.nested) or other.crossed - one.crossed:
        return None
    nothing = np.zeros((len(one.random), 0))
    found += [
        _effects_step(design, other.nested.get(name, nothing), False, False)
        for name, design in one.nested.items()
    ]
    if any(step is None for step in found):
        return None
    found += [Step(True, 0) for _ in one.crossed - other.crossed]
    return [step for step in found if step is not None and step != SAME]


SAME = Step(False, 0)


def _effects_step(large: Array, small: Array, independent: bool, before: bool) -> Step | None:
    """One effect more has the covariances with those before it inside; None if not nested."""
    more = large.shape[1] - small.shape[1]
    if more < 0 or not spans(large, small):
        return None
    if independent and not before and small.shape[1] > 1:
        return None
    q = small.shape[1]
    freed = 0 if independent or not before else q * (q - 1) // 2
    if more == 0:
        return Step(False, freed)
    if more > 1 or freed:
        return Step(True, None)
    return Step(True, 0 if independent else q)


def _residual_step(large: Covariance, small: Covariance) -> Step | None:
    if (large.kind, large.column) == (small.kind, small.column):
        return SAME
    if large.kind == "by" and small.kind in ("by", "independent"):
        pairs = np.unique(np.column_stack([large.group, small.group]), axis=0)
        levels = len(np.unique(large.group))
        coarser = len(pairs) == levels
        return Step(False, levels - len(np.unique(small.group))) if coarser else None
    if small.kind == "independent" and large.kind in ("ar1", "car1"):
        return Step(True, 0) if large.kind == "car1" else Step(False, 1)
    return None


def _holds(large: FittedStructured, small: Fitted) -> bool:
    """Whether the covariance of `small` depends on the visits of `large` alone."""
    residual = large.dense.parts[-1]
    if not isinstance(residual, UnstructuredResidual) or large.asked.weights:
        return False
    k = len(residual.labels)
    least, most = np.full(k * k, np.inf), np.full(k * k, -np.inf)
    for rows in large.dense.batches:
        visit = residual.visit[rows]
        place = visit[:, :, None] * k + visit[:, None, :]
        v = _covariances(small, rows)
        np.minimum.at(least, place, v)
        np.maximum.at(most, place, v)
    seen = np.isfinite(least)
    return bool((most - least)[seen].max() <= LIKE * np.abs(most[seen]).max())


def _covariances(fitted: Fitted, rows: Index) -> Array:
    """V of patients with as many rows, (m, n, n), in scaled units."""
    if isinstance(fitted, FittedStructured):
        return fitted.dense.value(fitted.theta, rows)
    half = fitted.design.z_columns @ fitted.design.structure.factor(fitted.optimum.theta)
    own = half[rows]
    relative = own @ np.swapaxes(own, 1, 2) + np.eye(rows.shape[1])
    return np.asarray(fitted.optimum.sigma2 * relative)


def n_parameters(fitted: Fitted) -> int:
    """Of the covariance."""
    if isinstance(fitted, FittedStructured):
        return len(fitted.theta)
    return int(fitted.design.structure.n_parameters) + 1


def spans(matrix: Array, columns: Array) -> bool:
    """Whether every one of the columns is a combination of those of the matrix."""
    if not columns.shape[1]:
        return True
    if not matrix.shape[1]:
        return False
    fitted = matrix @ np.linalg.lstsq(matrix, columns, rcond=None)[0]
    return bool(np.abs(columns - fitted).max() <= SPAN * np.abs(columns).max())
