"""From the working scale to the numbers a person reads: estimates, standard errors, variances."""

from dataclasses import dataclass
from functools import cached_property
from math import erfc, sqrt
from statistics import NormalDist

import numpy as np

from analysis.engine.structure import Array
from analysis.fits.joint.assembly import Problem
from analysis.fits.joint.information import inverse_information, vanished_effects
from analysis.fits.joint.parts import Hazard, Response
from analysis.fits.joint.rows import Columns
from analysis.fits.joint.search import Found
from analysis.fits.joint.sentences import SignalName
from analysis.results import Estimate, VarianceComponent, finite

RUNAWAY = 15.0
"""Standard error, per standard deviation of a covariate or of the signal, of no estimate at all."""


@dataclass(frozen=True, eq=False)
class FittedJoint:
    """A joint model at its maximum. Held by `Fit.design`, outside equality and JSON.

    outcome_part: what the rows of the second submodel are called, "event" or "response".
    """

    problem: Problem
    found: Found
    conf_level: float
    columns: Columns
    name: SignalName
    outcome_part: str = "event"

    @property
    def theta(self) -> Array:
        return self.found.theta

    @cached_property
    def vanished(self) -> tuple[int, ...]:
        """Effects whose column of the factor is zero: the maximum lies at the boundary."""
        return vanished_effects(self.problem.layout, self.theta)

    @cached_property
    def covariance(self) -> Array | None:
        """Inverse of the observed information of all parameters; None when it is not positive
        definite. Columns of the factor that are zero are held at zero."""
        return inverse_information(
            self.problem.layout, self.found.evaluation.hessian, self.vanished
        )

    @property
    def sigma(self) -> float:
        """Residual standard deviation."""
        return float(np.exp(self.theta[self.problem.layout.log_sigma])) * self.problem.y_scale

    @cached_property
    def effects_covariance(self) -> Array:
        """Covariance of the random effects on the original scale."""
        p = self.problem
        back = p.y_scale * np.linalg.inv(p.design.z_transform)
        root = back @ p.layout.factor_of(self.theta)
        return np.asarray(root @ root.T)

    @cached_property
    def spread(self) -> Array:
        """Standard deviation over patients of each feature of the signal, at the end of follow-up
        or at the landmark, on the working scale."""
        layout = self.problem.layout
        beta, lam = self.theta[layout.beta], layout.factor_of(self.theta)
        fixed, random = [], []
        for block in self.problem.likelihood.blocks:
            linear = next(p.predictor for p in block.parts if isinstance(p, Hazard | Response))
            fixed.append(linear.x[:, :, -1] @ beta)
            random.append(((linear.z[:, :, -1] @ lam) ** 2).sum(axis=2))
        between = np.concatenate(fixed, axis=1).var(axis=1)
        return np.asarray(np.sqrt(between + np.concatenate(random, axis=1).mean(axis=1)))

    @cached_property
    def uncertainty(self) -> dict[str, float]:
        """Standard error of each effect on the outcome per standard deviation of what it is of;
        the larger one where several causes share it."""
        assert self.covariance is not None
        p, error = self.problem, np.sqrt(np.diag(self.covariance))
        found: dict[str, float] = {}
        for index in p.layout.outcome:
            sizes = [*error[index.covariates], *(error[index.association] * self.spread)]
            for name, size in zip((*p.covariates.names, *p.association), sizes, strict=True):
                found[name] = max(float(size), found.get(name, 0.0))
        return found

    @property
    def runaway(self) -> str:
        """An effect that has no finite estimate; empty without one."""
        return next((name for name, size in self.uncertainty.items() if size > RUNAWAY), "")

    def estimates(self) -> tuple[Estimate, ...]:
        """Longitudinal, event and association rows, with Wald intervals by the normal."""
        rows, names = self._linear()
        value = rows @ self.theta
        assert self.covariance is not None
        error = np.sqrt(np.einsum("lp,pq,lq->l", rows, self.covariance, rows))
        cov = rows @ self.covariance @ rows.T
        for index, (part, term) in enumerate(names):
            # Weibull: the linear parameters are the constant and shape - 1 of log time.
            if part == "event" and term.endswith("log(shape)"):
                shape = 1 + value[index]
                gradient = np.zeros(len(value))
                gradient[index], gradient[index - 1] = -1 / shape, 1.0
                value[index - 1] -= np.log(shape)
                error[index - 1] = np.sqrt(gradient @ cov @ gradient)
                value[index], error[index] = np.log(shape), error[index] / shape
        return tuple(
            self._estimate(part, term, float(v), float(e))
            for (part, term), v, e in zip(names, value, error, strict=True)
        )

    def _estimate(self, part: str, term: str, value: float, error: float) -> Estimate:
        width = NormalDist().inv_cdf(0.5 + self.conf_level / 2) * error
        statistic = value / error if error > 0 else float("nan")
        p_value = erfc(abs(statistic) / sqrt(2.0)) if error > 0 else float("nan")
        return Estimate(
            term,
            value,
            finite(error),
            statistic=finite(statistic),
            p_value=finite(p_value),
            conf_low=finite(value - width),
            conf_high=finite(value + width),
            part=part,
        )

    def _linear(self) -> tuple[Array, list[tuple[str, str]]]:
        """Rows that turn the working parameters into the reported ones, with part and term."""
        p, layout = self.problem, self.problem.layout
        size, names, rows = layout.size, [], []
        beta = np.zeros((layout.n_fixed, size))
        beta[:, layout.beta] = p.y_scale * np.linalg.inv(p.design.x_transform)
        rows.append(beta)
        names += [("longitudinal", name) for name in p.design.matrices.x_names]
        association = []
        for number in range(len(layout.outcome)):
            prefix = f"{p.rows.causes[number]}: " if p.rows.causes[number] else ""
            event, linked = self._outcome_rows(number, size)
            rows.append(event)
            association.append(linked)
            names += [(self.outcome_part, f"{prefix}{name}") for name in p.covariates.names]
            names += [(self.outcome_part, f"{prefix}{name}") for name in p.baselines[number].names]
        for number in range(len(layout.outcome)):
            prefix = f"{p.rows.causes[number]}: " if p.rows.causes[number] else ""
            names += [("association", f"{prefix}{name}") for name in p.association]
        return np.vstack([*rows, *association]), names

    def _outcome_rows(self, number: int, size: int) -> tuple[Array, Array]:
        """Covariates and baseline, then association, of one cause."""
        p, index = self.problem, self.problem.layout.outcome[number]
        n_covariates, baseline = len(p.covariates.names), p.baselines[number]
        covariates = np.zeros((n_covariates, size))
        covariates[:, index.covariates] = np.diag(1 / p.covariates.scale)
        hazard = np.zeros((baseline.size, size))
        hazard[:, index.baseline] = np.eye(baseline.size)
        # Covariates and signal are centered in the search: their means move into the baseline.
        shift = np.outer(baseline.constant, p.covariates.center / p.covariates.scale)
        hazard[:, index.covariates] -= shift
        hazard[:, index.association] -= np.outer(baseline.constant, p.center)
        association = np.zeros((len(p.association), size))
        association[:, index.association] = np.eye(len(p.association)) / p.y_scale
        return np.vstack([covariates, hazard]), association

    def variance_components(self, group: str) -> tuple[VarianceComponent, ...]:
        """Variances and covariances of the random effects, then the residual variance."""
        cov, names = self.effects_covariance, self.problem.design.matrices.z_names
        sd = np.sqrt(np.diag(cov))
        found = [
            VarianceComponent(group, name, None, finite(cov[k, k]), finite(sd[k]))
            for k, name in enumerate(names)
        ]
        for k in range(len(names)):
            for other in range(k):
                both = sd[k] * sd[other]
                correlation = cov[k, other] / both if both > 0 else float("nan")
                found.append(
                    VarianceComponent(
                        group, names[other], names[k], finite(cov[k, other]), finite(correlation)
                    )
                )
        found.append(VarianceComponent("Residual", None, None, self.sigma**2, self.sigma))
        return tuple(found)
