"""Expansion curves in which the groups do not differ, drawn around the curve of Stein and others.

Every patient has a peak, a day of the peak and rates of their own, lognormal with the published
spread, so that no spline of a few degrees of freedom is exactly right: what a test of curves meets
in practice. Lesions of a patient share the curve and differ by a level.
Stein AM 2019, doi:10.1002/psp4.12388.
"""

import numpy as np
import polars as pl
from numpy.typing import NDArray

DAYS = (1.0, 3.0, 7.0, 10.0, 14.0, 21.0, 28.0, 60.0)
PARAMETERS = (
    (24_000.0, 0.65),
    (9.3, 0.38),
    (3900.0, 2.4),
    (0.16, 0.91),
    (0.0079, 0.8),
    (0.0032, 0.86),
)
"""Median and SD of the logarithm, as published: peak (copies/ug), its day, fold, contraction per
day, share that persists, its decline per day."""
NOISE_SD, LESION_SD = 0.56, 0.7
"""On the natural logarithm: the residual, as published, and the level of a lesion."""
Array = NDArray[np.float64]


def design(patients: int, lesions: int, seed: int) -> pl.DataFrame:
    """Rows of a model frame without values: days within a third of a day of the planned ones."""
    rng = np.random.default_rng(seed)
    patient = np.repeat(np.arange(patients), len(DAYS))
    nominal = np.tile(DAYS, patients)
    day = nominal + rng.uniform(-0.3, 0.3, len(nominal))
    frame = pl.DataFrame(
        {
            "usubjid": [f"P{number:02d}" for number in patient],
            "patient": patient,
            "rel_day": day,
            "nominal_day": nominal,
            "group": np.where(patient % 2 == 0, "responder", "non-responder"),
        }
    )
    lesion = pl.DataFrame({"region_code": [f"L{number}" for number in range(lesions)]})
    return frame.join(lesion, how="cross", maintain_order="left")


def curves(frame: pl.DataFrame, trials: int, seed: int) -> Array:
    """log10 values (trials, rows) without a difference between the groups."""
    rng = np.random.default_rng(seed)
    patient, day = frame["patient"].to_numpy(), frame["rel_day"].to_numpy()
    m, lesions = int(patient.max()) + 1, frame["region_code"].n_unique()
    peak, top, fold, fast, rest, slow = (
        value * np.exp(rng.normal(0, sd, (trials, m)))[:, patient] for value, sd in PARAMETERS
    )
    rest = np.minimum(rest, 0.5)
    after = np.maximum(day - top, 0.0)
    decay = (1 - rest) * np.exp(-fast * after) + rest * np.exp(-slow * after)
    level = np.log(peak * decay) - np.log(fold) * np.maximum(1 - day / top, 0.0)
    place = np.arange(frame.height) % lesions + patient * lesions
    own = rng.normal(0, LESION_SD, (trials, m * lesions))[:, place] if lesions > 1 else 0.0
    return np.asarray((level + own + rng.normal(0, NOISE_SD, level.shape)) / np.log(10))
