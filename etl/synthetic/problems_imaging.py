"""Planted problems of scans, tracers and their values."""

from __future__ import annotations

import numpy as np
import polars as pl

from etl.synthetic.imaging import residue_factor
from etl.synthetic.planter import Planter

SCANS, VALUES = "imaging/scan_log.csv", "imaging/quantification.csv"
INJECTIONS = "imaging/tracer_administrations.csv"
F18_HALF_LIFE_TEXT = "1.8295"
WRONG_PRESET_FACTOR = 0.2274 / 0.9673
"""A fluorine preset used for zirconium divides by the wrong positron fraction: 4.25 too low."""


def _reporter(p: Planter, *more: pl.Expr) -> int:
    return p.pick(SCANS, pl.col("TRACER") == "18F-FHBG", *more)


def _scale(p: Planter, scan: int, factor: float, regions: tuple[str, ...] = ()) -> None:
    """Multiply the SUVs of one scan, as the wrong setting would have done."""
    subject, code = p.cell(SCANS, scan, "SUBJECT"), p.cell(SCANS, scan, "SCAN_ID")
    here = (pl.col("SUBJECT") == subject) & (pl.col("SCAN_ID") == code)
    here &= pl.col("METRIC").str.starts_with("SUV")
    if regions:
        here &= pl.col("REGION").is_in(regions)
    number = (pl.col("RESULT").cast(pl.Float64, strict=False) * factor).round_sig_figs(4)
    p.frames[VALUES] = p.frames[VALUES].with_columns(
        pl.when(here & number.is_not_null()).then(number.cast(pl.String)).otherwise("RESULT")
        .alias("RESULT")
    )  # fmt: skip


def uptake_out_of_window(p: Planter) -> None:
    """Scan 5.2 h after the reporter tracer; the core lab calls one not evaluable, misses one."""
    seen = _reporter(p, pl.col("PLANNED_DAY") == "28")
    p.write(SCANS, seen, "UPTAKE_H", "5.2")
    p.write(SCANS, seen, "EVALUABLE", "N")
    p.write(SCANS, seen, "REASON", "Uptake time outside 0.75-4 h")
    p.note(
        "UPTAKE_WINDOW_CALLED",
        SCANS,
        seen,
        "UPTAKE_H",
        "not_evaluable",
        "5.2 h after injection; the core lab excluded the scan and said why",
    )
    missed = _reporter(p, pl.col("PLANNED_DAY") == "90")
    p.write(SCANS, missed, "UPTAKE_H", "4.6")
    p.note(
        "UPTAKE_WINDOW_MISSED",
        SCANS,
        missed,
        "UPTAKE_H",
        "flagged",
        "4.6 h after injection, called evaluable; outside the tracer's window of 0.75-4 h",
    )


def direct_label_late(p: Planter) -> None:
    """The last direct-label scan a day late: outside the 168 h of the label."""
    row = p.pick(SCANS, (pl.col("TRACER") == "89Zr-oxine cells") & (pl.col("PLANNED_DAY") == "7"))
    text = p.cell(SCANS, row, "ACQUISITION_START")
    day = np.datetime64(text[:10]) + np.timedelta64(2, "D")
    hours = float(p.cell(SCANS, row, "UPTAKE_H")) + 48
    p.write(SCANS, row, "ACQUISITION_START", f"{day}{text[10:]}")
    p.write(SCANS, row, "UPTAKE_H", f"{hours:.1f}")
    p.note(
        "LABEL_WINDOW",
        SCANS,
        row,
        "UPTAKE_H",
        "flagged",
        "Direct label read more than 168 h after infusion",
    )


def missing_weight(p: Planter) -> None:
    """Weight missing in the header: the SUVs cannot be verified."""
    row = _reporter(p, pl.col("PLANNED_DAY") == "14")
    p.write(SCANS, row, "WEIGHT_KG", None)
    p.note(
        "WEIGHT_MISSING",
        SCANS,
        row,
        "WEIGHT_KG",
        "flagged",
        "No weight: SUV by body weight cannot be verified",
    )


def wrong_half_life(p: Planter) -> None:
    """A fluorine preset used for a zirconium scan."""
    row = p.pick(SCANS, pl.col("TRACER") == "89Zr-crefmirlimab")
    p.write(SCANS, row, "HEADER_HALF_LIFE_H", F18_HALF_LIFE_TEXT)
    _scale(p, row, WRONG_PRESET_FACTOR)
    p.note(
        "HALF_LIFE_PRESET",
        SCANS,
        row,
        "HEADER_HALF_LIFE_H",
        "flagged",
        "Header half-life of F-18 on a Zr-89 scan; all values read 4.25 times too low",
    )


def time_only_header(p: Planter) -> None:
    """A header with a time and no date: no day can be given."""
    row = p.pick(SCANS, (pl.col("TRACER") == "89Zr-oxine cells") & (pl.col("PLANNED_DAY") == "3"))
    text = p.cell(SCANS, row, "ACQUISITION_START")
    p.write(SCANS, row, "ACQUISITION_START", f"-----T{text[11:19]}")
    p.note(
        "TIME_ONLY",
        SCANS,
        row,
        "ACQUISITION_START",
        "partial_date",
        "Time without a date: loaded without a day, never guessed",
    )


def isotope_residue(p: Planter) -> None:
    """CD8 tracer injected two days before a reporter scan: the spleen reads 2.9 times too high."""
    row = p.pick(SCANS, (pl.col("TRACER") == "18F-FHBG") & (pl.col("PLANNED_DAY") == "28"))
    subject = p.cell(SCANS, row, "SUBJECT")
    start = p.cell(SCANS, row, "ACQUISITION_START")
    day = np.datetime64(start[:10]) - np.timedelta64(2, "D")
    like = p.pick(INJECTIONS, pl.col("TRACER") == "89Zr-crefmirlimab")
    new = p.copy_row(
        INJECTIONS, like, SITE=p.cell(SCANS, row, "SITE"), SUBJECT=subject, ADMIN_NO="9",
        ADMIN_DATETIME=f"{day}{start[10:]}",
    )  # fmt: skip
    _scale(p, row, residue_factor(2.0), ("SPLEEN",))
    p.note(
        "ISOTOPE_RESIDUE",
        INJECTIONS,
        new,
        "ADMIN_DATETIME",
        "flagged",
        "89Zr antibody 2 days before the reporter scan of day 28: spleen 2.9 times too high",
    )


def negative_uptake(p: Planter) -> None:
    """A negative SUV cannot be."""
    row = p.pick(VALUES, pl.col("METRIC") == "SUVmean")
    new = p.copy_row(VALUES, row, RESULT="-0.4", READER="CORE LAB 2")
    p.note("NEGATIVE_SUV", VALUES, new, "RESULT", "refused", "Negative SUV", "not_negative")


def unknown_scan(p: Planter) -> None:
    """A value of a scan that is not in the scan log."""
    row = p.pick(VALUES, pl.col("METRIC") == "SUVmean")
    new = p.copy_row(VALUES, row, SCAN_ID="HB99")
    p.note("UNKNOWN_SCAN", VALUES, new, "SCAN_ID", "refused", "No such scan", "scan_unknown")


def exact_duplicates(p: Planter) -> None:
    """The same row twice."""
    row = p.pick(VALUES, pl.col("METRIC") == "SUVmax")
    new = p.copy_row(VALUES, row)
    p.note("DUPLICATE_ROW", VALUES, new, "RESULT", "duplicate", "Identical row sent twice")
