"""A fitted model of any covariance made of parts: what inference, contrasts and checks ask."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

import numpy as np

from analysis.engine.cluster_robust import ClusterRobust, robust_by
from analysis.engine.covariance_parts import RandomTerm
from analysis.engine.dense_likelihood import DenseLikelihood, DensePoint
from analysis.engine.kenward_roger import JointTest, KenwardRoger, joint_test
from analysis.engine.residual_parts import AutoregressiveResidual, IndependentResidual
from analysis.engine.structure import Array
from analysis.engine.whitening import whitened
from analysis.fits.design import Design
from analysis.fits.structured.components import component_rows
from analysis.fits.structured.question import Structure
from analysis.fits.structured.search import inverted
from analysis.fits.structured.terms import Effects
from analysis.results import VarianceComponent

EDGE = 1e-3
"""Correlations this near to the end of their range are at it."""


@dataclass(eq=False)
class FittedStructured:
    """Design (its random part is not used), likelihood on the scaled outcome, and the optimum.

    asked: the structure; effects: every random part in the order of theta; mean_weight: of the
    weights that were given. Held by `Fit.design`, outside equality and JSON.
    """

    design: Design
    dense: DenseLikelihood
    theta: Array
    asked: Structure
    effects: tuple[Effects, ...]
    inference: str
    joint_inference: str
    level: float
    mean_weight: float = 1.0
    seed: int = 0
    simulated: Any = field(default=None, repr=False)
    """Draws of the parametric bootstrap, made when first asked for."""

    @property
    def reml(self) -> bool:
        return self.dense.reml

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
        """Of the fixed effects, adjusted under Kenward-Roger, or from how the patients differ
        ("robust")."""
        if self.inference == "robust":
            rest = self.dense.y - self.dense.x @ self.point.beta
            return self._unscaled(self.robust.covariance(rest))
        adjusted = self.inference == "kenward_roger"
        return self._unscaled(self.adjusted.covariance if adjusted else self.point.covariance)

    @cached_property
    def model_covariance(self) -> Array:
        """The same, not adjusted."""
        return self._unscaled(self.point.covariance)

    def _unscaled(self, covariance: Array) -> Array:
        half = np.linalg.solve(self.design.x_transform, covariance)
        return np.asarray(self.design.y_scale**2 * np.linalg.solve(self.design.x_transform, half.T))

    @cached_property
    def parameter_covariance(self) -> Array:
        """Of theta: the inverse observed information; flat directions carry nothing."""
        return inverted(self.dense.observed_information(self.theta))

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

    @cached_property
    def robust(self) -> ClusterRobust:
        """Patients as clusters, weighted by the optimum; scaled."""
        pairs = [
            (own, v)
            for rows in self.dense.batches
            for own, v in zip(rows, self.dense.value(self.theta, rows), strict=True)
        ]
        return robust_by(self.dense.x, [own for own, _ in pairs], [v for _, v in pairs])

    def scaled_rows(self, rows: Array) -> Array:
        """Rows of contrasts for the scaled fixed effects."""
        return np.asarray(np.linalg.solve(self.design.x_transform.T, rows.T).T)

    def degrees(self, rows: Array) -> Array:
        """Satterthwaite's degrees of freedom of each contrast, Bell and McCaffrey's under "robust";
        infinite for Wald."""
        if self.inference == "wald":
            return np.full(len(rows), np.inf)
        if self.inference == "robust":
            return self.robust.degrees(self.scaled_rows(rows))
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
            found[rows] = whitened(self.dense.value(self.theta, rows), raw[rows])
        return found

    @property
    def sigma2(self) -> float:
        """Variance of `residuals`."""
        return 1.0

    @cached_property
    def fixed_fitted(self) -> Array:
        """Population mean of every observation."""
        return np.asarray(self.design.matrices.x @ self.beta)

    def covariance_of(self, effects: Effects) -> Array:
        """Covariance of random effects on the scale of the data."""
        own = self.dense.split.of(self.theta)[self.effects.index(effects)]
        return self.design.y_scale**2 * effects.covariance(own)

    @property
    def block(self) -> Array:
        """Covariance of the patient's random effects; nothing where the model has none."""
        effects = self.patient_effects
        size = self.design.matrices.z.shape[1]
        return np.zeros((size, size)) if effects is None else self.covariance_of(effects)

    @property
    def patient_effects(self) -> Effects | None:
        """The patient's own random effects, where the model has any."""
        return next((one for one in self.effects if one.role == "patient"), None)

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
    def residual_correlation(self) -> Literal["", "none", "complete"]:
        """Where an autoregressive correlation lies at the edge of what it can be."""
        part, own = self.dense.parts[-1], self.dense.split.of(self.theta)[-1]
        if not isinstance(part, AutoregressiveResidual):
            return ""
        rho = part.rho(own)
        if abs(rho) > 1 - EDGE:
            return "complete"
        return "none" if part.continuous and rho < EDGE else ""

    def variance_components(self) -> tuple[VarianceComponent, ...]:
        """Rows of every part, on the scale of the data."""
        rows: list[VarianceComponent] = []
        for part, own in zip(self.dense.parts, self.dense.split.of(self.theta), strict=True):
            rows += component_rows(part, own, self.design.y_scale, self.mean_weight)
        return tuple(rows)
