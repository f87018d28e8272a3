"""What is exported: tables with named, labelled, united columns, notes, and where all came from."""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl


@dataclass(frozen=True)
class Column:
    """One column of a table: its key in the frame, what people call it, its unit ("" if none)."""

    name: str
    label: str
    unit: str = ""

    @property
    def heading(self) -> str:
        """Label and unit in one cell: "Peak (copies/ug)"."""
        return f"{self.label} ({self.unit})" if self.unit else self.label


@dataclass(frozen=True, eq=False)
class Table:
    """One table. `frame` holds at least the columns named; its grain is said in `grain`."""

    name: str
    title: str
    grain: str
    columns: tuple[Column, ...]
    frame: pl.DataFrame
    notes: tuple[str, ...] = ()

    def rows(self) -> pl.DataFrame:
        """The frame in the order of `columns`."""
        return self.frame.select(column.name for column in self.columns)


def concatenated(parts: Sequence[pl.DataFrame], columns: Sequence[Column]) -> pl.DataFrame:
    """Frames under each other with exactly these columns; empty when there is no frame."""
    names = [column.name for column in columns]
    if not parts:
        return pl.DataFrame(schema=dict.fromkeys(names, pl.String))
    under = pl.concat(parts, how="diagonal_relaxed")
    return under.select(
        pl.col(name) if name in under.columns else pl.lit(None).alias(name) for name in names
    )


@dataclass(frozen=True)
class Provenance:
    """Where the numbers came from: enough to make them again.

    filters are (name, value) as shown on the screen; versions are (program or library, version);
    fits_left_out are (question, why) of stored fits that ask about other patients.
    """

    study: str
    cut: str
    cut_created_at: str
    filters: tuple[tuple[str, str], ...]
    query: str
    n_patients: int
    n_selected: int
    versions: tuple[tuple[str, str], ...]
    methods: tuple[str, ...]
    source_files: tuple[tuple[str, str], ...]
    written_at: str
    fits_left_out: tuple[tuple[str, str], ...] = ()

    def lines(self) -> tuple[tuple[str, str], ...]:
        """(name, value) pairs in reading order, for formats that hold text only."""
        return (
            ("Study", self.study),
            ("Data cut", f"{self.cut} ({self.cut_created_at} UTC)"),
            ("Patients", f"{self.n_selected} selected of {self.n_patients}"),
            *((f"Filter: {name}", value) for name, value in self.filters),
            ("Selection", self.query or "all patients"),
            *((f"Fit left out: {name}", why) for name, why in self.fits_left_out),
            *((f"Version: {name}", version) for name, version in self.versions),
            *((f"Method {number}", text) for number, text in enumerate(self.methods, start=1)),
            *((f"Source: {path}", f"sha256 {digest}") for path, digest in self.source_files),
            ("Written", f"{self.written_at} UTC"),
        )


@dataclass(frozen=True, eq=False)
class Document:
    """A statistical summary: tables and one provenance."""

    title: str
    tables: tuple[Table, ...]
    provenance: Provenance
