"""CT diameters, Deauville scores and response calls, made from what was measured."""

from __future__ import annotations

import numpy as np
import polars as pl

from etl.synthetic.curves import longest_diameter_mm, tumor_course
from etl.synthetic.design import LESIONS_HIGH
from etl.synthetic.imaging import Imaging
from etl.synthetic.latent import Floats, Latent
from etl.synthetic.outcomes import Outcomes
from etl.synthetic.schedule import Visits
from etl.synthetic.uptake import TUMOR

NO_CALL_DAY = 14
"""Early FDG only: no CT and no response call, inflammation still hides the tumor."""
PARTIAL_BELOW = 0.75
"""A metabolic response is partial when the highest SUVmax falls below this share of baseline."""
METABOLIC = {"CR": "CMR", "PR": "PMR", "SD": "NMR", "PD": "PMD"}
BLASTS_IN_REMISSION, MRD_LEVEL = 5.0, 0.01


def lesion_diameters(
    rng: np.random.Generator, latent: Latent, outcomes: Outcomes, visits: Visits
) -> pl.DataFrame:
    """Longest and perpendicular diameter, mm, of each lesion on the CT of the FDG visits.

    A mass that lost its cells leaves a scar, so diameters stop at a residual share.
    """
    visits = visits.only((np.asarray(visits.days) != NO_CALL_DAY)[None, :])
    day = visits.actual
    linear = np.cbrt(tumor_course(latent, outcomes.pfs_day, day)[0])
    scar = rng.uniform(0.15, 0.48, size=(latent.n, LESIONS_HIGH))
    frames = []
    for j in range(LESIONS_HIGH):
        volume, shape = latent.lesion_volume_ml[:, [j]], latent.lesion_elongation[:, [j]]
        long = longest_diameter_mm(np.maximum(volume, 1e-6), shape)
        long = long * np.maximum(linear, scar[:, [j]])
        long = long * np.exp(0.025 * rng.normal(size=day.shape))
        short = np.minimum(long * shape * np.exp(0.02 * rng.normal(size=day.shape)), long)
        columns: dict[str, Floats] = {
            "rel_day": day,
            "LDIAM": np.asarray(np.round(long, 1), np.float64),
            "LPERP": np.asarray(np.round(short, 1), np.float64),
        }
        frame = visits.only(latent.lesion_mask[:, [j]]).long(latent.subject_no, columns)
        frames.append(frame.with_columns(region_code=pl.lit(f"L{j + 1}")))
    return pl.concat(frames).sort("subject_no", "nominal_day", "region_code")


def lugano_calls(latent: Latent, outcomes: Outcomes, imaging: Imaging) -> pl.DataFrame:
    """One row per assessment: subject_no, nominal_day, rel_day, response, deauville.

    Deauville from the hottest lesion against liver and blood pool of the same scan; PET overrides
    CT. The first progression ends the assessments.
    """
    scans = imaging.scans.filter(pl.col("tracer_id") == TUMOR)
    tumor = imaging.values.filter(pl.col("tracer_id") == TUMOR)
    key = ["subject_no", "nominal_day"]
    lesion = (
        tumor.filter(
            (pl.col("metric") == "suv_max")
            & pl.col("region_code").str.starts_with("L")
            & (pl.col("region_code") != "LIVER")
        )
        .group_by(key)
        .agg(hottest=pl.col("value").max())
    )
    reference = tumor.filter(
        pl.col("region_code").is_in(["LIVER", "BLOOD_POOL"]) & (pl.col("metric") == "suv_mean")
    ).pivot("region_code", index=key, values="value")
    before = lesion.filter(pl.col("nominal_day") < 0).select("subject_no", before="hottest")
    fallback = pl.DataFrame(
        {
            "subject_no": latent.subject_no,
            "pfs_day": outcomes.pfs_day,
            "expected": np.where(latent.lesion_mask, latent.lesion_suv, 0).max(axis=1),
        }
    )
    frame = (
        scans.filter(pl.col("nominal_day") > NO_CALL_DAY)
        .select(*key, "rel_day")
        .join(lesion, on=key)
        .join(reference, on=key)
        .join(before, on="subject_no", how="left")
        .join(fallback, on="subject_no")
        .with_columns(before=pl.col("before").fill_null(pl.col("expected")))
        .filter(pl.col("rel_day") < pl.col("pfs_day"))
        .with_columns(deauville=_deauville())
        .with_columns(response=_metabolic_response())
    )
    return _with_progression(
        frame.select(*key, "rel_day", "response", "deauville"), latent, outcomes
    )


def _deauville() -> pl.Expr:
    hot, liver, blood = pl.col("hottest"), pl.col("LIVER"), pl.col("BLOOD_POOL")
    return (
        pl.when(hot <= 0.7 * blood)
        .then(1)
        .when(hot <= blood)
        .then(2)
        .when(hot <= liver)
        .then(3)
        .when(hot <= 2.5 * liver)
        .then(4)
        .otherwise(5)
    )


def _metabolic_response() -> pl.Expr:
    fell = pl.col("hottest") < PARTIAL_BELOW * pl.col("before")
    return (
        pl.when(pl.col("deauville") <= 3)
        .then(pl.lit("CR"))
        .when(fell)
        .then(pl.lit("PR"))
        .otherwise(pl.lit("SD"))
    )


def _with_progression(calls: pl.DataFrame, latent: Latent, outcomes: Outcomes) -> pl.DataFrame:
    """Adds the unscheduled assessment that found progression, at the true time of the event."""
    seen_until = np.minimum(outcomes.random_leave_day, outcomes.cut_day)
    found = (outcomes.pfs_day <= seen_until) & ~outcomes.pfs_is_death
    progression = pl.DataFrame(
        {
            "subject_no": latent.subject_no[found],
            "rel_day": np.ceil(outcomes.pfs_day[found]),
        }
    ).with_columns(
        nominal_day=pl.lit(None, dtype=pl.Float64),
        response=pl.lit("PD"),
        deauville=pl.lit(5 if latent.cohort.has_lesions else None, dtype=pl.Int32),
    )
    both = [calls.with_columns(pl.col("deauville").cast(pl.Int32)), progression]
    return pl.concat(both, how="diagonal").sort("subject_no", "rel_day")


def marrow_calls(
    rng: np.random.Generator, latent: Latent, outcomes: Outcomes, labs: pl.DataFrame
) -> pl.DataFrame:
    """Marrow and MRD response: subject_no, nominal_day, rel_day, response, mrd.

    CR needs less than 5 % blasts; a quarter of them without count recovery at day 28 are CRi.
    """
    recovered = rng.random(latent.n) > 0.28
    patients = pl.DataFrame(
        {"subject_no": latent.subject_no, "pfs_day": outcomes.pfs_day, "recovered": recovered}
    )
    blasts, early = pl.col("value"), pl.col("nominal_day") < 45
    calls = (
        labs.filter((pl.col("testcd") == "BLAST") & (pl.col("nominal_day") > 0))
        .join(patients, on="subject_no")
        .filter(pl.col("rel_day") < pl.col("pfs_day"))
        .with_columns(
            response=pl.when(blasts >= BLASTS_IN_REMISSION)
            .then(pl.lit("NR"))
            .when(early & ~pl.col("recovered"))
            .then(pl.lit("CRi"))
            .otherwise(pl.lit("CR")),
            mrd=pl.when(blasts < MRD_LEVEL)
            .then(pl.lit("MRD NEGATIVE"))
            .otherwise(pl.lit("MRD POSITIVE")),
            deauville=pl.lit(None, dtype=pl.Int32),
        )
        .select("subject_no", "nominal_day", "rel_day", "response", "deauville", "mrd")
    )
    return _with_progression(calls, latent, outcomes)
