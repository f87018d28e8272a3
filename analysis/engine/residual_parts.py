"""Residual parts of the covariance of one cluster's rows (`covariance_parts`)."""

from dataclasses import dataclass

import numpy as np

from analysis.engine.structure import Array, Index


class _Weighted:
    """Residual covariance divided by known weights: Var = sigma2 / weight; root: their roots."""

    root: Array | None = None

    def weighed(self, value: Array, slopes: Array, rows: Index) -> tuple[Array, Array]:
        if self.root is None:
            return value, slopes
        scale = 1 / (self.root[rows][:, :, None] * self.root[rows][:, None, :])
        return value * scale, slopes * scale[:, None]

    def lightened(self, weight: Array, rows: Index) -> Array:
        """What a trace with the covariance of values of weight one would be multiplied by."""
        if self.root is None:
            return weight
        return np.asarray(weight / (self.root[rows][:, :, None] * self.root[rows][:, None, :]))


@dataclass(eq=False)
class IndependentResidual(_Weighted):
    """Independent values; one variance, or one for each group. theta: log standard deviations."""

    group: Index
    levels: tuple[str, ...]
    root: Array | None = None

    @property
    def n_parameters(self) -> int:
        return len(self.levels)

    def start(self) -> Array:
        """Standard deviations of one half."""
        return np.full(self.n_parameters, np.log(0.5))

    def covariance(self, theta: Array, rows: Index) -> tuple[Array, Array]:
        """Diagonal matrices."""
        group = self.group[rows]
        eye = np.eye(rows.shape[1])
        value = np.exp(2 * theta)[group][:, :, None] * eye
        slopes = [2 * value * (group == k)[:, :, None] for k in range(self.n_parameters)]
        return self.weighed(value, np.stack(slopes, axis=1), rows)

    def bend(self, theta: Array, rows: Index, weight: Array) -> Array:
        """Sum of tr(weight d2V): each variance bends alone."""
        diagonal = np.diagonal(self.lightened(weight, rows), axis1=1, axis2=2)
        sums = np.bincount(self.group[rows].ravel(), diagonal.ravel(), self.n_parameters)
        return np.diag(4 * np.exp(2 * theta) * sums)


@dataclass(eq=False)
class AutoregressiveResidual(_Weighted):
    """Correlation rho ** distance: AR(1) over visits, CAR(1) over time; none between the levels of
    `within`, which are patients, or lesions of patients.

    theta: log standard deviation, then atanh(rho) for AR(1), logit(rho) for CAR(1), where rho is
    the correlation one unit of `time` apart and positive. unit: of `time` in the data's own.
    """

    time: Array
    continuous: bool
    within: Index
    root: Array | None = None
    unit: float = 1.0

    @property
    def n_parameters(self) -> int:
        return 2

    def start(self) -> Array:
        """A correlation of about 0.2."""
        return np.array([np.log(0.5), -1.4 if self.continuous else 0.2])

    def rho(self, theta: Array) -> float:
        """Correlation one step, or one unit of time, apart."""
        if self.continuous:
            return float(np.exp(-np.logaddexp(0.0, -theta[1])))
        return float(np.tanh(theta[1]))

    def correlation(self, theta: Array, apart: Array) -> Array:
        """rho ** distance, `apart` in units of `time`."""
        if self.continuous:
            return np.asarray(np.exp(-apart * np.logaddexp(0.0, -theta[1])))
        return np.asarray(np.power(self.rho(theta), apart))

    def covariance(self, theta: Array, rows: Index) -> tuple[Array, Array]:
        """sigma2 * rho ** |t - s|."""
        time = self.time[rows]
        apart = np.abs(time[:, :, None] - time[:, None, :])
        rho, sigma2 = self.rho(theta), float(np.exp(2 * theta[0]))
        value = sigma2 * self.correlation(theta, apart)
        if self.continuous:
            slope = value * apart * (1 - rho)
        else:
            before = np.power(rho, np.maximum(apart - 1, 0))
            slope = np.where(apart > 0, sigma2 * apart * before, 0.0) * (1 - rho**2)
        within = self.within[rows]
        same = within[:, :, None] == within[:, None, :]
        value, slope = np.where(same, value, 0.0), np.where(same, slope, 0.0)
        return self.weighed(value, np.stack([2 * value, slope], axis=1), rows)

    def bend(self, theta: Array, rows: Index, weight: Array) -> Array:
        """Sum of tr(weight d2V)."""
        time = self.time[rows]
        apart, rho = np.abs(time[:, :, None] - time[:, None, :]), self.rho(theta)
        value, slopes = self.covariance(theta, rows)
        if self.continuous:
            curve = value * (apart**2 * (1 - rho) ** 2 - apart * rho * (1 - rho))
        else:
            before = np.power(rho, np.maximum(apart - 2, 0)) * apart * (apart - 1)
            within = self.within[rows]
            same = within[:, :, None] == within[:, None, :]
            lean = float(np.exp(2 * theta[0])) * (1 - rho**2) ** 2 * np.where(same, before, 0.0)
            curve = self.weighed(lean, lean[:, None], rows)[0] - 2 * apart * (1 - rho**2) * value
        cross = 2 * float((weight * slopes[:, 1]).sum())
        both = 2 * float((weight * slopes[:, 0]).sum())
        return np.array([[both, cross], [cross, float((weight * curve).sum())]])


@dataclass(eq=False)
class UnstructuredResidual(_Weighted):
    """Any covariance of the visits, D L L' D with L unit lower triangular (as R's mmrm).

    theta: logarithms of D's diagonal, then L below its diagonal by rows; begin: where the search
    starts.
    """

    visit: Index
    labels: tuple[str, ...]
    begin: Array
    root: Array | None = None

    @property
    def n_parameters(self) -> int:
        return len(self.labels) * (len(self.labels) + 1) // 2

    def start(self) -> Array:
        return self.begin

    def factors(self, theta: Array) -> tuple[Array, Array]:
        """Diagonal of D, and L."""
        k = len(self.labels)
        lower = np.eye(k)
        lower[np.tril_indices(k, -1)] = theta[k:]
        return np.exp(np.clip(theta[:k], -30, 30)), lower

    def sigma(self, theta: Array) -> Array:
        """Covariance of the visits."""
        size, lower = self.factors(theta)
        factor = size[:, None] * lower
        return np.asarray(factor @ factor.T)

    def covariance(self, theta: Array, rows: Index) -> tuple[Array, Array]:
        """Rows and columns of the visits that a cluster has."""
        visit = self.visit[rows]
        pick = (visit[:, :, None], visit[:, None, :])
        factor, changes = self._changes(theta)
        halves = changes @ factor.T
        slopes = (halves + np.swapaxes(halves, 1, 2))[:, *pick]
        return self.weighed(self.sigma(theta)[pick], np.swapaxes(slopes, 0, 1), rows)

    def _changes(self, theta: Array) -> tuple[Array, Array]:
        """F = D L and its derivative by each parameter."""
        size, lower = self.factors(theta)
        factor, k = size[:, None] * lower, len(size)
        i, j = np.tril_indices(k, -1)
        changes = np.zeros((self.n_parameters, k, k))
        changes[np.arange(k), np.arange(k)] = factor
        changes[k + np.arange(len(i)), i, j] = size[i]
        return factor, changes

    def bend(self, theta: Array, rows: Index, weight: Array) -> Array:
        """Sum of tr(weight d2V), from weights added over the visits."""
        visit, k = self.visit[rows], len(self.labels)
        place = (visit[:, :, None] * k + visit[:, None, :]).ravel()
        total = np.bincount(place, self.lightened(weight, rows).ravel(), k * k).reshape(k, k)
        factor, changes = self._changes(theta)
        turned = total @ changes
        found = 2 * np.tensordot(changes, turned, ((1, 2), (1, 2)))
        # F bends with the logarithm of a row's size: by itself, and with the row's entries of L.
        along = 2 * (total @ factor)
        i, j = np.tril_indices(k, -1)
        entries = k + np.arange(len(i))
        found[np.arange(k), np.arange(k)] += (along * factor).sum(axis=1)
        mixed = along[i, j] * changes[entries, i, j]
        found[i, entries] += mixed
        found[entries, i] += mixed
        return np.asarray(found)
