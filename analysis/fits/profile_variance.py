"""The likelihood with one standard deviation or correlation held at a value.

Variables are the relative Cholesky factor and the log of the residual standard deviation; the held
parameter is an equality constraint with an exact gradient.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from analysis.engine.likelihood import evaluate
from analysis.engine.structure import Array
from analysis.fits.fitted import FittedMixed

TIES = 1e-9
ITERATIONS = 200
LIFTS = (0.01, 0.1, 0.5)
"""Where diagonal elements near zero start, for at zero the gradient vanishes; in turn."""
FAR, WIDE = 1e4, 7.0
"""How far a search may go: standard deviations relative to the residual's, and on its log."""
EXCESS = 1e-6
"""Deviation from the held value up to which a search counts."""


class Held(NamedTuple):
    """A parameter on the scale of the data. first, second: rows of inverse(z_transform) whose
    covariance it belongs to (equal for a standard deviation); nested: which nested factor; neither
    for the residual. step: where to look first when the estimate is zero."""

    part: str
    term: str
    estimate: float
    lower: float | None
    upper: float | None
    step: float
    first: int | None = None
    second: int | None = None
    nested: int | None = None


def held_parameters(fitted: FittedMixed) -> list[Held]:
    """Standard deviations and correlations, in the order of the variance components."""
    d, block = fitted.design, fitted.block
    size = float(np.sqrt(fitted.sigma2))
    found = [
        Held("standard deviation", f"{d.group}:{name}", float(np.sqrt(value)), 0.0, None, size / 10,
             nested=index)
        for index, (name, value) in enumerate(zip(d.nested, fitted.nested_variances, strict=True))
    ]  # fmt: skip
    names = d.matrices.z_names
    spread = np.sqrt(np.diag(block))
    for index, name in enumerate(names):
        unit = size / float(np.sqrt(np.mean(d.matrices.z[:, index] ** 2)))
        found.append(
            Held("standard deviation", f"{d.group} {name}", float(spread[index]), 0.0, None,
                 unit / 10, index, index)
        )  # fmt: skip
    if not d.structure.diagonal:
        found += [
            Held("correlation", f"{d.group} {names[i]}, {names[j]}",
                 float(block[i, j] / (spread[i] * spread[j])), -1.0, 1.0, 0.1, i, j)
            for j in range(len(names)) for i in range(j + 1, len(names))
            if spread[i] * spread[j] > 0
        ]  # fmt: skip
    found.append(Held("standard deviation", "Residual", size, 0.0, None, size / 10))
    return found


class Variances:
    """ML deviance over (theta, log sigma), with the fixed effects profiled out; scaled units."""

    def __init__(self, fitted: FittedMixed) -> None:
        self.fitted, self.design = fitted, fitted.design
        self.structure = fitted.design.structure
        self.rows = np.linalg.inv(fitted.design.z_transform)
        start = np.append(fitted.optimum.theta, 0.5 * np.log(fitted.optimum.sigma2))
        self.best = self._value(start)[0]
        self.start = start

    def deviance_of(self, held: Held) -> Callable[[float], float | None]:
        """Twice the log-likelihood lost when `held` has a value; searches from the last one."""
        last = [self.start]

        def lost(value: float) -> float | None:
            ends = (
                self._search(held, value, start, lift)
                for start in (last[0], self.start)
                for lift in LIFTS
            )
            found = next((end for end in ends if end is not None), None)
            if found is None:
                return None
            last[0] = found
            return self._value(found)[0] - self.best

        return lost

    def _search(self, held: Held, value: float, start: Array, lift: float) -> Array | None:
        from scipy.optimize import minimize

        begin = start.copy()
        diagonal = self.structure.diagonal_parameters
        begin[diagonal] = np.where(np.abs(begin[diagonal]) < lift, lift, begin[diagonal])
        found = minimize(
            self._value,
            begin,
            jac=True,
            method="SLSQP",
            bounds=[(-FAR, FAR)] * (len(begin) - 1) + [(begin[-1] - WIDE, begin[-1] + WIDE)],
            constraints={
                "type": "eq",
                "fun": lambda x: self._excess(held, value, x)[0],
                "jac": lambda x: self._excess(held, value, x)[1],
            },
            options={"ftol": TIES, "maxiter": ITERATIONS},
        )
        excess = abs(self._excess(held, value, found.x)[0])
        return np.asarray(found.x) if np.isfinite(found.fun) and excess < EXCESS else None

    def _value(self, x: Array) -> tuple[float, Array]:
        theta, log_sigma = x[:-1], float(x[-1])
        point = evaluate(theta[None], self.design.pooled, self.structure, False)
        if not point.ok[0]:
            return float("inf"), np.zeros_like(x)
        n, r2 = float(point.degrees[0]), float(point.r2[0])
        inverse = float(np.exp(-2 * log_sigma))
        log = float(point.criterion[0]) - n * (1 + np.log(2 * np.pi * r2 / n))
        value = log + n * (np.log(2 * np.pi) + 2 * log_sigma) + r2 * inverse
        slope = point.log_slope[0] + inverse * point.r2_slope[0]
        gradient = np.append(slope @ self.structure.jacobian(theta), 2 * n - 2 * r2 * inverse)
        return value, gradient

    def _excess(self, held: Held, value: float, x: Array) -> tuple[float, Array]:
        """Held parameter less its value, relative to the residual's scale, and its gradient."""
        theta, sigma = x[:-1], float(np.exp(x[-1]))
        unit = self.design.y_scale
        gradient = np.zeros_like(x)
        if held.nested is not None:
            index = self.structure.n_block + held.nested
            gradient[index], gradient[-1] = sigma, sigma * theta[index]
            return sigma * float(theta[index]) - value / unit, gradient
        if held.first is None or held.second is None:
            gradient[-1] = sigma
            return sigma - value / unit, gradient
        one = self._covariance(theta, held.first, held.first)
        if held.part == "standard deviation":
            weight = float(np.sqrt(np.mean(self.design.matrices.z[:, held.first] ** 2)))
            spread = max(float(np.sqrt(max(one[0], 0.0))), 1e-12)
            gradient[:-1] = weight * sigma * one[1] / (2 * spread)
            gradient[-1] = weight * sigma * spread
            return weight * (sigma * spread - value / unit), gradient
        two, both = (
            self._covariance(theta, *pair)
            for pair in ((held.second, held.second), (held.first, held.second))
        )
        product = max(float(np.sqrt(max(one[0] * two[0], 0.0))), 1e-12)
        ratio = both[0] / product
        change = both[1] / product - ratio * (one[1] * two[0] + two[1] * one[0]) / (2 * product**2)
        gradient[:-1] = change
        return ratio - value, gradient

    def _covariance(self, theta: Array, first: int, second: int) -> tuple[float, Array]:
        """Relative covariance of two effects on the original scale, and its derivative in theta."""
        size = self.structure.size
        lam = self.structure.factor(theta)[:size, :size]
        left, right = self.rows[first], self.rows[second]
        value = float((left @ lam) @ (right @ lam))
        basis = self.structure.basis[:, :size, :size]
        return value, np.einsum("i,rij,j->r", left, basis, right) @ self.structure.jacobian(theta)
