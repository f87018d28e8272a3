"""A fitted linear mixed model on its original scale: what contrasts, checks and figures ask."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis.engine.cluster_robust import ClusterRobust, cluster_robust
from analysis.engine.inverse import inverses
from analysis.engine.kenward_roger import JointTest, KenwardRoger, joint_test, kenward_roger
from analysis.engine.satterthwaite import degrees_of_freedom
from analysis.engine.structure import Array
from analysis.fits.design import Design
from analysis.fits.search import Optimum
from analysis.fits.statsmodels_bridge import Refit, statsmodels_results
from analysis.results import VarianceComponent, finite


@dataclass(eq=False)
class FittedMixed:
    """Design, optimum and estimates. Held by `Fit.design`, outside equality and JSON."""

    design: Design
    optimum: Optimum
    refit: Refit
    reml: bool
    inference: str = "satterthwaite"
    joint_inference: str = "satterthwaite"
    seed: int = 0
    level: float = 0.95
    simulated: Any = field(default=None, repr=False)
    """Draws of the parametric bootstrap, made when first asked for."""

    @cached_property
    def beta(self) -> Array:
        """Fixed effects."""
        d = self.design
        return np.asarray(d.b_ols + d.y_scale * np.linalg.solve(d.x_transform, self.optimum.beta))

    @cached_property
    def covariance(self) -> Array:
        """Covariance of the fixed effects: (X' V^-1 X)^-1, adjusted under Kenward-Roger, or from
        how the patients differ ("robust")."""
        scaled = self.optimum.covariance
        if self.inference == "robust":
            scaled = self.robust.covariance(self.fixed_residuals)
        if self.inference == "kenward_roger":
            scaled = self.optimum.sigma2 * self.adjusted.covariance
        return self._unscaled(scaled)

    @cached_property
    def model_covariance(self) -> Array:
        """The same by the model alone."""
        return self._unscaled(self.optimum.covariance)

    def _unscaled(self, covariance: Array) -> Array:
        half = np.linalg.solve(self.design.x_transform, covariance)
        return np.asarray(self.design.y_scale**2 * np.linalg.solve(self.design.x_transform, half.T))

    @cached_property
    def adjusted(self) -> KenwardRoger:
        """Kenward-Roger's pieces at the optimum, scaled."""
        return kenward_roger(self.optimum.theta, self.design.pooled, self.design.structure)

    @cached_property
    def robust(self) -> ClusterRobust:
        """Patients as clusters, weighted by the optimum; scaled."""
        d = self.design
        return cluster_robust(d.x_scaled, d.z_columns, d.patient, d.structure, self.optimum.theta)

    @property
    def fixed_residuals(self) -> Array:
        """Observed minus population mean, scaled."""
        return np.asarray(self.design.y_scaled - self.design.x_scaled @ self.optimum.beta)

    def degrees(self, rows: Array) -> Array:
        """Satterthwaite's degrees of freedom of each contrast, Bell and McCaffrey's under "robust";
        infinite for Wald."""
        if self.inference == "wald":
            return np.full(len(rows), np.inf)
        if self.inference == "robust":
            return self.robust.degrees(self.scaled_rows(rows))
        o, scaled = self.optimum, self.scaled_rows(rows)
        found = degrees_of_freedom(o.point, o.theta[None], self.design.structure, scaled)[1]
        return np.asarray(found[0])

    def kenward_roger_test(self, rows: Array) -> JointTest:
        """Scaled F of all rows being zero."""
        beta = self.design.x_transform @ self.beta / self.design.y_scale
        return joint_test(self.adjusted, self.scaled_rows(rows), beta, self.optimum.sigma2)

    def scaled_rows(self, rows: Array) -> Array:
        """Rows of contrasts for the scaled fixed effects; estimates also carry `y_scale`."""
        return np.asarray(np.linalg.solve(self.design.x_transform.T, rows.T).T)

    @property
    def sigma2(self) -> float:
        """Residual variance."""
        return self.optimum.sigma2 * self.design.y_scale**2

    @cached_property
    def block(self) -> Array:
        """Covariance of the patient's random effects."""
        relative, _ = self.design.structure.covariance(self.optimum.theta)
        inverse = np.linalg.inv(self.design.z_transform)
        return np.asarray(self.sigma2 * inverse @ relative @ inverse.T)

    @property
    def nested_variances(self) -> Array:
        """Variance of each nested random intercept."""
        return self.sigma2 * self.design.structure.covariance(self.optimum.theta)[1]

    @property
    def criterion(self) -> float:
        """-2 log-likelihood on the original scale, comparable with lme4."""
        d = self.design
        n, p = d.x_scaled.shape
        value = self.optimum.criterion
        value += 2 * (n - p if self.reml else n) * float(np.log(d.y_scale))
        if self.reml:
            value = value + 2 * float(np.log(np.abs(np.diag(d.x_transform))).sum())
        return float(value)

    @property
    def singular(self) -> tuple[str, ...]:
        """Random effects whose variance is zero, or whose correlation is one, in words."""
        structure, theta = self.design.structure, self.optimum.theta
        relative, nested = structure.covariance(theta)
        found = [
            f"the variance between levels of {name} is zero"
            for name, value in zip(self.design.nested, nested, strict=True)
            if value < 1e-8
        ]
        values = np.linalg.eigvalsh(relative) if structure.size else np.ones(1)
        if values.max() < 1e-8:
            found.append("the variance between patients is zero")
        elif values.min() < 1e-7 * max(values.max(), 1.0):
            found.append("the random effects of a patient depend on each other completely")
        return tuple(found)

    @cached_property
    def random_effects(self) -> Array:
        """Predicted effects per patient (rows) for the columns of the scaled block and nesting."""
        d = self.design
        a, pattern = d.pooled.a, d.products.pattern
        lam = d.structure.factor(self.optimum.theta)
        m = np.eye(len(lam)) + lam.T @ a @ lam
        k = lam @ inverses(m).inverse @ lam.T
        weight = np.append(-self.optimum.beta, 1.0)
        moments = d.products.b @ weight
        return np.asarray(np.einsum("iab,ib->ia", k[pattern], moments) * d.y_scale)

    @cached_property
    def fixed_fitted(self) -> Array:
        """Population mean of every observation."""
        return np.asarray(self.design.matrices.x @ self.beta)

    @cached_property
    def fitted(self) -> Array:
        """Mean of every observation given its patient."""
        d = self.design
        return np.asarray(
            self.fixed_fitted + np.einsum("ij,ij->i", d.z_columns, self.random_effects[d.patient])
        )

    @cached_property
    def residuals(self) -> Array:
        """Observed minus `fitted`."""
        return np.asarray(self.design.matrices.y - self.fitted)

    def statsmodels_results(self) -> Any:
        """A statsmodels MixedLMResults of this fit, on the original scale (Wald tests)."""
        d = self.design
        return statsmodels_results(
            d.matrices,
            d.nested_levels,
            d.patient,
            d.structure,
            self.block / self.sigma2,
            self.nested_variances / self.sigma2,
            self.reml,
        )

    def contrast(self, rows: Array) -> tuple[Array, Array]:
        """Estimates and their covariance for linear combinations of the fixed effects."""
        return rows @ self.beta, rows @ self.covariance @ rows.T

    def between_share(self, z_row: Array) -> float | None:
        """Intraclass correlation where the random design is `z_row`: patient over total."""
        between = float(z_row @ self.block @ z_row)
        total = between + float(self.nested_variances.sum()) + self.sigma2
        return finite(between / total) if total > 0 else None


def variance_components(fitted: FittedMixed) -> tuple[VarianceComponent, ...]:
    """Rows as lme4 lists them: nested factors, variances, covariances, residual."""
    d = fitted.design
    rows = [
        VarianceComponent(f"{d.group}:{name}", "(Intercept)", None, *_with_root(value))
        for name, value in zip(d.nested, fitted.nested_variances, strict=True)
    ]
    names, block = d.matrices.z_names, fitted.block
    rows += [
        VarianceComponent(d.group, name, None, *_with_root(block[i, i]))
        for i, name in enumerate(names)
    ]
    if not d.structure.diagonal:
        rows += [
            VarianceComponent(
                d.group, names[j], names[i], float(block[i, j]), _correlation(block, i, j)
            )
            for j in range(len(names))
            for i in range(j + 1, len(names))
        ]
    rows.append(VarianceComponent("Residual", None, None, *_with_root(fitted.sigma2)))
    return tuple(rows)


def _with_root(variance: float) -> tuple[float, float]:
    return float(variance), float(np.sqrt(max(variance, 0.0)))


def _correlation(block: NDArray[np.float64], i: int, j: int) -> float | None:
    product = float(block[i, i] * block[j, j])
    return finite(block[i, j] / np.sqrt(product)) if product > 0 else None
