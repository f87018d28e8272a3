"""Findings about checked records: what a person should know though no rule is broken."""

from collections.abc import Sequence

import polars as pl

from analysis.number_words import count
from etl.contracts.contract import Contract
from etl.contracts.times import INSTANT
from etl.contracts.values import WORDED
from etl.model_notes import model_notes
from etl.shaping import Part
from etl.source import Finding
from etl.verdicts import LOADED

CHARACTER = "character_results"
FAR_BEFORE = 365
"""Days before infusion from which a measurement is more likely a wrong date."""
APART = 21.0
"""Days from the planned day, or a quarter of it, from which date and visit do not fit."""
SENTINELS = (999.0, 9999.0, -99.0, -999.0)


def observe(
    frame: pl.DataFrame, contract: Contract, parts: Sequence[Part]
) -> list[tuple[int | None, Finding]]:
    """One finding per file and kind of observation, with its count."""
    return [
        *_character_results(frame, contract, parts),
        *model_notes(frame, contract, parts),
        *_of_loaded(frame, contract, parts),
    ]


def _character_results(
    frame: pl.DataFrame, contract: Contract, parts: Sequence[Part]
) -> list[tuple[int | None, Finding]]:
    if WORDED not in frame.columns:
        return []
    found: list[tuple[int | None, Finding]] = []
    counts = frame.filter(pl.col(WORDED)).group_by("_part").len().sort("_part")
    for number, n in counts.iter_rows():
        part = parts[number]
        column = part.incoming.headers.get("value")
        message = (
            f"{contract.title}: {count(n, 'character result')}"
            f"{f' in {column}' if column else ''} (words or grades, no number) left out: "
            "the table holds numbers; counted as empty"
        )
        found.append((part.file, Finding(CHARACTER, message, "warning", column, n)))
    return found


def _of_loaded(
    frame: pl.DataFrame, contract: Contract, parts: Sequence[Part]
) -> list[tuple[int | None, Finding]]:
    checks = _checks(contract, frame)
    if not checks:
        return []
    good = frame.filter(pl.col("_verdict") == LOADED)
    counts = good.group_by("_part").agg(
        test.fill_null(False).sum().alias(code) for code, _, _, test in checks
    )
    found: list[tuple[int | None, Finding]] = []
    for row in counts.sort("_part").iter_rows(named=True):
        for code, severity, words, _ in checks:
            if row[code]:
                rows = "1 row" if row[code] == 1 else f"{row[code]:,} rows"
                message = f"{contract.title}, {rows}: {words}"
                finding = Finding(code, message, severity, None, int(row[code]))
                found.append((parts[row["_part"]].file, finding))
    return found


def _checks(contract: Contract, frame: pl.DataFrame) -> list[tuple[str, str, str, pl.Expr]]:
    """Code, severity, words and test of everything worth counting in this table."""
    checks: list[tuple[str, str, str, pl.Expr]] = []
    value = pl.col("value")
    if "lloq" in contract.field_names and contract.measured:
        words = "zero in a sample with a limit; read as below the limit"
        checks.append(("zero_below_limit", "info", words, pl.col("_zero_censored")))
        low = (value > 0) & (value < pl.col("lloq"))
        words = "number below the limit of its sample; kept as delivered"
        checks.append(("number_below_limit", "warning", words, low))
    if contract.measured:
        words = "value that looks like a code for missing (999, -99)"
        checks.append(("missing_code_suspected", "warning", words, value.is_in(SENTINELS)))
    if contract.timed:
        words = "delivered day differs by more than a day from the dates; dates are used"
        checks.append(("day_differs", "warning", words, pl.col("_rel_day_differs")))
        unzoned = pl.col("dtm_precision").is_in(INSTANT) & pl.col("tz").is_null()
        words = "time without a zone; taken as the local time of the site throughout"
        checks.append(("zone_missing", "info", words, unzoned))
        partial = pl.col("dtm_precision").is_in(["month", "year", "unknown"])
        words = "partial date; kept as text, gives no day from infusion"
        checks.append(("partial_date", "info", words, partial))
    if contract.timed and contract.measured:
        day, planned = pl.col("rel_day"), pl.col("nominal_day")
        words = f"measured more than {FAR_BEFORE} days before infusion; check the dates"
        checks.append(("day_far_before", "warning", words, day < -FAR_BEFORE))
        room = pl.max_horizontal(pl.lit(APART), planned.abs() / 4)
        words = f"measured more than {APART:g} days from its planned day; check date and visit"
        checks.append(("visit_apart", "warning", words, (day - planned).abs() > room))
    return checks
