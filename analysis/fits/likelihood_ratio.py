"""Likelihood-ratio test of two nested mixed models, with the distribution its question has.

Fixed effects are compared by maximum likelihood, whatever the fits used, against chi-square. A
random part, or a residual structure, is compared by the criterion of the fits. Under the null a
variance lies on the edge of what is possible, so its distribution is a mixture: 0.5 chi2(q) +
0.5 chi2(q + 1) for one new effect that is correlated with q others, 0.5 chi2(0) + 0.5 chi2(1) for
one that is independent or nested (Stram DO, Lee JW 1994, doi:10.2307/2533455); what else makes a
covariance larger: `structured.compared`. Where no mixture is known, and on demand, outcomes are
simulated from the smaller model and both are fitted again.
"""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from analysis.engine.structure import Array
from analysis.errors import UserError
from analysis.fits.inference_sentences import ratio_test_sentence
from analysis.fits.maximum_likelihood import by_maximum_likelihood
from analysis.fits.replicates import projected, refit, simulated
from analysis.fits.restored import fitted_of
from analysis.fits.structured import FittedStructured
from analysis.fits.structured.compared import Fitted, Step, n_parameters, spans, steps_between
from analysis.fits.structured.replicates import criteria
from analysis.fits.structured.replicates import simulated as structured_outcomes
from analysis.frames import takes_frames
from analysis.results import Fit
from analysis.serialized import Serialized

if TYPE_CHECKING:
    import polars as pl

METHODS = ("auto", "asymptotic", "bootstrap")
PARTS = {True: "random part", False: "residual structure"}
MINIMUM = 100
BLOCK = 2_000_000


class Mixture(NamedTuple):
    """Shares of chi-square distributions with their degrees of freedom; zero is a point at zero."""

    shares: tuple[tuple[float, int], ...]

    def tail(self, statistic: float) -> float:
        """Probability of a statistic at least as large."""
        from scipy.stats import chi2

        return float(
            sum(
                share * (chi2.sf(statistic, df) if df else float(statistic <= 0))
                for share, df in self.shares
            )
        )

    def __str__(self) -> str:
        if len(self.shares) == 1:
            return f"chi2({self.shares[0][1]})"
        return " + ".join(f"{share:g} chi2({df})" for share, df in self.shares)


@dataclass(frozen=True)
class LikelihoodRatioTest(Serialized):
    """The smaller model (`null`) against the larger one.

    compared: "fixed effects", "random part" or "residual structure"; criterion: "ML" or "REML".
    df: parameters more. reference: the distribution the p-value comes from; p_naive: of chi2(df),
    which is wrong for a variance. replicates and n_failed: of the bootstrap, else 0. sentence: the
    finding with the patients, the reference and, where outcomes were simulated, the seed.
    """

    null: str
    full: str
    compared: str
    criterion: str
    statistic: float
    df: int
    p_value: float
    p_naive: float
    reference: str
    replicates: int = 0
    n_failed: int = 0
    seed: int | None = None
    note: str = ""
    n_subjects: int = 0
    n_observations: int = 0
    sentence: str = ""


@takes_frames
def likelihood_ratio_test(
    fit: Fit,
    null: Fit,
    *,
    method: str = "auto",
    replicates: int = 1000,
    seed: int = 0,
    frame: "pl.DataFrame | None" = None,
) -> LikelihoodRatioTest:
    """Test `fit` against the smaller `null`, fitted to the same rows.

    method: "asymptotic" (chi-square or its mixture), "bootstrap", or "auto": asymptotic where the
    distribution is known. frame: the data, for fits restored from JSON.
    Raises UserError when the models are not nested, differ in both parts, or saw other rows.
    """
    if method not in METHODS:
        raise UserError(
            f"likelihood ratio: there is no method {method!r}; use {', '.join(METHODS)}"
        )
    if replicates < MINIMUM:
        raise UserError(
            f"likelihood ratio: {replicates} replicates are too few; use {MINIMUM} or more"
        )
    large, small = (fitted_of(item, frame, "likelihood ratio") for item in (fit, null))
    _check_rows(large, small)
    fixed, df, steps = _difference(large, small)
    if fixed:
        large, small = by_maximum_likelihood(large), by_maximum_likelihood(small)
    elif large.reml != small.reml:
        raise UserError("likelihood ratio: one fit is REML and one is not; use the same for both")
    mixture = Mixture(((1.0, df),)) if fixed else _mixture(steps)
    if mixture is None and method == "asymptotic":
        raise UserError(
            "likelihood ratio: several variances at once have no known distribution; use "
            "method='bootstrap', or add one effect at a time"
        )
    statistic = max(0.0, small.criterion - large.criterion)
    drawn = None
    if mixture is None or method == "bootstrap":
        drawn = _simulated_ratios(large, small, replicates, seed)
    found = _result(fit, null, large.reml, bool(fixed), statistic, df, mixture, drawn, seed)
    return _said(found, large.design.n_subjects, large.design.n_observations)


def _said(found: LikelihoodRatioTest, n_subjects: int, n_observations: int) -> LikelihoodRatioTest:
    sentence = ratio_test_sentence(
        found.compared, found.statistic, found.p_value, found.reference, found.replicates,
        found.n_failed, found.seed, n_subjects, n_observations,
    )  # fmt: skip
    return replace(found, n_subjects=n_subjects, n_observations=n_observations, sentence=sentence)


def _result(
    fit: Fit,
    null: Fit,
    reml: bool,
    fixed: bool,
    statistic: float,
    df: int,
    mixture: Mixture | None,
    drawn: Array | None,
    seed: int,
) -> LikelihoodRatioTest:
    naive = Mixture(((1.0, df),)).tail(statistic)
    said = (
        _model(null),
        _model(fit),
        "fixed effects" if fixed else PARTS[fit.residual == null.residual],
        "REML" if reml else "ML",
        float(statistic),
        df,
    )
    if drawn is None:
        assert mixture is not None
        note = (
            "Fixed effects compared by maximum likelihood; in small trials the F test of the terms "
            "is the better answer."
            if fixed
            else f"What is tested cannot be negative: the reference is {mixture}, not chi2({df})."
            if len(mixture.shares) > 1
            else "The smaller covariance lies inside the larger one."
        )
        p_value = mixture.tail(statistic)
        return LikelihoodRatioTest(*said, p_value, naive, str(mixture), note=note)
    kept = drawn[np.isfinite(drawn)]
    p_value = float((1 + (kept >= statistic - 1e-8).sum()) / (1 + len(kept)))
    note = "Outcomes simulated from the smaller model; both models fitted again to each."
    return LikelihoodRatioTest(
        *said,
        p_value,
        naive,
        "parametric bootstrap",
        len(drawn),
        len(drawn) - len(kept),
        seed,
        note,
    )


def _model(fit: Fit) -> str:
    bar = "||" if fit.covariance == "diagonal" else "|"
    own = "" if fit.random.strip() in ("0", "") else f" + ({fit.random} {bar} {fit.group})"
    nested = "".join(
        f" + ({effects.strip() or 1} | {fit.group}:{name.strip()})"
        for name, _, effects in (text.partition(":") for text in fit.nested)
    )
    crossed = "".join(f" + (1 | {name})" for name in fit.crossed)
    residual = "" if fit.residual == "independent" else f", residual {fit.residual}"
    weights = f", weights {fit.weights}" if fit.weights else ""
    return f"{fit.formula}{own}{nested}{crossed}{residual}{weights}"


def _check_rows(large: Fitted, small: Fitted) -> None:
    one, other = large.design, small.design
    same = (
        one.n_observations == other.n_observations
        and np.array_equal(one.matrices.y, other.matrices.y)
        and one.group == other.group
        and np.array_equal(one.patient, other.patient)
    )
    if not same:
        raise UserError(
            "likelihood ratio: the two fits saw different rows or outcomes; fit both to the rows "
            "that are complete for the larger model"
        )


def _difference(large: Fitted, small: Fitted) -> tuple[int, int, list[Step]]:
    """How many fixed effects more, how many parameters more, and how the covariances differ."""
    fixed = large.design.matrices.x.shape[1] - small.design.matrices.x.shape[1]
    more = n_parameters(large) - n_parameters(small)
    inside = spans(large.design.matrices.x, small.design.matrices.x)
    steps = steps_between(large, small)
    if fixed < 0 or more < 0 or not inside or steps is None:
        raise UserError("likelihood ratio: the models are not nested; give the larger one first")
    if fixed and steps:
        raise UserError(
            "likelihood ratio: the models differ in fixed and in random effects; test one at a time"
        )
    if not fixed and not steps:
        raise UserError("likelihood ratio: the models are the same")
    return fixed, fixed or more, steps


def _mixture(steps: list[Step]) -> Mixture | None:
    """Of two covariances; None where several variances are tested at once."""
    if len(steps) != 1 or steps[0].inside is None:
        return None
    (step,) = steps
    assert step.inside is not None
    if not step.on_edge:
        return Mixture(((1.0, step.inside),))
    return Mixture(((0.5, step.inside), (0.5, step.inside + 1)))


def _simulated_ratios(large: Fitted, small: Fitted, replicates: int, seed: int) -> Array:
    """Statistics of outcomes drawn from the smaller model; nan where a fit failed."""
    generator = np.random.default_rng(seed)
    step = max(1, BLOCK // small.design.n_observations)
    found = []
    for begin in range(0, replicates, step):
        size = min(step, replicates - begin)
        if isinstance(small, FittedStructured):
            outcomes = structured_outcomes(small, size, generator)
        else:
            outcomes = simulated(small, size, generator)
        gap = _criteria(small, outcomes) - _criteria(large, outcomes)
        found.append(np.where(np.isfinite(gap), np.maximum(gap, 0.0), np.nan))
    drawn = np.concatenate(found)
    if np.isfinite(drawn).sum() < MINIMUM:
        raise UserError(
            "likelihood ratio: too few simulated trials could be fitted by both models; take a "
            "smaller random part"
        )
    return drawn


def _criteria(fitted: Fitted, outcomes: Array) -> Array:
    """-2 log-likelihood of each outcome, comparable between models of the same fixed effects."""
    rest, _ = projected(fitted.design, outcomes)
    if isinstance(fitted, FittedStructured):
        return criteria(fitted, rest)
    ends, scale = refit(fitted, rest)
    value = ends.point.criterion + 2 * ends.point.degrees * np.log(scale)
    return np.where(ends.converged, value, np.nan)
