"""Problems planted into the export files, each with the verdict a careful loader must reach.

A problem changes cells of a file before it is written. Which patients are hit depends on the
seed alone. The truth file lists every problem with its file, row, column, text and verdict.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import polars as pl

from etl.synthetic.files.export_file import ExportFile
from etl.synthetic.imaging import residue_factor
from etl.synthetic.planter import Planter, Problem

F18_HALF_LIFE_TEXT = "1.8295"
WRONG_PRESET_FACTOR = 0.2274 / 0.9673
"""A fluorine preset used for zirconium divides by the wrong positron fraction: 4.25 too low."""


def plant_problems(
    files: list[ExportFile], rng: np.random.Generator
) -> tuple[list[ExportFile], tuple[Problem, ...]]:
    """All problems of the trial; returns the changed files and the answers."""
    planter = Planter(files, rng)
    for plant in PROBLEMS:
        plant(planter)
    return planter.finished(), tuple(planter.problems)


SCANS, VALUES = "imaging/scan_log.csv", "imaging/quantification.csv"
INJECTIONS = "imaging/tracer_administrations.csv"
QPCR, FLOW = "central_lab/qpcr_transgene.xlsx", "central_lab/car_flow.csv"
CYTOKINES, LOCAL_LAB = "central_lab/cytokine_multiplex.xlsx", "sdtm/lb.json"
BASELINE = "crf/baseline.csv"


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


def qpcr_words(p: Planter) -> None:
    """Words instead of numbers in the qPCR workbook."""
    number = pl.col("CAR transgene").str.contains(r"^\d") & (pl.col("Specimen") == "Whole blood")
    for code, text, outcome, rule, meaning in (
        ("HEMOLYZED", "Hemolyzed", "empty", None, "Sample lost: no value, the reason is kept"),
        ("DASHES", "---", "empty", None, "A word for no value"),
        ("MISSING_CODE", "-99", "empty", None, "A code for no value, never a number"),
        ("ND_AMBIGUOUS", "ND", "refused", "ambiguous_nd", "Not done or not detected: refused"),
        ("THOUSANDS", "12,400", "refused", "not_a_number",
         "Thousands separator that the sender never declared"),
        ("NOT_A_NUMBER", "see report", "refused", "not_a_number", "Words where a number belongs"),
    ):  # fmt: skip
        row = p.pick(QPCR, number)
        p.write(QPCR, row, "CAR transgene", text)
        p.note(code, QPCR, row, "CAR transgene", outcome, meaning, rule)


def qpcr_limits(p: Planter) -> None:
    """A limit beside the word, and a word whose limit is missing."""
    below = pl.col("CAR transgene").is_in(["<LLOQ", "BLQ"])
    row = p.pick(QPCR, below, pl.col("LLOQ") == "50")
    p.write(QPCR, row, "CAR transgene", "<50")
    p.note("LIMIT_AS_NUMBER", QPCR, row, "CAR transgene", "censored", "Below 50 copies/ug")
    row = p.pick(QPCR, below)
    p.write(QPCR, row, "LLOQ", None)
    p.note(
        "LIMIT_MISSING",
        QPCR,
        row,
        "CAR transgene",
        "refused",
        "Below a limit that is not given: refused, never a number",
        "limit_missing",
    )


def identifiers(p: Planter) -> None:
    """Ids with spaces; a subject nobody knows."""
    row = p.pick(QPCR, pl.col("Specimen") == "Whole blood")
    p.write(QPCR, row, "Subject", f"\u00a0{p.cell(QPCR, row, 'Subject')} ")
    p.note("ID_WITH_SPACES", QPCR, row, "Subject", "loaded", "Spaces around the id are removed")
    row = p.pick(QPCR, pl.col("Specimen") == "Whole blood")
    new = p.copy_row(QPCR, row, Subject="999")
    p.note("UNKNOWN_SUBJECT", QPCR, new, "Subject", "refused", "No such subject", "subject_unknown")


def dates(p: Planter) -> None:
    """A date that cannot be, and one without a day."""
    row = p.pick(LOCAL_LAB, pl.col("LBTESTCD") == "CRP", pl.col("VISIT") == "Day 14")
    new = p.copy_row(LOCAL_LAB, row, LBDTC="2026-02-30T08:10", LBSEQ="901")
    p.note("DATE_IMPOSSIBLE", LOCAL_LAB, new, "LBDTC", "refused", "30 February", "date_impossible")
    row = p.pick(LOCAL_LAB, pl.col("LBTESTCD") == "LDH", pl.col("VISIT") == "Day 60")
    p.write(LOCAL_LAB, row, "LBDTC", p.cell(LOCAL_LAB, row, "LBDTC")[:7])
    p.note(
        "PARTIAL_DATE",
        LOCAL_LAB,
        row,
        "LBDTC",
        "partial_date",
        "Month only: loaded with its text and without a day",
    )


def units(p: Planter) -> None:
    """Another spelling and another size of a unit; a unit of another quantity."""
    row = p.pick(LOCAL_LAB, pl.col("LBTESTCD") == "CRP", pl.col("LBORRES").str.contains(r"^\d"))
    value = float(p.cell(LOCAL_LAB, row, "LBORRES"))
    p.write(LOCAL_LAB, row, "LBORRES", f"{value / 10:.5g}")
    p.write(LOCAL_LAB, row, "LBORRESU", "mg/dL")
    for limit in ("LBORNRLO", "LBORNRHI"):
        p.write(LOCAL_LAB, row, limit, f"{float(p.cell(LOCAL_LAB, row, limit)) / 10:.5g}")
    p.note("UNIT_CONVERTED", LOCAL_LAB, row, "LBORRESU", "loaded", "mg/dL is stored as mg/L")
    row = p.pick(LOCAL_LAB, pl.col("LBTESTCD") == "FERRITIN")
    new = p.copy_row(LOCAL_LAB, row, LBORRESU="mmHg", LBSEQ="902", LBDTC="2026-06-29T07:00")
    p.note(
        "UNIT_WRONG",
        LOCAL_LAB,
        new,
        "LBORRESU",
        "refused",
        "Pressure is no unit of ferritin",
        "unit_of_another_quantity",
    )


def cytokine_extremes(p: Planter) -> None:
    """A value above the upper limit, and missing words."""
    row = p.pick(CYTOKINES, pl.col("Day after infusion") == "6")
    p.write(CYTOKINES, row, "IL-6", ">5000")
    p.note("ABOVE_LIMIT", CYTOKINES, row, "IL-6", "censored", "Above 5000 pg/mL: right-censored")
    row = p.pick(CYTOKINES, pl.col("Day after infusion") == "21")
    p.write(CYTOKINES, row, "IFN-gamma", "not measurable")
    p.note("NOT_MEASURABLE", CYTOKINES, row, "IFN-gamma", "empty", "A word for no value")


def private_column(p: Planter) -> None:
    """A column that names a person: never read, only counted."""
    frame = p.frames[BASELINE]
    p.frames[BASELINE] = frame.with_columns(pl.lit("withheld").alias("Initials"))
    p.note(
        "IDENTIFYING_COLUMN",
        BASELINE,
        0,
        "Initials",
        "finding",
        "A column that identifies a person is never read",
        "identifying_column",
    )


def new_column(p: Planter) -> None:
    """A column that the profile does not know: reported, not used."""
    p.frames[FLOW] = p.frames[FLOW].with_columns(pl.lit("B7").alias("Panel lot"))
    meaning = "A column that no table reads is reported with its count, not used"
    p.note("NEW_COLUMN", FLOW, 0, "Panel lot", "finding", meaning, "unread_column")


def hidden_sheet(p: Planter) -> None:
    """The workbook keeps old values on a hidden sheet."""
    meaning = "A hidden sheet with old values: named in a finding, not loaded"
    p.note("HIDDEN_SHEET", CYTOKINES, 0, "", "finding", meaning, "hidden_sheet")


def grade_without_scale(p: Planter) -> None:
    """A grade is no grade without its scale."""
    path = "sdtm/ae.xpt"
    row = p.pick(path, pl.col("AEDECOD") == "CRS", pl.col("AETOXGR") == "1")
    new = p.copy_row(path, row, AESCALE=None, AESEQ="901")
    p.note(
        "GRADE_WITHOUT_SCALE",
        path,
        new,
        "AETOXGR",
        "refused",
        "A grade without the name of its scale",
        "given_with_grade",
    )


PROBLEMS: tuple[Callable[[Planter], None], ...] = (
    uptake_out_of_window,
    direct_label_late,
    missing_weight,
    wrong_half_life,
    time_only_header,
    isotope_residue,
    negative_uptake,
    unknown_scan,
    exact_duplicates,
    qpcr_words,
    qpcr_limits,
    identifiers,
    dates,
    units,
    cytokine_extremes,
    private_column,
    new_column,
    hidden_sheet,
    grade_without_scale,
)
