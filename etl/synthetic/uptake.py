"""What each tracer shows: reporter, direct label, CD8 and FDG values of regions, per scan.

Each function returns one row per scan, region and metric:
subject_no, tracer_id, nominal_day, region_code, metric, value.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from etl.synthetic.curves import (
    longest_diameter_mm,
    recovery,
    reporter_shape,
    transgene,
    tumor_course,
    tumor_fraction,
)
from etl.synthetic.design import LESIONS_HIGH
from etl.synthetic.latent import Floats, Latent
from etl.synthetic.schedule import Visits

REPORTER, DIRECT, IMMUNE, TUMOR = "f18_fhbg", "zr89_oxine_cells", "zr89_crefmirlimab", "f18_fdg"

# Region: (reporter SUVmean before infusion, log rise at the peak, CD8 SUVmean before, CD8 log rise)
ORGANS: dict[str, tuple[float, float, float, float]] = {
    "LIVER": (2.6, 0.04, 7.5, 0.05),
    "SPLEEN": (1.1, 0.50, 31.0, 0.20),
    "MARROW": (0.62, 0.75, 5.2, 0.25),
    "BLOOD_POOL": (0.85, 0.28, 2.4, 0.05),
    "LUNG": (0.42, 0.06, 0.7, 0.08),
    "KIDNEY": (5.8, 0.00, 8.0, 0.00),
    "BRAIN": (0.14, 0.05, 0.12, 0.00),
}
MARROW_SITES = {"MARROW_LSPINE": 1.05, "MARROW_PELVIS": 1.15, "MARROW_FEMUR": 0.70}
MARROW_DISEASE = 1.5
ORGAN_NOISE, LESION_NOISE = 0.09, 0.14
LESION_SUV_BEFORE = 1.9
SCAR = 0.45
"""Share of its diameter that a lesion keeps when its cells are gone."""

# Direct label: share of the label at 2 h, share reached later, rate per day, volume mL
LABEL_ORGANS: dict[str, tuple[float, float, float, float]] = {
    "LUNG": (0.27, 0.035, 2.4, 2900.0),
    "LIVER": (0.24, 0.375, 1.1, 1650.0),
    "SPLEEN": (0.055, 0.125, 0.9, 200.0),
    "MARROW": (0.05, 0.145, 0.7, 1250.0),
    "BLOOD_POOL": (0.12, 0.006, 1.9, 4800.0),
    "KIDNEY": (0.018, 0.016, 1.0, 310.0),
    "BRAIN": (0.004, 0.001, 1.0, 1350.0),
}
LABEL_LOSS_PER_DAY = 0.022
FDG_ORGANS = {
    "LIVER": (2.2, 0.14),
    "BLOOD_POOL": (1.6, 0.13),
    "SPLEEN": (1.8, 0.15),
    "BRAIN": (8.5, 0.20),
    "MARROW": (1.5, 0.18),
}


def organ_codes(latent: Latent) -> list[str]:
    """Organ regions of a cohort; marrow sites are reported where the disease is in the marrow."""
    return list(ORGANS) + ([] if latent.cohort.has_lesions else list(MARROW_SITES))


def lesion_codes() -> list[str]:
    """L1 ... L8; a patient has the first `n_lesions` of them."""
    return [f"L{i + 1}" for i in range(LESIONS_HIGH)]


def long_values(
    latent: Latent, visits: Visits, region: str, metric: str, value: Floats
) -> pl.DataFrame:
    """(n, m) values of one region and metric as rows; NaN cells and scans not made are left out."""
    frame = visits.only(np.isfinite(value)).long(latent.subject_no, {"value": value})
    return frame.with_columns(region_code=pl.lit(region), metric=pl.lit(metric))


def _noise(rng: np.random.Generator, shape: tuple[int, ...], sd: float) -> Floats:
    return np.exp(sd * rng.normal(size=shape))


def _marrow_factor(latent: Latent, code: str) -> float:
    disease = 1.0 if latent.cohort.has_lesions else MARROW_DISEASE
    return disease if code.startswith("MARROW") else 1.0


def reporter_values(rng: np.random.Generator, latent: Latent, visits: Visits) -> pl.DataFrame:
    """Signal of reporter-positive viable cells: SUVmean and SUVmax of organs and lesions."""
    actual = visits.actual
    shape, frames = reporter_shape(latent, actual), []
    base = latent.reporter_base[:, None]
    for code in organ_codes(latent):
        before, rise, _, _ = ORGANS[code.split("_")[0] if code in MARROW_SITES else code]
        level = np.log(before * MARROW_SITES.get(code, 1.0)) + 0.5 * base
        level = level + 0.12 * rng.normal(size=(latent.n, 1))
        grown = rise * _marrow_factor(latent, code) * latent.organ_rise[:, None] * shape
        value = np.exp(level + grown) * _noise(rng, actual.shape, ORGAN_NOISE)
        frames.append(long_values(latent, visits, code, "suv_mean", value))
    if latent.cohort.has_lesions:
        for j, code in enumerate(lesion_codes()):
            mean = reporter_lesion(latent, j, actual) * _noise(rng, actual.shape, LESION_NOISE)
            peak = mean * 1.35 * _noise(rng, actual.shape, 0.06)
            frames.append(long_values(latent, visits, code, "suv_mean", mean))
            frames.append(long_values(latent, visits, code, "suv_max", peak))
    return pl.concat(frames).with_columns(tracer_id=pl.lit(REPORTER))


def reporter_lesion(
    latent: Latent, lesion: int, day: Floats, partial_volume: bool = True
) -> Floats:
    """SUVmean of one lesion without noise, NaN where the patient has fewer lesions.

    log SUV = base + patient + lesion + (rise of patient + of lesion) shape(t) + log recovery.
    """
    level = np.log(LESION_SUV_BEFORE) + latent.reporter_base + latent.lesion_base_effect[:, lesion]
    rise = latent.lesion_rise + latent.lesion_rise_effect[:, lesion]
    value = np.exp(level[:, None] + rise[:, None] * reporter_shape(latent, day))
    if partial_volume:
        shape = latent.lesion_elongation[:, [lesion]]
        long = longest_diameter_mm(latent.lesion_volume_ml[:, [lesion]], shape)
        long = long * np.maximum(np.cbrt(tumor_fraction(latent, day)), SCAR)
        value = value * recovery(long * shape ** (2 / 3))
    return np.where(latent.lesion_mask[:, [lesion]], value, np.nan)


def direct_label_values(
    rng: np.random.Generator,
    latent: Latent,
    visits: Visits,
    weight_kg: Floats,
    total_cells: Floats,
) -> pl.DataFrame:
    """Label of the infused product, decay corrected to infusion: %IA, SUVmean, label equivalents.

    The whole-body total is the label not yet excreted: one calibration factor per patient, losses
    that only add up, so it can never rise. Cells that divide do not change it.
    """
    actual = visits.actual
    loss = np.maximum.accumulate(actual, axis=1) * LABEL_LOSS_PER_DAY
    loss = loss * np.exp(0.25 * rng.normal(size=(latent.n, 1)))
    calibration = np.minimum(0.985 * np.exp(0.03 * rng.normal(size=(latent.n, 1))), 1.04)
    total = calibration * np.exp(-loss)
    shares = {}
    for code, (early, late, rate, _) in LABEL_ORGANS.items():
        patient = np.exp(0.18 * rng.normal(size=(latent.n, 1)))
        share = late + (early - late) * np.exp(-rate * (actual - 0.1))
        shares[code] = share * patient * _noise(rng, actual.shape, 0.06)
    crowd = np.maximum(np.sum(list(shares.values()), axis=0) / 0.93, 1.0)
    frames = [long_values(latent, visits, "WHOLE_BODY", "percent_injected_activity", 100 * total)]
    cells = total_cells[:, None]
    frames.append(
        long_values(latent, visits, "WHOLE_BODY", "label_equivalent_cells", total * cells)
    )
    for code, share in shares.items():
        held = total * share / crowd
        suv = held * weight_kg[:, None] * 1000 / LABEL_ORGANS[code][3]
        frames.append(long_values(latent, visits, code, "percent_injected_activity", 100 * held))
        frames.append(long_values(latent, visits, code, "suv_mean", suv))
        if code in ("LIVER", "SPLEEN", "MARROW", "LUNG"):
            frames.append(long_values(latent, visits, code, "label_equivalent_cells", held * cells))
    if latent.cohort.has_lesions:
        homing = 0.65 * np.exp(0.35 * rng.normal(size=(latent.n, 1)))
        for j, code in enumerate(lesion_codes()):
            arrive = 0.7 + 0.9 * (1 - np.exp(-0.8 * actual))
            own = np.exp(0.25 * rng.normal(size=(latent.n, 1)))
            value = homing * own * arrive * _noise(rng, actual.shape, 0.12)
            value = np.where(latent.lesion_mask[:, [j]], value, np.nan)
            frames.append(long_values(latent, visits, code, "suv_mean", value))
    return pl.concat(frames).with_columns(tracer_id=pl.lit(DIRECT))


def immune_values(rng: np.random.Generator, latent: Latent, visits: Visits) -> pl.DataFrame:
    """CD8 signal: the patient's own T cells and CAR-T cells together, not separable."""
    actual = visits.actual
    frames = []
    z = np.log(np.maximum(transgene(latent, actual), 1.0) / latent.cohort.expansion.cmax)
    for code in organ_codes(latent):
        parent = "MARROW" if code in MARROW_SITES else code
        _, _, before, rise = ORGANS[parent]
        level = np.log(before * MARROW_SITES.get(code, 1.0)) + 0.22 * rng.normal(size=(latent.n, 1))
        value = np.exp(level + rise * 0.35 * z) * _noise(rng, actual.shape, 0.10)
        frames.append(long_values(latent, visits, code, "suv_mean", value))
    if latent.cohort.has_lesions:
        own = 0.45 * rng.normal(size=(latent.n, 1))
        for j, code in enumerate(lesion_codes()):
            endogenous = 2.3 * np.exp(own + 0.3 * rng.normal(size=(latent.n, 1)))
            value = endogenous + 0.30 * reporter_lesion(latent, j, actual)
            value = value * _noise(rng, actual.shape, LESION_NOISE)
            frames.append(long_values(latent, visits, code, "suv_mean", value))
            frames.append(
                long_values(
                    latent,
                    visits,
                    code,
                    "suv_max",
                    value * 1.4 * _noise(rng, actual.shape, 0.07),
                )
            )
    return pl.concat(frames).with_columns(tracer_id=pl.lit(IMMUNE))


def tumor_values(
    rng: np.random.Generator, latent: Latent, visits: Visits, pfs_day: Floats
) -> pl.DataFrame:
    """FDG: SUVmax, SUVmean, MTV (fixed SUV 4.0) and TLG per lesion, SUVmean of reference organs.

    A lesion that no longer reaches SUV 4.0 has no metabolic volume: its `mtv40_ml` is zero here and
    is written below the smallest volume the method can measure.
    """
    actual = visits.actual
    frames = []
    for code, (typical, sd) in FDG_ORGANS.items():
        patient = np.exp(sd * rng.normal(size=(latent.n, 1)))
        value = typical * patient * _noise(rng, actual.shape, 0.07)
        frames.append(long_values(latent, visits, code, "suv_mean", value))
    size, activity = tumor_course(latent, pfs_day, actual)
    flare = np.where((actual > 7) & (actual < 21), 1.10, 1.0)
    for j, code in enumerate(lesion_codes()):
        suv = latent.lesion_suv[:, [j]] * activity * flare * _noise(rng, actual.shape, 0.08)
        suv = np.where(latent.lesion_mask[:, [j]], np.maximum(suv, 0.8), np.nan)
        volume = latent.lesion_volume_ml[:, [j]] * size * _noise(rng, actual.shape, 0.08)
        avid = np.clip((suv / 4.0 - 1.0) / 1.2, 0.0, 1.0) ** 0.5
        mtv = volume * avid
        mean = np.maximum(suv * 0.58, np.where(mtv > 0, 4.1, 0.0)) * _noise(rng, suv.shape, 0.03)
        frames.append(long_values(latent, visits, code, "suv_max", suv))
        frames.append(long_values(latent, visits, code, "suv_mean", mean))
        frames.append(long_values(latent, visits, code, "mtv40_ml", mtv))
        frames.append(
            long_values(latent, visits, code, "tlg", np.where(mtv > 0, mtv * mean, np.nan))
        )
    return pl.concat(frames).with_columns(tracer_id=pl.lit(TUMOR))
