"""A censored mixed model at its maximum, on the scale of the outcome; t and F tests from it.

Small samples. "satterthwaite" takes standard errors and degrees of freedom from the maximum of the
restricted likelihood (`analysis.fits.censored_restricted`): those of REML where nothing is
censored. Joint tests scale Hotelling's T2.
"robust" takes the covariance of the fixed effects from what each patient moves them by (one-step
jackknife), with m - k degrees of freedom: where the random part is smaller than the patients'
curves the information of the model is too large (Mancl and DeRouen 2001,
doi:10.1111/j.0006-341X.2001.00126.x; MacKinnon and White 1985, doi:10.1016/0304-4076(85)90158-7).
Simulated type-I errors: see `benchmarks/censored.py`.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from analysis.engine.structure import Array
from analysis.fits.censored_likelihood import Censored, likelihood_of, random_columns, units
from analysis.fits.censored_restricted import Restricted, restricted
from analysis.fits.design import Design
from analysis.fits.inference import Tested
from analysis.fits.joint.information import inverse_information, vanished_effects
from analysis.fits.joint.limits import Limits
from analysis.fits.joint.parameters import Layout
from analysis.fits.joint.search import Found
from analysis.results import VarianceComponent, WaldTest, finite

SATTERTHWAITE, ROBUST = "satterthwaite", "robust"
HOTELLING = "Hotelling's T2"
MOST_NODES = {1: 32, 2: 20, 3: 10}
"""Nodes per effect under the restricted likelihood, which needs fewer than the maximum itself."""


@dataclass(eq=False)
class FittedCensored:
    """Held by `Fit.design`, outside equality and JSON.

    directions: the random columns asked for times this are those fitted (a reduced random part);
    None where all are fitted. accuracy: change of the log-likelihood with twice the nodes.
    """

    design: Design
    limits: Limits
    likelihood: Censored
    found: Found
    inference: str
    conf_level: float
    per_effect: int
    accuracy: float
    directions: Array | None = None

    @property
    def layout(self) -> Layout:
        return self.likelihood.layout

    @property
    def vanished(self) -> tuple[int, ...]:
        return vanished_effects(self.layout, self.found.theta)

    @cached_property
    def information_inverse(self) -> Array | None:
        """Covariance of the parameters on the working scale; None where they are not told apart."""
        return inverse_information(self.layout, self.found.evaluation.hessian, self.vanished)

    @cached_property
    def beta(self) -> Array:
        """Fixed effects."""
        d, theta = self.design, self.found.theta
        return np.asarray(d.y_scale * np.linalg.solve(d.x_transform, theta[self.layout.beta]))

    @property
    def n_between(self) -> int:
        """Fixed effects that do not change within a patient."""
        x, patient = self.design.matrices.x, self.design.patient
        first = x[np.unique(patient, return_index=True)[1]][patient]
        return int((np.abs(x - first).max(axis=0) <= 1e-12 * np.abs(x).max(axis=0)).sum())

    @property
    def between_df(self) -> int:
        """Patients minus the fixed effects between them."""
        return self.design.n_subjects - self.n_between

    @cached_property
    def restricted(self) -> Restricted | None:
        """Under Satterthwaite; None where the restricted likelihood has no maximum."""
        likelihood, found = self.likelihood, self.found
        most = MOST_NODES[self.layout.n_random]
        try:
            if self.per_effect > most:
                likelihood = likelihood_of(self.design, self.limits, most)
                centers = likelihood.centers(found.theta, likelihood.start())
                found = found._replace(evaluation=found.evaluation._replace(centers=centers))
            return restricted(likelihood, found, bool(self.limits.censored.any()))
        except np.linalg.LinAlgError:
            return None

    @cached_property
    def working_covariance(self) -> Array:
        """Covariance of the fixed effects on the working scale."""
        assert self.information_inverse is not None
        where = self.layout.beta
        if self.inference == ROBUST:
            return self._jackknife()[where, where]
        if self.inference == SATTERTHWAITE and self.restricted is not None:
            return self.restricted.covariance
        return self.information_inverse[where, where]

    def _jackknife(self) -> Array:
        """Covariance of all parameters by one Newton step without each patient in turn."""
        theta, layout, whole = self.found.theta, self.layout, self.found.evaluation
        n, total = self.design.n_subjects, np.zeros((layout.size, layout.size))
        for number in range(n):
            who = np.array([number], dtype=np.intp)
            alone = likelihood_of(self.design, self.limits, self.per_effect, who)
            own = alone.evaluate(theta, alone.centers(theta, alone.start()))
            rest = inverse_information(layout, whole.hessian - own.hessian, self.vanished)
            assert self.information_inverse is not None
            moved = (self.information_inverse if rest is None else rest) @ own.score
            total += np.outer(moved, moved)
        return np.asarray(total * (n - 1) / n)

    @cached_property
    def covariance(self) -> Array:
        """Covariance of the fixed effects."""
        d = self.design
        half = np.linalg.solve(d.x_transform, self.working_covariance)
        return np.asarray(d.y_scale**2 * np.linalg.solve(d.x_transform, half.T))

    def degrees(self, rows: Array) -> Array:
        """Degrees of freedom of each contrast; infinite under Wald."""
        if self.inference not in (SATTERTHWAITE, ROBUST):
            return np.full(len(rows), np.inf)
        if self.inference == ROBUST or self.restricted is None:
            return np.full(len(rows), float(self.between_df))
        scaled = np.asarray(np.linalg.solve(self.design.x_transform.T, rows.T).T, dtype=float)
        return self.restricted.degrees(scaled)

    @property
    def sigma2(self) -> float:
        """Residual variance."""
        return float(self.design.y_scale**2 * np.exp(2 * self.found.theta[self.layout.log_sigma]))

    @cached_property
    def block(self) -> Array:
        """Covariance of the patient's random effects, of the columns that were fitted."""
        d = self.design
        q = len(d.z_transform)
        factor = self.layout.factor_of(self.found.theta)[:q, :q]
        root = d.y_scale * np.linalg.solve(d.z_transform, factor)
        return np.asarray(root @ root.T)

    @property
    def nested_variances(self) -> Array:
        """Variance of the intercept of each nested level."""
        d = self.design
        own = np.diag(self.layout.factor_of(self.found.theta))[len(d.z_transform) :]
        return np.asarray((d.y_scale * own) ** 2)

    @property
    def criterion(self) -> float:
        """-2 log-likelihood: densities of exact values, probabilities of the censored ones."""
        exact = int((~self.limits.censored).sum())
        return -2 * (self.found.evaluation.value - exact * float(np.log(self.design.y_scale)))

    def between_share(self, z_row: Array) -> float | None:
        """Intraclass correlation where the random design asked for is `z_row`."""
        row = z_row if self.directions is None or len(z_row) == len(self.block) else (
            z_row @ self.directions
        )  # fmt: skip
        between = float(row @ self.block @ row)
        return finite(between / (between + float(self.nested_variances.sum()) + self.sigma2))

    @cached_property
    def fitted(self) -> Array:
        """Mean of every observation given patient and lesion (posterior mean of the effects)."""
        d = self.design
        own = np.einsum("ij,ij->i", random_columns(d), self._effects[units(d)])
        return np.asarray(d.matrices.x @ self.beta + own)

    @cached_property
    def _effects(self) -> Array:
        """Posterior means, one row per patient or lesion, of the scaled random columns."""
        theta = self.found.theta
        u = self.likelihood.posterior_means(theta, self.found.evaluation.centers)
        return np.asarray(u @ self.layout.factor_of(theta).T * self.design.y_scale)

    @property
    def random_effects(self) -> Array:
        """Posterior means of every patient's effects, of the scaled random columns."""
        d = self.design
        first = np.unique(d.patient, return_index=True)[1]
        return np.asarray(self._effects[units(d)[first], : len(d.z_transform)])

    def tested(self, rows: Array) -> Tested:
        """t tests of linear combinations of the fixed effects (df infinite for Wald)."""
        from scipy.special import stdtr, stdtrit

        estimate = rows @ self.beta
        error = np.sqrt(np.einsum("lp,pq,lq->l", rows, self.covariance, rows))
        df = self.degrees(rows)
        with np.errstate(divide="ignore", invalid="ignore"):
            statistic = estimate / error
        width = stdtrit(df, 0.5 + self.conf_level / 2) * error
        p_value = 2 * stdtr(df, -np.abs(statistic))
        return Tested(estimate, error, df, statistic, p_value, estimate - width, estimate + width)

    def joint_test(self, name: str, rows: Array) -> WaldTest | None:
        """All rows zero; None where there are not enough patients for so many effects."""
        from scipy.stats import chi2, f

        middle = rows @ self.covariance @ rows.T
        distance = rows @ self.beta
        q = int(np.linalg.matrix_rank(middle, hermitian=True))
        statistic = float(distance @ np.linalg.pinv(middle, hermitian=True) @ distance)
        if self.inference not in (SATTERTHWAITE, ROBUST):
            return WaldTest(name, statistic, q, float(chi2.sf(statistic, q)), method="Wald")
        vectors = np.linalg.eigh(middle)[1][:, -q:]
        df = float(self.degrees(vectors.T @ rows).min())
        if df - q + 1 <= 0:
            return None
        value = statistic * (df - q + 1) / (df * q)
        p_value = float(f.sf(value, q, df - q + 1))
        return WaldTest(name, value, q, p_value, df - q + 1, "F", HOTELLING)

    def variance_components(self) -> tuple[VarianceComponent, ...]:
        """Rows as lme4 lists them: variances, covariances, residual."""
        names, block, group = self.design.matrices.z_names, self.block, self.design.group
        root = np.sqrt(np.maximum(np.diag(block), 0.0))
        rows = [
            VarianceComponent(
                f"{group}:{name}", "(Intercept)", None, float(value), float(np.sqrt(value))
            )
            for name, value in zip(self.design.nested, self.nested_variances, strict=True)
        ]
        rows += [
            VarianceComponent(group, name, None, float(block[i, i]), float(root[i]))
            for i, name in enumerate(names)
        ]
        rows += [
            VarianceComponent(
                group, names[j], names[i], float(block[i, j]),
                float(block[i, j] / (root[i] * root[j])) if root[i] * root[j] > 0 else None,
            )
            for j in range(len(names)) for i in range(j + 1, len(names))
        ]  # fmt: skip
        rows.append(
            VarianceComponent("Residual", None, None, self.sigma2, float(np.sqrt(self.sigma2)))
        )
        return tuple(rows)
