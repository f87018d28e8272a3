"""Agreement of readers on a number: intraclass correlation ICC(2,1), absolute agreement.

Two-way random effects, single rating (Shrout PE, Fleiss JL, Psychol Bull 1979;86:420,
doi:10.1037/0033-2909.86.2.420); interval of McGraw KO, Wong SP, Psychol Methods 1996;1:30,
doi:10.1037/1082-989X.1.1.30.
"""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from analysis.compute.confidence_level import require_level
from analysis.engine.structure import Array
from analysis.errors import UserError
from analysis.fits.agreement.columns import complete, positive
from analysis.fits.agreement.result import (
    CONF_LEVEL,
    AgreementResult,
    Measure,
    judged,
    not_estimable,
)
from analysis.frames import takes_frames
from analysis.number_words import count
from analysis.results import Check, Excluded

if TYPE_CHECKING:
    import polars as pl

KIND = "intraclass correlation"
NAME = "ICC(2,1)"
MINIMUM_SUBJECTS = 5


class Squares(NamedTuple):
    """Mean squares of subjects, raters and rest, for n subjects and k raters."""

    subjects: float
    raters: float
    rest: float
    n: int
    k: int


@takes_frames
def icc_agreement(
    frame: "pl.DataFrame",
    value: str,
    subject: str,
    rater: str,
    *,
    log: bool = False,
    level: float = CONF_LEVEL,
) -> AgreementResult:
    """ICC(2,1) with its interval; one row per subject and rater.

    Subjects not rated by every rater are left out and counted. log: on natural logarithms.
    Measures: "ICC(2,1)", "rater SD", "residual SD" (SDs on the scale of the analysis).
    Raises UserError for a missing column or two values of one subject and rater.
    """
    require_level(level)
    import polars as pl

    kept, excluded = positive(complete(KIND, frame, (value,), (subject, rater)), (value,), log)
    if kept.select(subject, rater).is_duplicated().any():
        raise UserError(
            f"{KIND}: a {subject} has two values of the same {rater}; give one row per "
            f"{subject} and {rater} (average repeats before)"
        )
    raters = kept[rater].n_unique()
    whole = kept.filter(pl.len().over(subject) == raters)
    if whole.height < kept.height:
        excluded = (
            *excluded,
            Excluded("a subject not rated by every rater", kept.height - whole.height),
        )
    n = whole[subject].n_unique()
    refused = _refused(n, raters, whole.height, excluded)
    if refused:
        return refused
    values = whole.sort(subject, rater)[value].cast(pl.Float64).to_numpy().reshape(n, raters)
    squares = _mean_squares(np.log(values) if log else values)
    if squares.subjects + squares.raters + squares.rest <= 1e-24 * float(np.abs(values).max()) ** 2:
        return not_estimable(
            KIND, "constant_outcome", f"{value} has the same value in all ratings.",
            "Check the column.", n_subjects=n, n_observations=whole.height, excluded=excluded,
        )  # fmt: skip
    return _concluded(value, squares, level, excluded)


def _mean_squares(values: Array) -> Squares:
    n, k = values.shape
    total = values - values.mean()
    rows, columns = total.mean(axis=1), total.mean(axis=0)
    rest = total - rows[:, None] - columns
    return Squares(
        k * float((rows**2).sum()) / (n - 1),
        n * float((columns**2).sum()) / (k - 1),
        float((rest**2).sum()) / ((n - 1) * (k - 1)),
        n,
        k,
    )


def _icc(found: Squares) -> float:
    n, k = found.n, found.k
    top = found.subjects - found.rest
    return top / (found.subjects + (k - 1) * found.rest + k * (found.raters - found.rest) / n)


def _interval(found: Squares, icc: float, level: float) -> tuple[float, float] | None:
    """None where there is no rest to compare with."""
    from scipy.stats import f

    n, k, rest = found.n, found.k, found.rest
    if rest <= 1e-12 * (found.subjects + found.raters) or icc >= 1:
        return None
    a = k * icc / (n * (1 - icc))
    b = 1 + k * icc * (n - 1) / (n * (1 - icc))
    v = (a * found.raters + b * rest) ** 2 / (
        (a * found.raters) ** 2 / (k - 1) + (b * rest) ** 2 / ((n - 1) * (k - 1))
    )
    share = 0.5 + level / 2
    below, above = float(f.ppf(share, n - 1, v)), float(f.ppf(share, v, n - 1))
    mixed = k * found.raters + (k * n - k - n) * rest
    low = n * (found.subjects - below * rest) / (below * mixed + n * found.subjects)
    high = n * (above * found.subjects - rest) / (mixed + n * above * found.subjects)
    return low, min(high, 1.0)


def _concluded(
    value: str, found: Squares, level: float, excluded: tuple[Excluded, ...]
) -> AgreementResult:
    icc = _icc(found)
    bounds = _interval(found, icc, level)
    low, high = bounds or (None, None)
    raters = max((found.raters - found.rest) / found.n, 0.0)
    shown = f" ({100 * level:g} % CI {low:.2f} to {high:.2f})" if bounds else ""
    result = AgreementResult(
        KIND,
        "ok",
        None,
        f"Agreement of {found.k} raters on {value}: {NAME} {icc:.2f}{shown}, "
        f"{count(found.n, 'subject')}.",
        measures=(
            Measure(NAME, icc, low, high),
            Measure("rater SD", float(np.sqrt(raters)), unit="outcome"),
            Measure("residual SD", float(np.sqrt(found.rest)), unit="outcome"),
        ),
        n_subjects=found.n,
        n_observations=found.n * found.k,
        excluded=excluded,
        conf_level=level,
        method="Two-way random effects, absolute agreement, single rating.",
        references=("doi:10.1037/0033-2909.86.2.420", "doi:10.1037/1082-989X.1.1.30"),
    )
    return judged(result, _checks(icc, bounds))


def _checks(icc: float, bounds: tuple[float, float] | None) -> tuple[Check, ...]:
    if bounds is None:
        return (
            Check("no_rest", "warning", "the raters differ by constants only, so there is no "
                  "interval; check that they measured independently."),
        )  # fmt: skip
    if icc < 0:
        return (
            Check("negative_share", "warning", "subjects differ less than repeated ratings of one "
                  "do; the estimate is negative and means no agreement.", icc),
        )  # fmt: skip
    return ()


def _refused(
    n: int, raters: int, rows: int, excluded: tuple[Excluded, ...]
) -> AgreementResult | None:
    if raters < 2:
        return not_estimable(
            KIND, "one_rater", f"{count(raters, 'rater')} cannot disagree.",
            "Give ratings of at least two.",
            n_subjects=n, n_observations=rows, excluded=excluded,
        )  # fmt: skip
    if n < MINIMUM_SUBJECTS:
        return not_estimable(
            KIND, "too_few_subjects",
            f"{count(n, 'subject')} rated by all {raters} raters cannot carry a correlation; at "
            f"least {MINIMUM_SUBJECTS} are needed.",
            "Show the ratings themselves instead.",
            n_subjects=n, n_observations=rows, excluded=excluded,
        )  # fmt: skip
    return None
