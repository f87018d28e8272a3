"""A fitted model of any covariance made of parts: what inference, contrasts and checks ask."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from analysis.engine.covariance_parts import (
    AutoregressiveResidual,
    IndependentResidual,
    RandomTerm,
    UnstructuredResidual,
)
from analysis.engine.dense_likelihood import DenseLikelihood, DensePoint
from analysis.engine.kenward_roger import JointTest, KenwardRoger, joint_test
from analysis.engine.maximum import maximize
from analysis.engine.structure import Array
from analysis.fits.design import Design
from analysis.results import VarianceComponent, finite

POLISH = 8
"""Newton steps with the observed information behind the scoring search."""
CONVERGED = 1e-6
FLAT = 1e-8
EDGE = 1e-3
"""Correlations this near to the end of their range are at it."""


@dataclass(eq=False)
class FittedStructured:
    """Design (its random part is not used), likelihood on the scaled outcome, and the optimum."""

    design: Design
    dense: DenseLikelihood
    theta: Array
    inference: str
    joint_inference: str
    level: float
    converged: bool
    mean_weight: float = 1.0

    @cached_property
    def point(self) -> DensePoint:
        return self.dense.point(self.theta)

    @cached_property
    def beta(self) -> Array:
        """Fixed effects on the scale of the data."""
        d = self.design
        return np.asarray(d.b_ols + d.y_scale * np.linalg.solve(d.x_transform, self.point.beta))

    @cached_property
    def covariance(self) -> Array:
        """Of the fixed effects, adjusted under Kenward-Roger."""
        scaled = self.point.covariance
        if self.inference == "kenward_roger":
            scaled = self.adjusted.covariance
        half = np.linalg.solve(self.design.x_transform, scaled)
        return np.asarray(self.design.y_scale**2 * np.linalg.solve(self.design.x_transform, half.T))

    @cached_property
    def parameter_covariance(self) -> Array:
        """Of theta: the inverse observed information; flat directions carry nothing."""
        values, vectors = np.linalg.eigh(self.dense.observed_information(self.theta))
        kept = values > FLAT * max(float(values[-1]), 1.0)
        return np.asarray((vectors[:, kept] / values[kept]) @ vectors[:, kept].T)

    @cached_property
    def adjusted(self) -> KenwardRoger:
        """Kenward and Roger's pieces.

        Variances (random effects, groups, weights) enter V linearly: then the expected information
        and no second derivative, as pbkrtest. Correlations and an unstructured covariance do not:
        then the observed information and the second derivatives of V, as R's mmrm.
        """
        phi, slopes = self.point.covariance, self.point.slopes
        linear = all(isinstance(p, RandomTerm | IndependentResidual) for p in self.dense.parts)
        q, r = self.dense.second_moments(self.theta)
        turned = slopes @ phi
        product = np.einsum("kpq,jqr->kjpr", turned, slopes)
        if linear:
            expected = self.point.information - np.einsum("pq,kjqp->kj", phi, q)
            expected += 0.5 * np.einsum("kjpr,rp->kj", product, phi)
            spread = np.linalg.pinv(expected, hermitian=True)
            core = q - product
        else:
            spread = self.parameter_covariance
            core = q - product - r / 4
        adjustment = phi @ np.einsum("kj,kjpq->pq", spread, core) @ phi
        return KenwardRoger(phi + 2 * adjustment, phi, slopes, np.asarray(spread))

    def scaled_rows(self, rows: Array) -> Array:
        """Rows of contrasts for the scaled fixed effects."""
        return np.asarray(np.linalg.solve(self.design.x_transform.T, rows.T).T)

    def degrees(self, rows: Array) -> Array:
        """Satterthwaite's degrees of freedom of each contrast; infinite for Wald."""
        if self.inference == "wald":
            return np.full(len(rows), np.inf)
        scaled, phi = self.scaled_rows(rows), self.point.covariance
        turned = scaled @ phi
        variance = np.einsum("lp,lp->l", turned, scaled)
        gradient = -np.einsum("lp,kpq,lq->lk", turned, self.point.slopes, turned)
        spread = np.einsum("lk,kj,lj->l", gradient, self.parameter_covariance, gradient)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(spread > 0, 2 * variance**2 / spread, np.inf)

    def kenward_roger_test(self, rows: Array) -> JointTest:
        """Scaled F of several contrasts."""
        beta = self.design.x_transform @ self.beta / self.design.y_scale
        return joint_test(self.adjusted, self.scaled_rows(rows), beta, 1.0)

    @property
    def criterion(self) -> float:
        """-2 log-likelihood on the scale of the data, comparable with lme4, nlme and mmrm."""
        d, reml = self.design, self.dense.reml
        n, p = d.x_scaled.shape
        value = -2 * self.point.value + 2 * (n - p if reml else n) * float(np.log(d.y_scale))
        if reml:
            value += 2 * float(np.log(np.abs(np.diag(d.x_transform))).sum())
        return float(value)

    @cached_property
    def residuals(self) -> Array:
        """Marginal residuals, decorrelated and of unit variance within each patient."""
        found = np.empty(len(self.dense.y))
        raw = self.dense.y - self.dense.x @ self.point.beta
        for rows in self.dense.batches:
            lower = np.linalg.cholesky(self.dense.covariance(self.theta, rows)[0])
            found[rows] = np.linalg.solve(lower, raw[rows][:, :, None])[:, :, 0]
        return found

    @property
    def sigma2(self) -> float:
        """Variance of `residuals`."""
        return 1.0

    @property
    def singular(self) -> tuple[str, ...]:
        """Random effects whose variance is zero, in words."""
        found = []
        for part, own in zip(self.dense.parts, self.dense.split.of(self.theta), strict=True):
            if not isinstance(part, RandomTerm):
                continue
            values = np.linalg.eigvalsh(part.psi(own))
            if values[-1] < 1e-8:
                found.append(f"the variance between levels of {part.name} is zero")
            elif values[0] < 1e-6 * values[-1]:
                found.append(f"the random effects of {part.name} depend on each other completely")
        return tuple(found)

    @property
    def correlation_at_edge(self) -> bool:
        """Whether the residuals' correlation is none, or complete, as far as can be told."""
        parts = zip(self.dense.parts, self.dense.split.of(self.theta), strict=True)
        found = [part.rho(own) for part, own in parts if isinstance(part, AutoregressiveResidual)]
        low = EDGE if any(getattr(p, "continuous", False) for p in self.dense.parts) else -1 + EDGE
        return any(not low < rho < 1 - EDGE for rho in found)

    def variance_components(self) -> tuple[VarianceComponent, ...]:
        """Rows of every part, on the scale of the data."""
        rows: list[VarianceComponent] = []
        for part, own in zip(self.dense.parts, self.dense.split.of(self.theta), strict=True):
            rows += _component_rows(part, own, self.design.y_scale, self.mean_weight)
        return tuple(rows)


def fitted_structured(
    design: Design,
    dense: DenseLikelihood,
    inference: str,
    joint_inference: str,
    level: float,
    mean_weight: float,
) -> FittedStructured:
    """Scoring from the start of each part, then Newton with the observed information.

    Raises LinAlgError where the likelihood cannot be evaluated at all.
    """
    found = maximize(dense.likelihood, dense.start, tolerance=1e-9)
    theta, value = found.beta, found.value
    for _ in range(POLISH):
        score = dense.point(theta).score
        values, vectors = np.linalg.eigh(dense.observed_information(theta))
        kept = values > FLAT * max(float(values[-1]), 1.0)
        step = vectors[:, kept] @ ((vectors[:, kept].T @ score) / values[kept])
        candidate = dense.likelihood(theta + step)[0]
        if not candidate >= value - 1e-9 * abs(value):
            break
        theta, value = theta + step, candidate
        if float(np.abs(step).max(initial=0.0)) < 1e-10:
            break
    gradient = float(np.abs(dense.point(theta).score).max())
    converged = gradient < CONVERGED * len(dense.y)
    return FittedStructured(
        design, dense, theta, inference, joint_inference, level, converged, mean_weight
    )


def _component_rows(
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
        rho = rho ** (1 / part.unit)
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
