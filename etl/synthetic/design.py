"""Every number the synthetic trial is built from, with the source it imitates.

The two cohorts carry the two truths of the field: in B-ALL responders expand more
(Mueller 2018, Clin Cancer Res, reports a ratio of 1.74; here it is larger, for
teaching), in large B-cell lymphoma they do not (Awasthi 2020, Blood Adv 4:560).
Kinetics follow Stein 2019 (doi 10.1002/psp4.12388) with the lag of Ogasawara 2021 (PMC8613160).
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

STUDYID = "SYN-CART-01"
TITLE = "Synthetic CAR-T imaging trial (invented patients; effects exaggerated for teaching)"
DEFAULT_SEED = 20260630
TIME_ZONE = "Europe/Zurich"
ENROLMENT_START = dt.datetime(2025, 7, 7)
ENROLMENT_DAYS = 256
CUT_DATE = dt.datetime(2026, 6, 30)
BLOCK = 1000
"""Patients simulated together; a block has its own random stream, so streaming changes nothing."""

ZR89_HALF_LIFE_S = 78.41 * 3600
F18_HALF_LIFE_S = 6586.2

EXAGGERATION = (
    "Exaggerated for teaching: the published geometric-mean ratio is 1.74 (Mueller 2018), which "
    "24 patients per cohort would detect with a power of 16-22 %."
)


@dataclass(frozen=True, slots=True)
class Expansion:
    """Population of the blood transgene curve; times in days, levels in copies/ug genomic DNA.

    `*_sd` are standard deviations of natural logs, between patients.
    """

    cmax: float
    cmax_sd: float = 1.2
    burden_effect: float = 0.35
    lag_day: float = 2.0
    lag_sd: float = 0.30
    tmax_day: float = 9.3
    tmax_sd: float = 0.20
    fold: float = 650.0
    fold_sd: float = 0.9
    cmax_fold_correlation: float = 0.6
    alpha_per_day: float = 0.16
    alpha_sd: float = 0.35
    slow_fraction: float = 0.0079
    slow_fraction_sd: float = 0.9
    beta_per_day: float = 0.0032
    beta_sd: float = 0.5
    early_level: float = 150.0
    early_sd: float = 0.7
    early_half_life_day: float = 0.35
    assay_sd: float = 0.35


@dataclass(frozen=True, slots=True)
class Response:
    """Latent response: logit P(response) = intercept + expansion x + burden z.

    x = log10 Cmax - log10 of the population median; z = standardized log tumor burden.
    `expansion_log_odds` and `burden_log_odds` are conditional on each other.
    """

    intercept: float
    expansion_log_odds: float
    burden_log_odds: float
    complete_shift: float
    """A responder is complete when the latent value exceeds zero by more than this."""


@dataclass(frozen=True, slots=True)
class Events:
    """Progression or death: hazard = baseline(t) exp(association (m(t) - center) + burden z).

    m(t) is the true current value: log10 transgene copies/ug (B-ALL) or log10 tumor volume in mL
    (lymphoma). The baseline is zero before `first_day`, then constant within the periods.
    """

    current_value: str
    association: float
    center: float
    burden_log_hazard: float
    baseline_per_day: tuple[float, ...]
    period_start_day: tuple[float, ...]
    leave_probability: float = 0.55
    random_leave_by_90: float = 0.125
    death_share: float = 0.12
    survival_after_day: float = 340.0


@dataclass(frozen=True, slots=True)
class Toxicity:
    """Shares of patients reaching each maximum ASTCT grade (1, 2, 3, 4 or more)."""

    crs_at_least: tuple[float, float, float, float]
    icans_at_least: tuple[float, float, float, float]
    crs_onset_day: float


@dataclass(frozen=True, slots=True)
class Cohort:
    """One disease cohort: everything that differs between the two."""

    code: str
    label: str
    disease: str
    criterion: str
    expansion: Expansion
    response: Response
    events: Events
    toxicity: Toxicity
    has_lesions: bool
    burden_code: str
    burden_label: str
    burden_unit: str
    direct_label_share: float
    age_low: float
    age_high: float
    offset: int
    """Patient numbers are 2 i + offset, so the cohorts interleave in time."""


B_ALL = Cohort(
    code="B-ALL",
    label="B-ALL-like (expansion drives response; exaggerated for teaching)",
    disease="B-cell acute lymphoblastic leukemia",
    criterion="B-ALL MARROW AND MRD",
    expansion=Expansion(cmax=24_000.0),
    response=Response(
        intercept=2.3, expansion_log_odds=5.0, burden_log_odds=-1.0, complete_shift=0.0
    ),
    events=Events(
        current_value="log10 blood transgene, copies/ug",
        association=-0.9,
        center=3.0,
        burden_log_hazard=0.3,
        baseline_per_day=(0.0, 0.0020, 0.0011, 0.0004),
        period_start_day=(0.0, 14.0, 60.0, 180.0),
    ),
    toxicity=Toxicity((0.77, 0.48, 0.18, 0.05), (0.40, 0.22, 0.10, 0.02), 3.0),
    has_lesions=False,
    burden_code="BLASTBL",
    burden_label="Marrow blasts before infusion",
    burden_unit="%",
    direct_label_share=0.5,
    age_low=18.0,
    age_high=62.0,
    offset=1,
)

LYMPHOMA = Cohort(
    code="LBCL",
    label="Lymphoma-like (expansion unrelated to response given burden)",
    disease="Large B-cell lymphoma",
    criterion="LUGANO 2014",
    expansion=Expansion(cmax=6_200.0, lag_day=3.27, fold=270.0, burden_effect=0.30),
    response=Response(
        intercept=1.0, expansion_log_odds=0.0, burden_log_odds=-0.7, complete_shift=0.85
    ),
    events=Events(
        current_value="log10 tumor volume, mL",
        association=2.0,
        center=2.0,
        burden_log_hazard=0.0,
        baseline_per_day=(0.0, 0.045, 0.016, 0.012, 0.006),
        period_start_day=(0.0, 18.0, 35.0, 90.0, 180.0),
        leave_probability=0.22,
        death_share=0.08,
        survival_after_day=420.0,
    ),
    toxicity=Toxicity((0.60, 0.30, 0.06, 0.015), (0.35, 0.20, 0.11, 0.02), 3.5),
    has_lesions=True,
    burden_code="MTVBL",
    burden_label="Total tumor volume before infusion",
    burden_unit="mL",
    direct_label_share=0.75,
    age_low=28.0,
    age_high=78.0,
    offset=2,
)

COHORTS = (B_ALL, LYMPHOMA)

SAMPLING_DAYS = (-7, 0, 1, 2, 3, 5, 7, 9, 11, 14, 17, 21, 28, 42, 60, 90)
FLOW_DAYS = (-7, 1, 3, 5, 7, 9, 11, 14, 17, 21, 28, 42, 60, 90)
LABORATORY_DAYS = (-7, 0, 1, 2, 3, 4, 5, 6, 7, 9, 11, 14, 21, 28, 60, 90)
CYTOKINE_DAYS = (-7, 0, 1, 2, 3, 4, 5, 6, 7, 9, 11, 14, 21, 28)
LESION_DAYS = (-7, 14, 28, 60, 90)
DIRECT_LABEL_DAYS = (0, 1, 3, 7)
REPORTER_DAYS = (-5, 14, 28, 90)
IMMUNE_DAYS = (31, 63)
"""After the reporter scans of days 14 and 28, so that zirconium does not add to them."""
CONTRAST_DAYS = (1, 3, 5, 7, 10, 14, 21, 28, 60, 90)
"""Days at which the truth file states the marginal geometric-mean ratio."""

MISSED_VISIT = 0.05
LESIONS_LOW, LESIONS_HIGH = 3, 8


@dataclass(frozen=True, slots=True)
class TrialDesign:
    """What one simulated trial is: its size, its seed and where patient numbers start."""

    seed: int = DEFAULT_SEED
    patients_per_cohort: int = 24
    plant_problems: bool = True

    def cohort_of(self, subject_no: int) -> Cohort:
        """Cohort of a patient number: odd numbers B-ALL, even numbers lymphoma."""
        return COHORTS[0] if subject_no % 2 == 1 else COHORTS[1]
