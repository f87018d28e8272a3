"""The records of one invented patient of `trial_fixture`: treatment, scans, outcome."""

import math
import random
from datetime import datetime, timedelta
from typing import Any

from tests.dashboard.trial_blood import add_blood
from tests.dashboard.trial_rows import Rows, exact, lineage, timed

FIRST_INFUSION = datetime(2025, 9, 3, 10, 30)
SCAN_DAYS = (-5.0, 7.0, 14.0, 28.0, 90.0)
BEST = ("CR", "CR", "PR", "CR", "SD", "PR", "PD", "CR", "PD", "PR", "CR", "NE")
REPORTER = "f18_dcfpyl_psma"
FDG = "f18_fdg"


def add_patient(
    frames: dict[str, Rows], patient: dict[str, Any], n: int, rng: random.Random
) -> None:
    row = len(frames["subjects"]) + 2
    frames["subjects"].append({**patient, **lineage("subjects.csv", row)})
    frames["characteristics"].append(
        {
            "usubjid": patient["usubjid"],
            "paramcd": "PRIORLIN",
            "label": "Prior lines of therapy",
            "value_text": None,
            "value": float(2 + n % 4),
            "unit": None,
            **lineage("subjects.csv", row),
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
    add_blood(frames, subject, start, size, rng)
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
            **timed(0.0, start),
            **lineage("infusions.csv", row),
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
            **timed(-5.0, start),
            "end_rel_day": -3.0,
            "ongoing": False,
            **lineage("interventions.csv", row),
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
                **lineage("regions.csv", n + 2),
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
                    **exact(round(value, 2), "g/mL"),
                    **lineage("uptake.csv", n + 2),
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
        **timed(day, start),
        **lineage("scans.csv", n + 2),
    }


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
                    **exact(round(size_mm, 1), "mm"),
                    **timed(day, start),
                    **lineage("lesions.csv", len(frames["lesions"]) + 2),
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
                **timed(day, start),
                **lineage("responses.csv", row),
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
                    **timed(onset, start),
                    "end_rel_day": onset + 2 + grade,
                    "ongoing": False,
                    **lineage("adverse_events.csv", row),
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
                **lineage("survival.csv", row),
            }
        )
