"""CRS and ICANS by ASTCT grade, and the treatment that follows them (never before)."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist
from typing import NamedTuple

import numpy as np
import polars as pl

from etl.synthetic.latent import Floats, Ints, Latent
from etl.synthetic.outcomes import Outcomes

STEPS: dict[int, tuple[tuple[int, float], ...]] = {
    1: ((1, 1.0),),
    2: ((1, 0.30), (2, 0.40), (1, 0.30)),
    3: ((1, 0.15), (2, 0.20), (3, 0.30), (2, 0.20), (1, 0.15)),
    4: ((1, 0.10), (2, 0.10), (3, 0.15), (4, 0.20), (3, 0.20), (2, 0.15), (1, 0.10)),
}
"""How a course of each maximum grade passes through the grades: (grade, share of its days)."""
EXPANSION_WEIGHT, BURDEN_WEIGHT = 0.8, 0.5


@dataclass(frozen=True, slots=True)
class Toxicity:
    """Courses of CRS and ICANS; onset is NaN without the event. Times in days from infusion."""

    crs_grade: Ints
    crs_onset: Floats
    crs_days: Floats
    icans_grade: Ints
    icans_onset: Floats
    icans_days: Floats
    tocilizumab_day: Floats
    """First tocilizumab; NaN when none was given."""


def draw_toxicity(rng: np.random.Generator, latent: Latent) -> Toxicity:
    """CRS follows expansion and burden; ICANS follows CRS loosely; tocilizumab follows CRS."""
    x, tox, n = latent.cohort.expansion, latent.cohort.toxicity, latent.n
    z_cmax = np.log(latent.cmax / x.cmax) / x.cmax_sd
    crs_z = EXPANSION_WEIGHT * z_cmax + BURDEN_WEIGHT * latent.burden_z + rng.normal(size=n)
    shared = 2 * EXPANSION_WEIGHT * BURDEN_WEIGHT * x.burden_effect / x.cmax_sd
    crs_z = crs_z / np.sqrt(EXPANSION_WEIGHT**2 + BURDEN_WEIGHT**2 + shared + 1)
    crs = _grade(crs_z, tox.crs_at_least)
    onset = tox.crs_onset_day * np.exp(0.40 * rng.normal(size=n) - 0.15 * crs_z)
    onset = np.clip(onset, 0.25, 12.0)
    days = np.clip(2.5 + 1.3 * crs + 1.1 * rng.normal(size=n), 1.0, 14.0)
    icans = _grade(0.45 * crs_z + np.sqrt(1 - 0.45**2) * rng.normal(size=n), tox.icans_at_least)
    icans_onset = np.clip(onset + 2.8 * np.exp(0.4 * rng.normal(size=n)), 1.5, 20.0)
    icans_days = np.clip(2.0 + 1.6 * icans + 1.0 * rng.normal(size=n), 1.0, 14.0)
    onset = np.where(crs > 0, _hour(onset), np.nan)
    days = _hour(days)
    return Toxicity(
        crs,
        onset,
        days,
        icans,
        np.where(icans > 0, _hour(icans_onset), np.nan),
        _hour(icans_days),
        _first_tocilizumab(rng, crs, onset, days),
    )


def _grade(z: Floats, at_least: tuple[float, ...]) -> Ints:
    """Grade from a standard normal value and the shares that reach each grade."""
    thresholds = [NormalDist().inv_cdf(1 - share) for share in at_least]
    return np.searchsorted(np.asarray(thresholds), z).astype(np.int64)


def _hour(day: Floats) -> Floats:
    return np.asarray(np.round(day * 24) / 24)


def _first_tocilizumab(
    rng: np.random.Generator, grade: Ints, onset: Floats, days: Floats
) -> Floats:
    """Hours after grade 2 begins; sometimes for a grade 1 that lasts three days."""
    share = np.select([grade == 2, grade == 3, grade == 4], [0.30, 0.15, 0.10], 0.0)
    wait = rng.uniform(1.0, 10.0, len(grade)) / 24
    given = (grade >= 2) & (rng.random(len(grade)) < 0.92)
    lasting = (grade == 1) & (days > 3.5) & (rng.random(len(grade)) < 0.25)
    start = np.where(given, onset + share * days, np.where(lasting, onset + 3.0, np.nan))
    return _hour(start + wait + 1 / 24)


def adverse_events(latent: Latent, toxicity: Toxicity, outcomes: Outcomes) -> pl.DataFrame:
    """One row per interval of constant grade: subject_no, category, grade, rel_day, end."""
    rows: list[tuple[int, str, int, float, float]] = []
    courses = (
        ("CRS", toxicity.crs_grade, toxicity.crs_onset, toxicity.crs_days),
        ("ICANS", toxicity.icans_grade, toxicity.icans_onset, toxicity.icans_days),
    )
    for category, grades, onsets, lengths in courses:
        for i in np.flatnonzero((grades > 0) & (np.nan_to_num(onsets) < outcomes.leave_day)):
            start = float(onsets[i])
            for grade, share in STEPS[int(grades[i])]:
                end = start + share * float(lengths[i])
                rows.append((int(latent.subject_no[i]), category, grade, start, end))
                start = end
    names = ["subject_no", "category", "grade", "rel_day", "end_rel_day"]
    frame = _until_death(pl.DataFrame(rows, schema=names, orient="row"), latent, outcomes)
    return frame.sort("subject_no", "category", "rel_day")


def _until_death(frame: pl.DataFrame, latent: Latent, outcomes: Outcomes) -> pl.DataFrame:
    """Nothing begins after death, and what goes on ends with it."""
    death = pl.DataFrame({"subject_no": latent.subject_no, "death_day": outcomes.death_day})
    return (
        frame.join(death, on="subject_no", maintain_order="left")
        .filter(pl.col("rel_day") < pl.col("death_day"))
        .with_columns(end_rel_day=pl.min_horizontal("end_rel_day", "death_day"))
        .drop("death_day")
    )


class Drug(NamedTuple):
    """A treatment as the case report form writes it."""

    term: str
    intervention_class: str
    dose: float | None
    dose_unit: str | None


FLUDARABINE = Drug("FLUDARABINE", "lymphodepletion", 30.0, "mg/m2")
CYCLOPHOSPHAMIDE = Drug("CYCLOPHOSPHAMIDE", "lymphodepletion", 300.0, "mg/m2")
BRIDGING = Drug("BRIDGING CHEMOTHERAPY", "bridging", None, None)
TOCILIZUMAB = Drug("TOCILIZUMAB", "tocilizumab", 8.0, "mg/kg")
DEXAMETHASONE = Drug("DEXAMETHASONE", "corticosteroid", 10.0, "mg")
ANAKINRA = Drug("ANAKINRA", "anakinra", 100.0, "mg")
REPEAT_DOSE = (1.0, 0.45, 0.20)
"""Probability of the first, second and third dose of tocilizumab, each given the one before."""


def interventions(
    rng: np.random.Generator, latent: Latent, toxicity: Toxicity, outcomes: Outcomes
) -> pl.DataFrame:
    """Lymphodepletion, bridging, tocilizumab, dexamethasone and anakinra, one row per course."""
    n, number = latent.n, latent.subject_no
    everyone = np.full(n, -5.0)
    bridged = rng.random(n) < (0.55 if latent.cohort.has_lesions else 0.40)
    bridge = np.where(bridged, -rng.integers(18, 30, n).astype(np.float64), np.nan)
    parts = [
        _courses(number, FLUDARABINE, everyone, 2.0),
        _courses(number, CYCLOPHOSPHAMIDE, everyone, 2.0),
        _courses(number, BRIDGING, bridge, 6.0),
    ]
    dose_day = toxicity.tocilizumab_day
    for probability in REPEAT_DOSE:
        dose_day = np.where(rng.random(n) < probability, dose_day, np.nan)
        parts.append(_courses(number, TOCILIZUMAB, dose_day, 1 / 24))
        dose_day = _hour(dose_day + rng.uniform(8.0, 26.0, n) / 24)
    neuro = toxicity.icans_onset + 0.3 * toxicity.icans_days
    neuro = np.where(toxicity.icans_grade >= 2, neuro, np.nan)
    severe = np.where(toxicity.crs_grade >= 3, toxicity.tocilizumab_day + 0.5, np.nan)
    steroid = _hour(np.fmin(neuro, severe) + rng.uniform(1, 8, n) / 24)
    parts.append(_courses(number, DEXAMETHASONE, steroid, _hour(rng.uniform(2.0, 6.5, n))))
    refractory = (toxicity.crs_grade >= 3) | (toxicity.icans_grade >= 3)
    rescued = refractory & (rng.random(n) < 0.35)
    parts.append(_courses(number, ANAKINRA, np.where(rescued, steroid + 1.0, np.nan), 4.0))
    courses = _until_death(pl.concat(parts), latent, outcomes)
    return courses.sort("subject_no", "rel_day", "term")


def _courses(number: Ints, drug: Drug, start: Floats, days: Floats | float) -> pl.DataFrame:
    """Courses of one drug; patients whose start is NaN have none."""
    given = np.isfinite(start)
    end = start + days
    return pl.DataFrame(
        {"subject_no": number[given], "rel_day": start[given], "end_rel_day": end[given]}
    ).with_columns(
        term=pl.lit(drug.term),
        intervention_class=pl.lit(drug.intervention_class),
        dose=pl.lit(drug.dose, dtype=pl.Float64),
        dose_unit=pl.lit(drug.dose_unit, dtype=pl.String),
    )
