"""CRS and ICANS by ASTCT grade, and the treatment that follows them (never before)."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist

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
    frame = pl.DataFrame(
        rows, schema=["subject_no", "category", "grade", "rel_day", "end_rel_day"], orient="row"
    )
    return frame.sort("subject_no", "category", "rel_day")


def interventions(rng: np.random.Generator, latent: Latent, toxicity: Toxicity) -> pl.DataFrame:
    """Lymphodepletion, bridging, tocilizumab, dexamethasone and anakinra, one row per course."""
    n = latent.n
    number = latent.subject_no
    bridging = rng.random(n) < (0.55 if latent.cohort.has_lesions else 0.40)
    bridge_start = -rng.integers(18, 30, n).astype(np.float64)
    parts = [
        _course(number, "FLUDARABINE", "lymphodepletion", -5.0, -3.0, 30.0, "mg/m2"),
        _course(number, "CYCLOPHOSPHAMIDE", "lymphodepletion", -5.0, -3.0, 300.0, "mg/m2"),
        _course(
            number[bridging],
            "BRIDGING CHEMOTHERAPY",
            "bridging",
            bridge_start[bridging],
            bridge_start[bridging] + 6.0,
            None,
            None,
        ),
    ]
    start = toxicity.tocilizumab_day
    for probability in (1.0, 0.45, 0.20):
        given = np.isfinite(start) & (rng.random(n) < probability)
        day = np.where(given, start, np.nan)
        parts.append(
            _course(
                number[given],
                "TOCILIZUMAB",
                "tocilizumab",
                day[given],
                day[given] + 1 / 24,
                8.0,
                "mg/kg",
            )
        )
        start = _hour(day + rng.uniform(8.0, 26.0, n) / 24)
    neuro = np.where(
        toxicity.icans_grade >= 2, toxicity.icans_onset + 0.3 * toxicity.icans_days, np.nan
    )
    severe = np.where(toxicity.crs_grade >= 3, toxicity.tocilizumab_day + 0.5, np.nan)
    steroid = _hour(np.fmin(neuro, severe) + rng.uniform(1, 8, n) / 24)
    given = np.isfinite(steroid)
    length = _hour(rng.uniform(2.0, 6.5, n))
    parts.append(
        _course(
            number[given],
            "DEXAMETHASONE",
            "corticosteroid",
            steroid[given],
            (steroid + length)[given],
            10.0,
            "mg",
        )
    )
    rescue = (
        given & (rng.random(n) < 0.35) & ((toxicity.crs_grade >= 3) | (toxicity.icans_grade >= 3))
    )
    parts.append(
        _course(
            number[rescue],
            "ANAKINRA",
            "anakinra",
            steroid[rescue] + 1.0,
            steroid[rescue] + 5.0,
            100.0,
            "mg",
        )
    )
    return pl.concat(parts).sort("subject_no", "rel_day", "term")


def _course(
    number: Ints,
    term: str,
    intervention_class: str,
    start: Floats | float,
    end: Floats | float,
    dose: float | None,
    unit: str | None,
) -> pl.DataFrame:
    frame = pl.DataFrame(
        {
            "subject_no": number,
            "rel_day": np.broadcast_to(np.asarray(start, dtype=np.float64), number.shape),
            "end_rel_day": np.broadcast_to(np.asarray(end, dtype=np.float64), number.shape),
        }
    )
    return frame.with_columns(
        term=pl.lit(term),
        intervention_class=pl.lit(intervention_class),
        dose=pl.lit(dose, dtype=pl.Float64),
        dose_unit=pl.lit(unit, dtype=pl.String),
    )
