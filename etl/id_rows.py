"""Rows and ids that are probably none: a note under a table stands in the id column.

A profile's constants (an infusion on day 0, the term of an event) would make an infused patient of
it. A row that holds an id and nothing else therefore makes no record by constants.
"""

from collections.abc import Mapping, Sequence
from statistics import median

import polars as pl

from analysis.number_words import count
from etl.contracts.contract import SUBJECT
from etl.profiles.cells import clean
from etl.profiles.grid import Grid
from etl.profiles.schema import Table
from etl.source import Finding
from etl.verdicts import DUPLICATE, LOADED

ID_ONLY, UNLIKE = "id_only_row", "id_unlike_others"
ID_FIELDS = frozenset(one.name for one in SUBJECT)
LEAST_IDS = 3
"""Fewer other ids show no shape."""
RARE = 0.25
"""Ids with blanks are of another shape while they are no larger a part of all."""
LONGER = 2.0
"""How many times the usual length an id of another shape has."""
NAMED = 3
END = "end the table before a note with `stop` (docs/profiles.md)"


def unlike_others(ids: Sequence[str]) -> set[str]:
    """The ids of another shape than nearly all others: with blanks, or much longer."""
    distinct = set(ids)
    if len(distinct) <= LEAST_IDS:
        return set()
    blank = {one for one in distinct if " " in one.strip()}
    odd = blank if len(blank) <= RARE * len(distinct) else set()
    usual = median(len(one) for one in distinct)
    return odd | {one for one in distinct if len(one) > LONGER * usual}


def id_only_rows(grid: Grid, table: Table, ids: frozenset[int], rows: pl.DataFrame) -> pl.Series:
    """Row numbers of the file where the columns `ids` hold text and no other column does.

    A list of subjects keeps such a row (demographics may come later) unless constants would speak
    for it or its id is unlike the others. None where no row holds more than an id.
    """
    none = pl.Series("_row", [], dtype=rows["_row"].dtype)
    others = [clean(pl.col(f"c{i}")).is_null() for i in range(len(grid.paths)) if i not in ids]
    if not ids or not others:
        return none
    alone = rows.filter(pl.all_horizontal(others))
    if alone.is_empty() or alone.height == rows.height:
        return none
    if table.contract == "subject" and not table.constants:
        odd = pl.lit(False)
        for index in ids:
            named = rows.select(clean(pl.col(f"c{index}")))[f"c{index}"].drop_nulls()
            odd = odd | clean(pl.col(f"c{index}")).is_in(unlike_others(named.to_list()))
        alone = alone.filter(odd)
    return alone["_row"]


def without_id_only(records: pl.DataFrame, alone: pl.Series) -> pl.DataFrame:
    """The records with those of rows that hold an id alone marked empty."""
    if alone.is_empty():
        return records
    return records.with_columns(
        (pl.col("_empty") | pl.col("_row").is_in(alone.implode())).alias("_empty")
    )


def id_only_finding(rows: set[int], place: str) -> Finding:
    """`rows`: numbers of rows whose records were left out; `place`: the sheet or file."""
    shown = ", ".join(str(one) for one in sorted(rows)[:NAMED])
    more = f" and {len(rows) - NAMED} more" if len(rows) > NAMED else ""
    message = (
        f"{place}, row{'s' * (len(rows) > 1)} {shown}{more}: an id and nothing else, so no record "
        f"is made by the profile's constants; {END}"
    )
    return Finding(ID_ONLY, message, "warning", None, len(rows))


def unlike_findings(
    records: Mapping[str, pl.DataFrame], places: Mapping[int, tuple[int, str]]
) -> list[tuple[int | None, Finding]]:
    """One finding per file that names an accepted subject by an id unlike all others.

    `places`: the file number and the file's name per part.
    """
    accepted = pl.col("_verdict").is_in([LOADED, DUPLICATE]) & pl.col("usubjid").is_not_null()
    rows = [
        frame.filter(accepted).select("usubjid", "_part", "_row")
        for frame in records.values()
        if "usubjid" in frame.columns
    ]
    if not rows:
        return []
    named = pl.concat(rows).unique("usubjid", keep="first", maintain_order=True)
    odd = unlike_others(named["usubjid"].to_list())
    found: dict[tuple[int, str], list[int]] = {}
    for _, part, row in named.filter(pl.col("usubjid").is_in(list(odd))).iter_rows():
        found.setdefault(places[part], []).append(row)
    return [
        (file, Finding(UNLIKE, _unlike_message(name, numbers), "warning", None, len(numbers)))
        for (file, name), numbers in found.items()
    ]


def _unlike_message(name: str, rows: Sequence[int]) -> str:
    shown = ", ".join(str(one) for one in rows[:NAMED])
    more = f" and {len(rows) - NAMED} more" if len(rows) > NAMED else ""
    return (
        f"{name} row{'s' * (len(rows) > 1)} {shown}{more}: {count(len(rows), 'subject')} by an id "
        f"of another shape than the others (blanks, or much longer); if it is none, {END}"
    )
