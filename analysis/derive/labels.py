"""How codes are called on the screen: analytes, tests, metrics, regions, units."""

ANALYTE_LABELS = {
    "CARTG": "transgene",
    "CARFLOW": "CAR+ cells",
}

MATRIX_LABELS = {
    "BLOOD": "blood",
    "MARROW": "marrow",
    "BONE MARROW": "marrow",
    "CSF": "CSF",
    "TISSUE": "tissue",
    "SERUM": "serum",
    "PLASMA": "plasma",
}

TEST_LABELS = {
    "INTLK1B": "IL-1β",
    "INTLK2": "IL-2",
    "INTLK4": "IL-4",
    "INTLK6": "IL-6",
    "INTLK8": "IL-8",
    "INTLK10": "IL-10",
    "INTLK12": "IL-12",
    "IL12P70": "IL-12p70",
    "INTLK13": "IL-13",
    "INTLK15": "IL-15",
    "INTLK18": "IL-18",
    "IFNG": "IFN-γ",
    "TNF": "TNF",
    "GMCSF": "GM-CSF",
    "MCP1": "MCP-1",
    "MIP1A": "MIP-1α",
    "CXCL10": "CXCL10",
    "IL2R": "soluble IL-2 receptor",
    "IL2RA": "soluble IL-2 receptor α",
    "CRP": "C-reactive protein",
    "FERRITIN": "ferritin",
    "LDH": "lactate dehydrogenase",
    "DDIMER": "D-dimer",
    "FIBRINO": "fibrinogen",
    "CD3": "CD3+ T cells",
    "CD4": "CD4+ T cells",
    "CD8": "CD8+ T cells",
    "CD19": "CD19+ B cells",
    "LYM": "lymphocytes",
    "WBC": "leukocytes",
    "NEUT": "neutrophils",
    "PLAT": "platelets",
    "HGB": "hemoglobin",
}

METRIC_LABELS = {
    "suv_mean": "SUVmean",
    "suv_max": "SUVmax",
    "suv_peak": "SUVpeak",
    "sul_mean": "SULmean",
    "sul_max": "SULmax",
    "sul_peak": "SULpeak",
    "percent_injected_activity": "% injected activity",
    "label_equivalent_cells": "label-equivalent cells",
    "tumor_to_blood_ratio": "tumor-to-blood ratio",
    "tumor_to_liver_ratio": "tumor-to-liver ratio",
    "mtv_ml": "metabolic tumor volume",
    "mtv41_ml": "metabolic tumor volume (41 % of SUVmax)",
    "mtv25_ml": "metabolic tumor volume (SUV ≥ 2.5)",
    "mtv40_ml": "metabolic tumor volume (SUV ≥ 4.0)",
    "tlg": "total lesion glycolysis",
    "SUMDIAM": "sum of target diameters",
    "LDIAM": "longest diameter",
    "SAXIS": "short axis",
    "PERP": "perpendicular diameter",
    "SUMPPD": "sum of diameter products",
    "TMTV": "total metabolic tumor volume",
}

METRIC_UNITS = {
    "suv_mean": "g/mL",
    "suv_max": "g/mL",
    "suv_peak": "g/mL",
    "percent_injected_activity": "%",
    "mtv_ml": "mL",
    "mtv41_ml": "mL",
    "mtv25_ml": "mL",
    "mtv40_ml": "mL",
}

ACTIVITY_METRIC = r"^(suv|sul)_|^percent_injected|^activity|^tlg$"
"""Metrics (pattern) that decay changes; volumes and ratios within one scan do not."""

REGION_LABELS = {
    "LIVER": "liver",
    "SPLEEN": "spleen",
    "MARROW": "bone marrow",
    "MARROW_FEMUR": "marrow, femur",
    "MARROW_LSPINE": "marrow, lumbar spine",
    "MARROW_PELVIS": "marrow, pelvis",
    "BLOOD_POOL": "blood pool",
    "LUNG": "lung",
    "KIDNEY": "kidney",
    "BRAIN": "brain",
    "MUSCLE": "muscle",
    "WHOLE_BODY": "whole body",
}

KIND_LABELS = {
    "lesion": "lesions",
    "blood_pool": "blood pool",
    "background": "background",
    "organ": "organs",
}

_UNIT_TEXT = {
    "copies/ug": "copies/µg DNA",
    "copies/ug DNA": "copies/µg DNA",
    "cells/uL": "cells/µL",
    "10^3/uL": "10³/µL",
    "10^9/L": "10⁹/L",
    "10^6/L": "10⁶/L",
    "ug/L": "µg/L",
    "ug/mL": "µg/mL",
    "%": "%",
}


def region_label(kind: str | None, code: str | None) -> str:
    """A region as a person calls it: its own name, else the kind in the plural, else nothing."""
    if code:
        plain = code.replace("_", " ")
        return REGION_LABELS.get(code, plain if kind == "lesion" else plain.lower())
    return KIND_LABELS.get(kind or "", kind or "")


def display_unit(unit: str) -> str:
    """A stored unit as it is drawn; SUV is shown without its formal g/mL."""
    return "" if unit in {"g/mL", "SUV", "g/mL{SUVbw}", "1"} else _UNIT_TEXT.get(unit, unit)
