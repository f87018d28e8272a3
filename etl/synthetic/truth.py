"""The answers: what a correct analysis of the synthetic trial must find, within its noise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from etl.synthetic.curves import transgene
from etl.synthetic.design import (
    COHORTS,
    CONTRAST_DAYS,
    EXAGGERATION,
    STUDYID,
    Cohort,
    TrialDesign,
)
from etl.synthetic.kinetics import FLOW_SD
from etl.synthetic.latent import (
    LESION_BLOOD_CORRELATION,
    ORGAN_BLOOD_CORRELATION,
    Bools,
    Floats,
    Latent,
    draw_latent,
)
from etl.synthetic.planter import Problem
from etl.synthetic.trial import Block, Frames
from etl.synthetic.uptake import LESION_NOISE, reporter_lesion

POPULATION = 100_000
POPULATION_SEED = 1
ANSWER_FILE = ".answers.json"
"""Hidden, so that loading the folder does not take it for an export."""
REPORTER_CONTRAST_DAYS = (14, 28, 90)


@dataclass(frozen=True, slots=True)
class Truth:
    """Population truth by cohort, parameters by patient, values before censoring, verdicts."""

    studyid: str
    seed: int
    patients_per_cohort: int
    statement: str
    cohorts: dict[str, dict[str, Any]]
    patients: list[dict[str, Any]]
    samples: list[dict[str, Any]]
    problems: tuple[Problem, ...]
    files: dict[str, str]

    def to_dict(self) -> dict[str, Any]:
        """For JSON; numbers are plain floats."""
        found = {field.name: getattr(self, field.name) for field in fields(self)}
        return found | {"problems": [problem.to_dict() for problem in self.problems]}

    def write(self, path: Path) -> None:
        """Write the answer file."""
        path.write_bytes(orjson.dumps(self.to_dict(), option=orjson.OPT_INDENT_2))


def make_truth(
    design: TrialDesign,
    blocks: Sequence[Block],
    frames: Frames,
    problems: tuple[Problem, ...],
    files: dict[str, str],
) -> Truth:
    """All answers of one trial; population values come from 100,000 patients per cohort."""
    return Truth(
        studyid=STUDYID,
        seed=design.seed,
        patients_per_cohort=design.patients_per_cohort,
        statement=EXAGGERATION,
        cohorts={cohort.code: cohort_truth(cohort) for cohort in COHORTS},
        patients=[row for block in blocks for row in patient_truth(block)],
        samples=frames.kinetics.select(
            "subject_no", "assay", "matrix", "nominal_day", "rel_day", "true", "value", "lloq"
        ).to_dicts(),
        problems=problems,
        files=files,
    )


def population(cohort: Cohort, size: int = POPULATION) -> Latent:
    """A large population of the cohort, the same on every call."""
    rng = np.random.default_rng(POPULATION_SEED)
    return draw_latent(rng, cohort, np.arange(size, dtype=np.int64))


def geometric_mean_ratio(value: Floats, group: Bools) -> float:
    """Geometric mean where `group` is true over that where it is false."""
    log = np.log(value)
    return float(np.exp(log[group].mean() - log[~group].mean()))


def cohort_truth(cohort: Cohort, size: int = POPULATION) -> dict[str, Any]:
    """Population values of one cohort: ratios, correlations, variance shares, coefficients."""
    people = population(cohort, size)
    curve = transgene(people, np.asarray(CONTRAST_DAYS, dtype=np.float64))
    ratios = {
        str(day): geometric_mean_ratio(curve[:, i], people.responder)
        for i, day in enumerate(CONTRAST_DAYS)
    }
    adjusted = _ratio_given_burden(np.log(people.cmax), people.responder, people.burden_z)
    found: dict[str, Any] = {
        "label": cohort.label,
        "response_rate": float(people.responder.mean()),
        "complete_share": float(people.complete.mean()),
        "sd_ln_cmax": float(np.log(people.cmax).std()),
        "marginal_ratio_cmax": geometric_mean_ratio(people.cmax, people.responder),
        "marginal_ratio_cmax_given_burden": adjusted,
        "marginal_ratio_by_day": ratios,
        "response_model": asdict(cohort.response) | {
            "expansion_unit": "log10 Cmax minus log10 of the population median",
            "burden_unit": "standard deviations of log (lymphoma) or logit (B-ALL) burden",
        },
        "event_model": asdict(cohort.events),
        "missingness": {
            "random_leave_by_90": cohort.events.random_leave_by_90,
            "random_mechanism": "exponential time to leaving, independent of everything",
            "informative_mechanism": "progression or death; their hazard depends on the true "
            "current value (event_model); a share leave_probability of progressions leaves "
            "the schedule within four days",
        },
        "expansion": asdict(cohort.expansion),
        "assay_sd_ln": {"qPCR": cohort.expansion.assay_sd, "flow": FLOW_SD},
        "icc_blood_day_14": _icc_blood(people),
        "burden": {"code": cohort.burden_code, "unit": cohort.burden_unit},
    }  # fmt: skip
    if cohort.has_lesions:
        found["lesion_reporter"] = _lesion_truth(people)
    found["organ_blood_correlation"] = ORGAN_BLOOD_CORRELATION
    return found


def _ratio_given_burden(log_cmax: Floats, responder: Bools, burden: Floats) -> float:
    design = np.column_stack([np.ones_like(burden), responder.astype(float), burden])
    return float(np.exp(np.linalg.lstsq(design, log_cmax, rcond=None)[0][1]))


def _icc_blood(people: Latent) -> float:
    between = np.log(transgene(people, np.array([14.0]))[:, 0]).var()
    return float(between / (between + people.cohort.expansion.assay_sd**2))


def _lesion_truth(people: Latent) -> dict[str, Any]:
    """Reporter signal of lesions: ratios by day, variance shares at day 14, blood correlation."""
    days = np.asarray(REPORTER_CONTRAST_DAYS, dtype=np.float64)
    logs = np.stack([np.log(reporter_lesion(people, j, days)) for j in range(8)], axis=2)
    mean = np.nanmean(logs, axis=2)
    at_14 = logs[:, 0, :]
    within = float(np.nanmean(np.nanvar(at_14, axis=1, ddof=1)))
    between = float(mean[:, 0].var() - (within / people.n_lesions).mean())
    total = between + within + LESION_NOISE**2
    return {
        "marginal_ratio_by_day": {
            str(day): geometric_mean_ratio(np.exp(mean[:, i]), people.responder)
            for i, day in enumerate(REPORTER_CONTRAST_DAYS)
        },
        "variance_patient_day_14": between,
        "variance_lesion_day_14": within,
        "variance_noise": LESION_NOISE**2,
        "icc_patient_day_14": between / total,
        "icc_lesion_day_14": (between + within) / total,
        "correlation_ln_cmax": float(np.corrcoef(np.log(people.cmax), mean[:, 0])[0, 1]),
        "correlation_rise": LESION_BLOOD_CORRELATION,
    }


def patient_truth(block: Block) -> list[dict[str, Any]]:
    """Parameters, random effects and true event times, one dictionary per patient."""
    latent, outcomes, toxicity = block.latent, block.outcomes, block.toxicity
    columns: dict[str, Any] = {}
    for name in ("burden_z", "burden_value", "cmax", "lag_day", "tmax_day", "fold",
                 "alpha_per_day", "slow_fraction", "beta_per_day", "early_level", "flow_ratio",
                 "response_latent", "responder", "complete", "lesion_rise", "organ_rise",
                 "reporter_base", "reporter_peak_day", "n_lesions", "tumor_rate", "tumor_floor",
                 "metabolic_rate", "metabolic_floor", "tumor_growth", "swelling"):  # fmt: skip
        columns[name] = getattr(latent, name)
    for name in ("pfs_day", "death_day", "random_leave_day", "informative_leave_day"):
        columns[name] = getattr(outcomes, name)
    for name in ("crs_grade", "crs_onset", "icans_grade", "icans_onset", "tocilizumab_day"):
        columns[name] = getattr(toxicity, name)
    rows = []
    for i, number in enumerate(latent.subject_no.tolist()):
        values = {name: _plain(column[i]) for name, column in columns.items()}
        lesions = {
            name: [_plain(v) for v in getattr(latent, name)[i][: int(latent.n_lesions[i])]]
            for name in ("lesion_base_effect", "lesion_rise_effect", "lesion_volume_ml")
        }
        rows.append({"subject_no": number, "cohort": latent.cohort.code} | values | lesions)
    return rows


def _plain(value: Any) -> Any:
    """A Python number; None for what never happens."""
    plain = value.item()
    return None if isinstance(plain, float) and not np.isfinite(plain) else plain
