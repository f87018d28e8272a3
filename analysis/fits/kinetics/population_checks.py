"""What is looked at in a population fit: whether the samples determine it, how far patients are
shrunk, what lies below the limit."""

from typing import Literal

import numpy as np

from analysis.engine.structure import Array
from analysis.fits.kinetics.cohort import Patients
from analysis.fits.kinetics.curves import (
    Form,
)
from analysis.fits.kinetics.expectation import FLOOR, Optimum
from analysis.results import Check

SHRUNK, UNSEEN = 0.3, 0.6
"""Shrinkage from which patients' own values say little, and from which their spread does too."""
FEW_DRAWS = 20.0


def shrinkage_of(patients: Patients, optimum: Optimum) -> Array:
    """1 - SD of the patients' means over the SD of the population, per parameter."""
    away = optimum.posterior.mean - patients.cohort.design @ optimum.population.beta
    sd = np.sqrt(np.diag(optimum.population.omega))
    return np.asarray(1.0 - np.sqrt((away**2).mean(axis=0)) / sd)


def population_checks(
    patients: Patients,
    form: Form,
    optimum: Optimum,
    unknown: tuple[str, ...],
    shrinkage: Array,
) -> tuple[Check, ...]:
    found = []
    text = "The samples determine every parameter."
    if unknown:
        late = " The slow decline needs later samples." if "memory_per_day" in unknown else ""
        text = (
            f"The samples do not determine {', '.join(unknown)}.{late} Take a curve with fewer "
            "parameters, or sample that part of the course."
        )
    found.append(Check("identifiable", "warning" if unknown else "ok", text))
    flat = [
        name
        for name, variance in zip(form.names, np.diag(optimum.population.omega), strict=True)
        if variance <= (1.01 * FLOOR) ** 2
    ]
    if flat:
        text = f"No spread over patients was found for {', '.join(flat)}: few patients carry it."
        found.append(Check("no_spread", "note", text))
    if optimum.posterior.least_effective < FEW_DRAWS:
        found.append(
            Check(
                "draws", "warning",
                "For one patient few draws carry the weight. Compare with another seed.",
                optimum.posterior.least_effective,
            )
        )  # fmt: skip
    for name, value in zip(form.names, shrinkage, strict=True):
        text = f"Shrinkage of {name} is {value:.0%}."
        if value > SHRUNK:
            text += " The patients' own values of it say little; do not plot or test them."
        unseen = value > UNSEEN
        if unseen:
            text += f" How {name} differs between patients is not seen: its interval is too narrow."
        status: Literal["warning", "note"] = "warning" if unseen else "note"
        found.append(Check(f"shrinkage:{name}", status, text, float(value)))
    n_below = sum(int(np.sum(~item.exact)) for item in patients.samples)
    total = sum(item.t.size for item in patients.samples)
    found.append(
        Check(
            "below_limit", "note",
            f"{n_below} of {total} samples are known by their limits only; they are in the "
            "likelihood as such.", n_below / total,
        )
    )  # fmt: skip
    return tuple(found)
