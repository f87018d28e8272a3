"""Planted problems of samples, laboratory rows, forms and events."""

from __future__ import annotations

import polars as pl

from etl.synthetic.planter import Planter

QPCR, FLOW = "central_lab/qpcr_transgene.xlsx", "central_lab/car_flow.csv"
CYTOKINES, LOCAL_LAB = "central_lab/cytokine_multiplex.xlsx", "sdtm/lb.json"
BASELINE = "crf/baseline.csv"


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
