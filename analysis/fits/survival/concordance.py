"""How well a score orders the patients by their time to the event (Harrell's C)."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.engine.structure import Array


class Concordance(NamedTuple):
    """Share of comparable pairs in which the higher score has the event first; ties count half.

    std_error by the infinitesimal jackknife. None without a comparable pair.
    """

    estimate: float | None
    std_error: float | None
    n_pairs: int


def concordance(
    score: Array,
    time: Array,
    event: NDArray[np.bool_],
    entry: Array | None = None,
    stratum: NDArray[np.intp] | None = None,
) -> Concordance:
    """Harrell FE, JAMA 1982, doi:10.1001/jama.1982.03320430047030; variance as R's survival.

    A pair is comparable when one has the event while the other is at risk and outlives it; a
    censoring at the same time comes after the event, two events at one time are no pair.
    """
    entry = np.full(len(time), -np.inf) if entry is None else entry
    stratum = np.zeros(len(time), dtype=np.intp) if stratum is None else stratum
    agreeing, pairs = np.zeros(len(time)), np.zeros(len(time))
    for row in np.flatnonzero(event):
        later = (time > time[row]) | ((time == time[row]) & ~event)
        partner = later & (entry < time[row]) & (stratum == stratum[row])
        value = np.where(score[row] > score, 1.0, np.where(score[row] == score, 0.5, 0.0))
        agreeing += partner * value
        pairs += partner
        agreeing[row] += float((partner * value).sum())
        pairs[row] += float(partner.sum())
    total = pairs.sum() / 2
    if total == 0:
        return Concordance(None, None, 0)
    estimate = float(agreeing.sum() / 2 / total)
    influence = (agreeing - estimate * pairs) / total
    return Concordance(estimate, float(np.sqrt((influence**2).sum())), int(total))
