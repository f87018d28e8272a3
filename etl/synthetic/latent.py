"""What is true of each patient before anything is measured: parameters and random effects."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from etl.synthetic.design import LESIONS_HIGH, LESIONS_LOW, Cohort

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

LESION_BLOOD_CORRELATION = 0.45
"""Between ln Cmax in blood and the log rise of the reporter signal in the patient's lesions."""
ORGAN_BLOOD_CORRELATION = 0.45


@dataclass(frozen=True, slots=True)
class Latent:
    """Parameters and random effects of n patients; lesion arrays are (n, 8), padded."""

    cohort: Cohort
    subject_no: Ints
    burden_z: Floats
    burden_value: Floats
    cmax: Floats
    lag_day: Floats
    tmax_day: Floats
    fold: Floats
    alpha_per_day: Floats
    slow_fraction: Floats
    beta_per_day: Floats
    early_level: Floats
    flow_ratio: Floats
    response_latent: Floats
    responder: Bools
    complete: Bools
    lesion_rise: Floats
    organ_rise: Floats
    reporter_base: Floats
    reporter_peak_day: Floats
    n_lesions: Ints
    lesion_base_effect: Floats
    lesion_rise_effect: Floats
    lesion_volume_ml: Floats
    lesion_elongation: Floats
    lesion_suv: Floats
    tumor_rate: Floats
    tumor_floor: Floats
    metabolic_rate: Floats
    metabolic_floor: Floats
    tumor_growth: Floats
    swelling: Floats

    @property
    def n(self) -> int:
        """Number of patients."""
        return len(self.subject_no)

    @property
    def lesion_mask(self) -> Bools:
        """(n, 8): True where the patient has this lesion."""
        return np.arange(LESIONS_HIGH)[None, :] < self.n_lesions[:, None]


def draw_latent(rng: np.random.Generator, cohort: Cohort, subject_no: Ints) -> Latent:
    """Draw parameters and random effects of the patients, cohort's population given."""
    n = len(subject_no)
    burden = rng.normal(size=n)
    kinetics = _draw_kinetics(rng, cohort, burden)
    z_cmax = kinetics.pop("z_cmax")
    latent, responder, complete = _draw_response(rng, cohort, z_cmax, burden)
    return Latent(
        cohort=cohort,
        subject_no=subject_no,
        burden_z=burden,
        burden_value=burden_value(cohort, burden),
        response_latent=latent,
        responder=responder,
        complete=complete,
        **kinetics,
        **_draw_reporter(rng, z_cmax),
        **_draw_lesions(rng, burden),
        **_draw_tumor_course(rng, responder, complete),
    )


def burden_value(cohort: Cohort, burden_z: Floats) -> Floats:
    """Reported baseline burden: an exact, monotone function of the standardized burden."""
    if cohort.has_lesions:
        return np.asarray(np.exp(np.log(80.0) + 0.8 * burden_z))
    return np.asarray(100.0 / (1.0 + np.exp(0.4 - 0.9 * burden_z)))


def _correlated(rng: np.random.Generator, z: Floats, correlation: float) -> Floats:
    return np.asarray(correlation * z + np.sqrt(1 - correlation**2) * rng.normal(size=z.shape))


def _lognormal(rng: np.random.Generator, median: float, sd: float, n: int) -> Floats:
    return median * np.exp(sd * rng.normal(size=n))


def _draw_kinetics(rng: np.random.Generator, cohort: Cohort, burden: Floats) -> dict[str, Any]:
    """Stein parameters; burden raises Cmax, and fast growers reach a higher Cmax."""
    x, n = cohort.expansion, len(burden)
    own = np.sqrt(x.cmax_sd**2 - x.burden_effect**2)
    ln_cmax = x.burden_effect * burden + own * rng.normal(size=n)
    z_cmax = ln_cmax / x.cmax_sd
    lag = np.clip(_lognormal(rng, x.lag_day, x.lag_sd, n), 0.5, 5.0)
    tmax = np.clip(_lognormal(rng, x.tmax_day, x.tmax_sd, n), lag + 2.5, 18.0)
    return {
        "z_cmax": z_cmax,
        "cmax": x.cmax * np.exp(ln_cmax),
        "lag_day": lag,
        "tmax_day": tmax,
        "fold": x.fold * np.exp(x.fold_sd * _correlated(rng, z_cmax, x.cmax_fold_correlation)),
        "alpha_per_day": _lognormal(rng, x.alpha_per_day, x.alpha_sd, n),
        "slow_fraction": np.minimum(_lognormal(rng, x.slow_fraction, x.slow_fraction_sd, n), 0.25),
        "beta_per_day": _lognormal(rng, x.beta_per_day, x.beta_sd, n),
        "early_level": _lognormal(rng, x.early_level, x.early_sd, n),
        "flow_ratio": _lognormal(rng, 0.0032, 0.35, n),
    }


def _draw_response(
    rng: np.random.Generator, cohort: Cohort, z_cmax: Floats, burden: Floats
) -> tuple[Floats, Bools, Bools]:
    """Latent logistic response; `complete` marks the responders that become complete."""
    r, x = cohort.response, cohort.expansion
    log10_cmax = z_cmax * x.cmax_sd / np.log(10)
    uniform = np.clip(rng.random(len(burden)), 1e-12, 1 - 1e-12)
    linear = r.intercept + r.expansion_log_odds * log10_cmax + r.burden_log_odds * burden
    latent = linear + np.log(uniform / (1 - uniform))
    return latent, latent > 0, latent > r.complete_shift


def _draw_reporter(rng: np.random.Generator, z_cmax: Floats) -> dict[str, Any]:
    """Patient effects of the reporter signal, correlated with blood expansion, not equal to it."""
    n = len(z_cmax)
    return {
        "lesion_rise": 1.55 + 0.45 * _correlated(rng, z_cmax, LESION_BLOOD_CORRELATION),
        "organ_rise": np.exp(0.35 * _correlated(rng, z_cmax, ORGAN_BLOOD_CORRELATION)),
        "reporter_base": 0.16 * rng.normal(size=n),
        "reporter_peak_day": _lognormal(rng, 13.8, 0.10, n),
    }


def _draw_lesions(rng: np.random.Generator, burden: Floats) -> dict[str, Any]:
    """3-8 lesions, more with more burden; their volumes add up to the reported burden."""
    n, width = len(burden), LESIONS_HIGH
    share = 1 / (1 + np.exp(-(0.9 * burden - 0.2)))
    count = LESIONS_LOW + rng.binomial(LESIONS_HIGH - LESIONS_LOW, share)
    mask = np.arange(width)[None, :] < count[:, None]
    weight = np.where(mask, np.exp(0.75 * rng.normal(size=(n, width))), 0.0)
    total = np.exp(np.log(80.0) + 0.8 * burden)
    volume = total[:, None] * weight / weight.sum(axis=1, keepdims=True)
    suv_patient = 0.30 * rng.normal(size=(n, 1))
    suv = np.exp(np.log(13.0) + suv_patient + 0.25 * rng.normal(size=(n, width)))
    return {
        "n_lesions": count.astype(np.int64),
        "lesion_base_effect": 0.13 * rng.normal(size=(n, width)),
        "lesion_rise_effect": 0.25 * rng.normal(size=(n, width)),
        "lesion_volume_ml": volume,
        "lesion_elongation": rng.uniform(0.6, 0.92, size=(n, width)),
        "lesion_suv": suv,
    }


def _draw_tumor_course(
    rng: np.random.Generator, responder: Bools, complete: Bools
) -> dict[str, Any]:
    """How the tumor goes on: rate and floor of shrinkage, growth where it does not respond."""
    n = len(responder)
    slow = rng.random(n) < 0.20
    floor = np.where(complete, rng.uniform(0.01, 0.05, n), rng.uniform(0.20, 0.36, n))
    metabolic_floor = np.where(complete, rng.uniform(0.04, 0.10, n), rng.uniform(0.22, 0.38, n))
    rate = _lognormal(rng, 0.20, 0.15, n)
    metabolic_rate = np.where(slow, _lognormal(rng, 0.065, 0.1, n), _lognormal(rng, 0.20, 0.1, n))
    fast = rng.random(n) < 0.5
    growth = np.where(fast, rng.uniform(0.025, 0.05, n), rng.uniform(-0.002, 0.012, n))
    growth = np.where(responder, 0.0, growth)
    return {
        "tumor_rate": np.where(responder, rate, 0.0),
        "tumor_floor": np.where(responder, floor, 1.0),
        "metabolic_rate": np.where(responder, metabolic_rate, 0.0),
        "metabolic_floor": np.where(responder, metabolic_floor, 1.0),
        "tumor_growth": growth,
        "swelling": np.exp(0.10 + 0.10 * rng.normal(size=n)),
    }
