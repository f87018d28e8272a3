"""The records of one invented patient of `trial_fixture`: treatment, scans, blood, outcome."""

import math
import random
import zlib
from datetime import datetime, timedelta
from typing import Any

Rows = list[dict[str, Any]]

FIRST_INFUSION = datetime(2025, 9, 3, 10, 30)
SCAN_DAYS = (-5.0, 7.0, 14.0, 28.0, 90.0)
SAMPLE_DAYS = (-7.0, 0.0, 3.0, 7.0, 10.0, 14.0, 21.0, 28.0, 60.0, 90.0)
LLOQ = 50.0
BEST = ("CR", "CR", "PR", "CR", "SD", "PR", "PD", "CR", "PD", "PR", "CR", "NE")
REPORTER = "f18_dcfpyl_psma"
FDG = "f18_fdg"


def _lineage(file: str, row: int) -> dict[str, Any]:
    return {
        "record_key": zlib.crc32(f"{file}{row}".encode()),
        "content_hash": row,
        "source_file": file,
        "source_sheet": None,
        "source_row": row,
        "source_column": "VALUE",
        "raw_text": None,
        "raw_unit": None,
    }


def _timed(day: float, start: datetime) -> dict[str, Any]:
    at = start + timedelta(days=day)
    return {
        "dtm_utc": at,
        "dtm_text": at.isoformat(),
        "tz": "UTC",
        "dtm_precision": "minute",
        "rel_day": day,
        "rel_day_source": "datetime",
        "visit": f"DAY {day:g}",
        "visitnum": day,
        "nominal_day": day,
    }


def _exact(value: float, unit: str) -> dict[str, Any]:
    return {"value": value, "lower": None, "upper": None, "unit": unit, "censored": "none"}


def _below(limit: float, unit: str) -> dict[str, Any]:
    return {"value": None, "lower": 0.0, "upper": limit, "unit": unit, "censored": "left"}


def add_patient(
    frames: dict[str, Rows], patient: dict[str, Any], n: int, rng: random.Random
) -> None:
    row = len(frames["subjects"]) + 2
    frames["subjects"].append({**patient, **_lineage("subjects.csv", row)})
    frames["characteristics"].append(
        {
            "usubjid": patient["usubjid"],
            "paramcd": "PRIORLIN",
            "label": "Prior lines of therapy",
            "value_text": None,
            "value": float(2 + n % 4),
            "unit": None,
            **_lineage("subjects.csv", row),
        }
    )
    if not patient["infused"]:
        return
    start = FIRST_INFUSION + timedelta(days=11 * n, hours=n % 5)
    best = BEST[n % len(BEST)]
    size = {"CR": 3.4, "PR": 2.4, "SD": 1.4, "PD": 0.9, "NE": 1.2}[best] * rng.uniform(0.7, 1.3)
    subject = {"usubjid": patient["usubjid"]}
    _add_treatment(frames, subject, start, n, row)
    _add_scans(frames, subject, start, n, size, rng)
    _add_blood(frames, subject, start, size, rng)
    _add_outcome(frames, subject, start, n, best, row)


def _add_treatment(
    frames: dict[str, Rows], subject: dict[str, Any], start: datetime, n: int, row: int
) -> None:
    frames["infusions"].append(
        {
            **subject,
            "infusion_no": 1,
            "product": "CD19-tPSMA CAR-T",
            "target": "CD19",
            "dose_cells": 1.0e8,
            "dose_unit": "cells",
            "dose_cells_per_kg": 1.5e6,
            "viability_percent": 88.0,
            "transduced_percent": 41.0,
            "vector_copy_number": 2.1,
            "lot": f"L{n:02d}",
            "route": "INTRAVENOUS",
            "labelled": False,
            "tracer_id": None,
            "label_activity_mbq": None,
            **_timed(0.0, start),
            **_lineage("infusions.csv", row),
        }
    )
    frames["interventions"].append(
        {
            **subject,
            "intervention_no": 1,
            "term": "Fludarabine and cyclophosphamide",
            "intervention_class": "lymphodepletion",
            "dose": None,
            "dose_unit": None,
            "indication": None,
            **_timed(-5.0, start),
            "end_rel_day": -3.0,
            "ongoing": False,
            **_lineage("interventions.csv", row),
        }
    )


def _add_scans(
    frames: dict[str, Rows],
    subject: dict[str, Any],
    start: datetime,
    n: int,
    size: float,
    rng: random.Random,
) -> None:
    regions = (
        ("LIVER", "organ"),
        ("SPLEEN", "organ"),
        ("MARROW", "organ"),
        ("BLOOD_POOL", "blood_pool"),
        ("L1", "lesion"),
        ("L2", "lesion"),
    )
    for code, kind in regions:
        frames["regions"].append(
            {
                **subject,
                "region_code": code,
                "kind": kind,
                "label": code.title().replace("_", " "),
                "location": None,
                "laterality": None,
                "lesion_role": "target" if kind == "lesion" else None,
                **_lineage("regions.csv", n + 2),
            }
        )
    for day in SCAN_DAYS:
        if day == 90.0 and n % 3 == 2:
            continue
        evaluable = not (day == 14.0 and n % 7 == 3)
        code = f"PSMA-D{day:g}"
        frames["scans"].append(_scan(subject, code, REPORTER, evaluable, day, start, n))
        for region, kind in regions:
            rise = math.exp(-((day - 14) ** 2) / 160) if day > 0 else 0.0
            base = {"LIVER": 5.5, "SPLEEN": 6.0, "MARROW": 1.1, "BLOOD_POOL": 1.5}.get(region, 1.8)
            value = base * (1 + (size if kind == "lesion" else 0.15) * rise) * rng.uniform(0.9, 1.1)
            frames["quantifications"].append(
                {
                    **subject,
                    "scan_code": code,
                    "region_code": region,
                    "region_kind": kind,
                    "region_label": region.title().replace("_", " "),
                    "metric": "suv_mean",
                    "method": "EARL1",
                    "reader": "IRC",
                    "decay_state": "scan_start",
                    "evaluable": evaluable,
                    "tracer_id": REPORTER,
                    "tracer_class": "reporter_gene",
                    "rel_day": day,
                    "nominal_day": day,
                    "visit": f"DAY {day:g}",
                    **_exact(round(value, 2), "g/mL"),
                    **_lineage("uptake.csv", n + 2),
                }
            )
    for day in (-5.0, 28.0, 90.0):
        frames["scans"].append(_scan(subject, f"FDG-D{day:g}", FDG, True, day, start, n))


def _scan(
    subject: dict[str, Any],
    code: str,
    tracer: str,
    evaluable: bool,
    day: float,
    start: datetime,
    n: int,
) -> dict[str, Any]:
    return {
        **subject,
        "scan_code": code,
        "tracer_id": tracer,
        "modality": "PT",
        "scanner": "Scanner 1",
        "tracer_class": "reporter_gene" if tracer == REPORTER else "tumor_tracer",
        "uptake_time_h": 2.0 if evaluable else 3.4,
        "decay_state": "scan_start",
        "weight_kg": 78.0,
        "half_life_h": 1.829,
        "evaluable": evaluable,
        "not_evaluable_reason": None if evaluable else "uptake time outside the window",
        **_timed(day, start),
        **_lineage("scans.csv", n + 2),
    }


def _add_blood(
    frames: dict[str, Rows],
    subject: dict[str, Any],
    start: datetime,
    size: float,
    rng: random.Random,
) -> None:
    for day in SAMPLE_DAYS:
        peak = 9000 * size * rng.uniform(0.6, 1.5)
        level = (
            peak * math.exp(-((day - 10) ** 2) / 90)
            if day < 10
            else peak * math.exp(-(day - 10) / (6 + 4 * size))
        )
        for analyte, assay, unit, factor, limit in (
            ("CARTG", "qPCR", "copies/ug", 1.0, LLOQ),
            ("CARFLOW", "flow", "cells/uL", 1 / 450, 0.2),
        ):
            value = level * factor if day > 0 else 0.0
            result = _exact(round(value, 2), unit) if value >= limit else _below(limit, unit)
            frames["kinetics"].append(
                {
                    **subject,
                    "analyte": analyte,
                    "assay": assay,
                    "matrix": "BLOOD",
                    "lloq": limit,
                    "uloq": None,
                    "lod": None,
                    "replicate": 1,
                    **result,
                    **_timed(day, start),
                    **_lineage("kinetics.csv", len(frames["kinetics"]) + 2),
                }
            )
        for testcd, test, category, unit, high, value in (
            (
                "INTLK6",
                "Interleukin 6",
                "cytokine",
                "pg/mL",
                7.0,
                3 + 90 * size * math.exp(-((day - 5) ** 2) / 8),
            ),
            (
                "FERRITIN",
                "Ferritin",
                "chemistry",
                "ug/L",
                300.0,
                260 + 700 * size * math.exp(-((day - 8) ** 2) / 60),
            ),
            (
                "CRP",
                "C-reactive protein",
                "chemistry",
                "mg/L",
                5.0,
                4 + 60 * size * math.exp(-((day - 4) ** 2) / 12),
            ),
            (
                "CD19",
                "CD19+ B cells",
                "cell_population",
                "cells/uL",
                400.0,
                90.0 if day < 0 else 0.5,
            ),
        ):
            frames["labs"].append(
                {
                    **subject,
                    "testcd": testcd,
                    "test": test,
                    "category": category,
                    "matrix": "BLOOD",
                    "ref_low": 0.0,
                    "ref_high": high,
                    "lloq": None,
                    "replicate": 1,
                    **_exact(round(value, 2), unit),
                    **_timed(day, start),
                    **_lineage("labs.csv", len(frames["labs"]) + 2),
                }
            )


def _add_outcome(
    frames: dict[str, Rows], subject: dict[str, Any], start: datetime, n: int, best: str, row: int
) -> None:
    change = {"CR": -0.9, "PR": -0.6, "SD": -0.1, "PD": 0.4, "NE": 0.0}[best]
    for day in (-5.0, 28.0, 90.0):
        for code in ("L1", "L2"):
            size_mm = 32.0 * (1 + (change * min(day, 60) / 60 if day > 0 else 0))
            frames["lesions"].append(
                {
                    **subject,
                    "region_code": code,
                    "metric": "LDIAM",
                    "state": None,
                    "method": "CT",
                    "reader": "IRC",
                    **_exact(round(size_mm, 1), "mm"),
                    **_timed(day, start),
                    **_lineage("lesions.csv", len(frames["lesions"]) + 2),
                }
            )
    for day in (28.0, 90.0):
        frames["responses"].append(
            {
                **subject,
                "criterion": "LUGANO 2014",
                "component": "overall",
                "response": best,
                "deauville": 2 if best == "CR" else 4,
                "reader": "IRC",
                "confirmed": None,
                "derived_by": "source",
                "detail": None,
                **_timed(day, start),
                **_lineage("responses.csv", row),
            }
        )
    for category, grade, onset in (("CRS", n % 4, 2.0), ("ICANS", (n + 2) % 3, 6.0)):
        if grade:
            frames["adverse_events"].append(
                {
                    **subject,
                    "aeseq": 1 if category == "CRS" else 2,
                    "term": category,
                    "decod": category,
                    "category": category,
                    "scale": "ASTCT 2019",
                    "grade": grade,
                    "serious": grade > 2,
                    **_timed(onset, start),
                    "end_rel_day": onset + 2 + grade,
                    "ongoing": False,
                    **_lineage("adverse_events.csv", row),
                }
            )
    for endpoint, day in (("OS", 180.0 + 9 * n), ("PFS", 60.0 + 12 * n)):
        frames["survival"].append(
            {
                **subject,
                "endpoint": endpoint,
                "time_day": day,
                "cnsr": int(best != "PD"),
                "event_description": None,
                "start_from": "infusion",
                **_lineage("survival.csv", row),
            }
        )
