"""Log-normal likelihood of samples around a curve; below and above limits by their probability."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.engine.structure import Array
from analysis.fits.joint.normal_interval import interval_derivatives
from analysis.fits.kinetics.curves import Form, log_curve_gradient


class Samples(NamedTuple):
    """Samples of one patient: days after infusion, bounds on the natural log scale.

    An exact value has low == high; below a limit low is -inf; above one high is inf.
    """

    t: Array
    low: Array
    high: Array

    @property
    def exact(self) -> NDArray[np.bool_]:
        """Whether the value itself is known."""
        return np.asarray(self.low == self.high, bool)


class Slopes(NamedTuple):
    """Negative log-likelihood, its gradient, and a positive information matrix for its steps."""

    value: float
    gradient: Array
    information: Array


def negative_log_likelihood(x: Array, samples: Samples, form: Form) -> Slopes:
    """Of curve parameters and log sigma (last); exact values as densities of their logarithm.

    The information is the expected one for exact values and Gauss-Newton's for the others.
    """
    u, log_sigma = x[:-1], float(x[-1])
    sigma = float(np.exp(log_sigma))
    mean, slopes = log_curve_gradient(u, samples.t, form)
    exact = samples.exact
    z = (samples.low[exact] - mean[exact]) / sigma
    total = float((-0.5 * z**2 - log_sigma - 0.5 * np.log(2 * np.pi)).sum())
    by_mean, weight = np.zeros_like(mean), np.zeros_like(mean)
    by_mean[exact], weight[exact] = z / sigma, 1.0 / sigma**2
    by_scale, scale_weight = float((z**2 - 1.0).sum()), 2.0 * z.size
    if not exact.all():
        hidden = ~exact
        found = interval_derivatives(
            (samples.low[hidden] - mean[hidden]) / sigma,
            (samples.high[hidden] - mean[hidden]) / sigma,
            sigma,
        )
        total += float(found.value.sum())
        by_mean[hidden], weight[hidden] = found.first, np.maximum(-found.second, 0.0)
        by_scale += float(found.scale_first.sum())
    information = np.zeros((x.size, x.size))
    information[:-1, :-1] = slopes.T @ (weight[:, None] * slopes)
    information[-1, -1] = max(scale_weight, 1.0)
    return Slopes(-total, -np.append(by_mean @ slopes, by_scale), information)
