"""Mean of log-normal values when some are known only to lie between limits (Tobit).

Values below the limit stay in the likelihood as what they are, so that neither dropping them
(mean too high) nor setting them to half the limit (spread too low) is needed.
Reference: Tobin 1958, doi:10.2307/1907382; Olsen 1978 for the concave parametrization,
doi:10.2307/1913826.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import log_ndtr

from analysis.compute.intervals import MIN_FOR_MEAN, t_quantile

Vector = NDArray[np.float64]
MAX_STEPS = 60
TOLERANCE = 1e-10


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
    y, low, high = _logs(value, lower, upper)
    exact = ~np.isnan(y)
    n, n_censored = int(y.size), int((~exact).sum())
    nan = float("nan")
    reason = _too_little(y[exact], n)
    if reason:
        return CensoredMean(n, n_censored, nan, nan, nan, nan, conf_level, reason)
    if n_censored == 0:
        center, sd = float(y.mean()), float(y.std(ddof=1))
        se = sd / np.sqrt(n)
    else:
        found = _maximize(y[exact], low[~exact], high[~exact])
        if found is None:
            text = "likelihood has no maximum"
            return CensoredMean(n, n_censored, nan, nan, nan, nan, conf_level, text)
        center, sd, se = found
    half = t_quantile(conf_level, max(int(exact.sum()) - 1, 1)) * se
    return CensoredMean(
        n, n_censored, float(np.exp(center)), float(np.exp(center - half)),
        float(np.exp(center + half)), sd, conf_level,
    )  # fmt: skip


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


def _too_little(exact: Vector, n: int) -> str:
    if n < MIN_FOR_MEAN:
        return f"fewer than {MIN_FOR_MEAN} values"
    if exact.size == 0:
        return "all values below or above a limit"
    if exact.size < 2 or np.ptp(exact) == 0:
        return "fewer than two different exact values"
    return ""


def _maximize(exact: Vector, low: Vector, high: Vector) -> tuple[float, float, float] | None:
    """Mean, SD and standard error of the mean on the log scale, by Newton steps.

    Olsen's parameters (theta = mu / sigma, eta = 1 / sigma) make the likelihood concave.
    """
    eta = 1.0 / float(exact.std())
    theta = float(exact.mean()) * eta
    current = _log_likelihood(theta, eta, exact, low, high)
    for _ in range(MAX_STEPS):
        gradient, hessian = _derivatives(theta, eta, exact, low, high)
        step = np.linalg.solve(hessian, gradient)
        scale, improved = 1.0, False
        while scale > 1e-12:
            new_theta, new_eta = theta - scale * step[0], eta - scale * step[1]
            if new_eta > 0:
                value = _log_likelihood(new_theta, new_eta, exact, low, high)
                if value >= current:
                    improved = True
                    break
            scale /= 2.0
        if not improved:
            break
        theta, eta, gain, current = new_theta, new_eta, value - current, value
        if abs(float(gradient @ step)) < TOLERANCE and gain < TOLERANCE:
            break
    gradient, hessian = _derivatives(theta, eta, exact, low, high)
    if abs(float(gradient @ np.linalg.solve(hessian, gradient))) > 1e-6:
        return None
    covariance = np.linalg.inv(-hessian)
    jacobian = np.array([1.0 / eta, -theta / eta**2])
    return theta / eta, 1.0 / eta, float(np.sqrt(jacobian @ covariance @ jacobian))


def _log_likelihood(theta: float, eta: float, y: Vector, low: Vector, high: Vector) -> float:
    z = eta * y - theta
    exact = float((np.log(eta) - 0.5 * np.log(2 * np.pi) - 0.5 * z**2).sum())
    return exact + float(_log_mass(eta * low - theta, eta * high - theta).sum())


def _log_mass(a: Vector, b: Vector) -> Vector:
    """log(Phi(b) - Phi(a)), stable in both tails."""
    flip = a > 0
    a, b = np.where(flip, -b, a), np.where(flip, -a, b)
    log_a, log_b = log_ndtr(a), log_ndtr(b)
    with np.errstate(divide="ignore"):
        return np.asarray(log_b + np.log1p(-np.exp(log_a - log_b)))


def _derivatives(
    theta: float, eta: float, y: Vector, low: Vector, high: Vector
) -> tuple[Vector, Vector]:
    z = eta * y - theta
    gradient = np.array([z.sum(), (1.0 / eta - z * y).sum()])
    cross = y.sum()
    hessian = np.array([[-y.size, cross], [cross, -(1.0 / eta**2 + y**2).sum()]])
    a, b = eta * low - theta, eta * high - theta
    mass = _log_mass(a, b)
    ra, rb = _ratio(a, mass), _ratio(b, mass)
    la, lb = np.where(np.isfinite(low), low, 0.0), np.where(np.isfinite(high), high, 0.0)
    za, zb = np.where(np.isfinite(a), a, 0.0), np.where(np.isfinite(b), b, 0.0)
    first_theta, first_eta = ra - rb, rb * lb - ra * la
    gradient += np.array([first_theta.sum(), first_eta.sum()])
    second = np.array(
        [
            [(za * ra - zb * rb), (zb * rb * lb - za * ra * la)],
            [(zb * rb * lb - za * ra * la), (za * ra * la**2 - zb * rb * lb**2)],
        ]
    )
    outer = np.array(
        [
            [first_theta**2, first_theta * first_eta],
            [first_theta * first_eta, first_eta**2],
        ]
    )
    hessian = hessian + (second - outer).sum(axis=2)
    return gradient, hessian


def _ratio(z: Vector, log_mass: Vector) -> Vector:
    """phi(z) / (Phi(b) - Phi(a)); 0 at an infinite bound."""
    with np.errstate(over="ignore", invalid="ignore"):
        log_phi = -0.5 * z**2 - 0.5 * np.log(2 * np.pi)
        return np.where(np.isfinite(z), np.exp(log_phi - log_mass), 0.0)
