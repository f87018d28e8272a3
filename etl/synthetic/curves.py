"""True curves over time: transgene, CAR+ cells, tumor volume, reporter signal."""

from __future__ import annotations

import numpy as np

from etl.synthetic.latent import Floats, Latent

RECOVERY_DIAMETER_MM = np.array([0.0, 10.0, 13.0, 17.0, 22.0, 28.0, 37.0, 60.0])
RECOVERY_COEFFICIENT = np.array([0.10, 0.35, 0.52, 0.65, 0.705, 0.785, 0.825, 1.0])
"""Middle of the EARL 1 bands for the mean of a sphere; above 37 mm extended to full recovery."""


def transgene(latent: Latent, day: Floats, expansion_only: bool = False) -> Floats:
    """Blood transgene, copies/ug genomic DNA; `day` is (m,) or (n, m), zero before infusion.

    Stein 2019 with a lag before growth, plus an early phase in which the infused cells leave
    the blood (doi 10.1002/psp4.12388, PMC8613160).
    """
    t = np.broadcast_to(day, (latent.n, np.shape(day)[-1]))
    lag, tmax = latent.lag_day[:, None], latent.tmax_day[:, None]
    ln_fold = np.log(latent.fold)[:, None]
    rising = np.clip((t - lag) / (tmax - lag), 0.0, 1.0)
    growth = np.exp(ln_fold * (rising - 1.0))
    since = np.maximum(t - tmax, 0.0)
    slow = latent.slow_fraction[:, None]
    contraction = (1 - slow) * np.exp(-latent.alpha_per_day[:, None] * since)
    contraction += slow * np.exp(-latent.beta_per_day[:, None] * since)
    level = latent.cmax[:, None] * growth * contraction
    if not expansion_only:
        rate = np.log(2) / latent.cohort.expansion.early_half_life_day
        level = level + latent.early_level[:, None] * np.exp(-rate * np.maximum(t, 0.0))
    return np.where(t < 0, 0.0, level)


def leukocyte_share(day: Floats) -> Floats:
    """Blood leukocytes relative to a recovered patient: low after lymphodepletion."""
    return np.asarray(0.08 + 0.92 / (1 + np.exp(-(day - 14.0) / 4.5)))


def car_flow(latent: Latent, day: Floats) -> Floats:
    """CAR+ T cells per uL by flow: transgene per DNA times the blood's leukocytes."""
    t = np.broadcast_to(day, (latent.n, np.shape(day)[-1]))
    return transgene(latent, day) * latent.flow_ratio[:, None] * leukocyte_share(t)


def tumor_fraction(latent: Latent, day: Floats) -> Floats:
    """Tumor volume relative to baseline, (n, m): swelling, then shrinkage or growth."""
    t = np.broadcast_to(day, (latent.n, np.shape(day)[-1]))
    since = np.maximum(t - 10.0, 0.0)
    floor = latent.tumor_floor[:, None]
    left = floor + (1 - floor) * np.exp(-latent.tumor_rate[:, None] * since)
    swell = 1 + (latent.swelling[:, None] - 1) * np.exp(-(((t - 11.0) / 6.0) ** 2))
    growth = np.exp(latent.tumor_growth[:, None] * np.clip(t, 0.0, 30.0))
    return np.where(t <= 0, 1.0, left * swell * growth)


def metabolic_fraction(latent: Latent, day: Floats) -> Floats:
    """FDG uptake relative to baseline, (n, m)."""
    t = np.broadcast_to(day, (latent.n, np.shape(day)[-1]))
    since = np.maximum(t - 10.0, 0.0)
    floor = latent.metabolic_floor[:, None]
    return np.asarray(floor + (1 - floor) * np.exp(-latent.metabolic_rate[:, None] * since))


def tumor_course(latent: Latent, pfs_day: Floats, day: Floats) -> tuple[Floats, Floats]:
    """Volume and FDG uptake relative to baseline, (n, m) each, with regrowth after progression."""
    size, activity = tumor_fraction(latent, day), metabolic_fraction(latent, day)
    t = np.broadcast_to(day, size.shape)
    since = t - pfs_day[:, None]
    regrown = np.maximum(size * 1.9, 0.7) * np.exp(0.008 * np.clip(since, 0.0, 60.0))
    return (
        np.where(since >= 0, regrown, size),
        np.where(since >= 0, np.maximum(activity, 0.9), activity),
    )


def tumor_volume_ml(latent: Latent, day: Floats) -> Floats:
    """True total tumor volume, mL: the current value that drives progression in lymphoma."""
    total = latent.lesion_volume_ml.sum(axis=1)[:, None]
    return np.asarray(total * tumor_fraction(latent, day))


def reporter_shape(latent: Latent, day: Floats) -> Floats:
    """Time course of the reporter signal, 0 before infusion, 1 at the patient's peak (day 14)."""
    t = np.broadcast_to(day, (latent.n, np.shape(day)[-1]))
    ratio = np.log(np.maximum(t, 1e-3) / latent.reporter_peak_day[:, None])
    return np.where(t <= 0, 0.0, np.exp(-0.5 * (ratio / 0.75) ** 2))


def longest_diameter_mm(volume_ml: Floats, elongation: Floats) -> Floats:
    """Longest diameter of an ellipsoid whose two short axes are `elongation` times the long."""
    return np.asarray((volume_ml * 1000 * 6 / np.pi / elongation**2) ** (1 / 3))


def recovery(diameter_mm: Floats) -> Floats:
    """Share of the true mean uptake that PET recovers in a lesion of this diameter."""
    return np.asarray(np.interp(diameter_mm, RECOVERY_DIAMETER_MM, RECOVERY_COEFFICIENT))
