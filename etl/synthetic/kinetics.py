"""Blood and marrow samples: qPCR and flow, with the limits of each sample."""

from __future__ import annotations

import numpy as np
import polars as pl

from etl.synthetic.curves import car_flow, transgene
from etl.synthetic.design import FLOW_DAYS, SAMPLING_DAYS
from etl.synthetic.group import Group
from etl.synthetic.latent import Floats

FLOW_SD = 0.30
MARROW_DAYS = (28,)


def simulate_kinetics(rng: np.random.Generator, group: Group) -> pl.DataFrame:
    """One row per sample: subject_no, assay, matrix, nominal_day, rel_day, true, value, lloq.

    `true` is without assay error, `value` before censoring: the files write it only when it
    reaches the sample's LLOQ.
    """
    frames = [
        _qpcr(rng, group, SAMPLING_DAYS, "BLOOD"),
        _flow(rng, group),
    ]
    if not group.latent.cohort.has_lesions:
        frames.insert(1, _qpcr(rng, group, MARROW_DAYS, "MARROW"))
    return pl.concat(frames)


def _qpcr(
    rng: np.random.Generator, group: Group, days: tuple[int, ...], matrix: str
) -> pl.DataFrame:
    latent, visits = group.latent, group.visits(rng, days)
    true = transgene(latent, visits.actual)
    if matrix == "MARROW":
        true = true * np.exp(0.5 + 0.6 * rng.normal(size=(latent.n, 1)))
    value = true * np.exp(latent.cohort.expansion.assay_sd * rng.normal(size=true.shape))
    lloq = _qpcr_lloq(rng, visits.actual)
    columns = {"rel_day": visits.actual, "true": true, "value": value, "lloq": lloq}
    frame = visits.long(latent.subject_no, columns)
    return frame.with_columns(assay=pl.lit("qPCR"), matrix=pl.lit(matrix))


def _qpcr_lloq(rng: np.random.Generator, actual: Floats) -> Floats:
    """Ten copies per reaction over the DNA put in: little DNA after lymphodepletion."""
    low_dna = (actual > 0) & (actual < 8) & (rng.random(actual.shape) < 0.35)
    scarce = np.array([80.0, 100.0, 200.0])[rng.integers(0, 3, actual.shape)]
    return np.where(low_dna, scarce, 50.0)


def _flow(rng: np.random.Generator, group: Group) -> pl.DataFrame:
    """Flow is reported by planned day only, so the truth is taken at the planned day."""
    latent, visits = group.latent, group.planned(rng, FLOW_DAYS, missed=0.07)
    true = car_flow(latent, visits.actual)
    value = true * np.exp(FLOW_SD * rng.normal(size=true.shape))
    lloq = np.array([0.2, 0.2, 0.2, 0.2, 0.5])[rng.integers(0, 5, true.shape)]
    columns = {"rel_day": visits.actual, "true": true, "value": value, "lloq": lloq}
    frame = visits.long(latent.subject_no, columns)
    return frame.with_columns(assay=pl.lit("flow"), matrix=pl.lit("BLOOD"))
