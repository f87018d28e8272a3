"""One patient as a trial would send it: four lesions, two tracers, blood, labs, grades, drugs.

Invented numbers. Frames carry the columns of the stored tables with ids resolved to codes.
"""

from types import SimpleNamespace
from typing import Any

import polars as pl

USUBJID = "CART-IMG-101-02-014"
LINEAGE = {"source_file": "export.csv", "source_sheet": None}


def measured(value: float | str, unit: str) -> dict[str, Any]:
    """A value, or "<50" as a left-censored one."""
    if isinstance(value, str):
        return {"value": None, "lower": 0.0, "upper": float(value[1:]), "censored": "left",
                "unit": unit}  # fmt: skip
    return {"value": value, "lower": None, "upper": None, "censored": "none", "unit": unit}


def _frame(rows: list[dict[str, Any]]) -> pl.DataFrame:
    numbered = [
        {"usubjid": USUBJID, "visit": None, "nominal_day": row.get("rel_day"), **LINEAGE,
         "source_row": number, **row}
        for number, row in enumerate(rows, start=2)
    ]  # fmt: skip
    return pl.DataFrame(numbered, infer_schema_length=None)


SCAN_DAYS = (-5, 3, 7, 14, 28, 60, 90)
LESIONS = {
    "L1": (2.1, 2.6, 7.5, 14.8, 7.3, 3.1, 1.8),
    "L2": (1.6, 2.0, 5.4, 11.1, 6.0, 2.4, 1.5),
    "L3": (2.9, 4.1, 11.8, 18.9, 8.9, 3.9, 2.4),
    "L4": (1.4, 1.6, 2.9, 5.1, 3.6, 1.9, 1.3),
}
ORGANS = {
    "SPLEEN": (5.2, 6.8, 11.0, 9.6, 7.4, 5.9, 5.4),
    "MARROW": (0.7, 0.9, 2.2, 2.9, 1.9, 1.1, 0.8),
    "LIVER": (5.0, 5.2, 5.6, 5.8, 5.6, 5.4, 5.2),
    "BLOOD_POOL": (1.7, 1.6, 1.6, 1.6, 1.5, 1.5, 1.5),
    "KIDNEY": (20.1, 20.4, 21.0, 21.6, 20.9, 20.7, 20.2),
    "LUNG": (0.5, 0.5, 0.6, 0.5, 0.5, 0.5, 0.4),
}
TRANSGENE = {
    -7: "<50", 0: "<50", 1: "<50", 2: "<50", 3: 99.0, 5: 2150.0, 7: 14200.0, 8: 22800.0,
    10: 31400.0, 12: 25100.0, 14: 16300.0, 17: 9100.0, 21: 4800.0, 28: 1800.0, 35: 930.0,
    42: 530.0, 60: 190.0, 75: 80.0, 90: "<50",
}  # fmt: skip
FLOW = {-7: "<0.2", 0: "<0.2", 3: "<0.2", 5: 1.4, 7: 16.9, 10: 61.5, 12: 52.0, 14: 34.2, 21: 8.6,
        28: 2.7, 42: 0.75, 60: 0.31, 75: "<0.2", 90: "<0.2"}  # fmt: skip
LABS: dict[str, tuple[str, str, str, float, dict[int, float | str]]] = {
    "INTLK6": ("Interleukin 6", "cytokine", "pg/mL", 7.0,
               {-7: 3.9, 0: 5.9, 1: 8.8, 2: 37.0, 3: 118.0, 4: 400.0, 5: 1290.0, 6: 960.0,
                7: 420.0, 8: 190.0, 10: 63.0, 12: 24.0, 14: 12.0, 17: 7.0, 21: 5.0, 28: 4.0}),
    "FERRITIN": ("Ferritin", "chemistry", "ug/L", 400.0,
                 {-7: 600.0, 0: 710.0, 2: 980.0, 4: 2500.0, 6: 5700.0, 7: 6300.0, 8: 5600.0,
                  10: 4000.0, 14: 2300.0, 21: 1290.0, 28: 880.0, 60: 420.0, 90: 310.0}),
    "CRP": ("C-reactive protein", "chemistry", "mg/L", 5.0,
            {-7: 8.0, 0: 11.0, 1: 24.0, 2: 66.0, 3: 118.0, 4: 162.0, 5: 140.0, 6: 83.0, 7: 40.0,
             8: 22.0, 10: 11.0, 14: 6.0, 21: 4.0, 28: 3.0}),
    "CD19": ("CD19+ B cells", "cell_population", "cells/uL", 500.0,
             {-7: 84.0, 0: 3.2, **dict.fromkeys((7, 14, 21, 28, 42, 60), "<1"), 90: 1.6}),
}  # fmt: skip


def kinetics() -> pl.DataFrame:
    """Transgene by qPCR and CAR+ cells by flow, both in blood."""
    rows = [
        {"analyte": "CARTG", "assay": "qPCR", "matrix": "BLOOD", "rel_day": float(day),
         "lloq": 50.0, "replicate": 1, **measured(value, "copies/ug")}
        for day, value in TRANSGENE.items()
    ]  # fmt: skip
    rows += [
        {"analyte": "CARFLOW", "assay": "flow", "matrix": "BLOOD", "rel_day": float(day),
         "lloq": 0.2, "replicate": 1, **measured(value, "cells/uL")}
        for day, value in FLOW.items()
    ]  # fmt: skip
    return _frame(rows)


def scans() -> pl.DataFrame:
    """Reporter scans at seven visits and one that cannot be read; FDG at four."""
    rows = [
        {"scan_code": f"R{day}", "tracer_id": "f18_fhbg", "modality": "PET", "uptake_time_h": 1.87,
         "evaluable": day != 21, "not_evaluable_reason": None if day != 21 else
         "uptake time 148 min", "rel_day": float(day)}
        for day in sorted((*SCAN_DAYS, 21))
    ]  # fmt: skip
    rows += [
        {"scan_code": f"F{day}", "tracer_id": "f18_fdg", "modality": "PET", "uptake_time_h": 1.02,
         "evaluable": True, "not_evaluable_reason": None, "rel_day": float(day)}
        for day in (-7, 14, 28, 90)
    ]  # fmt: skip
    return _frame(rows)


def quantifications() -> pl.DataFrame:
    """SUVmean of lesions and organs on the reporter scans, MTV of each lesion on FDG."""
    rows = []
    for code, values in {**LESIONS, **ORGANS}.items():
        kind = "lesion" if code in LESIONS else "blood_pool" if code == "BLOOD_POOL" else "organ"
        rows += [
            {"scan_code": f"R{day}", "tracer_id": "f18_fhbg", "tracer_class": "reporter_gene",
             "region_code": code, "region_kind": kind, "region_label": code, "metric": "suv_mean",
             "method": "3D isocontour", "reader": "IRC", "evaluable": True,
             "rel_day": float(day), **measured(value, "g/mL")}
            for day, value in zip(SCAN_DAYS, values, strict=True)
        ]  # fmt: skip
    volumes = {"L1": (31, 36, 6.0, "<1"), "L2": (24, 28, 5.0, "<1"), "L3": (112, 131, 21.0, 4.0),
               "L4": (19, 23, 4.0, "<1")}  # fmt: skip
    for code, values in volumes.items():
        rows += [
            {"scan_code": f"F{day}", "tracer_id": "f18_fdg", "tracer_class": "tumor_tracer",
             "region_code": code, "region_kind": "lesion", "region_label": code, "metric": "mtv_ml",
             "method": "41 %", "reader": "IRC", "evaluable": True, "rel_day": float(day),
             **measured(value if isinstance(value, str) else float(value), "mL")}
            for day, value in zip((-7, 14, 28, 90), values, strict=True)
        ]  # fmt: skip
    return _frame(rows)


def labs() -> pl.DataFrame:
    """IL-6, ferritin, CRP with their upper limits of normal; B cells below 1 per microliter."""
    return _frame([
        {"testcd": code, "test": test, "category": category, "matrix": "BLOOD", "ref_low": None,
         "ref_high": high, "lloq": 1.0 if code == "CD19" else None, "replicate": 1,
         "rel_day": float(day), **measured(value, unit)}
        for code, (test, category, unit, high, values) in LABS.items()
        for day, value in values.items()
    ])  # fmt: skip


def lesions() -> pl.DataFrame:
    """Longest diameters of the four target lesions at baseline and four visits."""
    sizes = {"L1": (34, 16, 14, 12), "L2": (28, 15, 14, 12), "L3": (48, 30, 27, 20),
             "L4": (18, 12, 11, 9)}  # fmt: skip
    return _frame([
        {"region_code": code, "metric": "LDIAM", "state": None, "method": "CT", "reader": "IRC",
         "region_kind": "lesion", "lesion_role": "target", "rel_day": float(day),
         **measured(float(value), "mm")}
        for code, values in sizes.items()
        for day, value in zip((-7, 28, 60, 90), values, strict=True)
    ])  # fmt: skip


def responses() -> pl.DataFrame:
    """Lugano calls of the central reader."""
    calls = ((14, "SD", 4), (28, "PR", 4), (60, "PR", 3), (90, "CR", 2))
    return _frame([
        {"criterion": "LUGANO 2014", "component": "overall", "response": call, "deauville": score,
         "reader": "IRC", "confirmed": None, "derived_by": "source", "detail": None,
         "rel_day": float(day)}
        for day, call, score in calls
    ])  # fmt: skip


def adverse_events() -> pl.DataFrame:
    """CRS and ICANS, each rising to grade 2 and falling again."""
    events = (("CRS", 1, 2, 3), ("CRS", 2, 4, 5), ("CRS", 1, 6, 6), ("ICANS", 1, 6, 6),
              ("ICANS", 2, 7, 8), ("ICANS", 1, 9, 9))  # fmt: skip
    return _frame([
        {"term": category, "decod": category, "category": category, "scale": "ASTCT 2019",
         "grade": grade, "serious": False, "ongoing": False, "rel_day": float(start),
         "end_rel_day": float(end)}
        for category, grade, start, end in events
    ])  # fmt: skip


def interventions() -> pl.DataFrame:
    """Lymphodepletion, two single doses of tocilizumab, a course of dexamethasone."""
    drugs = (("Fludarabine", "lymphodepletion", -5, -3, 30.0, "mg/m2"),
             ("Cyclophosphamide", "lymphodepletion", -5, -3, 500.0, "mg/m2"),
             ("Tocilizumab", "tocilizumab", 4, 4, 8.0, "mg/kg"),
             ("Tocilizumab", "tocilizumab", 5, 5, 8.0, "mg/kg"),
             ("Dexamethasone", "corticosteroid", 7, 10, 10.0, "mg"))  # fmt: skip
    return _frame([
        {"term": term, "intervention_class": kind, "dose": dose, "dose_unit": unit,
         "indication": None, "ongoing": False, "rel_day": float(start), "end_rel_day": float(end)}
        for term, kind, start, end, dose, unit in drugs
    ])  # fmt: skip


def regions() -> pl.DataFrame:
    """Where the lesions lie, and the organs."""
    places = {"L1": ("Mediastinal node", "mediastinum", None),
              "L2": ("Axillary node", "axilla", "LEFT"),
              "L3": ("Para-aortic mass", "para-aortic", None),
              "L4": ("Inguinal node", "groin", "RIGHT")}  # fmt: skip
    rows: list[dict[str, Any]] = [
        {"region_code": code, "kind": "lesion", "label": label, "location": place,
         "laterality": side, "lesion_role": "target"}
        for code, (label, place, side) in places.items()
    ]  # fmt: skip
    rows += [
        {"region_code": code, "kind": "organ", "label": code.replace("_", " ").capitalize(),
         "location": None, "laterality": None, "lesion_role": None}
        for code in ORGANS
    ]  # fmt: skip
    return _frame(rows)


def trial() -> SimpleNamespace:
    """All frames of the one patient, named as the fields of `models.trial.Trial`."""
    subjects = _frame([
        {"subjid": "014", "siteid": "02", "sex": "F", "age_year": 58.0, "arm": None,
         "cohort": "Lymphoma", "dose_level": "2", "disease": "Diffuse large B-cell lymphoma",
         "infused": True, "safety_set": True, "efficacy_set": True, "imaging_set": True}
    ])  # fmt: skip
    infusions = _frame([
        {"infusion_no": 1, "product": "CD19-tPSMA CAR-T", "dose_cells": 1.05e8,
         "dose_unit": "cells", "dose_cells_per_kg": 1.5e6, "rel_day": 0.0}
    ])  # fmt: skip
    return SimpleNamespace(
        study={"studyid": "CART-IMG-101", "title": "Example"}, cut={"name": "2026-06-30",
        "load_id": 1}, subjects=subjects, characteristics=pl.DataFrame(), infusions=infusions,
        scans=scans(), regions=regions(), quantifications=quantifications(), kinetics=kinetics(),
        labs=labs(), lesions=lesions(), responses=responses(), adverse_events=adverse_events(),
        interventions=interventions(), survival=pl.DataFrame(),
    )  # fmt: skip
