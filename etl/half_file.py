"""A delivery whose last row may be cut does not change what is stored.

The reader has noted files without a last line end (`etl.last_line` holds the whole rule).
Against the database the doubt can be decided: a last row that would replace a stored record by
another content, or a full delivery that would retire records of the file's tables, is what a cut
makes. Such a file is refused whole. A last row that is new, or says what is stored, is taken.
"""

import polars as pl

from analysis.errors import UserError
from analysis.number_words import count
from etl.contracts import CONTRACTS
from etl.delivery import Delivery
from etl.last_line import open_row
from etl.plan import Plan


def require_whole_files(delivery: Delivery, plan: Plan) -> None:
    """Raises UserError when a file that may be cut would change or retire stored records."""
    for number, result in enumerate(delivery.files):
        row = open_row(result.sheets)
        if row is not None:
            _require_whole(delivery, plan, number, row)


def _require_whole(delivery: Delivery, plan: Plan, file: int, row: int) -> None:
    parts = [index for index, part in enumerate(delivery.parts) if part.file == file]
    for name, table in plan.tables.items():
        title = CONTRACTS[name].title.lower()
        if not any(delivery.parts[index].table.contract == name for index in parts):
            continue
        last = table.insert.filter(
            (pl.col("_row") == row) & pl.col("_part").cast(pl.Int64).is_in(parts)
        )
        changed = last.join(table.corrected, on="record_key", how="semi").height
        reason = ""
        if not table.retired.is_empty():
            n = count(table.retired.len(), "stored record")
            reason = f"{n} of {title} would be retired"
        elif changed:
            reason = f"that row would change {count(changed, 'stored record')} of {title}"
        if reason:
            raise UserError(
                f"{delivery.files[file].source.name}: no line end after the last row (row {row}), "
                f"and {reason}: the file is probably cut; export it again, or end its last line if "
                "it is complete"
            )
