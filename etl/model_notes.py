"""Findings about loaded values that are used otherwise than as delivered, or not at all."""

from collections.abc import Sequence

import polars as pl

from analysis.derive.labels import ACTIVITY_METRIC
from analysis.load_words import ADD_DECAY_STATE, zero_rule
from analysis.number_words import count
from etl.contracts.contract import Contract
from etl.contracts.defaults import NO_CELLS
from etl.contracts.metric_names import UNDECLARED
from etl.contracts.typed import CODES
from etl.shaping import Part
from etl.source import Finding
from etl.verdicts import LOADED

NAMED_BY = ("assay", "matrix", "unit")
"""What tells quantities of one code apart; each has a smallest value of its own."""

Found = list[tuple[int | None, Finding]]


def model_notes(frame: pl.DataFrame, contract: Contract, parts: Sequence[Part]) -> Found:
    """One finding per file and quantity that models treat in a way of their own."""
    good = frame.filter(pl.col("_verdict") == LOADED)
    if contract.name == "infusion":
        return _doses_not_in_cells(good, contract, parts)
    if not contract.measured:
        return []
    return [
        *_zeros(good, contract, parts),
        *_decay_unknown(good, contract, parts),
        *_undeclared(good, contract, parts),
    ]


def _zeros(good: pl.DataFrame, contract: Contract, parts: Sequence[Part]) -> Found:
    """Zeros without a limit: stored as they are, below a limit where a logarithm is taken."""
    if "lloq" not in contract.field_names:
        return []
    zeros = good.filter((pl.col("value") == 0) & pl.col("lloq").is_null())
    return [
        _finding(
            "zero_without_limit", parts[part], n,
            f"{contract.title}, {what}: {count(n, 'zero')} without a limit of "
            f"quantification, {zero_rule(n)}",
        )
        for what, part, n in _counted(zeros, (CODES[contract.name], *NAMED_BY))
    ]  # fmt: skip


def _decay_unknown(good: pl.DataFrame, contract: Contract, parts: Sequence[Part]) -> Found:
    """Uptake whose decay correction nobody stated: correcting twice, or never, is a wrong number
    (89Zr after two days: a third), so `analysis.derive.model_frame` leaves it out."""
    if contract.name != "quantification":
        return []
    activity = pl.col("metric").str.contains(ACTIVITY_METRIC)
    unknown = good.filter(activity & (pl.col("decay_state") == "unknown"))
    return [
        _finding(
            "decay_state_unknown", parts[part], n,
            f"{contract.title}, {what}: {count(n, 'row')} of uptake without a decay state "
            f"{'is' if n == 1 else 'are'} not used in models; {ADD_DECAY_STATE}",
        )
        for what, part, n in _counted(unknown, ("metric",))
    ]  # fmt: skip


def _undeclared(good: pl.DataFrame, contract: Contract, parts: Sequence[Part]) -> Found:
    """Measures of lesions under a name of the trial's own, which may be a misspelled one."""
    if UNDECLARED not in good.columns:
        return []
    return [
        _finding(
            "metric_undeclared", parts[part], n,
            f"{contract.title}, {what}: {count(n, 'row')} of a metric that the program does not "
            "know, stored under this name; map it to a known one (`maps: metric`), or declare it "
            "under `metrics` in the profile",
        )
        for what, part, n in _counted(good.filter(UNDECLARED), ("metric",))
    ]  # fmt: skip


def _doses_not_in_cells(good: pl.DataFrame, contract: Contract, parts: Sequence[Part]) -> Found:
    """Doses by volume or by bag: the infusion counts, its dose is not known."""
    rows = good.filter(NO_CELLS)
    return [
        _finding(
            "dose_not_in_cells", parts[part], n,
            f"{contract.title}: {count(n, 'dose')} in {unit} {'is' if n == 1 else 'are'} no number "
            "of cells and left empty; add the cells given as dose_cells with their dose_unit",
        )
        for unit, part, n in _counted(rows, ("dose_unit",))
    ]  # fmt: skip


def _finding(code: str, part: Part, n: int, message: str) -> tuple[int | None, Finding]:
    """The finding about `n` rows, of the file of this part."""
    return part.file, Finding(code, message, "warning", None, n)


def _counted(rows: pl.DataFrame, names: Sequence[str]) -> list[tuple[str, int, int]]:
    """What was measured, its part and how many rows there are of it."""
    own = [name for name in names if name in rows.columns]
    counts = rows.group_by("_part", *own).len().sort("_part", *own)
    return [
        (", ".join(str(name) for name in named if name), part, n)
        for part, *named, n in counts.iter_rows()
    ]
