"""Central laboratory files: qPCR workbook, flow table, cytokine workbook, local laboratory."""

from __future__ import annotations

import polars as pl

from etl.synthetic.design import CYTOKINE_DAYS, FLOW_DAYS
from etl.synthetic.files.export_file import (
    ExportFile,
    day_text,
    iso_minute,
    number_text,
    site_id,
    subject_code,
    unique_subject_id,
    with_times,
)
from etl.synthetic.laboratory import BLASTS, CHEMISTRY, CYTOKINES
from etl.synthetic.trial import Frames

BELOW_WORDS = ("<LLOQ", "BLQ")
TEST_NAMES = {
    "CRP": ("C Reactive Protein", "CHEMISTRY", "SERUM"),
    "FERRITIN": ("Ferritin", "CHEMISTRY", "SERUM"),
    "LDH": ("Lactate Dehydrogenase", "CHEMISTRY", "SERUM"),
    "WBC": ("Leukocytes", "HEMATOLOGY", "BLOOD"),
    "LYM": ("Lymphocytes", "HEMATOLOGY", "BLOOD"),
    "CD19": ("CD19+ B cells", "CELL_POPULATION", "BLOOD"),
    "BLAST": ("Blasts in marrow, flow cytometry", "CELL_POPULATION", "MARROW"),
}
CYTOKINE_NAMES = {"INTLK6": "IL-6", "IFNG": "IFN-gamma"}
UNIT_WORDS = {"10^6/L": "cells/uL"}


def laboratory_files(frames: Frames) -> list[ExportFile]:
    """qPCR (xlsx with a unit row), flow (csv, decimal comma), cytokines (xlsx), LB (JSON)."""
    return [
        _qpcr(frames),
        ExportFile("central_lab/car_flow.csv", _flow(frames), separator=";"),
        _cytokines(frames),
        ExportFile("sdtm/lb.json", _local_laboratory(frames), format="json"),
    ]


def _qpcr(frames: Frames) -> ExportFile:
    """One row per sample; a result below the sample's limit is the laboratory's word."""
    timed = with_times(frames.kinetics.filter(pl.col("assay") == "qPCR"), frames.patients)
    timed = timed.sort("subject_no", "rel_day", "matrix")
    word = pl.when(pl.int_range(pl.len()) % 3 == 0).then(pl.lit(BELOW_WORDS[1]))
    frame = timed.select(
        subject_code().alias("Subject"),
        site_id().alias("Site"),
        pl.format("Day {}", day_text("nominal_day")).alias("Visit"),
        day_text("nominal_day").alias("Planned day"),
        pl.col("rel_day_local").dt.strftime("%d.%m.%Y %H:%M").alias("Collected"),
        pl.col("matrix").replace_strict({"BLOOD": "Whole blood", "MARROW": "Bone marrow"})
        .alias("Specimen"),
        number_text(10.0 / pl.col("lloq"), 3).alias("DNA input"),
        pl.when(pl.col("value") < pl.col("lloq")).then(word.otherwise(pl.lit(BELOW_WORDS[0])))
        .otherwise(number_text(pl.col("value"), 4)).alias("CAR transgene"),
        number_text(pl.col("lloq"), 4).alias("LLOQ"),
        pl.lit(None, dtype=pl.String).alias("Comment"),
    )  # fmt: skip
    return ExportFile(
        "central_lab/qpcr_transgene.xlsx",
        frame,
        format="xlsx",
        sheet="Results",
        above=(("CAR transgene by qPCR, genomic DNA. Synthetic data.",), ()),
        units=("", "", "", "d", "", "", "\u00b5g", "copies/\u00b5g DNA", "copies/\u03bcg DNA", ""),
        below=((f"Samples reported: {frame.height}",),),
    )


def _flow(frames: Frames) -> pl.DataFrame:
    """One row per patient, one column per planned day, decimal comma, "<0,2" below the limit."""
    flow = frames.kinetics.filter(pl.col("assay") == "flow")
    number = number_text(pl.col("value"), 3)
    below = pl.col("value") < pl.col("lloq")
    text = pl.when(below).then(pl.format("<{}", pl.col("lloq"))).otherwise(number)
    cells = flow.with_columns(
        text=text.str.replace(".", ",", literal=True),
        header=pl.format("Day {}", day_text("nominal_day")),
    )
    wide = cells.pivot("header", index="subject_no", values="text").sort("subject_no")
    headers = [f"Day {day}" for day in FLOW_DAYS]
    missing = [pl.lit(None, dtype=pl.String).alias(h) for h in headers if h not in wide.columns]
    return wide.with_columns(missing).select(
        site_id().alias("Center"),
        subject_code().alias("Patient"),
        pl.lit("CAR+ of CD3+, absolute").alias("Population"),
        *headers,
    )


def _cytokines(frames: Frames) -> ExportFile:
    """One row per patient and day, one column per cytokine, two header rows (name, unit)."""
    labs = frames.labs.filter(pl.col("testcd").is_in(list(CYTOKINES)))
    limits = pl.DataFrame(
        [(code, values[3], values[4]) for code, values in CYTOKINES.items()],
        schema=["testcd", "lloq", "uloq"],
        orient="row",
    )
    cells = labs.join(limits, on="testcd", maintain_order="left").with_columns(
        text=pl.when(pl.col("value") < pl.col("lloq")).then(pl.format("<{}", "lloq"))
        .when(pl.col("value") > pl.col("uloq"))
        .then(pl.format(">{}", pl.col("uloq").cast(pl.Int64)))
        .otherwise(number_text(pl.col("value"), 3)),
        name=pl.col("testcd").replace_strict(CYTOKINE_NAMES),
    )  # fmt: skip
    wide = cells.pivot("name", index=["subject_no", "nominal_day"], values="text")
    assert set(wide["nominal_day"].unique()) <= set(CYTOKINE_DAYS)
    frame = wide.sort("subject_no", "nominal_day").select(
        site_id().alias("Site"),
        subject_code().alias("Subject"),
        day_text("nominal_day").alias("Day after infusion"),
        *CYTOKINE_NAMES.values(),
        pl.lit(None, dtype=pl.String).alias("Remark"),
    )
    return ExportFile(
        "central_lab/cytokine_multiplex.xlsx",
        frame,
        format="xlsx",
        sheet="Plasma",
        hidden_sheet="Plasma old",
        units=("", "", "", "pg/mL", "pg/mL", ""),
    )


def _local_laboratory(frames: Frames) -> pl.DataFrame:
    """SDTM LB: one row per test and visit, times local without a zone."""
    tests = CHEMISTRY | {"BLAST": BLASTS}
    facts = pl.DataFrame(
        [
            (code, *TEST_NAMES[code], UNIT_WORDS.get(unit, unit), low, high, lloq)
            for code, (unit, low, high, lloq, _) in tests.items()
        ],
        schema=["testcd", "test", "category", "specimen", "unit", "low", "high", "lloq"],
        orient="row",
    )
    labs = frames.labs.filter(pl.col("testcd").is_in(list(tests)))
    timed = with_times(labs, frames.patients).join(facts, on="testcd", maintain_order="left")
    timed = timed.sort("subject_no", "rel_day", "testcd")
    below = pl.col("value") < pl.col("lloq")
    return timed.select(
        pl.lit("SYN-CART-01").alias("STUDYID"),
        pl.lit("LB").alias("DOMAIN"),
        unique_subject_id().alias("USUBJID"),
        pl.int_range(1, pl.len() + 1).over("subject_no").cast(pl.String).alias("LBSEQ"),
        pl.col("testcd").alias("LBTESTCD"),
        pl.col("test").alias("LBTEST"),
        pl.col("category").alias("LBCAT"),
        pl.col("specimen").alias("LBSPEC"),
        pl.when(below).then(pl.format("<{}", number_text(pl.col("lloq"), 3)))
        .otherwise(number_text(pl.col("value"), 3)).alias("LBORRES"),
        pl.col("unit").alias("LBORRESU"),
        number_text(pl.col("low"), 3).alias("LBORNRLO"),
        number_text(pl.col("high"), 3).alias("LBORNRHI"),
        pl.format("Day {}", day_text("nominal_day")).alias("VISIT"),
        day_text("nominal_day").alias("VISITDY"),
        iso_minute("rel_day_local").alias("LBDTC"),
    )  # fmt: skip
