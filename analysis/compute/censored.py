"""Mean of log-normal values when some are known only to lie between limits (Tobit).

Values below the limit stay in the likelihood as what they are, so that neither dropping them
(mean too high) nor setting them to half the limit (spread too low) is needed.
Reference: Tobin 1958, doi:10.2307/1907382; Olsen 1978 for the concave parametrization,
doi:10.2307/1913826.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import log_ndtr

from analysis.compute.intervals import MIN_FOR_MEAN, t_quantile

Vector = NDArray[np.float64]
Counts = NDArray[np.int64]
MAX_STEPS = 60
TOLERANCE = 1e-10
TOO_FEW = f"fewer than {MIN_FOR_MEAN} values"


@dataclass(frozen=True)
class CensoredMean:
    """Geometric mean by maximum likelihood; nan where it cannot be estimated (`reason`).

    The interval is Wald's on the log scale with t quantiles of n_exact - 1 degrees of freedom;
    without censored values it uses the unbiased spread and equals the ordinary t interval.
    """

    n: int
    n_censored: int
    mean: float
    conf_low: float
    conf_high: float
    sd_log: float
    conf_level: float = 0.95
    reason: str = ""


def censored_log_mean(
    value: ArrayLike, lower: ArrayLike, upper: ArrayLike, conf_level: float = 0.95
) -> CensoredMean:
    """Geometric mean of positive values of which some lie between `lower` and `upper`.

    value: nan where censored. lower: 0 or nan for below a limit. upper: nan for above a limit.
    Needs three values of which two are exact and different; else `reason` says what is missing.
    Raises ValueError for an exact value that is not positive, or a row with no bound at all.
    """
    if np.size(value) == 0:
        nan = float("nan")
        return CensoredMean(0, 0, nan, nan, nan, nan, conf_level, TOO_FEW)
    return censored_log_means(value, lower, upper, [np.size(value)], conf_level)[0]


def censored_log_means(
    value: ArrayLike,
    lower: ArrayLike,
    upper: ArrayLike,
    sizes: ArrayLike,
    conf_level: float = 0.95,
) -> list[CensoredMean]:
    """`censored_log_mean` of many samples that stand one after the other, of `sizes` values each
    (none empty). All are maximized together, which takes about as long as one alone."""
    y, low, high = _logs(value, lower, upper)
    size = np.asarray(sizes, np.int64)
    sample, starts = np.repeat(np.arange(size.size), size), np.cumsum(size) - size
    exact = ~np.isnan(y)
    n_exact = _sums(sample, exact.astype(float), size.size).astype(np.int64)
    reasons = _too_little(size, n_exact, np.fmin.reduceat(y, starts), np.fmax.reduceat(y, starts))
    useful = exact & (reasons == "")[sample]
    some = np.maximum(n_exact, 1)
    center = _sums(sample[useful], y[useful], size.size) / some
    spread = _sums(sample[useful], (y[useful] - center[sample[useful]]) ** 2, size.size)
    sd = np.sqrt(spread / np.maximum(n_exact - 1, 1))
    se = sd / np.sqrt(some)
    fitted = np.flatnonzero((reasons == "") & (n_exact < size))
    if fitted.size:
        rows = ~exact & np.isin(sample, fitted)
        place = np.searchsorted(fitted, sample[rows])
        shift = center[fitted]
        # Around each sample's own mean, so that sums of squares keep their digits.
        problem = _Samples(
            n_exact[fitted], spread[fitted], place, low[rows] - shift[place],
            high[rows] - shift[place],
        )  # fmt: skip
        moved, sd[fitted], se[fitted], good = _maximize(problem)
        center[fitted] += moved
        reasons[fitted[~good]] = "likelihood has no maximum"
    known = reasons == ""
    df = np.maximum(n_exact - 1, 1)
    half = np.array([t_quantile(conf_level, int(number)) for number in df]) * se
    with np.errstate(over="ignore"):
        mean, lowest, highest = np.exp([center, center - half, center + half])
    for numbers in (mean, lowest, highest, sd):
        numbers[~known] = np.nan
    return [
        CensoredMean(
            n=int(size[i]),
            n_censored=int(size[i] - n_exact[i]),
            mean=float(mean[i]),
            conf_low=float(lowest[i]),
            conf_high=float(highest[i]),
            sd_log=float(sd[i]),
            conf_level=conf_level,
            reason=str(reasons[i]),
        )
        for i in range(size.size)
    ]


def _sums(sample: Counts, values: Vector, n: int) -> Vector:
    """Sum of the values of each of `n` samples."""
    return np.asarray(np.bincount(sample, values, n), float)


def _logs(value: ArrayLike, lower: ArrayLike, upper: ArrayLike) -> tuple[Vector, Vector, Vector]:
    v, lo, hi = (np.asarray(part, float) for part in (value, lower, upper))
    if (v <= 0).any():
        raise ValueError("censored_log_mean: an exact value must be positive; give it a limit")
    if (np.isnan(v) & np.isnan(hi) & ~(lo > 0)).any():
        raise ValueError("censored_log_mean: a row has neither a value nor a limit")
    with np.errstate(divide="ignore", invalid="ignore"):
        low = np.log(np.where(np.isnan(lo), 0.0, lo))
        high = np.where(np.isnan(hi), np.inf, np.log(hi))
        return np.log(v), low, high


def _too_little(
    n: Counts, n_exact: Counts, smallest: Vector, largest: Vector
) -> NDArray[np.object_]:
    """Why a sample has no mean; "" where it has one."""
    reasons = np.full(n.size, "", dtype=object)
    reasons[(n_exact < 2) | (smallest == largest)] = "fewer than two different exact values"
    reasons[n_exact == 0] = "all values below or above a limit"
    reasons[n < MIN_FOR_MEAN] = TOO_FEW
    return reasons


class _Samples(NamedTuple):
    """Samples to maximize together, each centered at the mean of its exact values.

    n_exact, spread: count and sum of squares of the exact values of each sample. sample, low,
    high: of each censored value, the place of its sample and its bounds (-inf, inf: none).
    """

    n_exact: Counts
    spread: Vector
    sample: Counts
    low: Vector
    high: Vector

    def total(self, of_values: Vector) -> Vector:
        """Sum over the censored values of each sample."""
        return np.asarray(np.bincount(self.sample, of_values, self.n_exact.size), float)


def _maximize(samples: _Samples) -> tuple[Vector, Vector, Vector, NDArray[np.bool_]]:
    """Mean, SD, standard error of the mean (log scale) and whether there is a maximum, for each
    sample, by Newton steps with halving.

    Olsen's parameters (theta = mu / sigma, eta = 1 / sigma) make the likelihood concave.
    """
    eta = np.sqrt(samples.n_exact / samples.spread)
    theta = np.zeros_like(eta)
    current = _log_likelihood(theta, eta, samples)
    going = np.ones(eta.size, bool)
    for _ in range(MAX_STEPS):
        gradient, hessian = _derivatives(theta, eta, samples)
        step = _solve(hessian, gradient)
        taken, gain = np.zeros_like(going), np.zeros_like(eta)
        scale = 1.0
        while scale > 1e-12 and (going & ~taken).any():
            new_theta, new_eta = theta - scale * step[0], eta - scale * step[1]
            positive = new_eta > 0
            value = _log_likelihood(new_theta, np.where(positive, new_eta, eta), samples)
            now = going & ~taken & positive & (value >= current)
            theta, eta = np.where(now, new_theta, theta), np.where(now, new_eta, eta)
            gain = np.where(now, value - current, gain)
            current = np.where(now, value, current)
            taken |= now
            scale /= 2.0
        slope = np.abs(gradient[0] * step[0] + gradient[1] * step[1])
        going &= taken & ~((slope < TOLERANCE) & (gain < TOLERANCE))
        if not going.any():
            break
    gradient, hessian = _derivatives(theta, eta, samples)
    step = _solve(hessian, gradient)
    good = np.abs(gradient[0] * step[0] + gradient[1] * step[1]) <= 1e-6
    by_theta, by_eta = 1.0 / eta, -theta / eta**2
    across = _solve(hessian, (by_theta, by_eta))
    with np.errstate(invalid="ignore"):
        se = np.sqrt(-(by_theta * across[0] + by_eta * across[1]))
    return theta / eta, 1.0 / eta, se, good & np.isfinite(se)


def _solve(
    matrix: tuple[Vector, Vector, Vector], right: tuple[Vector, Vector]
) -> tuple[Vector, Vector]:
    """Symmetric 2 x 2 systems (first, mixed, second); nan where one is singular."""
    first, mixed, second = matrix
    with np.errstate(divide="ignore", invalid="ignore"):
        determinant = first * second - mixed**2
        return (
            (second * right[0] - mixed * right[1]) / determinant,
            (first * right[1] - mixed * right[0]) / determinant,
        )


def _log_likelihood(theta: Vector, eta: Vector, samples: _Samples) -> Vector:
    n = samples.n_exact
    exact = n * (np.log(eta) - 0.5 * np.log(2 * np.pi) - 0.5 * theta**2)
    a, b = _bounds(theta, eta, samples)
    censored = samples.total(_log_mass(a, b))
    return np.asarray(exact - 0.5 * eta**2 * samples.spread + censored, float)


def _bounds(theta: Vector, eta: Vector, samples: _Samples) -> tuple[Vector, Vector]:
    """The bounds of each censored value in standard deviations from the mean."""
    t, e = theta[samples.sample], eta[samples.sample]
    return e * samples.low - t, e * samples.high - t


def _log_mass(a: Vector, b: Vector) -> Vector:
    """log(Phi(b) - Phi(a)), stable in both tails."""
    flip = a > 0
    a, b = np.where(flip, -b, a), np.where(flip, -a, b)
    log_a, log_b = log_ndtr(a), log_ndtr(b)
    with np.errstate(divide="ignore"):
        return np.asarray(log_b + np.log1p(-np.exp(log_a - log_b)))


def _derivatives(
    theta: Vector, eta: Vector, samples: _Samples
) -> tuple[tuple[Vector, Vector], tuple[Vector, Vector, Vector]]:
    """Gradient (theta, eta) and Hessian (theta theta, theta eta, eta eta) of each sample."""
    n, low, high = samples.n_exact, samples.low, samples.high
    a, b = _bounds(theta, eta, samples)
    mass = _log_mass(a, b)
    ra, rb = _ratio(a, mass), _ratio(b, mass)
    la, lb = np.where(np.isfinite(low), low, 0.0), np.where(np.isfinite(high), high, 0.0)
    za, zb = np.where(np.isfinite(a), a, 0.0), np.where(np.isfinite(b), b, 0.0)
    by_theta, by_eta = ra - rb, rb * lb - ra * la
    gradient = (
        samples.total(by_theta) - n * theta,
        samples.total(by_eta) + n / eta - eta * samples.spread,
    )
    hessian = (
        samples.total(za * ra - zb * rb - by_theta**2) - n,
        samples.total(zb * rb * lb - za * ra * la - by_theta * by_eta),
        samples.total(za * ra * la**2 - zb * rb * lb**2 - by_eta**2)
        - n / eta**2 - samples.spread,
    )  # fmt: skip
    return gradient, hessian


def _ratio(z: Vector, log_mass: Vector) -> Vector:
    """phi(z) / (Phi(b) - Phi(a)); 0 at an infinite bound."""
    with np.errstate(over="ignore", invalid="ignore"):
        log_phi = -0.5 * z**2 - 0.5 * np.log(2 * np.pi)
        return np.where(np.isfinite(z), np.exp(log_phi - log_mass), 0.0)
