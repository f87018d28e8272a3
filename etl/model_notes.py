"""Findings about loaded values that are used otherwise than as delivered, or not at all."""

from collections.abc import Sequence

import polars as pl

from analysis.derive.labels import ACTIVITY_METRIC
from analysis.load_words import ADD_DECAY_STATE, zero_rule
from analysis.number_words import count
from etl.contracts.contract import Contract
from etl.contracts.dose_units import NOT_CELLS
from etl.contracts.typed import CODES
from etl.profiles.cells import folded
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
    return [*_zeros(good, contract, parts), *_decay_unknown(good, contract, parts)]


def _zeros(good: pl.DataFrame, contract: Contract, parts: Sequence[Part]) -> Found:
    """Zeros without a limit: stored as they are, below a limit where a logarithm is taken."""
    if "lloq" not in contract.field_names:
        return []
    zeros = good.filter((pl.col("value") == 0) & pl.col("lloq").is_null())
    found: Found = []
    for what, part, n in _counted(zeros, (CODES[contract.name], *NAMED_BY)):
        message = (
            f"{contract.title}, {what}: {count(n, 'zero')} without a limit of "
            f"quantification, {zero_rule(n)}"
        )
        finding = Finding("zero_without_limit", message, "warning", None, n)
        found.append((parts[part].file, finding))
    return found


def _decay_unknown(good: pl.DataFrame, contract: Contract, parts: Sequence[Part]) -> Found:
    """Uptake whose decay correction nobody stated: correcting twice, or never, is a wrong number
    (89Zr after two days: a third), so `analysis.derive.model_frame` leaves it out."""
    if contract.name != "quantification":
        return []
    activity = pl.col("metric").str.contains(ACTIVITY_METRIC)
    found: Found = []
    unknown = good.filter(activity & (pl.col("decay_state") == "unknown"))
    for what, part, n in _counted(unknown, ("metric",)):
        message = (
            f"{contract.title}, {what}: {count(n, 'row')} of uptake without a decay state "
            f"{'is' if n == 1 else 'are'} not used in models; {ADD_DECAY_STATE}"
        )
        finding = Finding("decay_state_unknown", message, "warning", None, n)
        found.append((parts[part].file, finding))
    return found


def _doses_not_in_cells(good: pl.DataFrame, contract: Contract, parts: Sequence[Part]) -> Found:
    """Doses by volume or by bag: the infusion counts, its dose is not known."""
    found: Found = []
    rows = good.filter(folded(pl.col("dose_unit")).is_in(NOT_CELLS))
    for unit, part, n in _counted(rows, ("dose_unit",)):
        message = (
            f"{contract.title}: {count(n, 'dose')} in {unit} {'is' if n == 1 else 'are'} no number "
            "of cells and left empty; add the cells given as dose_cells with their dose_unit"
        )
        found.append((parts[part].file, Finding("dose_not_in_cells", message, "warning", None, n)))
    return found


def _counted(rows: pl.DataFrame, names: Sequence[str]) -> list[tuple[str, int, int]]:
    """What was measured, its part and how many rows there are of it."""
    own = [name for name in names if name in rows.columns]
    counts = rows.group_by("_part", *own).len().sort("_part", *own)
    return [
        (", ".join(str(name) for name in named if name), part, n)
        for part, *named, n in counts.iter_rows()
    ]
