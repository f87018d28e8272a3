"""Variances and correlations of every part of a covariance, as rows of a table."""

from typing import Any

import numpy as np

from analysis.engine.covariance_parts import RandomTerm
from analysis.engine.residual_parts import (
    AutoregressiveResidual,
    IndependentResidual,
    UnstructuredResidual,
)
from analysis.engine.structure import Array
from analysis.results import VarianceComponent, finite

NOTHING = 1e-6
"""Correlation over one step of time that is none: the search runs on towards zero from there."""


def component_rows(
    part: Any, theta: Array, scale: float, mean_weight: float
) -> list[VarianceComponent]:
    """Residual variances are those of a value of weight one."""
    if isinstance(part, RandomTerm):
        return _random_rows(part, theta, scale)
    scale *= float(np.sqrt(mean_weight))
    if isinstance(part, UnstructuredResidual):
        return _matrix_rows("Residual", part.labels, part.sigma(theta) * scale**2)
    size = scale * np.exp(theta)
    if isinstance(part, IndependentResidual):
        return [
            VarianceComponent("Residual", name or None, None, float(one**2), float(one))
            for name, one in zip(part.levels, size, strict=True)
        ]
    assert isinstance(part, AutoregressiveResidual)
    rho = part.rho(theta)
    if part.continuous:
        rho = rho ** (1 / part.unit) if rho > NOTHING else 0.0
    return [
        VarianceComponent("Residual", None, None, float(size[0] ** 2), float(size[0])),
        VarianceComponent("Residual", "correlation at distance 1", None, None, float(rho)),
    ]


def _random_rows(part: RandomTerm, theta: Array, scale: float) -> list[VarianceComponent]:
    transform = np.eye(part.z.shape[1]) if part.transform is None else part.transform
    inverse = np.linalg.inv(transform)
    psi = scale**2 * inverse @ part.psi(theta) @ inverse.T
    rows = _matrix_rows(part.name, part.effects, psi)
    return [row for row in rows if row.term_2 is None] if part.diagonal else rows


def _matrix_rows(group: str, names: tuple[str, ...], matrix: Array) -> list[VarianceComponent]:
    root = np.sqrt(np.maximum(np.diag(matrix), 0.0))
    rows = [
        VarianceComponent(group, name, None, float(matrix[k, k]), float(root[k]))
        for k, name in enumerate(names)
    ]
    for j in range(len(names)):
        for i in range(j + 1, len(names)):
            product = float(root[i] * root[j])
            correlation = finite(matrix[i, j] / product) if product > 0 else None
            rows.append(
                VarianceComponent(group, names[j], names[i], float(matrix[i, j]), correlation)
            )
    return rows
