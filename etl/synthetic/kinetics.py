"""Blood and marrow samples: qPCR and flow, with the limits of each sample."""

from __future__ import annotations

import numpy as np
import polars as pl

from etl.synthetic.curves import car_flow, transgene
from etl.synthetic.design import FLOW_DAYS, SAMPLING_DAYS
from etl.synthetic.latent import Bools, Floats, Latent
from etl.synthetic.outcomes import Outcomes
from etl.synthetic.schedule import Calendar, attended, draw_visits

FLOW_SD = 0.30
MARROW_DAYS = (28,)


def simulate_kinetics(
    rng: np.random.Generator, latent: Latent, calendar: Calendar, outcomes: Outcomes
) -> pl.DataFrame:
    """One row per sample: subject_no, assay, matrix, nominal_day, rel_day, true, value, lloq.

    `true` is without assay error, `value` before censoring: the files write it only when it
    reaches the sample's LLOQ.
    """
    frames = [
        _qpcr(rng, latent, calendar, outcomes, SAMPLING_DAYS, "BLOOD"),
        _flow(rng, latent, calendar, outcomes),
    ]
    if not latent.cohort.has_lesions:
        frames.insert(1, _qpcr(rng, latent, calendar, outcomes, MARROW_DAYS, "MARROW"))
    return pl.concat(frames)


def long_frame(
    latent: Latent, days: tuple[int, ...], keep: Bools, columns: dict[str, Floats]
) -> pl.DataFrame:
    """Kept cells of (n, m) arrays as rows, with subject_no and nominal_day."""
    row, column = np.nonzero(keep)
    data = {"subject_no": latent.subject_no[row], "nominal_day": np.asarray(days, float)[column]}
    return pl.DataFrame(data | {name: array[row, column] for name, array in columns.items()})


def _qpcr(
    rng: np.random.Generator,
    latent: Latent,
    calendar: Calendar,
    outcomes: Outcomes,
    days: tuple[int, ...],
    matrix: str,
) -> pl.DataFrame:
    actual = draw_visits(rng, calendar, days)
    keep = attended(rng, actual, outcomes.leave_day)
    true = transgene(latent, actual)
    if matrix == "MARROW":
        true = true * np.exp(0.5 + 0.6 * rng.normal(size=(latent.n, 1)))
    value = true * np.exp(latent.cohort.expansion.assay_sd * rng.normal(size=actual.shape))
    lloq = _qpcr_lloq(rng, actual)
    columns = {"rel_day": actual, "true": true, "value": value, "lloq": lloq}
    frame = long_frame(latent, days, keep, columns)
    return frame.with_columns(assay=pl.lit("qPCR"), matrix=pl.lit(matrix))


def _qpcr_lloq(rng: np.random.Generator, actual: Floats) -> Floats:
    """Ten copies per reaction over the DNA put in: little DNA after lymphodepletion."""
    low_dna = (actual > 0) & (actual < 8) & (rng.random(actual.shape) < 0.35)
    scarce = np.array([80.0, 100.0, 200.0])[rng.integers(0, 3, actual.shape)]
    return np.where(low_dna, scarce, 50.0)


def _flow(
    rng: np.random.Generator, latent: Latent, calendar: Calendar, outcomes: Outcomes
) -> pl.DataFrame:
    """Flow is reported by planned day only, so the truth is taken at the planned day."""
    actual = draw_visits(rng, calendar, FLOW_DAYS, exact=True)
    keep = attended(rng, actual, outcomes.leave_day, missed=0.07)
    true = car_flow(latent, actual)
    value = true * np.exp(FLOW_SD * rng.normal(size=actual.shape))
    lloq = np.array([0.2, 0.2, 0.2, 0.2, 0.5])[rng.integers(0, 5, actual.shape)]
    columns = {"rel_day": actual, "true": true, "value": value, "lloq": lloq}
    frame = long_frame(latent, FLOW_DAYS, keep, columns)
    return frame.with_columns(assay=pl.lit("flow"), matrix=pl.lit("BLOOD"))
