"""Parametric bootstrap of a mixed model: variance components, ICC and fixed effects."""

from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from analysis.engine.structure import Array
from analysis.errors import UserError
from analysis.fits.fitted import FittedMixed
from analysis.fits.inference import CONF_LEVEL
from analysis.fits.replicates import projected, refit, simulated
from analysis.fits.restored import fitted_of
from analysis.results import Fit, finite

if TYPE_CHECKING:
    import polars as pl

MINIMUM = 100
BLOCK = 2_000_000
"""Simulated values held at a time."""


class BootstrapEstimate(NamedTuple):
    """One quantity. part: "fixed effect", "variance" or "share"; std_error: SD over replicates.

    Fixed effects: bootstrap-t interval and p-value. Others: percentile interval, no p-value.
    """

    part: str
    term: str
    estimate: float | None
    std_error: float | None
    conf_low: float | None
    conf_high: float | None
    p_value: float | None


@dataclass(frozen=True)
class BootstrapResult:
    """Result of `bootstrap`. n_failed: replicates without an optimum, left out of the numbers."""

    replicates: int
    n_failed: int
    seed: int
    conf_level: float
    estimates: tuple[BootstrapEstimate, ...]
    note: str

    def table(self) -> "pl.DataFrame":
        """part, term, estimate, std_error, conf_low, conf_high, p_value."""
        import polars as pl

        schema = {
            name: pl.String if name in ("part", "term") else pl.Float64
            for name in BootstrapEstimate._fields
        }
        return pl.DataFrame(list(self.estimates), schema=schema, orient="row")

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        rows = [row._asdict() for row in self.estimates]
        return {**asdict(self), "estimates": rows}

    @classmethod
    def from_dict(cls, content: dict[str, Any]) -> "BootstrapResult":
        """The result that `to_dict` described."""
        known = {item.name: content[item.name] for item in fields(cls)}
        rows = tuple(BootstrapEstimate(**row) for row in known.pop("estimates"))
        return cls(**known, estimates=rows)


NOTE = (
    "Parametric bootstrap: outcomes simulated from the fitted model and refitted. Fixed effects by "
    "bootstrap-t, variances and shares by percentiles. It is for variances, shares and the "
    "uncertainty of both, not a cure for few patients: there, Satterthwaite is the better answer."
)


class _Draws(NamedTuple):
    """Of each converged replicate, on the original scale; t: studentized fixed effects."""

    fixed: Array
    t: Array
    components: Array


def bootstrap(
    fit: Fit, replicates: int = 1000, seed: int = 0, *, frame: "pl.DataFrame | None" = None
) -> BootstrapResult:
    """Parametric bootstrap of a linear mixed model.

    frame: the data of the fit, needed when the fit was restored from JSON.
    Raises UserError for a fit without numbers, or fewer than 100 replicates.
    """
    if replicates < MINIMUM:
        raise UserError(f"bootstrap: {replicates} replicates are too few; use {MINIMUM} or more")
    fitted = fitted_of(fit, frame, "bootstrap")
    generator = np.random.default_rng(seed)
    step = max(1, BLOCK // fitted.design.n_observations)
    parts = [
        _draw(fitted, min(step, replicates - begin), generator)
        for begin in range(0, replicates, step)
    ]
    draws = _Draws(*(np.concatenate(items) for items in zip(*parts, strict=True)))
    kept = len(draws.fixed)
    if kept < MINIMUM:
        raise UserError(
            f"bootstrap: only {kept} of {replicates} simulated trials could be refitted; the "
            "random part is larger than the data can carry, take a smaller one"
        )
    rows = (*_fixed_rows(fitted, draws), *_component_rows(fitted, draws))
    return BootstrapResult(replicates, replicates - kept, seed, CONF_LEVEL, rows, NOTE)


def _draw(fitted: FittedMixed, replicates: int, generator: np.random.Generator) -> _Draws:
    design = fitted.design
    outcomes, coefficients = projected(design, simulated(fitted, replicates, generator))
    ends, scale = refit(fitted, outcomes)
    kept = ends.converged
    rows = fitted.scaled_rows(np.eye(coefficients.shape[1]))
    beta = coefficients + scale[:, None] * ends.point.beta
    moved = design.y_scale * beta @ rows.T
    relative = np.einsum("lp,rpq,lq->rl", rows, ends.point.covariance, rows, optimize=True)
    error = design.y_scale * scale[:, None] * np.sqrt(ends.point.sigma2[:, None] * relative)
    sigma2 = ends.point.sigma2 * (scale * design.y_scale) ** 2
    components = components_of(fitted, ends.theta, sigma2)
    return _Draws((fitted.beta + moved)[kept], (moved / error)[kept], components[kept])


def components_of(fitted: FittedMixed, theta: Array, sigma2: Array) -> Array:
    """Nested variances, variances of the block, residual, ICC: one row per replicate."""
    design = fitted.design
    relative, nested = design.structure.covariance(theta)
    inverse = np.linalg.inv(design.z_transform)
    block = inverse @ relative @ inverse.T * sigma2[:, None, None]
    row = design.matrices.z.mean(axis=0)
    between = np.einsum("i,rij,j->r", row, block, row)
    nested = nested * sigma2[:, None]
    total = between + nested.sum(axis=1) + sigma2
    variances = np.diagonal(block, axis1=1, axis2=2)
    return np.column_stack([nested, variances, sigma2, between / total])


def _fixed_rows(fitted: FittedMixed, draws: _Draws) -> list[BootstrapEstimate]:
    error = np.sqrt(np.diag(fitted.covariance))
    tail = (1 - CONF_LEVEL) / 2
    low, high = np.quantile(draws.t, [tail, 1 - tail], axis=0)
    observed = np.abs(fitted.beta / error)
    p_value = (1 + (np.abs(draws.t) >= observed).sum(axis=0)) / (1 + len(draws.t))
    columns = (
        fitted.beta,
        draws.fixed.std(axis=0, ddof=1),
        fitted.beta - high * error,
        fitted.beta - low * error,
        p_value,
    )
    return [
        BootstrapEstimate("fixed effect", name, *(finite(value) for value in values))
        for name, *values in zip(fitted.design.matrices.x_names, *columns, strict=True)
    ]


def _component_rows(fitted: FittedMixed, draws: _Draws) -> list[BootstrapEstimate]:
    design = fitted.design
    observed = components_of(fitted, fitted.optimum.theta[None], np.array([fitted.sigma2]))[0]
    tail = (1 - CONF_LEVEL) / 2
    low, high = np.quantile(draws.components, [tail, 1 - tail], axis=0)
    names = [
        *(("variance", f"{design.group}:{name}") for name in design.nested),
        *(("variance", f"{design.group} {name}") for name in design.matrices.z_names),
        ("variance", "Residual"),
        ("share", "ICC"),
    ]
    spread = draws.components.std(axis=0, ddof=1)
    return [
        BootstrapEstimate(part, name, *[finite(value) for value in (*values, None)])
        for (part, name), *values in zip(names, observed, spread, low, high, strict=True)
    ]
