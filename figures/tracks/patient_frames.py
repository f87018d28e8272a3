"""The records of one patient, as the tracks read them, and the choices of the reader.

Frames carry the columns of the stored tables (ids resolved to codes). A frame without rows, or
without columns, is a domain that this trial did not deliver: its track does not exist.
"""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import polars as pl

from analysis.derive.signal import Signal
from figures.number_text import day_text, whole_day

Row = dict[str, Any]


class SignalRows(NamedTuple):
    """One signal of this patient: rows of `derive.signal.signal_series`, in order of day.

    `rows` hold one value per time (the geometric mean of the lesions for a lesion signal);
    `regions` one per region and time, with `region_code`, for signals of several regions.
    """

    signal: Signal
    rows: tuple[Row, ...]
    regions: tuple[Row, ...] = ()


@dataclass(frozen=True, eq=False)
class PatientFrames:
    """One patient: derived signals, stored events, and how patient and regions are called."""

    usubjid: str
    label: str
    """How the patient is called on the screen: "Patient 014"."""
    signals: tuple[SignalRows, ...] = ()
    region_labels: dict[str, str] = field(default_factory=dict)
    upper_limits: dict[str, float] = field(default_factory=dict)
    """Upper limit of normal by test code, for this patient's laboratory."""
    lab_categories: dict[str, str] = field(default_factory=dict)
    recorded_toxicity: frozenset[str] = frozenset()
    """Categories that the trial recorded for any patient; empty for one who was never infused.
    "None recorded" means something only there."""
    scans: pl.DataFrame = field(default_factory=pl.DataFrame)
    burden: pl.DataFrame = field(default_factory=pl.DataFrame)
    responses: pl.DataFrame = field(default_factory=pl.DataFrame)
    adverse_events: pl.DataFrame = field(default_factory=pl.DataFrame)
    grades_set_aside: pl.DataFrame = field(default_factory=pl.DataFrame)
    """Adverse events that another scale grades on the same days, not among `adverse_events`."""
    interventions: pl.DataFrame = field(default_factory=pl.DataFrame)
    infusions: pl.DataFrame = field(default_factory=pl.DataFrame)

    def of_domain(self, domain: str) -> tuple[SignalRows, ...]:
        """The signals of one domain, in the order of the catalog."""
        return tuple(found for found in self.signals if found.signal.domain == domain)


@dataclass(frozen=True)
class Choices:
    """What the reader chose: empty means the most useful one that this patient has."""

    tracer: str = ""
    metric: str = ""
    criterion: str = ""
    reader: str = ""
    log: bool = True
    day_low: float | None = None
    day_high: float | None = None


def rows(frame: pl.DataFrame) -> list[Row]:
    """All rows with a day, in order of day; the nominal day stands in for an unknown one."""
    if frame.is_empty() or "rel_day" not in frame.columns:
        return []
    day = pl.col("rel_day")
    if "nominal_day" in frame.columns:
        day = pl.coalesce("rel_day", "nominal_day")
    dated = frame.with_columns(day.alias("rel_day")).filter(pl.col("rel_day").is_not_null())
    return dated.sort("rel_day").to_dicts()


def source_text(row: Row) -> str:
    """Where a value came from: "pet.csv, sheet Uptake, row 341"."""
    parts = [
        str(row.get("source_file") or "").rsplit("/", 1)[-1],
        str(row.get("source_sheet") or ""),
        f"row {row['source_row']:,}" if row.get("source_row") else "",
    ]
    return ", ".join(part for part in parts if part)


def hover_text(patient: PatientFrames, row: Row, *lines: str) -> str:
    """The hover of one mark: day and patient first, then what it is, then its source row."""
    day = f"<b>Day {exact_day(row.get('rel_day'))}</b>, {patient.label}"
    visit = row.get("visit")
    if visit and f"{visit}".strip().lower() not in {"", f"day {exact_day(row.get('rel_day'))}"}:
        day += f" ({visit})"
    return "<br>".join(part for part in (day, *lines, source_text(row)) if part)


def exact_day(day: float | None) -> str:
    """A day with the precision that was delivered: 14, 0.3, −6.5."""
    if day is None:
        return "unknown"
    if abs(day - whole_day(day)) < 0.05:
        return day_text(day)
    return f"{day:.1f}".replace("-", "\N{MINUS SIGN}")


def at_day(row_day: float, day: float | None) -> bool:
    """Whether a sample belongs to the chosen whole day."""
    return day is not None and whole_day(row_day) == whole_day(day)
