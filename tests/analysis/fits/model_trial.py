"""A simulated trial in the columns of the model frame, with a known geometric-mean ratio."""

import numpy as np
import polars as pl

DAYS = (1.0, 3.0, 7.0, 10.0, 14.0, 21.0, 28.0, 60.0)


def simulate_trial(
    seed: int,
    patients: int = 24,
    log_ratio: float = 0.0,
    lloq: float = 0.0,
    days: tuple[float, ...] = DAYS,
) -> pl.DataFrame:
    """Stein-like curves: rise to a peak near day 10, fast then slow decay, own curve per patient.

    log_ratio: responders' log10 level above the others', the same on every day.
    Stein AM 2019, doi:10.1002/psp4.12388.
    """
    rng = np.random.default_rng(seed)
    rows = []
    for patient in range(patients):
        responds = patient % 2 == 0
        peak = 10 ** (4.0 + rng.normal(0, 0.45) + log_ratio * responds)
        top, fold = 9.3 * np.exp(rng.normal(0, 0.2)), 8.0 + rng.normal(0, 0.8)
        fast, slow, rest = 0.16 * np.exp(rng.normal(0, 0.4)), 0.003, 0.008 * np.exp(rng.normal())
        for day in days:
            when = day + rng.uniform(-0.3, 0.3)
            after = max(when - top, 0.0)
            level = peak * ((1 - rest) * np.exp(-fast * after) + rest * np.exp(-slow * after))
            level *= np.exp(-fold * max(top - when, 0.0) / top)
            value = level * 10 ** rng.normal(0, 0.2)
            below = value < lloq
            rows.append(
                {
                    "usubjid": f"P{patient:02d}",
                    "rel_day": when,
                    "nominal_day": day,
                    "value": None if below else value,
                    "lower": 0.0 if below else None,
                    "upper": lloq if below else None,
                    "censored": "left" if below else "none",
                    "lloq": lloq or None,
                    "unit": "copies/ug",
                    "group": "responder" if responds else "non-responder",
                }
            )
    return pl.DataFrame(rows, infer_schema_length=None)
