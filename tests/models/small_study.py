"""A study with one of everything, for tests of the data model."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert

from models.tables import TABLES

AT = datetime(2026, 1, 5, 8, 30)
STUDY, LOAD, FILE, SUBJECT, SCAN, REGION = 1, 1, 1, 1, 1, 1
TRACER = {
    "id": "f18_fdg",
    "name": "FDG",
    "tracer_class": "tumor_tracer",
    "nuclide": "F-18",
    "half_life_h": 1.8295,
    "modality": "PET",
    "window_low_h": 0.9,
    "window_high_h": 1.5,
    "decay_clock": "tracer_injection",
    "car_specific": False,
    "signal_name": "glucose metabolism",
    "evidence": "seen",
}
SOURCED = {
    "study_id": STUDY,
    "record_key": 1,
    "content_hash": 1,
    "loaded_in": LOAD,
    "source_file_id": FILE,
}
RECORD = {**SOURCED, "subject_id": SUBJECT}
EXACT = {"value": 1.5, "unit": "1", "censored": "none"}

ROWS: dict[str, dict[str, Any]] = {
    "study": {"studyid": "S1", "infusion_day_label": 0, "is_synthetic": True},
    "site": {"study_id": STUDY, "siteid": "01"},
    "product": {"study_id": STUDY, "name": "CAR19"},
    "tracer": TRACER,
    "load": {
        "study_id": STUDY,
        "status": "done",
        "started_at": AT,
        "actor": "t",
        "contract_version": "1",
        "program_version": "0",
        "delivery": "partial",
    },
    "source_file": {
        "id": FILE,
        "load_id": LOAD,
        "study_id": STUDY,
        "path": "a.csv",
        "sha256": "00",
        "size_byte": 10,
        "reader": "csv",
        "rows_in": 3,
        "loaded": 1,
        "refused": 1,
        "duplicates": 1,
        "empty": 0,
        "superseded": 0,
    },
    "refused_row": {"id": 1, "load_id": LOAD, "source_file_id": FILE, "rule": "unit"},
    "finding": {
        "id": 1,
        "load_id": LOAD,
        "severity": "info",
        "code": "unused_column",
        "count": 2,
        "message": "two",
    },
    "data_cut": {"study_id": STUDY, "name": "first", "load_id": LOAD, "created_at": AT},
    "subject": {**SOURCED, "id": SUBJECT, "usubjid": "S1-01-001", "subjid": "001", "sex": "F"},
    "subject_characteristic": {**RECORD, "id": 1, "paramcd": "BURDEN", "label": "Burden"},
    "infusion": {**RECORD, "id": 1, "infusion_no": 1, "labelled": False, "dose_cells": 2e8},
    "tracer_administration": {
        **RECORD,
        "id": 1,
        "tracer_id": TRACER["id"],
        "administration_no": 1,
        "injected_activity_mbq": 250.0,
    },
    "scan": {
        **RECORD,
        "id": SCAN,
        "scan_code": "PET1",
        "tracer_id": TRACER["id"],
        "decay_state": "scan_start",
        "evaluable": True,
        "rel_day": 28.0,
        "rel_day_source": "date",
        "visit": "Day 28",
    },
    "region": {**RECORD, "id": REGION, "region_code": "L1", "kind": "lesion"},
    "quantification": {
        **RECORD,
        **EXACT,
        "id": 1,
        "scan_id": SCAN,
        "region_id": REGION,
        "metric": "suv_mean",
        "decay_state": "scan_start",
    },
    "kinetics_sample": {
        **RECORD,
        **EXACT,
        "id": 1,
        "analyte": "CARTG",
        "assay": "qPCR",
        "matrix": "BLOOD",
        "replicate": 1,
        "dtm_utc": AT,
        "dtm_precision": "minute",
    },
    "laboratory_result": {
        **RECORD,
        **EXACT,
        "id": 1,
        "testcd": "CRP",
        "category": "chemistry",
        "replicate": 1,
    },
    "lesion_measurement": {**RECORD, **EXACT, "id": 1, "region_id": REGION, "metric": "LDIAM"},
    "response_assessment": {
        **RECORD,
        "id": 1,
        "criterion": "LUGANO 2014",
        "component": "overall",
        "response": "CR",
        "derived_by": "source",
    },
    "adverse_event": {
        **RECORD,
        "id": 1,
        "aeseq": 1,
        "term": "CRS",
        "category": "CRS",
        "scale": "ASTCT 2019",
        "grade": 2,
    },
    "intervention": {
        **RECORD,
        "id": 1,
        "intervention_no": 1,
        "term": "tocilizumab",
        "intervention_class": "tocilizumab",
    },
    "survival_event": {**RECORD, "id": 1, "endpoint": "OS", "time_day": 200.0, "cnsr": 1},
    "stored_fit": {
        "study_id": STUDY,
        "cut_id": 1,
        "spec_hash": "ab",
        "spec": "{}",
        "fit": "{}",
        "created_at": AT,
        "actor": "t",
    },
    "job": {
        "kind": "fit",
        "payload": "{}",
        "status": "queued",
        "progress": 0.0,
        "created_at": AT,
        "actor": "t",
    },
    "audit": {"at": AT, "actor": "t", "action": "load"},
}
"""One sound row per table, in the order in which they can be inserted."""


def fill(connection: Connection, *tables: str, numbered: bool = False) -> None:
    """Insert the rows of the tables named, of all when none is.

    `numbered` gives every row the id 1 itself: a sequence does not go back with a rollback.
    """
    ids = {"id": 1} if numbered else {}
    for table in tables or tuple(ROWS):
        connection.execute(insert(TABLES[table]), {**ids, **ROWS[table]})
