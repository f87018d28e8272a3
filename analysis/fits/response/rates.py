"""Two response rates beside each other, exactly, with the denominators of infused and enrolled."""

from dataclasses import dataclass

import numpy as np

from analysis.compute.confidence_level import require_level
from analysis.compute.intervals import Proportion, proportion
from analysis.errors import UserError
from analysis.fits.guards import Problem
from analysis.fits.survival.result import SurvivalResult, refusal
from analysis.results import finite


@dataclass(frozen=True)
class RateComparison(SurvivalResult):
    """Rates of two groups with Clopper-Pearson intervals, and three ways to compare them.

    difference: first minus second, interval by Newcombe's hybrid score; odds_ratio: conditional
    maximum likelihood with its exact interval; p_value: Fisher's exact test, two-sided.
    """

    group: Proportion | None = None
    reference: Proportion | None = None
    difference: float | None = None
    difference_low: float | None = None
    difference_high: float | None = None
    odds_ratio: float | None = None
    odds_ratio_low: float | None = None
    odds_ratio_high: float | None = None
    p_value: float | None = None


def compare_rates(
    group: tuple[int, int],
    reference: tuple[int, int],
    names: tuple[str, str] = ("group", "reference"),
    level: float = 0.95,
) -> RateComparison:
    """Compare `(responders, patients)` of two groups.

    Newcombe RG, Stat Med 1998,
    doi:10.1002/(SICI)1097-0258(19980430)17:8<873::AID-SIM779>3.0.CO;2-I.
    Raises UserError for counts that cannot be.
    """
    require_level(level)
    for name, (responders, patients) in zip(names, (group, reference), strict=True):
        whole = all(isinstance(one, (int, np.integer)) for one in (responders, patients))
        if not whole or not 0 <= responders <= patients:
            raise UserError(f"rates: {responders} of {patients} in {name} is no rate")
    if not group[1] or not reference[1]:
        empty = names[0] if not group[1] else names[1]
        return refusal(
            RateComparison,
            Problem("no_observations", f"There is no patient in {empty}.", "Widen the selection."),
        )
    from scipy.stats import fisher_exact
    from scipy.stats.contingency import odds_ratio

    table = np.array([[group[0], group[1] - group[0]], [reference[0], reference[1] - reference[0]]])
    first, second = (proportion(*counts, level) for counts in (group, reference))
    odds = odds_ratio(table, kind="conditional")
    ends = odds.confidence_interval(level)
    p_value = float(fisher_exact(table).pvalue)
    low, high = _newcombe(group, reference, level)
    return RateComparison(
        status="ok", reason=None, sentence=_sentence(first, second, names, p_value),
        n_subjects=group[1] + reference[1], n_events=group[0] + reference[0],
        group=first, reference=second, difference=first.estimate - second.estimate,
        difference_low=low, difference_high=high, odds_ratio=finite(odds.statistic),
        odds_ratio_low=finite(ends.low), odds_ratio_high=finite(ends.high), p_value=p_value,
    )  # fmt: skip


def _newcombe(
    group: tuple[int, int], reference: tuple[int, int], level: float
) -> tuple[float, float]:
    p1, p2 = group[0] / group[1], reference[0] / reference[1]
    (l1, u1), (l2, u2) = (_wilson(*counts, level) for counts in (group, reference))
    low = p1 - p2 - np.hypot(p1 - l1, u2 - p2)
    high = p1 - p2 + np.hypot(u1 - p1, p2 - l2)
    return float(max(low, -1.0)), float(min(high, 1.0))


def _wilson(successes: int, n: int, level: float) -> tuple[float, float]:
    from scipy.stats import norm

    z = float(norm.ppf(0.5 + level / 2))
    p = successes / n
    center, scale = (p + z * z / (2 * n)) / (1 + z * z / n), 1 / (1 + z * z / n)
    half = scale * z * float(np.sqrt(p * (1 - p) / n + z * z / (4 * n * n)))
    return center - half, center + half


def _sentence(first: Proportion, second: Proportion, names: tuple[str, str], p_value: float) -> str:
    def words(name: str, rate: Proportion) -> str:
        low, high = 100 * rate.conf_low, 100 * rate.conf_high
        return (
            f"{100 * rate.estimate:.0f} % of {name} responded ({rate.successes} of {rate.n}; "
            f"{100 * rate.conf_level:g} % CI {low:.0f} to {high:.0f})"
        )

    return f"{words(names[0], first)}, {words(names[1], second)}; Fisher's exact p {p_value:.2g}."
