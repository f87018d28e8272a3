"""Mixed models beyond cross-products: residual structures, weights, slopes of nested levels and
crossed effects. `fit_mixed` comes here when one of them is asked for."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from analysis.engine.covariance_parts import Part, RandomTerm
from analysis.engine.dense_likelihood import DenseLikelihood
from analysis.engine.structure import Array
from analysis.errors import UserError
from analysis.fits import statsmodels_bridge as bridge
from analysis.fits.design import Design, numbered, orthonormal
from analysis.fits.guards import Problem
from analysis.fits.residual_spec import ResidualRows, ResidualSpec, residual_part
from analysis.fits.structured import FittedStructured, fitted_structured
from analysis.results import Check, Fit, finite

if TYPE_CHECKING:
    import polars as pl

METHOD = (
    "Linear mixed model by {name} with {parts}; likelihood of each patient's covariance with exact "
    "gradient, Fisher scoring, then Newton with the observed information."
)
CROSSED_NOTE = (
    " Effects that cross patients are fitted with the covariance of all values at once; "
    "statsmodels evaluates the same likelihood."
)
REFERENCES = (
    "Pinheiro JC, Bates DM. Mixed-effects models in S and S-PLUS. Springer 2000. "
    "doi:10.1007/b98882",
    "Sabanes Bove D et al. mmrm: mixed models for repeated measures. R package. "
    "doi:10.32614/CRAN.package.mmrm",
)
LARGEST_CLUSTER = 1_000
"""Values under crossed effects. The cost is cubic: 800 values took 10 s of one processor, 2,000
would take minutes."""


class NestedTerm(NamedTuple):
    """A factor inside the patient and the formula of its effects; "1" is an intercept."""

    column: str
    effects: str


@dataclass(frozen=True)
class Structure:
    """What is asked for beside the patient's random effects."""

    residual: ResidualSpec
    nested: tuple[NestedTerm, ...]
    crossed: tuple[str, ...]
    weights: str

    @property
    def is_plain(self) -> bool:
        """Whether cross-products can carry it."""
        simple = all(term.effects == "1" for term in self.nested)
        return (
            self.residual.kind == "independent" and simple and not self.crossed and not self.weights
        )

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns it needs beside those of the formulas."""
        effects = set[str]()
        for term in self.nested:
            effects |= bridge.parse_formula("_one ~ 1", term.effects).variables - {"_one"}
        named = (*(term.column for term in self.nested), *sorted(effects), *self.crossed)
        return tuple(name for name in (*named, self.residual.column, self.weights) if name)


def parse_nested(texts: tuple[str, ...]) -> tuple[NestedTerm, ...]:
    """ "lesion" is a random intercept of each lesion, "lesion: 1 + rel_day" a slope as well."""
    terms = []
    for text in texts:
        column, _, effects = text.partition(":")
        terms.append(NestedTerm(column.strip(), effects.strip() or "1"))
    return tuple(terms)


def fit_structured(
    shell: Fit, design: Design, structure: Structure, verify: bool, *, with_random: bool
) -> Fit | Problem:
    """The fit of complete, checked rows; a Problem where the data cannot carry it.

    with_random: the patient has random effects of its own. Raises UserError for a combination that
    has no meaning.
    """
    from analysis.fits.inference import estimates

    root = _weights(design.frame, structure.weights)
    plain = design.matrices.y - design.matrices.x @ design.b_ols
    unit = _codes(design.frame, (design.group, *(term.column for term in structure.nested)))
    mean_weight = 1.0 if root is None else float((root**2).mean())
    relative = None if root is None else root / np.sqrt(mean_weight)
    residual = residual_part(
        structure.residual,
        ResidualRows(
            design.frame, design.patient, unit, design.x_scaled, plain / design.y_scale, relative
        ),
    )
    if isinstance(residual, Problem):
        return residual
    terms = _random_terms(design, structure, shell.covariance == "diagonal", with_random)
    problem = _levels_problem(terms, design)
    if problem is not None:
        return problem
    cluster = design.patient
    if structure.crossed:
        if design.n_observations > LARGEST_CLUSTER:
            raise UserError(
                f"crossed effects of {design.n_observations:,} values: at most "
                f"{LARGEST_CLUSTER:,} can be held at once; average repeated values first"
            )
        cluster = np.zeros(design.n_observations, dtype=np.intp)
    parts: tuple[Part, ...] = (*terms, residual)
    dense = DenseLikelihood(design.x_scaled, design.y_scaled, cluster, parts, shell.reml)
    try:
        fitted = fitted_structured(
            design, dense, shell.inference, shell.joint_inference, shell.conf_level, mean_weight
        )
    except np.linalg.LinAlgError:
        return NOT_CONVERGED
    if not fitted.converged:
        return NOT_CONVERGED
    words = [structure.residual.words]
    words += ["random effects of " + " and ".join(term.name for term in terms)] if terms else []
    words += [f"weights {structure.weights}"] if structure.weights else []
    name = "REML" if shell.reml else "maximum likelihood"
    return shell.replace(
        method=METHOD.format(name=name, parts=", ".join(words))
        + CROSSED_NOTE * bool(structure.crossed),
        references=(*shell.references, *REFERENCES),
        estimates=estimates(fitted),
        variance_components=fitted.variance_components(),
        criterion=finite(fitted.criterion),
        log_likelihood=finite(-fitted.criterion / 2),
        design=fitted,
        checks=_checks(fitted, structure, verify),
    )


NOT_CONVERGED = Problem(
    "not_converged",
    "No optimum of the likelihood was found.",
    "Ask a simpler question: fewer random effects, or a simpler residual.",
)


def _weights(frame: "pl.DataFrame", column: str) -> Array | None:
    if not column:
        return None
    if not frame.schema[column].is_numeric():
        raise UserError(f"weights: column '{column}' must be a number")
    values = frame[column].cast(float).to_numpy()
    bad = int((~(np.isfinite(values) & (values > 0))).sum())
    if bad:
        raise UserError(
            f"weights: {bad} values of '{column}' are not positive numbers; a weight is the "
            "inverse of a relative variance"
        )
    return np.asarray(np.sqrt(values))


def _random_terms(
    design: Design, structure: Structure, diagonal: bool, with_random: bool
) -> tuple[RandomTerm, ...]:
    """The patient's effects (none beside an unstructured covariance), nested and crossed ones."""
    names = tuple(design.matrices.z_names)
    if structure.residual.kind == "unstructured":
        if names != ("(Intercept)",) or structure.nested or structure.crossed:
            raise UserError(
                "residual: an unstructured covariance holds all that goes together within a "
                "patient; leave out slopes, nested and crossed effects"
            )
        return ()
    terms: list[RandomTerm] = []
    if with_random:
        terms.append(
            RandomTerm(
                design.group, names, design.z_scaled, design.patient, diagonal, design.z_transform
            )
        )
    for nested in structure.nested:
        codes = _codes(design.frame, (design.group, nested.column))
        z, names = _effects(design.frame, nested)
        scaled, transform = orthonormal(z)
        name = f"{design.group}:{nested.column}"
        terms.append(RandomTerm(name, names, scaled, codes, transform=transform))
    for name in structure.crossed:
        codes = numbered(design.frame[name])[1]
        ones = np.ones((design.n_observations, 1))
        terms.append(RandomTerm(name, ("(Intercept)",), ones, codes))
    return tuple(terms)


def _effects(frame: "pl.DataFrame", nested: NestedTerm) -> tuple[Array, tuple[str, ...]]:
    if nested.effects == "1":
        return np.ones((frame.height, 1)), ("(Intercept)",)
    data = frame.with_columns(_one=1.0)
    matrices = bridge.build_matrices(data, "_one ~ 1", nested.effects)
    return matrices.z, tuple(matrices.z_names)


def _codes(frame: "pl.DataFrame", columns: tuple[str, ...]) -> np.ndarray:
    keys = frame.select(columns).rows()
    known = {key: number for number, key in enumerate(dict.fromkeys(keys))}
    return np.array([known[key] for key in keys], dtype=np.intp)


def _levels_problem(terms: tuple[RandomTerm, ...], design: Design) -> Problem | None:
    n = design.n_observations
    for term in terms:
        levels = int(term.level.max()) + 1
        if levels < 2 or levels == n:
            each = "one level" if levels < 2 else "a level of its own for each value"
            return Problem(
                "nested_levels" if levels < n else "one_visit_each",
                f"'{term.name}' has {each}, so its variance cannot be told from the rest.",
                f"Leave '{term.name}' out.",
            )
    return None


def _checks(fitted: FittedStructured, structure: Structure, verify: bool) -> tuple[Check, ...]:
    score = float(np.abs(fitted.point.score).max())
    found = [
        Check("convergence", "ok", "The search ended at an optimum of the likelihood.", score),
        _verified(fitted, structure) if verify else NOT_VERIFIED,
    ]
    if fitted.singular:
        found.append(
            Check(
                "boundary", "note",
                f"Singular fit: {'; '.join(fitted.singular)}. A smaller random part says the same "
                "more simply.",
            )
        )  # fmt: skip
    if fitted.correlation_at_edge:
        found.append(
            Check(
                "boundary", "warning",
                "The correlation of the residuals lies at the edge of what it can be, so intervals "
                "are rough; leave it out, or take the random effects out that say the same.",
            )
        )  # fmt: skip
    return tuple(found)


NOT_VERIFIED = Check("verified", "note", "statsmodels was not asked to confirm this optimum.")
OTHER = Check(
    "verified", "note",
    "statsmodels has no such covariance and cannot confirm this optimum; the likelihood's slope is "
    "zero there, and it is checked against nlme and mmrm on published data.",
)  # fmt: skip


def _verified(fitted: FittedStructured, structure: Structure) -> Check:
    """Crossed and nested effects with independent residuals exist in statsmodels as well."""
    if structure.residual.kind != "independent" or structure.weights:
        return OTHER
    terms = [part for part in fitted.dense.parts if isinstance(part, RandomTerm)]
    if any(term.z.shape[1] > 1 for term in terms):
        return OTHER
    residual = float(np.exp(2 * fitted.theta[-1]))
    sizes = [float(own[0] ** 2) for own in fitted.dense.split.of(fitted.theta)[: len(terms)]]
    llf = bridge.crossed_likelihood(
        fitted.dense.y, fitted.dense.x, [term.level for term in terms],
        [size / residual for size in sizes], fitted.dense.reml,
    )  # fmt: skip
    if llf is None:
        return OTHER
    gap = abs(llf - fitted.point.value)
    if gap < 1e-4 * max(1.0, abs(fitted.point.value)):
        return Check(
            "verified", "ok", "statsmodels finds the same log-likelihood at this optimum.", gap
        )
    return Check(
        "verified", "warning",
        f"statsmodels finds another log-likelihood at this optimum (gap {gap:.2g}); report this.",
        gap,
    )  # fmt: skip
