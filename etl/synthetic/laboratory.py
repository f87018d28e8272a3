"""Cytokines, chemistry, B cells and marrow blasts over time."""

from __future__ import annotations

import numpy as np
import polars as pl

from etl.synthetic.curves import leukocyte_share, transgene, tumor_fraction
from etl.synthetic.design import CYTOKINE_DAYS, LABORATORY_DAYS
from etl.synthetic.group import Group
from etl.synthetic.latent import Floats, Latent
from etl.synthetic.schedule import Visits
from etl.synthetic.toxicity import Toxicity

# Test: (unit, lower and upper limit of normal, LLOQ, ULOQ or None)
CYTOKINES: dict[str, tuple[str, float, float, float, float | None]] = {
    "INTLK6": ("pg/mL", 0.0, 7.0, 1.5, 5000.0),
    "IFNG": ("pg/mL", 0.0, 15.0, 4.0, 5000.0),
}
CHEMISTRY: dict[str, tuple[str, float, float, float, float | None]] = {
    "CRP": ("mg/L", 0.0, 5.0, 0.6, None),
    "FERRITIN": ("ug/L", 30.0, 300.0, 5.0, None),
    "LDH": ("U/L", 135.0, 250.0, 20.0, None),
    "WBC": ("10^9/L", 4.0, 10.0, 0.1, None),
    "LYM": ("10^9/L", 1.0, 3.5, 0.05, None),
    "CD19": ("10^6/L", 80.0, 500.0, 1.0, None),
}
BLASTS = ("%", 0.0, 5.0, 0.01, None)
"""Marrow blasts by flow; the limit 0.01 % is the MRD level 1e-4."""
BLAST_DAYS = (-7, 28, 60, 90)
RELAPSE_BLASTS = 35.0


def simulate_laboratory(rng: np.random.Generator, group: Group, toxicity: Toxicity) -> pl.DataFrame:
    """One row per test and visit: subject_no, testcd, matrix, nominal_day, rel_day, value, lloq."""
    frames, latent = [], group.latent
    visits = group.planned(rng, CYTOKINE_DAYS)
    for testcd, curve in _cytokine_curves(rng, latent, toxicity, visits.actual).items():
        frames.append(_named(latent, visits, curve, testcd, "PLASMA"))
    visits = group.visits(rng, LABORATORY_DAYS, hour=7.0)
    for testcd, curve in _chemistry_curves(rng, latent, toxicity, visits.actual).items():
        frames.append(_named(latent, visits, curve, testcd, "BLOOD"))
    if not latent.cohort.has_lesions:
        frames.append(_blasts(rng, group))
    return pl.concat(frames)


def _named(latent: Latent, visits: Visits, value: Floats, testcd: str, matrix: str) -> pl.DataFrame:
    frame = visits.long(latent.subject_no, {"rel_day": visits.actual, "value": value})
    return frame.with_columns(testcd=pl.lit(testcd), matrix=pl.lit(matrix))


def inflammation_day(latent: Latent, toxicity: Toxicity) -> Floats:
    """Middle of the CRS course, or the day cytokines would peak without one; (n, 1)."""
    middle = toxicity.crs_onset + 0.45 * toxicity.crs_days
    day = np.where(np.isfinite(middle), middle, 0.65 * latent.tmax_day)
    return np.asarray(day[:, None])


def _bump(day: Floats, peak: Floats, before: float, after: float) -> Floats:
    """A rise and fall in logs: Gaussian before the peak, slower after."""
    width = np.where(day < peak, before, after)
    return np.asarray(np.where(day < -0.5, 0.0, np.exp(-0.5 * ((day - peak) / width) ** 2)))


def _level(rng: np.random.Generator, latent: Latent, median: float, sd: float) -> Floats:
    return np.asarray(np.log(median) + sd * rng.normal(size=(latent.n, 1)))


def _since_tocilizumab(toxicity: Toxicity, day: Floats) -> Floats:
    """Days since the first dose; NaN before it or without it."""
    since = day - toxicity.tocilizumab_day[:, None]
    return np.where(since > 0, since, np.nan)


def _cytokine_curves(
    rng: np.random.Generator, latent: Latent, toxicity: Toxicity, day: Floats
) -> dict[str, Floats]:
    """IL-6 keeps rising after tocilizumab: the receptor is blocked, the cytokine is not cleared."""
    peak, grade = inflammation_day(latent, toxicity), toxicity.crs_grade[:, None]
    noise = rng.normal(size=(4, *day.shape))
    own = rng.normal(size=(2, latent.n, 1))
    since = _since_tocilizumab(toxicity, day)
    blockade = np.where(np.isfinite(since), 1.9 * np.exp(-np.nan_to_num(since) / 6.0), 0.0)
    il6 = (
        _level(rng, latent, 3.2, 0.6)
        + (0.7 + 1.05 * grade + 0.45 * own[0]) * _bump(day, peak, 1.6, 2.4)
        + blockade
        + 0.30 * noise[0]
    )
    ifng = (
        _level(rng, latent, 5.0, 0.5)
        + (0.9 + 0.75 * grade + 0.5 * own[1]) * _bump(day, peak - 0.5, 1.6, 2.6)
        + 0.30 * noise[1]
    )
    return {"INTLK6": np.exp(il6), "IFNG": np.exp(ifng)}


def _chemistry_curves(
    rng: np.random.Generator, latent: Latent, toxicity: Toxicity, day: Floats
) -> dict[str, Floats]:
    peak, grade = inflammation_day(latent, toxicity), toxicity.crs_grade[:, None]
    noise = rng.normal(size=(6, *day.shape))
    own = rng.normal(size=(4, latent.n, 1))
    since = np.nan_to_num(_since_tocilizumab(toxicity, day))
    crp = (
        _level(rng, latent, 9.0, 0.8)
        + (0.9 + 0.65 * grade + 0.4 * own[0]) * _bump(day, peak + 0.3, 1.8, 3.0)
        - 0.55 * np.minimum(since, 4.0) * np.exp(-since / 12)
    )
    ferritin = _level(rng, latent, 420.0, 0.7) + (0.5 + 0.55 * grade + 0.35 * own[1]) * _bump(
        day, peak + 2.5, 2.6, 11.0
    )
    remaining = (
        tumor_fraction(latent, day) if latent.cohort.has_lesions else _marrow_left(latent, day)
    )
    ldh = (
        np.log(195.0)
        + 0.20 * own[2]
        + (0.28 * latent.burden_z[:, None] + 0.35) * np.clip(remaining, 0, 3)
    )
    white = np.log(5.5 * leukocyte_share(day)) + 0.25 * own[3]
    white = np.where(day < -4, np.log(5.5) + 0.25 * own[3], white)
    lymphocyte = white + np.log(0.22) + 0.25 * rng.normal(size=(latent.n, 1))
    return {
        "CRP": np.exp(crp + 0.22 * noise[0]),
        "FERRITIN": np.exp(ferritin + 0.12 * noise[1]),
        "LDH": np.exp(ldh + 0.08 * noise[2]),
        "WBC": np.exp(white + 0.15 * noise[3]),
        "LYM": np.exp(lymphocyte + 0.20 * noise[4]),
        "CD19": b_cells(latent, rng.normal(size=(latent.n, 1)), day) * np.exp(0.25 * noise[5]),
    }


def _marrow_left(latent: Latent, day: Floats) -> Floats:
    """Leukemia left relative to baseline, as far as LDH shows it."""
    falls = np.exp(-np.maximum(day - 7.0, 0.0) / 6.0)
    return np.where(latent.responder[:, None], falls, 1.0 + 0.004 * np.maximum(day, 0.0))


def aplasia_end_day(latent: Latent) -> Floats:
    """Day B cells begin to return: two weeks after the transgene falls below 40 copies/ug."""
    grid = np.arange(10.0, 721.0)
    below = transgene(latent, grid, expansion_only=True) < 40.0
    below &= grid[None, :] > latent.tmax_day[:, None] + 5.0
    first = np.where(below.any(axis=1), grid[below.argmax(axis=1)], np.inf)
    return np.asarray(first + 14.0)


def b_cells(latent: Latent, own: Floats, day: Floats) -> Floats:
    """CD19+ B cells per uL: lymphodepletion, aplasia while CAR-T cells persist, then return."""
    start = 70.0 * np.exp(0.7 * own)
    killed = start * 0.12 * np.exp(-np.maximum(day, 0.0) / 1.6)
    level = np.where(day < -4.5, start, killed)
    back = np.clip((day - aplasia_end_day(latent)[:, None]) / 9.0, 0.0, 4.0)
    return np.maximum(level, 0.15) + np.where(back > 0, 0.8 * np.expm1(back), 0.0)


def _blasts(rng: np.random.Generator, group: Group) -> pl.DataFrame:
    """Marrow blasts, %; a responder falls to MRD level, a relapse brings them back."""
    latent, visits = group.latent, group.visits(rng, BLAST_DAYS)
    actual = visits.actual
    deep = 10 ** rng.normal(-3.2, 0.5, size=actual.shape)
    base = latent.burden_value[:, None]
    stays = base * rng.uniform(0.35, 1.25, size=actual.shape)
    shallow = 10 ** rng.normal(-0.9, 0.4, size=actual.shape)
    partly = latent.response_latent[:, None] < 0.35
    answered = np.where(partly, shallow, deep)
    value = np.where(latent.responder[:, None], answered, np.maximum(stays, 5.5))
    relapsed = actual >= group.outcomes.pfs_day[:, None]
    value = np.where(relapsed, RELAPSE_BLASTS * np.exp(0.4 * rng.normal(size=actual.shape)), value)
    value = np.where(actual < 0, base, np.minimum(value, 97.0))
    return _named(latent, visits, value, "BLAST", "MARROW")
