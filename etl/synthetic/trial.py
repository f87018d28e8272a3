"""The simulator: a seed and a size in, tidy frames and the latent truth out. Writes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields

import numpy as np
import polars as pl

from etl.synthetic.design import BLOCK, COHORTS, Cohort, TrialDesign
from etl.synthetic.group import Group
from etl.synthetic.imaging import Body, simulate_imaging
from etl.synthetic.kinetics import simulate_kinetics
from etl.synthetic.laboratory import simulate_laboratory
from etl.synthetic.latent import Floats, Ints, Latent, draw_latent
from etl.synthetic.outcomes import Outcomes, draw_outcomes, survival_frame
from etl.synthetic.response import lesion_diameters, lugano_calls, marrow_calls
from etl.synthetic.schedule import Calendar, draw_calendar
from etl.synthetic.toxicity import Toxicity, adverse_events, draw_toxicity, interventions

DOSE_LEVELS = (("DL1", 0.5e6), ("DL2", 1.0e6), ("DL3", 1.5e6))
"""Dose level and CAR+ cells per kg."""
LABEL_KBQ_PER_MILLION = 18.0


@dataclass(frozen=True, slots=True)
class Frames:
    """Tidy frames of patients (one row per what the name says), keyed by subject_no, rel_day."""

    patients: pl.DataFrame
    kinetics: pl.DataFrame
    labs: pl.DataFrame
    scans: pl.DataFrame
    values: pl.DataFrame
    diameters: pl.DataFrame
    responses: pl.DataFrame
    adverse_events: pl.DataFrame
    interventions: pl.DataFrame
    survival: pl.DataFrame

    @property
    def n_measurements(self) -> int:
        """Measured values: samples, laboratory results, scan values, two diameters per lesion."""
        return (
            self.kinetics.height + self.labs.height + self.values.height + 2 * self.diameters.height
        )


@dataclass(frozen=True, slots=True)
class Block:
    """Patients of one cohort simulated together: what is true and what was measured."""

    latent: Latent
    calendar: Calendar
    outcomes: Outcomes
    toxicity: Toxicity
    frames: Frames


def simulate_blocks(design: TrialDesign) -> Iterator[Block]:
    """Blocks of at most 1,000 patients per cohort, each from its own stream of the one seed."""
    for start in range(0, design.patients_per_cohort, BLOCK):
        size = min(BLOCK, design.patients_per_cohort - start)
        for position, cohort in enumerate(COHORTS):
            sequence = np.random.SeedSequence(design.seed, spawn_key=(position, start // BLOCK))
            number = 2 * np.arange(start, start + size, dtype=np.int64) + cohort.offset
            yield simulate_block(
                np.random.default_rng(sequence), cohort, number, 2 * design.patients_per_cohort
            )


def simulate_trial(design: TrialDesign) -> tuple[tuple[Block, ...], Frames]:
    """All blocks, and their frames joined and sorted by patient."""
    blocks = tuple(simulate_blocks(design))
    joined = {}
    for field in fields(Frames):
        parts = [getattr(block.frames, field.name) for block in blocks]
        joined[field.name] = pl.concat(parts, how="diagonal").sort(
            "subject_no", maintain_order=True
        )
    return blocks, Frames(**joined)


def simulate_block(
    rng: np.random.Generator, cohort: Cohort, subject_no: Ints, patients: int
) -> Block:
    """Simulate patients of one cohort; `patients` is the size of the trial (for the calendar)."""
    latent = draw_latent(rng, cohort, subject_no)
    calendar = draw_calendar(rng, subject_no, patients)
    outcomes = draw_outcomes(rng, latent, calendar)
    toxicity = draw_toxicity(rng, latent)
    patient_frame, body = _draw_patients(rng, latent, calendar)
    group = Group(latent, calendar, outcomes)
    kinetics = simulate_kinetics(rng, group)
    labs = simulate_laboratory(rng, group, toxicity)
    imaging = simulate_imaging(rng, group, body)
    if imaging.tumor_visits is not None:
        diameters = lesion_diameters(rng, latent, outcomes, imaging.tumor_visits)
        responses = lugano_calls(latent, outcomes, imaging)
    else:
        diameters = pl.DataFrame(schema=_DIAMETERS)
        responses = marrow_calls(rng, latent, outcomes, labs)
    events = adverse_events(latent, toxicity, outcomes)
    frames = Frames(
        patients=patient_frame,
        kinetics=kinetics,
        labs=labs,
        scans=imaging.scans,
        values=imaging.values,
        diameters=diameters,
        responses=responses,
        adverse_events=events,
        interventions=interventions(rng, latent, toxicity, outcomes),
        survival=survival_frame(latent, outcomes),
    )
    return Block(latent, calendar, outcomes, toxicity, frames)


_DIAMETERS = {
    "subject_no": pl.Int64,
    "nominal_day": pl.Float64,
    "rel_day": pl.Float64,
    "LDIAM": pl.Float64,
    "LPERP": pl.Float64,
    "region_code": pl.String,
}


def _draw_patients(
    rng: np.random.Generator, latent: Latent, calendar: Calendar
) -> tuple[pl.DataFrame, Body]:
    """Demography, dose and product of each patient."""
    n, cohort = latent.n, latent.cohort
    female = rng.random(n) < 0.42
    weight = np.clip(np.where(female, 67.0, 81.0) + 12.0 * rng.normal(size=n), 45.0, 130.0)
    level = rng.choice(3, size=n, p=[0.25, 0.25, 0.5])
    per_kg = np.array([dose for _, dose in DOSE_LEVELS])[level] * rng.uniform(0.94, 1.03, n)
    transduced = np.clip(rng.beta(4.2, 8.0, n) * 100, 15.0, 60.0)
    car_cells = per_kg * weight
    labelled = rng.random(n) < cohort.direct_label_share
    total = car_cells / (transduced / 100)
    activity = LABEL_KBQ_PER_MILLION * rng.uniform(0.8, 1.1, n) * total / 1e9
    frame = pl.DataFrame(
        {
            "subject_no": latent.subject_no,
            "cohort": [cohort.code] * n,
            "sex": np.where(female, "F", "M"),
            "age_year": np.round(_ages(rng, cohort, n)),
            "weight_kg": np.round(weight, 1),
            "height_cm": np.round(np.where(female, 165, 178) + 7 * rng.normal(size=n)),
            "dose_level": np.array([name for name, _ in DOSE_LEVELS])[level],
            "dose_cells": np.round(car_cells, -5),
            "total_cells": np.round(total, -5),
            "dose_cells_per_kg": np.round(per_kg, -3),
            "viability_percent": np.round(rng.uniform(78, 97, n), 1),
            "transduced_percent": np.round(transduced, 1),
            "vector_copy_number": np.round(np.clip(rng.normal(2.4, 0.8, n), 1.0, 5.0), 1),
            "labelled": labelled,
            "label_activity_mbq": np.round(activity, 2),
            "prior_lines": 2 + rng.binomial(3, 0.35, n),
            "burden": latent.burden_value,
            "infusion_minute": calendar.infusion_minute,
        }
    )
    body = Body(
        weight, frame["total_cells"].to_numpy(), frame["label_activity_mbq"].to_numpy(), labelled
    )
    return frame, body


def _ages(rng: np.random.Generator, cohort: Cohort, n: int) -> Floats:
    middle = cohort.age_low + 0.58 * (cohort.age_high - cohort.age_low)
    spread = (cohort.age_high - cohort.age_low) / 4.2
    return np.clip(rng.normal(middle, spread, n), cohort.age_low, cohort.age_high)
