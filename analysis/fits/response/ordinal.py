"""Grades as the outcome: proportional odds regression of an ordered category."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from analysis.compute.confidence_level import require_level
from analysis.engine.binary_likelihood import binary_likelihood, chances
from analysis.engine.maximum import Maximum, maximize, profile_interval
from analysis.engine.structure import Array
from analysis.errors import UserError
from analysis.fits.guards import Problem
from analysis.fits.mixed import judged, refused
from analysis.fits.response.rows import complete_rows, sides
from analysis.fits.response.separation import grades_separated, separated
from analysis.fits.survival.design import Covariates, covariates_of
from analysis.fits.versions import provenance
from analysis.frames import takes_frames
from analysis.number_words import count, number
from analysis.results import Check, Estimate, Fit, finite

if TYPE_CHECKING:
    import polars as pl

KIND = "proportional odds regression"
METHOD = (
    "Proportional odds regression by maximum likelihood; tests and intervals by likelihood ratio. "
    "The common odds ratio is checked by Brant's test."
)
REFERENCES = (
    "McCullagh P. Regression models for ordinal data. J R Stat Soc B 1980. "
    "doi:10.1111/j.2517-6161.1980.tb01109.x",
    "Brant R. Assessing proportionality in the proportional odds model for ordinal logistic "
    "regression. Biometrics 1990. doi:10.2307/2532457",
)


@takes_frames
def fit_ordinal(frame: "pl.DataFrame", formula: str, *, level: float = 0.95) -> Fit:
    """Fit "grade ~ covariates"; estimates are log odds ratios of a higher grade.

    The outcome is a whole number or an Enum in its declared order. One row per patient. A model
    that cannot be fitted comes back not_estimable. Raises UserError for a column that does not
    exist or an outcome without an order.
    """
    require_level(level)
    outcome, right = sides(formula)
    kept, excluded = complete_rows(frame, outcome, right, None)
    grade, labels = _grades(kept, outcome)
    shell = Fit(
        kind=KIND, status="not_estimable", reason=None, sentence="", formula=formula,
        reml=False, inference="likelihood_ratio", conf_level=level, method=METHOD,
        inference_note="Likelihood ratio.", references=REFERENCES, provenance=provenance(),
        excluded=excluded, n_subjects=kept.height, n_observations=kept.height,
    )  # fmt: skip
    if len(labels) < 2:
        return refused(
            shell,
            Problem("constant_outcome", f"All patients have one value of {outcome}.",
                    "There is nothing to explain; give the count."),
        )  # fmt: skip
    design = covariates_of(kept.with_columns(_grade=grade), right, "_grade")
    if isinstance(design, Problem):
        return refused(shell, design)
    fitted = FittedOrdinal(design, grade, labels, level)
    if not fitted.found.converged or grades_separated(design.scaled, grade, fitted.n_cuts):
        return refused(
            shell,
            Problem("separation", "The covariates order the grades, so an estimate has no end.",
                    "Show the values by grade, join rare categories, or fit one cut with a "
                    "penalty (fit_logistic)."),
        )  # fmt: skip
    checks = (_size(fitted), brant_check(fitted))
    status, reason, advice = judged(checks)
    fit = shell.replace(
        estimates=fitted.estimates(), log_likelihood=fitted.found.value,
        criterion=-2 * fitted.found.value, checks=checks, status=status, reason=reason,
        advice=advice, design=fitted,
    )  # fmt: skip
    return fit.replace(sentence=_sentence(fit, len(labels)))


def _grades(frame: "pl.DataFrame", outcome: str) -> tuple[Array, tuple[str, ...]]:
    import polars as pl

    column = frame[outcome]
    if isinstance(column.dtype, pl.Enum):
        seen = set(column.cast(pl.String))
        labels = [name for name in column.dtype.categories.to_list() if name in seen]
        text = column.cast(pl.String).to_list()
    elif column.dtype.is_numeric():
        values = column.cast(pl.Float64).to_list()
        labels = [f"{value:g}" for value in sorted(set(values))]
        text = [f"{value:g}" for value in values]
    else:
        raise UserError(
            f"outcome '{outcome}' is text without an order; give a number, or an Enum in its order"
        )
    places = {name: float(place) for place, name in enumerate(labels)}
    return np.array([places[name] for name in text]), tuple(labels)


@dataclass(eq=False)
class FittedOrdinal:
    """theta: first cut, logarithms of the gaps between cuts, slopes. Held by `Fit.design`."""

    design: Covariates
    grade: Array
    labels: tuple[str, ...]
    level: float

    def __post_init__(self) -> None:
        """Search at once: everything else is asked of the maximum."""
        share = np.cumsum(np.bincount(self.grade.astype(int)))[:-1] / len(self.grade)
        cuts = np.log(share / (1 - share))
        gaps = np.log(np.maximum(np.diff(cuts), 1e-3))
        start = np.concatenate([[cuts[0]], gaps, np.zeros(len(self.design.names))])
        self.found: Maximum = maximize(self.likelihood, start)

    @property
    def n_cuts(self) -> int:
        return len(self.labels) - 1

    @property
    def slopes(self) -> Array:
        return self.found.beta[self.n_cuts :]

    def likelihood(self, theta: Array) -> tuple[float, Array, Array]:
        """Value, score and expected information (P(grade <= k) = logistic(cut_k - x beta))."""
        k, x = self.n_cuts, self.design.scaled
        gaps = np.exp(np.clip(theta[1:k], -50, 50))
        cuts = theta[0] + np.append(0.0, np.cumsum(gaps))
        linear = cuts[None] - (x @ theta[k:])[:, None]
        below = 1 / (1 + np.exp(-np.clip(linear, -700, 700)))
        slope = below * (1 - below)
        edge = np.zeros((len(x), 1))
        below, slope = np.hstack([edge, below, edge + 1]), np.hstack([edge, slope, edge])
        chance = np.maximum(np.diff(below, axis=1), 1e-300)
        into = np.zeros((k, k))
        into[:, 0] = 1.0
        for gap in range(1, k):
            into[gap:, gap] = gaps[gap - 1]
        # Derivative of P(grade <= c) in theta, for every cut: (n, cuts, parameters).
        change = np.zeros((len(x), k + 2, len(theta)))
        change[:, 1:-1, :k] = slope[:, 1:-1, None] * into[None]
        change[:, 1:-1, k:] = -slope[:, 1:-1, None] * x[:, None, :]
        steps = np.diff(change, axis=1)
        own = self.grade.astype(int)
        rows = np.arange(len(x))
        value = float(np.log(chance[rows, own]).sum())
        score = (steps[rows, own] / chance[rows, own][:, None]).sum(axis=0)
        information = np.einsum("ncp,ncq,nc->pq", steps, steps, 1 / chance)
        return value, score, information

    @property
    def observed_information(self) -> Array:
        """Negative Hessian at the maximum, by central differences of the exact score."""
        theta, step = self.found.beta, 1e-5
        columns = [
            (self.likelihood(theta - move)[1] - self.likelihood(theta + move)[1]) / (2 * step)
            for move in step * np.eye(len(theta))
        ]
        matrix = np.column_stack(columns)
        return np.asarray((matrix + matrix.T) / 2)

    def estimates(self) -> tuple[Estimate, ...]:
        """Log odds ratios of a higher grade, per unit of each covariate."""
        covariance: Array = np.asarray(np.linalg.pinv(self.observed_information, hermitian=True))
        return tuple(self._estimate(i, covariance) for i in range(len(self.design.names)))

    def _estimate(self, index: int, covariance: Array) -> Estimate:
        from scipy.stats import chi2

        place, scale = self.n_cuts + index, float(self.design.scale[index])
        held = self.found.beta.copy()
        held[place] = 0.0
        others = np.array([i for i in range(len(held)) if i != place], dtype=np.intp)
        null = maximize(self.likelihood, held, others)
        statistic = max(2 * (self.found.value - null.value), 0.0)
        ends = profile_interval(self.likelihood, self.found, place, chi2.ppf(self.level, 1) / 2)
        low, high = (None if end is None else end / scale for end in ends)
        return Estimate(
            self.design.names[index], float(self.found.beta[place]) / scale,
            float(np.sqrt(covariance[place, place])) / scale, None, finite(statistic),
            float(chi2.sf(statistic, 1)), low, high,
        )  # fmt: skip


def brant_check(fitted: FittedOrdinal) -> Check:
    """Whether one odds ratio serves every cut of the grades: separate logistic regressions of
    "above the cut" are compared by a Wald test."""
    found = _brant(fitted)
    if found is None:
        return Check(
            "proportional_odds", "note",
            "Too few patients beyond one of the grades to check the common odds ratio.",
        )  # fmt: skip
    p_value = found[2]
    if p_value < 0.05:
        return Check(
            "proportional_odds", "warning",
            f"The odds ratio is not the same at every grade (Brant's test, p {p_value:.2g}); "
            "compare at one grade, as grade 3 or worse.", p_value,
        )  # fmt: skip
    return Check(
        "proportional_odds", "ok",
        f"One odds ratio serves all grades (Brant's test, p {p_value:.2g}).", p_value,
    )  # fmt: skip


def _brant(fitted: FittedOrdinal) -> tuple[float, int, float] | None:
    from scipy.stats import chi2

    k, p = fitted.n_cuts, len(fitted.design.names)
    if k < 2:
        return None
    x = np.column_stack([np.ones(len(fitted.grade)), fitted.design.scaled])
    fits = []
    for cut in range(k):
        above = (fitted.grade > cut).astype(float)
        one = maximize(binary_likelihood(x, above, firth=False), np.zeros(p + 1))
        if not one.converged or separated(x, fitted.grade > cut):
            return None
        fits.append(one)
    chance = [chances(x, one.beta) for one in fits]
    inverse = [np.linalg.inv(one.information) for one in fits]
    covariance = np.zeros((k * p, k * p))
    for i in range(k):
        for j in range(i, k):
            weight = chance[j] - chance[i] * chance[j]
            middle = (x * weight[:, None]).T @ x
            block = (inverse[i] @ middle @ inverse[j])[1:, 1:]
            covariance[i * p : (i + 1) * p, j * p : (j + 1) * p] = block
            covariance[j * p : (j + 1) * p, i * p : (i + 1) * p] = block.T
    stacked = np.concatenate([one.beta[1:] for one in fits])
    contrast = np.kron(np.column_stack([np.full((k - 1, 1), -1.0), np.eye(k - 1)]), np.eye(p))
    difference = contrast @ stacked
    statistic = float(difference @ np.linalg.pinv(contrast @ covariance @ contrast.T) @ difference)
    df = (k - 1) * p
    return statistic, df, float(chi2.sf(statistic, df))


def _size(fitted: FittedOrdinal) -> Check:
    smallest = int(np.bincount(fitted.grade.astype(int)).min())
    if smallest >= 5:
        return Check("patients_per_grade", "ok", f"At least {smallest} patients in each grade.")
    return Check(
        "patients_per_grade", "note",
        f"{count(smallest, 'patient')} in the smallest grade; joining grades loses little.",
        float(smallest),
    )  # fmt: skip


def _sentence(fit: Fit, grades: int) -> str:
    caution = "" if fit.status == "ok" else f" Caution: {fit.advice}"
    facts = f"{count(fit.n_subjects, 'patient')}, {grades} grades"
    if len(fit.estimates) != 1:
        return f"The proportional odds regression was fitted ({facts}).{caution}"
    row = fit.estimates[0]
    low, high = (
        "without end" if end is None else number(float(np.exp(end)))
        for end in (row.conf_low, row.conf_high)
    )
    return (
        f"The odds of a higher grade change by a factor of {number(float(np.exp(row.estimate)))} "
        f"for each unit more of {row.term} ({100 * fit.conf_level:g} % CI {low} to {high}; "
        f"{facts}).{caution}"
    )
