"""Logarithm of a kinetic curve and its derivatives, in parameters that may take any real value.

Growth from the value at infusion to the peak, then decline (Stein AM et al. 2019,
doi:10.1002/psp4.12388); with a lag, the value stays where it is until growth starts (the
population model of lisocabtagene maraleucel, doi:10.1007/s40262-021-01039-5). Positive parameters
are on the natural log scale, the share of the slow decline and the lag as a share of Tmax on the
logit scale.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from scipy.special import expit

from analysis.engine.structure import Array

FOLD, TMAX, CMAX, CONTRACTION, SHARE, SLOW, LAG = range(7)
NAMES = (
    "fold", "tmax_day", "cmax", "contraction_per_day", "memory_fraction", "memory_per_day",
    "lag_share",
)  # fmt: skip
LOGIT = frozenset({SHARE, LAG})


class Form(NamedTuple):
    """Which of the parameters a curve has, and what it is called."""

    name: str
    words: str
    parameters: tuple[int, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Names of its parameters in order."""
        return tuple(NAMES[index] for index in self.parameters)


FORMS: Mapping[str, Form] = {
    "single_decline": Form(
        "single_decline", "growth and one decline", (FOLD, TMAX, CMAX, CONTRACTION)
    ),
    "stein": Form(
        "stein", "growth and a decline in two phases (Stein 2019)",
        (FOLD, TMAX, CMAX, CONTRACTION, SHARE, SLOW),
    ),
    "lag_biphasic": Form(
        "lag_biphasic", "lag, growth and a decline in two phases",
        (FOLD, TMAX, CMAX, CONTRACTION, SHARE, SLOW, LAG),
    ),
}  # fmt: skip


def log_curve(u: Array, t: Array, form: Form) -> Array:
    """ln of the value; u (..., parameters) against t (..., samples), days since infusion."""
    return _parts(u, t, form, gradient=False)[0]


def log_curve_gradient(u: Array, t: Array, form: Form) -> tuple[Array, Array]:
    """ln of the value, and its derivatives (..., samples, parameters)."""
    value, gradient = _parts(u, t, form, gradient=True)
    return value, gradient


def natural(u: Array, form: Form) -> Array:
    """The parameters in their own units (fold, days, unit of the assay, per day, shares)."""
    logit = np.array([index in LOGIT for index in form.parameters])
    return np.asarray(
        np.where(logit, expit(u), np.exp(np.clip(np.where(logit, 0.0, u), -700, 700))), float
    )


def fast_first(u: Array, form: Form) -> Array:
    """The same curve named so that the fast decline comes first."""
    if SLOW not in form.parameters or u[SLOW] <= u[CONTRACTION]:
        return u
    turned = u.copy()
    turned[CONTRACTION], turned[SLOW], turned[SHARE] = u[SLOW], u[CONTRACTION], -u[SHARE]
    return turned


def _positive(log: Array) -> Array:
    """exp, kept a number for draws of a parameter that the samples do not hold."""
    return np.asarray(np.exp(np.clip(log, -50.0, 50.0)))


def _parts(u: Array, t: Array, form: Form, gradient: bool) -> tuple[Array, Array]:
    column = {index: u[..., k, None] for k, index in enumerate(form.parameters)}
    tmax, fast = _positive(column[TMAX]), _positive(column[CONTRACTION])
    share = expit(column[LAG]) if LAG in column else np.zeros_like(tmax)
    grown = np.clip(t - share * tmax, 0.0, None) / (tmax * (1.0 - share))
    since = np.clip(t - tmax, 0.0, None)
    rising = t < tmax
    if SLOW in column:
        slow, logit = _positive(column[SLOW]), column[SHARE]
        a = -np.logaddexp(0.0, logit) - fast * since
        b = -np.logaddexp(0.0, -logit) - slow * since
        falling = np.logaddexp(a, b)
        late = np.exp(b - falling)
    else:
        slow, falling, late = np.zeros_like(fast), -fast * since, np.zeros_like(since)
    value = column[CMAX] + np.where(rising, (grown - 1.0) * column[FOLD], falling)
    if not gradient:
        return value, np.empty(0)
    growing = rising & (t > share * tmax)
    by = {
        FOLD: np.where(rising, grown - 1.0, 0.0),
        TMAX: np.where(
            rising,
            np.where(growing, -column[FOLD] * t / (tmax * (1.0 - share)), 0.0),
            tmax * ((1.0 - late) * fast + late * slow),
        ),
        CMAX: np.ones_like(value),
        CONTRACTION: np.where(rising, 0.0, -(1.0 - late) * fast * since),
    }
    if SLOW in column:
        by[SHARE] = np.where(rising, 0.0, late - expit(column[SHARE]))
        by[SLOW] = np.where(rising, 0.0, -late * slow * since)
    if LAG in column:
        by[LAG] = np.where(growing, column[FOLD] * (t - tmax) * share / (tmax * (1.0 - share)), 0.0)
    return value, np.stack([by[index] for index in form.parameters], axis=-1)
