"""Scans: which patient was scanned when, with which tracer, activity, uptake time and weight."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from etl.synthetic import uptake
from etl.synthetic.design import (
    DIRECT_LABEL_DAYS,
    F18_HALF_LIFE_S,
    IMMUNE_DAYS,
    LESION_DAYS,
    REPORTER_DAYS,
    ZR89_HALF_LIFE_S,
)
from etl.synthetic.group import Group
from etl.synthetic.latent import Bools, Floats, Latent
from etl.synthetic.schedule import Visits, draw_shifts

ZR89_DECAY_PER_DAY = 86_400 * np.log(2) / ZR89_HALF_LIFE_S
SAME_VISIT = {31: 28, 63: 60}
"""CD8 visits that are early or late together with the visit before them."""
FDG_DAYS_LATER = 1
"""FDG follows the reporter scan by a day: two fluorine tracers never meet."""
SPLEEN_RESIDUE_AT_2_DAYS = 1.9
"""Reporter spleen value with the CD8 tracer 2 days before is x2.9; 14 days before x1.15."""


@dataclass(frozen=True, slots=True)
class TracerPlan:
    """How one tracer is used: scan days, uptake time, activity, header, region metrics."""

    tracer_id: str
    prefix: str
    days: tuple[int, ...]
    uptake_h: float
    uptake_sd: float
    activity_mbq: float
    activity_sd: float
    half_life_s: float
    decay_state: str
    hour: float


PLANS = (
    TracerPlan(uptake.DIRECT, "OX", DIRECT_LABEL_DAYS, 0.0, 0.0, 0.0, 0.0,
               ZR89_HALF_LIFE_S, "cell_infusion", 9.0),
    TracerPlan(uptake.REPORTER, "HB", REPORTER_DAYS, 1.75, 0.16, 330.0, 0.10,
               F18_HALF_LIFE_S, "tracer_injection", 11.0),
    TracerPlan(uptake.IMMUNE, "C8", IMMUNE_DAYS, 24.0, 0.9, 37.0, 0.05,
               ZR89_HALF_LIFE_S, "tracer_injection", 10.5),
    TracerPlan(uptake.TUMOR, "FD", LESION_DAYS, 1.03, 0.07, 270.0, 0.12,
               F18_HALF_LIFE_S, "tracer_injection", 9.5),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Body:
    """What imaging needs of a patient: weight, cells of the whole product, label activity."""

    weight_kg: Floats
    total_cells: Floats
    label_activity_mbq: Floats
    labelled: Bools


@dataclass(frozen=True, slots=True)
class Imaging:
    """Scans (one row each, with their administration) and values (scan x region x metric).

    `tumor_visits`: the FDG PET/CT visits; None in a cohort without lesions.
    """

    scans: pl.DataFrame
    values: pl.DataFrame
    tumor_visits: Visits | None


def simulate_imaging(rng: np.random.Generator, group: Group, body: Body) -> Imaging:
    """All scans of a cohort; FDG only where there are lesions, direct label where labelled."""
    scans, values, latent = [], [], group.latent
    tumor_visits = None
    shifts = _shared_shifts(rng, group)
    for plan in PLANS:
        if plan.tracer_id == uptake.TUMOR and not latent.cohort.has_lesions:
            continue
        visits = _scan_visits(rng, group, body, plan, shifts)
        if plan.tracer_id == uptake.TUMOR:
            tumor_visits = visits
        scans.append(_scan_frame(rng, latent, plan, visits, body))
        values.append(_scan_values(rng, group, plan, visits, body))
    scan_frame = pl.concat(scans)
    value_frame = pl.concat([v.select(sorted(v.columns)) for v in values])
    value_frame = add_residue(scan_frame, value_frame)
    keys = scan_frame.select("subject_no", "tracer_id", "nominal_day", "scan_code")
    value_frame = value_frame.join(
        keys, on=["subject_no", "tracer_id", "nominal_day"], maintain_order="left"
    )
    return Imaging(scan_frame, value_frame, tumor_visits)


def _shared_shifts(rng: np.random.Generator, group: Group) -> dict[int, Floats]:
    """Early or late by the same days for all tracers of one visit, so that none meets another."""
    days = sorted({day for plan in PLANS for day in plan.days} - set(SAME_VISIT))
    shifts = draw_shifts(rng, group.calendar, days)
    shared = {day: shifts[:, [i]] for i, day in enumerate(days)}
    return shared | {late: shared[early] for late, early in SAME_VISIT.items()}


def _scan_visits(
    rng: np.random.Generator,
    group: Group,
    body: Body,
    plan: TracerPlan,
    shifts: Mapping[int, Floats],
) -> Visits:
    shift = np.hstack([shifts[day] for day in plan.days])
    if plan.tracer_id == uptake.TUMOR:
        shift = shift + np.where(np.asarray(plan.days) > 0, FDG_DAYS_LATER, 0)
    visits = group.visits(rng, plan.days, plan.hour, shift)
    if plan.tracer_id == uptake.TUMOR:
        return visits.only(_until_progression_seen(visits.actual, group.outcomes.pfs_day))
    if plan.tracer_id != uptake.DIRECT:
        return visits
    # Day 7 is planned inside the 168 h in which an 89Zr label may be read.
    planned = np.asarray(plan.days, dtype=np.float64)
    late = planned + (plan.hour - group.calendar.infusion_hour[:, None]) / 24
    late = np.minimum(np.round(late * 1440) / 1440, 6.99)
    actual = np.where(planned == 7, late, visits.actual)
    return visits.on(actual).only(body.labelled[:, None])


def _until_progression_seen(actual: Floats, pfs_day: Floats) -> Bools:
    """Tumor imaging ends with the first visit after progression."""
    after = actual >= pfs_day[:, None]
    before_that = np.hstack([np.zeros((len(after), 1), dtype=bool), after[:, :-1]])
    return np.asarray(~before_that)


def _scan_frame(
    rng: np.random.Generator, latent: Latent, plan: TracerPlan, visits: Visits, body: Body
) -> pl.DataFrame:
    row, column = np.nonzero(visits.keep)
    actual = visits.actual
    size = len(row)
    wait = plan.uptake_h + plan.uptake_sd * rng.normal(size=size)
    wait = np.round(np.clip(wait, 0.9 * plan.uptake_h, None) * 60) / 60
    direct = plan.tracer_id == uptake.DIRECT
    activity = plan.activity_mbq * np.exp(plan.activity_sd * rng.normal(size=size))
    drift = 1 - 0.02 * np.clip(actual[row, column], 0, 60) / 60 + 0.006 * rng.normal(size=size)
    return pl.DataFrame(
        {
            "subject_no": latent.subject_no[row],
            "tracer_id": [plan.tracer_id] * size,
            "scan_code": [f"{plan.prefix}{i + 1:02d}" for i in column.tolist()],
            "nominal_day": np.asarray(plan.days, dtype=np.float64)[column],
            "rel_day": actual[row, column],
            "administration_day": np.where(direct, 0.0, actual[row, column] - wait / 24),
            "uptake_time_h": np.where(direct, actual[row, column] * 24, wait),
            "activity_mbq": np.where(direct, body.label_activity_mbq[row], activity),
            "residual_mbq": np.where(direct, 0.0, activity * rng.uniform(0.01, 0.03, size)),
            "half_life_s": np.full(size, plan.half_life_s),
            "decay_state": [plan.decay_state] * size,
            "weight_kg": np.round(body.weight_kg[row] * drift, 1),
        }
    )


def _scan_values(
    rng: np.random.Generator, group: Group, plan: TracerPlan, visits: Visits, body: Body
) -> pl.DataFrame:
    latent = group.latent
    if plan.tracer_id == uptake.DIRECT:
        return uptake.direct_label_values(rng, latent, visits, body.weight_kg, body.total_cells)
    if plan.tracer_id == uptake.TUMOR:
        return uptake.tumor_values(rng, latent, visits, group.outcomes.pfs_day)
    if plan.tracer_id == uptake.IMMUNE:
        return uptake.immune_values(rng, latent, visits)
    return uptake.reporter_values(rng, latent, visits)


def residue_factor(days_since_immune: float) -> float:
    """Factor on the reporter value of the spleen, given days since the CD8 tracer was injected."""
    decay = np.exp(-ZR89_DECAY_PER_DAY * (days_since_immune - 2.0))
    return float(1 + SPLEEN_RESIDUE_AT_2_DAYS * decay)


def add_residue(scans: pl.DataFrame, values: pl.DataFrame) -> pl.DataFrame:
    """PET cannot separate isotopes: the CD8 tracer's residue adds to later reporter scans."""
    earlier = scans.filter(pl.col("tracer_id") == uptake.IMMUNE).select(
        "subject_no", immune_day="administration_day"
    )
    later = scans.filter(pl.col("tracer_id") == uptake.REPORTER).select(
        "subject_no", "tracer_id", "nominal_day", "administration_day"
    )
    gap = pl.col("administration_day") - pl.col("immune_day")
    added = (SPLEEN_RESIDUE_AT_2_DAYS * (-ZR89_DECAY_PER_DAY * (gap - 2.0)).exp()).sum()
    residue = (
        later.join(earlier, on="subject_no")
        .filter(gap > 0)
        .group_by("subject_no", "tracer_id", "nominal_day")
        .agg(residue=added)
    )
    share = pl.col("region_code").replace_strict(
        {"SPLEEN": 1.0, "LIVER": 0.35, "MARROW": 0.35, "KIDNEY": 0.15},
        default=0.06,
        return_dtype=pl.Float64,
    )
    factor = 1 + pl.col("residue").fill_null(0.0) * share
    joined = values.join(
        residue, on=["subject_no", "tracer_id", "nominal_day"], how="left", maintain_order="left"
    )
    return joined.with_columns(value=pl.col("value") * factor).drop("residue")
