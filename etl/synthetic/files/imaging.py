"""The imaging core lab's files: tracer log, scan log, regions, and the long table of values."""

from __future__ import annotations

import polars as pl

from etl.synthetic import uptake
from etl.synthetic.files.export_file import (
    ExportFile,
    day_text,
    iso_with_zone,
    number_text,
    site_id,
    subject_code,
    with_times,
)
from etl.synthetic.trial import Frames

TRACER_WORDS = {
    uptake.DIRECT: "89Zr-oxine cells",
    uptake.REPORTER: "18F-FHBG",
    uptake.IMMUNE: "89Zr-crefmirlimab",
    uptake.TUMOR: "18F-FDG",
}
METRIC_WORDS = {
    "suv_mean": ("SUVmean", "g/mL", "VOI mean"),
    "suv_max": ("SUVmax", "g/mL", "VOI max"),
    "mtv40_ml": ("MTV (SUV>=4.0)", "mL", "fixed threshold SUV 4.0"),
    "tlg": ("TLG (SUV>=4.0)", "g", "fixed threshold SUV 4.0"),
    "percent_injected_activity": ("%IA, decay corrected to infusion", "%", "VOI sum"),
    "label_equivalent_cells": ("Label-equivalent cells", "1", "VOI sum"),
}
REGION_LABELS = {
    "LIVER": "Liver", "SPLEEN": "Spleen", "MARROW": "Bone marrow", "BLOOD_POOL": "Blood pool",
    "LUNG": "Lung", "KIDNEY": "Kidneys", "BRAIN": "Brain", "WHOLE_BODY": "Whole body",
    "MARROW_LSPINE": "Marrow, lumbar spine", "MARROW_PELVIS": "Marrow, pelvis",
    "MARROW_FEMUR": "Marrow, femora",
}  # fmt: skip
MTV_LIMIT_ML = 0.5
"""Smallest metabolic volume the core lab reports; below it the text is "<0.5"."""
SCANNERS = ("Biograph Vision 600", "Discovery MI", "Biograph mCT", "Vereos")


def imaging_files(frames: Frames) -> list[ExportFile]:
    """Four CSV files; codes of scans and regions link them."""
    return [
        ExportFile("imaging/tracer_administrations.csv", _administrations(frames)),
        ExportFile("imaging/scan_log.csv", _scan_log(frames)),
        ExportFile("imaging/organ_regions.csv", _organ_regions(frames)),
        ExportFile("imaging/quantification.csv", _quantification(frames)),
    ]


def _administrations(frames: Frames) -> pl.DataFrame:
    """One row per injection; the direct label has one, at infusion, for all of its scans."""
    scans = _numbered(frames.scans)
    first = scans.unique(
        ["subject_no", "tracer_id", "administration_no"], keep="first", maintain_order=True
    )
    timed = with_times(first, frames.patients, ["administration_day"])
    direct = pl.col("tracer_id") == uptake.DIRECT
    return timed.select(
        site_id().alias("SITE"),
        subject_code().alias("SUBJECT"),
        pl.col("tracer_id").replace_strict(TRACER_WORDS).alias("TRACER"),
        pl.col("administration_no").cast(pl.String).alias("ADMIN_NO"),
        iso_with_zone("administration_day_local").alias("ADMIN_DATETIME"),
        pl.when(direct).then(None).otherwise(number_text(pl.col("activity_mbq"), 4))
        .alias("INJECTED_MBQ"),
        pl.when(direct).then(None).otherwise(number_text(pl.col("residual_mbq"), 3))
        .alias("RESIDUAL_MBQ"),
        pl.when(pl.col("tracer_id") == uptake.IMMUNE).then(pl.lit("1.5"))
        .alias("MASS_DOSE_MG"),
        pl.lit("INTRAVENOUS").alias("ROUTE"),
        pl.when(direct).then(pl.lit("1")).alias("INFUSION_NO"),
    )  # fmt: skip


def _numbered(scans: pl.DataFrame) -> pl.DataFrame:
    """Adds administration_no: 1 for the direct label, else counted by scan time."""
    order = pl.col("rel_day").rank("ordinal").over("subject_no", "tracer_id").cast(pl.Int64)
    direct = pl.col("tracer_id") == uptake.DIRECT
    return scans.with_columns(administration_no=pl.when(direct).then(1).otherwise(order))


def _scan_log(frames: Frames) -> pl.DataFrame:
    timed = with_times(_numbered(frames.scans), frames.patients)
    site = (pl.col("subject_no") - 1) // 2 % 4
    return timed.select(
        site_id().alias("SITE"),
        subject_code().alias("SUBJECT"),
        pl.col("scan_code").alias("SCAN_ID"),
        pl.col("tracer_id").replace_strict(TRACER_WORDS).alias("TRACER"),
        pl.col("administration_no").cast(pl.String).alias("ADMIN_NO"),
        pl.lit("PET/CT").alias("MODALITY"),
        site.replace_strict(dict(enumerate(SCANNERS)), return_dtype=pl.String).alias("SCANNER"),
        pl.format("Day {}", day_text("nominal_day")).alias("VISIT"),
        day_text("nominal_day").alias("PLANNED_DAY"),
        iso_with_zone("rel_day_local").alias("ACQUISITION_START"),
        number_text(pl.col("uptake_time_h"), 4).alias("UPTAKE_H"),
        pl.col("decay_state").str.to_uppercase().alias("DECAY_REFERENCE"),
        number_text(pl.col("weight_kg"), 4).alias("WEIGHT_KG"),
        number_text(pl.col("half_life_s") / 3600, 6).alias("HEADER_HALF_LIFE_H"),
        pl.lit("Y").alias("EVALUABLE"),
        pl.lit(None, dtype=pl.String).alias("REASON"),
    )


def _organ_regions(frames: Frames) -> pl.DataFrame:
    """Organs per patient; lesions come from the tumor identification dataset."""
    organs = frames.values.filter(pl.col("region_code").is_in(list(REGION_LABELS)))
    pairs = organs.select("subject_no", "region_code").unique(maintain_order=True)
    kind = (
        pl.when(pl.col("region_code") == "BLOOD_POOL").then(pl.lit("BLOOD POOL"))
        .otherwise(pl.lit("ORGAN"))
    )  # fmt: skip
    return pairs.sort("subject_no", "region_code").select(
        site_id().alias("SITE"),
        subject_code().alias("SUBJECT"),
        pl.col("region_code").alias("REGION"),
        kind.alias("KIND"),
        pl.col("region_code").replace_strict(REGION_LABELS).alias("LABEL"),
    )


def _quantification(frames: Frames) -> pl.DataFrame:
    """One row per scan, region and metric; a vanished metabolic volume is below its limit."""
    words = {key: value[0] for key, value in METRIC_WORDS.items()}
    units = {key: value[1] for key, value in METRIC_WORDS.items()}
    methods = {key: value[2] for key, value in METRIC_WORDS.items()}
    below = (pl.col("metric") == "mtv40_ml") & (pl.col("value") < MTV_LIMIT_ML)
    ordered = frames.values.sort("subject_no", "scan_code", "region_code", "metric")
    return ordered.select(
        site_id().alias("SITE"),
        subject_code().alias("SUBJECT"),
        pl.col("scan_code").alias("SCAN_ID"),
        pl.col("region_code").alias("REGION"),
        pl.col("metric").replace_strict(words).alias("METRIC"),
        pl.when(below).then(pl.lit(f"<{MTV_LIMIT_ML}"))
        .otherwise(number_text(pl.col("value"), 4)).alias("RESULT"),
        pl.col("metric").replace_strict(units).alias("UNIT"),
        pl.col("metric").replace_strict(methods).alias("METHOD"),
        pl.lit("CORE LAB").alias("READER"),
    )  # fmt: skip
