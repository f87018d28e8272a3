"""SDTM-like datasets and the baseline form: DM, EX, AE, CM, RS, TU, TR, time to event."""

from __future__ import annotations

import numpy as np
import polars as pl

from etl.synthetic.design import COHORTS, STUDYID, TrialDesign
from etl.synthetic.files.export_file import (
    ExportFile,
    day_text,
    iso_date,
    iso_minute,
    iso_with_zone,
    number_text,
    site_id,
    subject_code,
    unique_subject_id,
    with_times,
)
from etl.synthetic.trial import Frames
from etl.synthetic.uptake import DIRECT

LOCATIONS = (
    ("LYMPH NODE, MEDIASTINAL", "Mediastinal node", ""),
    ("LYMPH NODE, AXILLARY", "Axillary node", "LEFT"),
    ("LYMPH NODE, PARA-AORTIC", "Para-aortic mass", ""),
    ("LYMPH NODE, INGUINAL", "Inguinal node", "RIGHT"),
    ("LYMPH NODE, CERVICAL", "Cervical node", "LEFT"),
    ("LYMPH NODE, MESENTERIC", "Mesenteric mass", ""),
    ("LYMPH NODE, ILIAC", "Iliac node", "RIGHT"),
    ("LYMPH NODE, SUPRACLAVICULAR", "Supraclavicular node", "LEFT"),
)
"""SDTM location, label and laterality of lesions L1 to L8."""
PRODUCTS = {"B-ALL": "SYN-019 CD19 CAR-T", "LBCL": "SYN-019 CD19 CAR-T"}
TOO_SMALL_MM = 5.0


def sdtm_files(frames: Frames, design: TrialDesign) -> list[ExportFile]:
    """DM, AE, TR as XPT; EX, CM, RS, TU as CSV; baseline form and time to event as CSV."""
    return [
        ExportFile("sdtm/dm.xpt", _demographics(frames, design), format="xpt"),
        ExportFile("sdtm/ex.csv", _exposure(frames)),
        ExportFile("sdtm/ae.xpt", _adverse_events(frames), format="xpt"),
        ExportFile("sdtm/cm.csv", _medication(frames), byte_order_mark=True),
        ExportFile("sdtm/rs.csv", _responses(frames)),
        ExportFile("sdtm/tu.csv", _tumor_identification(frames)),
        ExportFile("sdtm/tr.xpt", _tumor_results(frames), format="xpt"),
        ExportFile("crf/baseline.csv", _baseline(frames)),
        ExportFile("adam/adtte.csv", _time_to_event(frames)),
    ]


def never_infused(design: TrialDesign) -> pl.DataFrame:
    """Enrolled, never infused (about 4 %): the difference between the two denominators."""
    count = max(round(0.04 * design.patients_per_cohort), 1)
    first = 2 * design.patients_per_cohort
    rng = np.random.default_rng(np.random.SeedSequence(design.seed, spawn_key=(99,)))
    number = np.arange(first + 1, first + 1 + 2 * count, dtype=np.int64)
    cohorts = [design.cohort_of(int(n)).code for n in number]
    return pl.DataFrame(
        {
            "subject_no": number,
            "cohort": cohorts,
            "sex": rng.choice(["F", "M"], len(number)),
            "age_year": np.round(rng.uniform(30, 70, len(number))),
        }
    )


def _demographics(frames: Frames, design: TrialDesign) -> pl.DataFrame:
    everyone = pl.concat(
        [
            frames.patients.with_columns(infused=pl.lit("Y")),
            never_infused(design).with_columns(infused=pl.lit("N")),
        ],
        how="diagonal",
    )
    scanned = frames.scans["subject_no"].unique()
    timed = with_times(everyone.with_columns(zero=pl.lit(0.0)), frames.patients, ["zero"])
    disease = {cohort.code: cohort.disease for cohort in COHORTS}
    return timed.select(
        pl.lit(STUDYID).alias("STUDYID"),
        pl.lit("DM").alias("DOMAIN"),
        unique_subject_id().alias("USUBJID"),
        subject_code().alias("SUBJID"),
        site_id().alias("SITEID"),
        iso_date("zero_local").alias("RFSTDTC"),
        number_text(pl.col("age_year"), 3).alias("AGE"),
        pl.lit("YEARS").alias("AGEU"),
        pl.col("sex").alias("SEX"),
        pl.col("cohort").alias("COHORT"),
        pl.col("cohort").replace_strict(disease).alias("DISEASE"),
        pl.format("{} {}", "cohort", pl.col("dose_level").fill_null("NOT INFUSED")).alias("ARM"),
        pl.col("dose_level").alias("DOSELVL"),
        pl.col("infused").alias("INFFL"),
        pl.col("infused").alias("SAFFL"),
        pl.when(pl.col("subject_no").is_in(scanned.implode())).then(pl.lit("Y"))
        .otherwise(pl.lit("N")).alias("IMGFL"),
    )  # fmt: skip


def _exposure(frames: Frames) -> pl.DataFrame:
    """EX with the release values of the product; date-times carry their zone."""
    timed = with_times(frames.patients.with_columns(zero=pl.lit(0.0)), frames.patients, ["zero"])
    labelled = pl.col("labelled")
    return timed.select(
        pl.lit(STUDYID).alias("STUDYID"),
        pl.lit("EX").alias("DOMAIN"),
        unique_subject_id().alias("USUBJID"),
        pl.lit("1").alias("EXSEQ"),
        pl.col("cohort").replace_strict(PRODUCTS).alias("EXTRT"),
        pl.col("dose_cells").cast(pl.Int64).cast(pl.String).alias("EXDOSE"),
        pl.lit("Therapeutic Cells").alias("EXDOSU"),
        pl.lit("INTRAVENOUS").alias("EXROUTE"),
        pl.format("SYN{}", subject_code()).alias("EXLOT"),
        iso_with_zone("zero_local").alias("EXSTDTC"),
        pl.col("dose_cells_per_kg").cast(pl.Int64).cast(pl.String).alias("CELLSKG"),
        number_text(pl.col("viability_percent"), 4).alias("VIABPCT"),
        number_text(pl.col("transduced_percent"), 4).alias("TRANSPCT"),
        number_text(pl.col("vector_copy_number"), 3).alias("VCN"),
        pl.col("total_cells").cast(pl.Int64).cast(pl.String).alias("TOTALCELLS"),
        pl.when(labelled).then(pl.lit("Y")).otherwise(pl.lit("N")).alias("LABELLED"),
        pl.when(labelled).then(pl.lit(DIRECT)).alias("LABEL"),
        pl.when(labelled).then(number_text(pl.col("label_activity_mbq"), 4)).alias("LABELMBQ"),
        pl.when(labelled).then(iso_with_zone("zero_local")).alias("LABELDTC"),
    )


def _adverse_events(frames: Frames) -> pl.DataFrame:
    terms = {
        "CRS": "Cytokine release syndrome",
        "ICANS": "Immune effector cell-associated neurotoxicity syndrome",
    }
    timed = with_times(frames.adverse_events, frames.patients, ["rel_day", "end_rel_day"])
    return timed.sort("subject_no", "rel_day", "category").select(
        pl.lit(STUDYID).alias("STUDYID"),
        pl.lit("AE").alias("DOMAIN"),
        unique_subject_id().alias("USUBJID"),
        pl.int_range(1, pl.len() + 1).over("subject_no").cast(pl.String).alias("AESEQ"),
        pl.col("category").replace_strict(terms).alias("AETERM"),
        pl.col("category").alias("AEDECOD"),
        pl.col("grade").cast(pl.String).alias("AETOXGR"),
        pl.lit("ASTCT 2019").alias("AESCALE"),
        pl.when(pl.col("grade") >= 3).then(pl.lit("Y")).otherwise(pl.lit("N")).alias("AESER"),
        iso_minute("rel_day_local").alias("AESTDTC"),
        iso_minute("end_rel_day_local").alias("AEENDTC"),
    )


def _medication(frames: Frames) -> pl.DataFrame:
    indications = {
        "lymphodepletion": "LYMPHODEPLETION", "bridging": "BRIDGING", "tocilizumab": "CRS",
        "corticosteroid": "CRS OR ICANS", "anakinra": "CRS OR ICANS",
    }  # fmt: skip
    timed = with_times(frames.interventions, frames.patients, ["rel_day", "end_rel_day"])
    return timed.select(
        pl.lit(STUDYID).alias("STUDYID"),
        pl.lit("CM").alias("DOMAIN"),
        unique_subject_id().alias("USUBJID"),
        pl.int_range(1, pl.len() + 1).over("subject_no").cast(pl.String).alias("CMSEQ"),
        pl.col("term").alias("CMTRT"),
        pl.col("intervention_class").alias("CMCAT"),
        number_text(pl.col("dose"), 4).alias("CMDOSE"),
        pl.col("dose_unit").alias("CMDOSU"),
        pl.col("intervention_class").replace_strict(indications).alias("CMINDC"),
        iso_minute("rel_day_local").alias("CMSTDTC"),
        iso_minute("end_rel_day_local").alias("CMENDTC"),
    )


def _responses(frames: Frames) -> pl.DataFrame:
    """Overall response by cohort's criterion; Deauville beside Lugano; MRD as its own row.

    "No response" of the marrow criterion is stable disease; the words stay in RSORRES.
    """
    criterion = {cohort.code: cohort.criterion for cohort in COHORTS}
    reader = {"B-ALL": "INVESTIGATOR", "LBCL": "IRC"}
    known = frames.patients.select("subject_no", "cohort")
    rows = with_times(frames.responses, frames.patients).join(
        known, on="subject_no", maintain_order="left"
    )
    overall = rows.with_columns(
        code=pl.lit("OVRLRESP"),
        original=pl.col("response").replace({"NR": "No response, 5 % marrow blasts or more"}),
        standard=pl.col("response").replace({"NR": "SD"}),
    )
    mrd = rows.filter(pl.col("mrd").is_not_null()).with_columns(
        code=pl.lit("MRDRESP"), original="mrd", standard="mrd",
        deauville=pl.lit(None, dtype=pl.Int32),
    )  # fmt: skip
    both = pl.concat([overall, mrd], how="diagonal").sort("subject_no", "rel_day", "code")
    planned = pl.col("nominal_day").is_not_null()
    return both.select(
        pl.lit(STUDYID).alias("STUDYID"),
        pl.lit("RS").alias("DOMAIN"),
        unique_subject_id().alias("USUBJID"),
        pl.int_range(1, pl.len() + 1).over("subject_no").cast(pl.String).alias("RSSEQ"),
        pl.col("code").alias("RSTESTCD"),
        pl.col("cohort").replace_strict(criterion).alias("RSCAT"),
        pl.col("original").alias("RSORRES"),
        pl.col("standard").alias("RSSTRESC"),
        pl.col("deauville").cast(pl.String).alias("DEAUVILLE"),
        pl.col("cohort").replace_strict(reader).alias("RSEVAL"),
        pl.when(planned).then(pl.format("Day {}", day_text("nominal_day")))
        .otherwise(pl.lit("Unscheduled")).alias("VISIT"),
        day_text("nominal_day").alias("VISITDY"),
        iso_date("rel_day_local").alias("RSDTC"),
    )  # fmt: skip


def _tumor_identification(frames: Frames) -> pl.DataFrame:
    lesions = (
        frames.values.filter(pl.col("region_code").str.contains(r"^L\d$"))
        .select("subject_no", "region_code")
        .unique(maintain_order=True)
    )
    place = pl.DataFrame(
        [(f"L{i + 1}", *where) for i, where in enumerate(LOCATIONS)],
        schema=["region_code", "location", "label", "laterality"],
        orient="row",
    )
    rows = lesions.join(place, on="region_code", maintain_order="left").sort(
        "subject_no", "region_code"
    )
    return rows.select(
        pl.lit(STUDYID).alias("STUDYID"),
        pl.lit("TU").alias("DOMAIN"),
        unique_subject_id().alias("USUBJID"),
        pl.int_range(1, pl.len() + 1).over("subject_no").cast(pl.String).alias("TUSEQ"),
        pl.col("region_code").alias("TULNKID"),
        pl.lit("TUMIDENT").alias("TUTESTCD"),
        pl.lit("TARGET").alias("TUORRES"),
        pl.col("location").alias("TULOC"),
        pl.col("label").alias("TULOCDSC"),
        pl.col("laterality").replace({"": None}).alias("TULAT"),
        pl.lit("PET/CT SCAN").alias("TUMETHOD"),
    )


def _tumor_results(frames: Frames) -> pl.DataFrame:
    """Longest and perpendicular diameters; under 5 mm the reader writes words, not a number."""
    timed = with_times(frames.diameters, frames.patients)
    long = timed.unpivot(
        on=["LDIAM", "LPERP"],
        index=["subject_no", "region_code", "nominal_day", "rel_day_local"],
        variable_name="metric",
        value_name="millimeter",
    ).sort("subject_no", "nominal_day", "region_code", "metric")
    small = pl.col("millimeter") < TOO_SMALL_MM
    return long.select(
        pl.lit(STUDYID).alias("STUDYID"),
        pl.lit("TR").alias("DOMAIN"),
        unique_subject_id().alias("USUBJID"),
        pl.int_range(1, pl.len() + 1).over("subject_no").cast(pl.String).alias("TRSEQ"),
        pl.col("region_code").alias("TRLNKID"),
        pl.col("metric").alias("TRTESTCD"),
        pl.when(small).then(pl.lit("TOO SMALL TO MEASURE"))
        .otherwise(pl.col("millimeter").round(1).cast(pl.String)).alias("TRORRES"),
        pl.when(small).then(None).otherwise(pl.lit("mm")).alias("TRORRESU"),
        pl.lit("CT SCAN").alias("TRMETHOD"),
        pl.lit("INDEPENDENT ASSESSOR").alias("TREVAL"),
        pl.format("Day {}", day_text("nominal_day")).alias("VISIT"),
        day_text("nominal_day").alias("VISITDY"),
        iso_date("rel_day_local").alias("TRDTC"),
    )  # fmt: skip


def _baseline(frames: Frames) -> pl.DataFrame:
    lymphoma = pl.col("cohort") == COHORTS[1].code
    burden = number_text(pl.col("burden"), 6)
    return frames.patients.select(
        site_id().alias("Site"),
        subject_code().alias("Subject"),
        number_text(pl.col("weight_kg"), 4).alias("Weight (kg)"),
        number_text(pl.col("height_cm"), 4).alias("Height (cm)"),
        pl.col("prior_lines").cast(pl.String).alias("Prior lines"),
        pl.when(~lymphoma).then(burden).alias("Marrow blasts (%)"),
        pl.when(lymphoma).then(burden).alias("Total tumor volume (mL)"),
    )


def _time_to_event(frames: Frames) -> pl.DataFrame:
    return frames.survival.select(
        pl.lit(STUDYID).alias("STUDYID"),
        unique_subject_id().alias("USUBJID"),
        pl.col("endpoint").alias("PARAMCD"),
        pl.col("time_day").cast(pl.Int64).cast(pl.String).alias("AVAL"),
        pl.lit("DAYS").alias("AVALU"),
        pl.col("cnsr").cast(pl.String).alias("CNSR"),
        pl.col("event_description").alias("EVNTDESC"),
        pl.lit("INFUSION").alias("STARTFROM"),
    )
