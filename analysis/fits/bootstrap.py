"""Parametric bootstrap of a mixed model: variance components, ICC and fixed effects."""

from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from analysis.engine.structure import Array
from analysis.errors import UserError
from analysis.fits.fitted import FittedMixed
from analysis.fits.inference import BOOTSTRAP_REPLICATES, Tested
from analysis.fits.inference_sentences import bootstrap_sentence
from analysis.fits.replicates import projected, refit, simulated
from analysis.fits.restored import fitted_of
from analysis.fits.structured import FittedStructured
from analysis.fits.structured import replicates as structured
from analysis.frames import takes_frames
from analysis.results import Fit, finite

if TYPE_CHECKING:
    import polars as pl

MINIMUM = 100
BLOCK = 2_000_000
"""Simulated values held at a time."""


class BootstrapEstimate(NamedTuple):
    """One quantity. part: "fixed effect", "variance", "correlation" or "share"; std_error: SD over
    replicates.

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
    """Result of `bootstrap`. n_failed: replicates without an optimum, left out of the numbers.

    sentence: what was found, with the patients, the method and its seed.
    """

    replicates: int
    n_failed: int
    seed: int
    conf_level: float
    estimates: tuple[BootstrapEstimate, ...]
    note: str
    n_subjects: int = 0
    n_observations: int = 0
    sentence: str = ""

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
        known = {item.name: content[item.name] for item in fields(cls) if item.name in content}
        rows = tuple(BootstrapEstimate(**row) for row in known.pop("estimates"))
        return cls(**known, estimates=rows)


NOTE = (
    "Parametric bootstrap: outcomes simulated from the fitted model and refitted. Fixed effects by "
    "bootstrap-t, variances and shares by percentiles. It is for variances, shares and the "
    "uncertainty of both, not a cure for few patients: there, Satterthwaite is the better answer."
)
SIMULATED = "trials simulated from the fitted model (parametric bootstrap"


class Draws(NamedTuple):
    """Of each converged replicate. effects: simulated fixed effects less the fitted ones, in scaled
    units, (R, p); covariance: of them, (R, p, p); components: see `components_of`."""

    effects: Array
    covariance: Array
    components: Array


@takes_frames
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
    found = draws(fitted, replicates, seed)
    rows = (*_fixed_rows(fitted, found), *_component_rows(fitted, found))
    failed = replicates - len(found.effects)
    return bootstrap_result(fitted, SIMULATED, rows, replicates, failed, seed, NOTE)


def bootstrap_result(
    fitted: FittedMixed | FittedStructured,
    method: str,
    rows: tuple[BootstrapEstimate, ...],
    replicates: int,
    n_failed: int,
    seed: int,
    note: str,
) -> BootstrapResult:
    """The result with its sentence. method: what the replicates are, in words."""
    n, values = fitted.design.n_subjects, fitted.design.n_observations
    sentence = bootstrap_sentence(method, rows, replicates, n_failed, seed, fitted.level, n, values)
    return BootstrapResult(
        replicates, n_failed, seed, fitted.level, rows, note, n, values, sentence
    )


def bootstrap_tested(fitted: FittedMixed | FittedStructured, rows: Array) -> Tested:
    """Bootstrap-t intervals and p-values of contrasts (rows, on the original scale)."""
    if fitted.simulated is None:
        fitted.simulated = draws(fitted, BOOTSTRAP_REPLICATES, fitted.seed)
    moved, error = _contrast_draws(fitted, fitted.simulated, rows)
    estimate = rows @ fitted.beta
    own = np.sqrt(np.einsum("lp,pq,lq->l", rows, fitted.covariance, rows))
    tail = (1 - fitted.level) / 2
    low, high = np.quantile(moved / error, [tail, 1 - tail], axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        statistic = estimate / own
    extreme = (np.abs(moved / error) >= np.abs(statistic)).sum(axis=0)
    p_value = (1 + extreme) / (1 + len(moved))
    df = np.full(len(rows), np.nan)
    return Tested(
        estimate, own, df, statistic, p_value, estimate - high * own, estimate - low * own
    )


def draws(fitted: FittedMixed | FittedStructured, replicates: int, seed: int) -> Draws:
    """Simulate and refit. Raises UserError when fewer than 100 replicates have an optimum."""
    generator = np.random.default_rng(seed)
    step = max(1, BLOCK // fitted.design.n_observations)
    parts = [
        _draw(fitted, min(step, replicates - begin), generator)
        for begin in range(0, replicates, step)
    ]
    found = Draws(*(np.concatenate(items) for items in zip(*parts, strict=True)))
    if len(found.effects) < MINIMUM:
        raise UserError(
            f"bootstrap: only {len(found.effects)} of {replicates} simulated trials could be "
            "refitted; the random part is larger than the data can carry, take a smaller one"
        )
    return found


def _draw(
    fitted: FittedMixed | FittedStructured, replicates: int, generator: np.random.Generator
) -> Draws:
    if isinstance(fitted, FittedStructured):
        return Draws(
            *structured.redrawn(fitted, structured.simulated(fitted, replicates, generator))
        )
    outcomes, coefficients = projected(fitted.design, simulated(fitted, replicates, generator))
    ends, scale = refit(fitted, outcomes)
    kept = ends.converged
    sigma2 = ends.point.sigma2 * scale**2
    components = components_of(fitted, ends.theta, sigma2 * fitted.design.y_scale**2)
    return Draws(
        (coefficients + scale[:, None] * ends.point.beta)[kept],
        (sigma2[:, None, None] * ends.point.covariance)[kept],
        components[kept],
    )


def _contrast_draws(
    fitted: FittedMixed | FittedStructured, found: Draws, rows: Array
) -> tuple[Array, Array]:
    """Deviations of contrasts from the fitted ones, and their standard errors: (R, L)."""
    scaled, y_scale = fitted.scaled_rows(rows), fitted.design.y_scale
    variance = ((scaled @ found.covariance) * scaled).sum(axis=2)
    return y_scale * found.effects @ scaled.T, y_scale * np.sqrt(variance)


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


def observed_components(fitted: FittedMixed | FittedStructured) -> Array:
    """Those of the fit itself, (columns,)."""
    if isinstance(fitted, FittedStructured):
        return structured.component_values(fitted)
    found = components_of(fitted, fitted.optimum.theta[None], np.array([fitted.sigma2]))
    return np.asarray(found[0])


def component_names(fitted: FittedMixed | FittedStructured) -> list[tuple[str, str]]:
    """Part and name of the columns of `components_of`."""
    if isinstance(fitted, FittedStructured):
        return structured.component_names(fitted)
    design = fitted.design
    return [
        *(("variance", f"{design.group}:{name}") for name in design.nested),
        *(("variance", f"{design.group} {name}") for name in design.matrices.z_names),
        ("variance", "Residual"),
        ("share", "ICC"),
    ]


def _fixed_rows(fitted: FittedMixed | FittedStructured, found: Draws) -> list[BootstrapEstimate]:
    rows = np.eye(len(fitted.beta))
    moved, drawn_error = _contrast_draws(fitted, found, rows)
    studentized = moved / drawn_error
    # As the draws: a ratio of the one error to the other is no part of the distribution.
    error = np.sqrt(np.diag(fitted.model_covariance))
    tail = (1 - fitted.level) / 2
    low, high = np.quantile(studentized, [tail, 1 - tail], axis=0)
    observed = np.abs(fitted.beta / error)
    p_value = (1 + (np.abs(studentized) >= observed).sum(axis=0)) / (1 + len(moved))
    columns = (
        fitted.beta,
        moved.std(axis=0, ddof=1),
        fitted.beta - high * error,
        fitted.beta - low * error,
        p_value,
    )
    return [
        BootstrapEstimate("fixed effect", name, *(finite(value) for value in values))
        for name, *values in zip(fitted.design.matrices.x_names, *columns, strict=True)
    ]


def _component_rows(
    fitted: FittedMixed | FittedStructured, found: Draws
) -> list[BootstrapEstimate]:
    observed = observed_components(fitted)
    tail = (1 - fitted.level) / 2
    low, high = np.quantile(found.components, [tail, 1 - tail], axis=0)
    spread = found.components.std(axis=0, ddof=1)
    return [
        BootstrapEstimate(part, name, *[finite(value) for value in (*values, None)])
        for (part, name), *values in zip(
            component_names(fitted), observed, spread, low, high, strict=True
        )
    ]
