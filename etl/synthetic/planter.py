"""The tool that plants problems: it changes cells of export files and keeps the answers."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace

import numpy as np
import polars as pl

from etl.synthetic.files.export_file import ExportFile


@dataclass(frozen=True, slots=True)
class Problem:
    """One planted problem.

    outcome: refused, duplicate, empty (a known word for no value), loaded (as meant, in spite of
    its form), censored, partial_date, flagged (loaded; the audit of imaging must flag it),
    not_evaluable, or finding. `rule`: the loader's rule or finding code, when one is expected.
    """

    code: str
    file: str
    row: int
    column: str
    raw: str
    outcome: str
    rule: str | None
    meaning: str

    def to_dict(self) -> dict[str, object]:
        """For the truth file."""
        return asdict(self)


class Planter:
    """Changes copies of the files and keeps a record of every change."""

    def __init__(self, files: list[ExportFile], rng: np.random.Generator) -> None:
        self.frames = {file.path: file.frame for file in files}
        self.files = {file.path: file for file in files}
        self.rng = rng
        self.problems: list[Problem] = []
        self.used: set[tuple[str, int]] = set()

    def pick(self, path: str, *conditions: pl.Expr) -> int:
        """A row of the file that fits and has no problem yet."""
        fits = self.frames[path].with_row_index("_row").filter(*conditions)["_row"].to_list()
        free = [row for row in fits if (path, row) not in self.used]
        row = int(free[int(self.rng.integers(0, len(free)))])
        self.used.add((path, row))
        return row

    def cell(self, path: str, row: int, column: str) -> str:
        """Text of a cell, empty when there is none."""
        return self.frames[path][column][row] or ""

    def write(self, path: str, row: int, column: str, text: str | None) -> None:
        """Replace one cell."""
        frame = self.frames[path]
        here = pl.int_range(pl.len()) == row
        self.frames[path] = frame.with_columns(
            pl.when(here).then(pl.lit(text, dtype=pl.String)).otherwise(column).alias(column)
        )

    def copy_row(self, path: str, row: int, **changes: str | None) -> int:
        """Append a copy of a row with some cells changed; returns its index."""
        frame = self.frames[path]
        new = frame[row].with_columns(
            pl.lit(text, dtype=pl.String).alias(column) for column, text in changes.items()
        )
        self.frames[path] = pl.concat([frame, new])
        self.used.add((path, frame.height))
        return frame.height

    def note(
        self, code: str, path: str, row: int, column: str, outcome: str, meaning: str,
        rule: str | None = None,
    ) -> None:  # fmt: skip
        """Record a problem at a row (from 0) as it stands now."""
        raw = self.cell(path, row, column) if column in self.frames[path].columns else ""
        seen = self.files[path].row_in_file(row)
        self.problems.append(Problem(code, path, seen, column, raw, outcome, rule, meaning))

    def finished(self) -> list[ExportFile]:
        """The files with their changed cells."""
        return [replace(f, frame=self.frames[f.path]) for f in self.files.values()]
