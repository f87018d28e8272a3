"""Standardized uptake values and the body measures they are normalized to.

Concentration in Bq/mL and activity in Bq must stand at the same reference time
(`decay.correct_once`); nothing here decays anything.
"""

from typing import Literal

Sex = Literal["M", "F"]
LeanMassMethod = Literal["janmahasatian", "james", "morgan"]


def suv_body_weight(concentration_bq_ml: float, weight_kg: float, injected_mbq: float) -> float:
    """SUV by body weight, g/mL. Raises ValueError unless weight and activity are positive."""
    if not (weight_kg > 0 and injected_mbq > 0):
        raise ValueError("SUV needs a positive body weight and injected activity")
    return concentration_bq_ml * weight_kg * 1000.0 / (injected_mbq * 1e6)


def lean_body_mass_kg(
    sex: Sex, weight_kg: float, height_cm: float, method: LeanMassMethod = "janmahasatian"
) -> float:
    """Lean body mass. The method belongs to the value and is stored with it.

    Janmahasatian 2005 (doi:10.2165/00003088-200544100-00004) is the default: the quadratic ones
    of James and of Morgan turn around in obesity and give 3.9 kg to a woman of 170 kg and 155 cm.
    """
    ratio = weight_kg / height_cm
    if method == "janmahasatian":
        bmi = weight_kg / (height_cm / 100.0) ** 2
        base, slope = (6680.0, 216.0) if sex == "M" else (8780.0, 244.0)
        return 9270.0 * weight_kg / (base + slope * bmi)
    if sex == "F":
        return 1.07 * weight_kg - 148.0 * ratio**2
    return 1.10 * weight_kg - (128.0 if method == "james" else 120.0) * ratio**2


def sul(suv: float, lean_mass_kg: float, weight_kg: float) -> float:
    """SUV by lean body mass from SUV by body weight, g/mL."""
    return suv * lean_mass_kg / weight_kg


def body_surface_m2(weight_kg: float, height_cm: float) -> float:
    """Body surface of Du Bois, m2."""
    return float(0.007184 * height_cm**0.725 * weight_kg**0.425)


def metabolic_tumor_volume_ml(n_voxels: int, voxel_ml: float) -> float:
    """Volume of the voxels above the threshold; the threshold is part of the metric's name."""
    return n_voxels * voxel_ml


def total_lesion_glycolysis_g(suv_mean: float, volume_ml: float) -> float:
    """SUVmean times volume, g."""
    return suv_mean * volume_ml


def equivalent_diameter_mm(volume_ml: float) -> float:
    """Diameter of the sphere of this volume."""
    return float(10.0 * (6.0 * volume_ml / 3.141592653589793) ** (1.0 / 3.0))
