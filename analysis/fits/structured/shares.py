"""Where the variance lies: means over the observations of every part's own variance.

With a residual variance that differs between observations the residual's is its mean over them, as
the observation-level variance of Nakagawa S, Johnson PCD, Schielzeth H 2017
(doi:10.1098/rsif.2017.0213); effects with slopes likewise (Johnson PCD 2014,
doi:10.1111/2041-210X.12225).
"""

from typing import NamedTuple

import numpy as np

from analysis.engine.structure import Array
from analysis.fits.structured.fitted import FittedStructured
from analysis.fits.structured.terms import Effects
from analysis.results import finite


class Variances(NamedTuple):
    """Mean variances on the scale of the data."""

    fixed: float
    between: float
    nested: float
    crossed: float
    residual: float

    @property
    def random(self) -> float:
        """All that the fixed part does not explain."""
        return self.between + self.nested + self.crossed + self.residual


def mean_variances(fitted: FittedStructured) -> Variances:
    """Of the fixed part, of patients, of nested and crossed factors and of the residual."""
    sums = dict.fromkeys(("patient", "nested", "crossed"), 0.0)
    for one in fitted.effects:
        sums[one.role] += _mean_variance(fitted, one)
    fixed = float(np.var(fitted.fixed_fitted))
    return Variances(
        fixed, sums["patient"], sums["nested"], sums["crossed"], mean_residual_variance(fitted)
    )


def _mean_variance(fitted: FittedStructured, effects: Effects) -> float:
    own = fitted.dense.split.of(fitted.theta)[fitted.effects.index(effects)]
    z = effects.part.z
    psi = effects.part.psi(own)
    return fitted.design.y_scale**2 * float(np.einsum("ij,jk,ik->i", z, psi, z).mean())


def mean_residual_variance(fitted: FittedStructured) -> float:
    """Mean over the observations."""
    own, total = fitted.dense.split.of(fitted.theta)[-1], 0.0
    for rows in fitted.dense.batches:
        value = fitted.dense.parts[-1].covariance(own, rows)[0]
        total += float(np.einsum("mnn->", value))
    return fitted.design.y_scale**2 * total / fitted.design.n_observations


def marginal_r_squared(fitted: FittedStructured) -> float | None:
    """Share of the variance that the fixed part explains."""
    found = mean_variances(fitted)
    return finite(found.fixed / (found.fixed + found.random))


def between_share(fitted: FittedStructured, row: Array | None = None) -> float | None:
    """Intraclass correlation at a row of the random design, or where an average observation lies;
    None without patients' effects."""
    effects = fitted.patient_effects
    if effects is None:
        return None
    found = mean_variances(fitted)
    row = fitted.design.matrices.z.mean(axis=0) if row is None else row
    between = float(row @ fitted.block @ row)
    return finite(between / (between + found.random - found.between))
