"""From a seed to files on disk: the small trial with its answers, the large one as a stream."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import polars as pl

from etl.synthetic.design import DEFAULT_SEED, TrialDesign
from etl.synthetic.files.central_lab import laboratory_files
from etl.synthetic.files.export_file import day_text, number_text, unique_subject_id
from etl.synthetic.files.imaging import imaging_files
from etl.synthetic.files.sdtm import sdtm_files
from etl.synthetic.files.write import write_file
from etl.synthetic.planter import Problem
from etl.synthetic.problems import plant_problems
from etl.synthetic.trial import Frames, simulate_blocks, simulate_trial
from etl.synthetic.truth import ANSWER_FILE, Truth, make_truth

PROBLEM_STREAM = 77
LARGEST_EXPORT = 500
"""Patients per cohort up to which workbooks and XPT are sensible; beyond it, `stream_trial`."""


def write_trial(
    directory: str | Path,
    seed: int = DEFAULT_SEED,
    patients_per_cohort: int = 24,
    plant: bool = True,
) -> Truth:
    """Write the trial's export files and, hidden beside them, the answer file.

    The same arguments give the same bytes. Raises ValueError above 500 patients per cohort.
    """
    if not 1 <= patients_per_cohort <= LARGEST_EXPORT:
        raise ValueError(
            f"patients_per_cohort is {patients_per_cohort}, expected 1 to {LARGEST_EXPORT}; "
            "use stream_trial for more"
        )
    design = TrialDesign(seed, patients_per_cohort, plant)
    blocks, frames = simulate_trial(design)
    files = [
        *sdtm_files(frames, design),
        *imaging_files(frames),
        *laboratory_files(frames),
    ]
    problems: tuple[Problem, ...] = ()
    if plant:
        rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(PROBLEM_STREAM,)))
        files, problems = plant_problems(files, rng)
    folder = Path(directory)
    hashes = {}
    for file in files:
        content = write_file(folder, file).read_bytes()
        hashes[file.path] = hashlib.sha256(content).hexdigest()
    truth = make_truth(design, blocks, frames, problems, hashes)
    truth.write(folder / ANSWER_FILE)
    return truth


def stream_trial(directory: str | Path, design: TrialDesign) -> dict[str, int]:
    """Write house-layout tables of any size, block by block in bounded memory.

    Returns rows written per file. The tables load without a profile.
    """
    folder = Path(directory)
    folder.mkdir(parents=True, exist_ok=True)
    written: dict[str, int] = {}
    for block in simulate_blocks(design):
        for name, frame in house_tables(block.frames).items():
            with (folder / f"{name}.csv").open("ab" if name in written else "wb") as stream:
                frame.write_csv(stream, include_header=name not in written)
            written[name] = written.get(name, 0) + frame.height
    return written


def house_tables(frames: Frames) -> dict[str, pl.DataFrame]:
    """Subjects, samples, laboratory, scans, regions and values in the layout of the contracts."""
    who = unique_subject_id().alias("usubjid")
    below = pl.col("value") < pl.col("lloq")
    regions = frames.values.select("subject_no", "region_code").unique(maintain_order=True)
    kind = (
        pl.when(pl.col("region_code") == "BLOOD_POOL").then(pl.lit("blood_pool"))
        .when(pl.col("region_code").str.contains(r"^L\d$")).then(pl.lit("lesion"))
        .otherwise(pl.lit("organ"))
    )  # fmt: skip
    analyte = pl.when(pl.col("assay") == "flow").then(pl.lit("CARFLOW")).otherwise(pl.lit("CARTG"))
    unit = (
        pl.when(pl.col("assay") == "flow").then(pl.lit("cells/uL")).otherwise(pl.lit("copies/ug"))
    )
    return {
        "subject": frames.patients.select(
            who, "sex", "age_year", "cohort", "dose_level", pl.lit("Y").alias("infused")
        ),
        "kinetics_sample": frames.kinetics.select(
            who, analyte.alias("analyte"), "assay", "matrix", "rel_day", "nominal_day",
            pl.when(below).then(pl.format("<{}", pl.col("lloq")))
            .otherwise(number_text(pl.col("value"))).alias("value"),
            unit.alias("unit"), "lloq",
        ),
        "laboratory_result": frames.labs.select(
            who, "testcd", "matrix", "rel_day", "nominal_day",
            number_text(pl.col("value")).alias("value"),
            pl.col("testcd").replace_strict(_LAB_UNITS).alias("unit"),
            pl.col("testcd").replace_strict(_LAB_CATEGORIES).alias("category"),
        ),
        "scan": frames.scans.select(
            who, "scan_code", "tracer_id", pl.lit("PET/CT").alias("modality"), "rel_day",
            "nominal_day", pl.format("Day {}", day_text("nominal_day")).alias("visit"),
            "decay_state",
        ),
        "region": regions.select(who, "region_code", kind.alias("kind")),
        "quantification": frames.values.select(
            who, "scan_code", "region_code", "metric", number_text(pl.col("value")).alias("value"),
            pl.col("metric").replace_strict(_METRIC_UNITS).alias("unit"),
        ),
    }  # fmt: skip


_LAB_UNITS = {
    "INTLK6": "pg/mL", "IFNG": "pg/mL", "CRP": "mg/L", "FERRITIN": "ug/L", "LDH": "U/L",
    "WBC": "10^9/L", "LYM": "10^9/L", "CD19": "cells/uL", "BLAST": "%",
}  # fmt: skip
_LAB_CATEGORIES = {
    "INTLK6": "cytokine", "IFNG": "cytokine", "CRP": "chemistry", "FERRITIN": "chemistry",
    "LDH": "chemistry", "WBC": "hematology", "LYM": "hematology", "CD19": "cell_population",
    "BLAST": "cell_population",
}  # fmt: skip
_METRIC_UNITS = {
    "suv_mean": "g/mL", "suv_max": "g/mL", "mtv40_ml": "mL", "tlg": "g",
    "percent_injected_activity": "%ID", "label_equivalent_cells": "1",
}  # fmt: skip
