"""Titles and notes of the cohort page.

The rows of the forest are one family of tests: what its title counts is their false discovery rate
(Benjamini, Hochberg 1995, doi:10.1111/j.2517-6161.1995.tb02031.x), never the p beside a row.
"""

import math
from typing import Any, NamedTuple

import polars as pl

from analysis.compute.multiplicity import adjust_p_values
from analysis.derive.signal import Signal
from analysis.derive.summary import summary_rule
from analysis.number_words import count, p_words
from analysis.tracers import FLAGS, TRACERS
from dashboard.cohort.numbers import CohortNumbers
from figures.number_text import day_text
from figures.ratio_forest import ForestNumbers, ForestRow

DISCOVERY_RATE = 0.05
COURSE_FLAGS = ("LABEL_EFFLUX", "LABEL_DILUTION", "DEAD_CELL_RETENTION", "BONE_FREE_ZR89")
"""Flags of a tracer that bear on a rise or a fall over time."""
DESCRIBES = (
    "Best response is read after the peak, so this describes the groups; it does not predict. "
    "Unadjusted for baseline burden."
)


class Differing(NamedTuple):
    """Rows whose false discovery rate over the `n_tests` rows with a p is below 5 %."""

    rows: tuple[tuple[ForestRow, float], ...]
    n_tests: int


def differing(rows: tuple[ForestRow, ...]) -> Differing:
    """The rows that differ, each with its rate."""
    p_values = [row.p_value if math.isfinite(row.p_value) else None for row in rows]
    family = adjust_p_values(p_values, "benjamini_hochberg", "rows of the forest")
    pairs = zip(rows, family.adjusted, strict=True)
    clear = tuple((row, q) for row, q in pairs if q is not None and q < DISCOVERY_RATE)
    return Differing(clear, family.n_tests)


def marked(forest: ForestNumbers) -> ForestNumbers:
    """The forest with those rows bold that the title counts."""
    named = [row for row, _ in differing(forest.rows).rows]
    return forest._replace(rows=tuple(row._replace(clear=row in named) for row in forest.rows))


def forest_title(found: CohortNumbers) -> str:
    """How many rows differ, of how many tests, after correction for their number."""
    clear, n_tests = differing(found.forest.rows)
    if not n_tests:
        return "Too few patients to compare"
    family = "1 test" if n_tests == 1 else f"corrected for {count(n_tests, 'test')}"
    if not clear:
        return (
            f"None of {n_tests} differs after correction" if n_tests > 1 else "No clear difference"
        )
    if len(clear) > 1:
        return f"{len(clear)} of {n_tests} differ ({family})"
    row = clear[0][0]
    return f"{row.label} differs{f' in {row.note}' if row.note else ''} ({family})"


def forest_lead(found: CohortNumbers) -> str:
    """What the rows of the forest are."""
    if found.signal.domain == "uptake":
        return "Ratio of peak to day 28, responders to non-responders, sorted by ratio"
    return "Ratio of geometric means, responders to non-responders"


def forest_note(found: CohortNumbers) -> str:
    """What the comparison may be read as, which rows the title counts, and by what rule."""
    return " ".join(
        part for part in (DESCRIBES, family_note(found.forest.rows), at_limit_note(found)) if part
    )


def family_note(rows: tuple[ForestRow, ...]) -> str:
    """The family, its size and the rates below 5 %."""
    clear, n_tests = differing(rows)
    if not n_tests:
        return ""
    if n_tests == 1:
        return "1 comparison."
    named = "; ".join(
        f"{row.label}{f', {row.note}' if row.note else ''} ({p_words(rate)[2:]})"
        for row, rate in clear
    )
    below = " None is." if not clear else " All are." if len(clear) == n_tests else f" {named}."
    return (
        f"{count(n_tests, 'comparison')}; the p beside a row is not corrected, the title counts "
        f"false discovery rates below 5 % (Benjamini-Hochberg).{below}"
    )


def at_limit_note(found: CohortNumbers) -> str:
    """A warning when peaks enter at their limit."""
    counts = (
        (sum(main.n_at_limit for main in found.mains), "never above the limit"),
        (sum(main.n_above_limit for main in found.mains), "with a peak beyond the upper limit"),
    )
    return " ".join(
        f"{count(n, 'patient')} {who} {'enters' if n == 1 else 'enter'} at it, "
        "which pulls the ratio toward 1."
        for n, who in counts
        if n
    )


def curves_title(found: CohortNumbers) -> str:
    """When the means peak: a statement that holds whichever group is ahead by chance."""
    tops = [row for group in found.groups if (row := highest_mean(found.summary, group))]
    days = sorted(row["nominal_day"] for row in tops)
    if not days:
        return f"{found.signal.label} over time"
    if len(days) == 1:
        return f"The mean peaks on day {day_text(days[0])}"
    if days[0] == days[-1]:
        return f"All group means peak on day {day_text(days[0])}"
    return f"Group means peak between day {day_text(days[0])} and day {day_text(days[-1])}"


def highest_mean(summary: pl.DataFrame, group: str) -> dict[str, Any] | None:
    """The row of a group's highest mean; None where it has none."""
    rows = summary.filter((pl.col("group") == group) & pl.col("geometric_mean").is_finite())
    return rows.sort("geometric_mean").row(-1, named=True) if rows.height else None


def panels_title(found: CohortNumbers) -> str:
    """What the small panels are."""
    return "The same tracer in each region" if found.signal.domain == "uptake" else "Other signals"


def panels_note(found: CohortNumbers) -> str:
    """The unit of the small panels."""
    return "Fold of the patient's first quantified value, shared log axis"


def course_note(signal: Signal) -> str:
    """What the tracer's registry entry says against reading a course as one of cells."""
    tracer = TRACERS.get(signal.tracer_id) if signal.tracer_id else None
    return " ".join(FLAGS[code].text for code in COURSE_FLAGS if tracer and code in tracer.flags)


def blq_note(found: CohortNumbers) -> str:
    """How values below the limit enter the means."""
    below = int(found.summary.get_column("n_below_limit").sum())
    if not below:
        return "no value below the limit"
    return f"{below} {summary_rule(found.blq)}"
