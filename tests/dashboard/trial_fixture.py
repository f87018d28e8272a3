"""A small trial with invented numbers, so that pages can be drawn without a database.

24 enrolled patients in two cohorts, 22 infused; reporter-gene and FDG scans, qPCR and flow,
cytokines, CRS and ICANS, response, survival; one scan that is not evaluable, values below the
limit, refused rows, two data cuts. The numbers come from a fixed seed and mean nothing.
"""

import math
import random
from dataclasses import fields
from datetime import datetime, timedelta
from typing import Any

import polars as pl

from models.trial import Cut, Trial
from tests.dashboard.trial_records import FDG, REPORTER, Rows, add_patient

_EMPTY = {
    "tracer_administrations": (
        "usubjid",
        "tracer_id",
        "administration_no",
        "injected_activity_mbq",
        "rel_day",
    ),
}

STUDY = {
    "id": 1,
    "studyid": "TINY-01",
    "title": "A small invented trial",
    "phase": "1",
    "disease": "Diffuse large B-cell lymphoma",
    "infusion_day_label": 0,
    "response_criterion": "LUGANO 2014",
    "rfst_definition": None,
    "is_synthetic": True,
}
CUTS = (("2026-05-31", 1, datetime(2026, 6, 2, 9)), ("2026-06-30", 2, datetime(2026, 7, 1, 9)))


def tiny_trial(cut: str = "2026-06-30") -> Trial:
    """The trial at one of its two cuts; the earlier one lacks the last two patients.
    As in the database, loads, files, refusals and cuts are the whole study's."""
    names = [name for name, _, _ in CUTS]
    place = names.index(cut)
    patients = _patients()[: 24 if place else 22]
    rng = random.Random(2)
    frames: dict[str, Rows] = {field.name: [] for field in fields(Trial)}
    for number, patient in enumerate(patients):
        add_patient(frames, patient, number, rng)
    frames.update(_deliveries())
    frames["tracers"] = [
        {"id": REPORTER, "name": "18F-DCFPyL (PSMA reporter)", "tracer_class": "reporter_gene"},
        {"id": FDG, "name": "18F-FDG", "tracer_class": "tumor_tracer"},
    ]
    values: dict[str, Any] = {
        name: _frame(name, rows) for name, rows in frames.items() if name not in {"study", "cut"}
    }
    name, load_id, created = CUTS[place]
    values["study"] = dict(STUDY)
    values["cut"] = Cut(load_id, name, load_id, created)
    return Trial(**values)


def _patients() -> Rows:
    return [
        {
            "usubjid": f"TINY-01-{1 + n % 3:02d}-{n + 1:03d}",
            "subjid": f"{n + 1:03d}",
            "siteid": f"{1 + n % 3:02d}",
            "sex": "FM"[n % 2],
            "age_year": 41.0 + 13 * math.sin(n) + n % 5,
            "arm": None,
            "cohort": "A" if n % 2 == 0 else "B",
            "dose_level": "DL1" if n < 8 else "DL2",
            "disease": STUDY["disease"],
            "infused": n not in {11, 23},
            "safety_set": None,
            "efficacy_set": None,
            "imaging_set": None,
        }
        for n in range(24)
    ]


def _deliveries() -> dict[str, Rows]:
    cuts = [
        {"id": load_id, "name": name, "load_id": load_id, "created_at": created}
        for name, load_id, created in CUTS
    ]
    loads = [
        {
            "id": load_id,
            "status": "done",
            "started_at": created,
            "delivery": "full",
            "finished_at": created + timedelta(seconds=3),
            "actor": "data manager",
            "profile_name": "synthetic",
            "profile_hash": "a1b2c3",
            "contract_version": "1",
            "program_version": "0.1.0",
            "message": None,
        }
        for _, load_id, created in CUTS
    ]
    files = [
        {
            "id": 2 * load_id + k,
            "load_id": load_id,
            "path": path,
            "sha256": f"{load_id}{k}" * 32,
            "size_byte": 41_000,
            "reader": "csv",
            "file_rows": rows,
            "file_cells": rows * 9,
            "rows_in": rows,
            "loaded": rows - 2 - k,
            "refused": 2,
            "duplicates": k,
            "empty": 0,
            "superseded": 3 if load_id == 2 else 0,
        }
        for _, load_id, _ in CUTS
        for k, (path, rows) in enumerate((("kinetics.csv", 440), ("scans.csv", 170)))
    ]
    refused = [
        {
            "id": k,
            "load_id": 2,
            "source_file": file,
            "sheet": None,
            "row": row,
            "column_name": column,
            "rule": rule,
            "raw": raw,
            "message": message,
        }
        for k, (file, row, column, rule, raw, message) in enumerate(
            (
                (
                    "kinetics.csv",
                    118,
                    "VALUE",
                    "number",
                    "Hemolyzed",
                    "expected a number or a limit",
                ),
                ("kinetics.csv", 203, "DTM", "date", "2025-13-02", "expected an ISO date"),
                (
                    "scans.csv",
                    41,
                    "TRACER",
                    "known_tracer",
                    "FDGG",
                    "expected an id of the registry",
                ),
                ("scans.csv", 77, "USUBJID", "known_subject", "TINY-01-09-044", "no such subject"),
            )
        )
    ]
    findings = [
        {
            "id": 1,
            "load_id": 2,
            "source_file": "kinetics.csv",
            "severity": "warning",
            "code": "unit_changes",
            "column_name": "VALUE",
            "count": 6,
            "message": "six values are ten times the patient's others",
        },
        {
            "id": 2,
            "load_id": 2,
            "source_file": "scans.csv",
            "severity": "info",
            "code": "unread_column",
            "column_name": "COMMENT",
            "count": 1,
            "message": "stored raw, not used",
        },
    ]
    return {
        "cuts": cuts,
        "loads": loads,
        "source_files": files,
        "refused": refused,
        "findings": findings,
    }


def _frame(name: str, rows: Rows) -> pl.DataFrame:
    if rows:
        return pl.DataFrame(rows, infer_schema_length=None)
    return pl.DataFrame(schema=dict.fromkeys(_EMPTY.get(name, ("usubjid",)), pl.String))
