"""The best cutpoint of an exposure, with the price of having looked for it.

The best of many cuts always looks good: its p-value is taken from permutations of the whole
search, and its odds ratio is shown beside that in patients who took no part in choosing the cut.
Lausen B, Schumacher M, Biometrics 1992, doi:10.2307/2532740; Altman DG, J Natl Cancer Inst 1994,
doi:10.1093/jnci/86.11.829; Efron B, Tibshirani R, J Am Stat Assoc 1997,
doi:10.1080/01621459.1997.10474007 (the bootstrap's patients left out).
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from analysis.engine.structure import Array
from analysis.errors import UserError
from analysis.fits.guards import Problem
from analysis.fits.response.rows import (
    binary,
    complete_rows,
    exposures,
    one_answer,
    repeated_problem,
)
from analysis.fits.survival.result import SurvivalResult, refusal
from analysis.frames import takes_frames
from analysis.number_words import number

if TYPE_CHECKING:
    import polars as pl

LEAST_SHARE = 0.2
"""No cut leaves less than this share of the patients on one side."""
PERMUTATIONS, BOOTSTRAPS = 9_999, 500


@dataclass(frozen=True)
class Cutpoint(SurvivalResult):
    """Above `value` against at or below it. p_value: corrected for the search; p_uncorrected: as
    if the cut had been known. log_odds_ratio (0.5 added to each cell) and the same less its
    optimism: what it is in patients left out of the choice, zero on average where there is no
    relation. n_cuts: cuts that were tried."""

    value: float | None = None
    n_above: int = 0
    n_cuts: int = 0
    p_value: float | None = None
    p_uncorrected: float | None = None
    log_odds_ratio: float | None = None
    optimism: float | None = None
    log_odds_ratio_corrected: float | None = None
    seed: int = 0


@takes_frames
def find_cutpoint(
    frame: "pl.DataFrame",
    response: str,
    exposure: str,
    *,
    permutations: int = PERMUTATIONS,
    bootstraps: int = BOOTSTRAPS,
    seed: int = 0,
    subject: str | None = None,
) -> Cutpoint:
    """Search the cut of `exposure` that tells the responses apart best (largest chi-square).

    subject: column of the patient; more than one row of a patient is refused. Raises UserError for
    a column that does not exist or counts below 99.
    """
    if min(permutations, bootstraps) < 99:
        raise UserError("cutpoint: at least 99 permutations and bootstraps are needed")
    kept, excluded = complete_rows(frame, response, f"`{exposure}`", subject)
    y, x = binary(kept, response), exposures(kept, exposure)
    above = _candidates(x)
    problem = repeated_problem(kept, subject) or one_answer(y, response)
    if problem is None and not len(above):
        problem = Problem(
            "few_exposures",
            f"No cut of {exposure} leaves {100 * LEAST_SHARE:.0f} % of the patients on each side.",
            "Compare the groups instead.",
        )
    if problem is not None:
        return refusal(Cutpoint, problem).replace(n_subjects=len(y), n_events=int(y.sum()))
    generator = np.random.default_rng(seed)
    statistic = _chi_square(above, y[None])[0]
    best = int(np.argmax(statistic))
    shuffled = generator.permuted(np.tile(y, (permutations, 1)), axis=1)
    largest = _chi_square(above, shuffled).max(axis=1)
    p_value = float((1 + (largest >= statistic[best] - 1e-12).sum()) / (1 + permutations))
    ratio = _log_odds_ratio(above[best], y)
    fresh = _fresh_log_odds_ratio(x, y, generator, bootstraps)
    optimism = None if fresh is None else ratio - float(np.sign(ratio)) * fresh
    return _found(x, y, above, best, statistic, p_value, ratio, optimism, seed, exposure).replace(
        excluded=excluded
    )


def _candidates(x: Array) -> NDArray[np.bool_]:
    """(cuts, patients): who lies above each cut."""
    cuts = np.unique(x)[:-1]
    above = x[None] > cuts[:, None]
    share = above.mean(axis=1)
    return np.asarray(above[(share >= LEAST_SHARE) & (share <= 1 - LEAST_SHARE)])


def _chi_square(above: NDArray[np.bool_], y: NDArray[np.bool_]) -> Array:
    """Pearson's statistic of every cut for every response vector: (vectors, cuts)."""
    n = y.shape[1]
    responders = y.sum(axis=1, keepdims=True).astype(float)
    high = above.sum(axis=1)[None].astype(float)
    both = y.astype(float) @ above.T.astype(float)
    expected = responders * high / n
    variance = expected * (1 - high / n) * (1 - responders / n)
    return np.asarray((both - expected) ** 2 / np.maximum(variance, 1e-300))


def _log_odds_ratio(above: NDArray[np.bool_], y: NDArray[np.bool_]) -> float:
    cells = [(a & b).sum() + 0.5 for a, b in ((above, y), (~above, ~y), (above, ~y), (~above, y))]
    return float(np.log(cells[0] * cells[1] / (cells[2] * cells[3])))


def _fresh_log_odds_ratio(
    x: Array, y: NDArray[np.bool_], generator: np.random.Generator, bootstraps: int
) -> float | None:
    """Log odds ratio, in the direction chosen, among patients who took no part in choosing.

    Each resample chooses a cut and its direction; the patients it left out fill the four cells,
    which are added over all resamples and scaled to the size of the sample. Without any relation
    it is zero on average. (In-sample minus original optimism of the same resamples is not: the
    original patients chose the cut too.)
    """
    cells = np.zeros(4)
    for _ in range(bootstraps):
        drawn = generator.integers(0, len(x), len(x))
        candidates = _candidates(x[drawn])
        if not len(candidates) or y[drawn].all() or not y[drawn].any():
            continue
        best = candidates[int(np.argmax(_chi_square(candidates, y[drawn][None])[0]))]
        fresh = np.ones(len(x), dtype=bool)
        fresh[drawn] = False
        high = x[fresh] > float(x[drawn][~best].max())
        if _log_odds_ratio(best, y[drawn]) < 0:
            high = ~high
        told = y[fresh]
        pairs = ((high, told), (~high, ~told), (high, ~told), (~high, told))
        cells += [float((a & b).sum()) for a, b in pairs]
    if not cells.sum():
        return None
    cells = cells / cells.sum() * len(x) + 0.5
    return float(np.log(cells[0] * cells[1] / (cells[2] * cells[3])))


def _found(
    x: Array, y: NDArray[np.bool_], above: NDArray[np.bool_], best: int, statistic: Array,
    p_value: float, ratio: float, optimism: float | None, seed: int, exposure: str,
) -> Cutpoint:  # fmt: skip
    from scipy.stats import chi2

    chosen = above[best]
    value = float(x[~chosen].max())
    rates = [f"{int(y[side].sum())} of {int(side.sum())}" for side in (chosen, ~chosen)]
    low = min(chosen.sum(), (~chosen).sum())
    advice = (
        "A cutpoint found in these patients must be confirmed in others before it is used; the "
        "exposure itself says more."
    )
    return Cutpoint(
        status="warning", reason="data_driven", advice=advice,
        sentence=(
            f"Of {len(above)} cuts the best is {exposure} above {number(value)}: {rates[0]} "
            f"responded above and {rates[1]} below (p {p_value:.2g}, corrected for the search). "
            f"Caution: {advice}"
        ),
        n_subjects=len(y), n_events=int(y.sum()), value=value, n_above=int(chosen.sum()),
        n_cuts=len(above), p_value=p_value,
        p_uncorrected=float(chi2.sf(statistic[best], 1)) if low else None, log_odds_ratio=ratio,
        optimism=optimism, log_odds_ratio_corrected=None if optimism is None else ratio - optimism,
        seed=seed,
    )  # fmt: skip
