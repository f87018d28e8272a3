"""What a reader must know before trusting a quantification: one row per finding.

Severities: "error" = the value must not be read as what it claims; "warning" = read with care;
"info" = handled, and said. Each rule is a function of its own; `RULES` is the list.
"""

import numpy as np
import polars as pl

from analysis.derive.columns import LINEAGE, ensure
from analysis.derive.labels import ACTIVITY_METRIC
from analysis.derive.laboratory import TOCILIZUMAB_DAYS, after_tocilizumab
from analysis.derive.residue import HOURS_PER_DAY, registry_frame, residue_shares
from analysis.tracers import TRACERS

HALF_LIFE_TOLERANCE = 0.005
"""Header and registry half-life may differ by this share (rounding of 6586 and 6588 s)."""
HALF_LIFE_WRONG = 0.05
"""Beyond this the header names another nuclide, and every decay-corrected value is wrong."""
SMALL_LESION_MM = 20.0
"""Below two to three times the resolution of PET the uptake reads too low (EARL recovery)."""
LONG_HALF_LIFE_H = 10.0
RESIDUE_WARNING, RESIDUE_ERROR = 0.002, 0.02
"""Positron-weighted whole-body activity of an earlier tracer over the later one, at the scan."""

_SCAN = (
    "usubjid", "scan_code", "rel_day", "nominal_day", "visit", "tracer_id", "modality",
    "uptake_time_h", "weight_kg", "half_life_h", "evaluable", "not_evaluable_reason",
    "decay_state", "dtm_precision", *LINEAGE,
)  # fmt: skip
_OUT = ("usubjid", "severity", "title", "detail", "scan_code", "rel_day", *LINEAGE)
_SUV = ("suv_mean", "suv_max", "suv_peak", "sul_mean", "sul_max", "sul_peak")
_SCHEMA = {
    "usubjid": pl.String,
    "severity": pl.String,
    "title": pl.String,
    "detail": pl.String,
    "scan_code": pl.String,
    "rel_day": pl.Float64,
    "source_file": pl.String,
    "source_sheet": pl.String,
    "source_row": pl.Int64,
}


def quantification_flags(
    scans: pl.DataFrame | None,
    quantifications: pl.DataFrame | None,
    lesions: pl.DataFrame | None = None,
    labs: pl.DataFrame | None = None,
    interventions: pl.DataFrame | None = None,
    *,
    tracer_administrations: pl.DataFrame | None = None,
    infusions: pl.DataFrame | None = None,
    kinetics: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """One row per finding: usubjid, severity, title, detail, scan_code, rel_day, lineage.

    Errors first, then by patient and day. tracer_administrations and infusions give the activities
    needed to predict what an earlier tracer leaves in a scan.
    """
    scan_rows = ensure(scans, *_SCAN).with_columns(
        pl.coalesce("rel_day", "nominal_day").alias("rel_day")
    )
    findings = [
        _not_evaluable(scan_rows),
        _out_of_window(scan_rows),
        _missing_weight(scan_rows, quantifications),
        _half_life(scan_rows),
        _decay_unknown(scan_rows, quantifications),
        _time_of_day(scan_rows),
        _unknown_tracer(scan_rows),
        _residue(scan_rows, tracer_administrations, infusions),
        _small_lesions(quantifications, lesions),
        _il6(labs, interventions),
        _below_limit(kinetics, "cellular kinetics"),
        _below_limit(labs, "laboratory"),
        _below_limit(quantifications, "imaging"),
    ]
    order = {"error": 0, "warning": 1, "info": 2}
    return (
        pl.concat([part.select(_OUT).cast(_SCHEMA) for part in findings])  # type: ignore[arg-type]
        .sort(
            pl.col("severity").replace_strict(order, return_dtype=pl.Int64),
            "usubjid", "rel_day", "title", nulls_last=True,
        )
    )  # fmt: skip


def _flag(rows: pl.DataFrame, severity: str | pl.Expr, title: str, detail: pl.Expr) -> pl.DataFrame:
    level = pl.lit(severity) if isinstance(severity, str) else severity
    return ensure(rows, "scan_code", *LINEAGE).with_columns(
        level.alias("severity"), pl.lit(title).alias("title"), detail.alias("detail")
    )


def _not_evaluable(scans: pl.DataFrame) -> pl.DataFrame:
    rows = scans.filter(pl.col("evaluable").eq(False))
    reason = pl.coalesce("not_evaluable_reason", pl.lit("no reason given"))
    return _flag(rows, "warning", "Scan not evaluable", reason)


def _out_of_window(scans: pl.DataFrame) -> pl.DataFrame:
    rows = scans.join(registry_frame(), on="tracer_id", how="inner").with_columns(
        pl.when(pl.col("clock") == "cell_infusion")
        .then(pl.col("rel_day") * HOURS_PER_DAY)
        .when(pl.col("clock") == "tracer_injection")
        .then("uptake_time_h")
        .alias("hours")
    )
    late = pl.col("hours") > pl.col("high_h")
    outside = rows.filter(late | (pl.col("hours") < pl.col("low_h")))
    since = (
        pl.when(pl.col("clock") == "cell_infusion")
        .then(pl.lit("cell infusion"))
        .otherwise(pl.lit("tracer injection"))
    )
    detail = pl.format(
        "{} h after {}; {} is read from {} to {} h",
        _number("hours"), since, "tracer_name", _number("low_h"), _number("high_h"),
    )  # fmt: skip
    return _flag(outside, "warning", "Scan outside the usable window", detail)


def _missing_weight(scans: pl.DataFrame, quantifications: pl.DataFrame | None) -> pl.DataFrame:
    values = ensure(quantifications, "usubjid", "scan_code", "metric")
    with_suv = values.filter(pl.col("metric").is_in(_SUV)).select("usubjid", "scan_code").unique()
    rows = scans.filter(~(pl.col("weight_kg") > 0).fill_null(False)).join(
        with_suv, on=["usubjid", "scan_code"], how="semi"
    )
    if not (scans["weight_kg"] > 0).any():
        # None was delivered at all: one word per patient, not an error on every scan.
        rows = rows.unique("usubjid", keep="first", maintain_order=True)
        detail = pl.lit("no scan comes with a weight, so SUV cannot be checked")
        return _flag(rows, "info", "Body weight missing", detail)
    detail = pl.lit("SUV is normalized to body weight, which is missing or zero")
    return _flag(rows, "error", "Body weight missing", detail)


def _half_life(scans: pl.DataFrame) -> pl.DataFrame:
    rows = scans.join(registry_frame(), on="tracer_id", how="inner").with_columns(
        (pl.col("half_life_h") / pl.col("registry_half_life_h") - 1).abs().alias("off")
    )
    rows = rows.filter(pl.col("off") > HALF_LIFE_TOLERANCE)
    severity = (
        pl.when(pl.col("off") > HALF_LIFE_WRONG).then(pl.lit("error")).otherwise(pl.lit("warning"))
    )
    detail = pl.format(
        "header {} h, {} has {} h",
        _number("half_life_h"), "tracer_name", _number("registry_half_life_h"),
    )  # fmt: skip
    return _flag(rows, severity, "Half-life does not fit the tracer", detail)


def _decay_unknown(scans: pl.DataFrame, quantifications: pl.DataFrame | None) -> pl.DataFrame:
    values = ensure(quantifications, "usubjid", "scan_code", "metric", "decay_state")
    stated = values.filter(
        (pl.col("decay_state") == "unknown") & pl.col("metric").str.contains(ACTIVITY_METRIC)
    )
    rows = scans.join(stated, on=["usubjid", "scan_code"], how="semi")
    detail = pl.lit("shown, but left out of models: the time it was corrected to is not known")
    return _flag(rows, "warning", "Decay correction unknown", detail)


def _time_of_day(scans: pl.DataFrame) -> pl.DataFrame:
    rows = scans.join(registry_frame(), on="tracer_id", how="inner").filter(
        (pl.col("registry_half_life_h") > LONG_HALF_LIFE_H)
        & pl.col("dtm_precision").is_in(["day", "month", "year", "unknown"])
    )
    detail = pl.format(
        "time given to the {} only; {} needs full dates and times", "dtm_precision", "tracer_name"
    )
    return _flag(rows, "warning", "Scan time not exact", detail)


def _unknown_tracer(scans: pl.DataFrame) -> pl.DataFrame:
    rows = scans.filter(
        pl.col("tracer_id").is_not_null() & ~pl.col("tracer_id").is_in(list(TRACERS))
    )
    detail = pl.format("'{}' is not in the registry; no window or clock is known", "tracer_id")
    return _flag(rows, "warning", "Tracer not in the registry", detail)


def _residue(
    scans: pl.DataFrame,
    tracer_administrations: pl.DataFrame | None,
    infusions: pl.DataFrame | None,
) -> pl.DataFrame:
    """Scans in which an earlier positron emitter is still active."""
    shares = residue_shares(scans, tracer_administrations, infusions)
    rows = shares.filter(pl.col("share") >= RESIDUE_WARNING)
    severity = (
        pl.when(pl.col("share") >= RESIDUE_ERROR).then(pl.lit("error")).otherwise(pl.lit("warning"))
    )
    detail = pl.format(
        "{} given {} days before still makes {} % of the positrons of {}, more where it collects; "
        "PET cannot tell them apart",
        "tracer_name_given",
        (pl.col("rel_day") - pl.col("day")).round(1),
        (100 * pl.col("share")).round(1),
        "tracer_name",
    )
    return _flag(rows, severity, "Residue of an earlier tracer", detail)


def _small_lesions(
    quantifications: pl.DataFrame | None, lesions: pl.DataFrame | None
) -> pl.DataFrame:
    """Lesions under 20 mm, by diameter or by that of a sphere of their volume."""
    columns = ("usubjid", "region_code", "metric", "value", "unit", "rel_day", *LINEAGE)
    volumes = ensure(quantifications, *columns, "scan_code").filter(
        pl.col("metric").str.starts_with("mtv") & (pl.col("unit") == "mL") & (pl.col("value") > 0)
    )
    sphere = volumes.with_columns(
        (10.0 * (6.0 * pl.col("value") / np.pi).cbrt()).alias("diameter_mm")
    )
    longest = (
        ensure(lesions, *columns, "scan_code")
        .filter(
            pl.col("metric").is_in(["LDIAM", "DIAMETER"])
            & (pl.col("unit") == "mm")
            & (pl.col("value") > 0)
        )
        .with_columns(pl.col("value").alias("diameter_mm"))
    )
    small = pl.concat(
        [part.select(*columns, "scan_code", "diameter_mm") for part in (sphere, longest)]
    )
    rows = (
        small.filter(pl.col("diameter_mm") < SMALL_LESION_MM)
        .sort("diameter_mm", maintain_order=True)
        .unique(["usubjid", "region_code"], keep="first", maintain_order=True)
    )
    detail = pl.format(
        "{}: {} mm at its smallest; uptake of objects under {} mm reads too low",
        "region_code", _number("diameter_mm"), pl.lit(f"{SMALL_LESION_MM:g}"),
    )  # fmt: skip
    return _flag(rows, "info", "Small lesion", detail)


def _il6(labs: pl.DataFrame | None, interventions: pl.DataFrame | None) -> pl.DataFrame:
    """One finding per patient, at the first of the values."""
    flagged = ensure(after_tocilizumab(labs, interventions), *LINEAGE).filter("after_tocilizumab")
    rows = (
        flagged.with_columns(pl.coalesce("rel_day", "nominal_day").alias("rel_day"))
        .sort("rel_day", maintain_order=True)
        .group_by("usubjid", maintain_order=True)
        .agg(pl.len().alias("n"), pl.col("rel_day").first(), *(pl.col(k).first() for k in LINEAGE))
    )
    detail = pl.format(
        "{} {} within {} days after tocilizumab, which raises IL-6 by itself; never a peak",
        "n", _values(), pl.lit(f"{TOCILIZUMAB_DAYS:g}"),
    )  # fmt: skip
    return _flag(rows, "warning", "IL-6 after tocilizumab", detail)


def _values() -> pl.Expr:
    return pl.when(pl.col("n") == 1).then(pl.lit("value")).otherwise(pl.lit("values"))


def _below_limit(frame: pl.DataFrame | None, what: str) -> pl.DataFrame:
    rows = ensure(frame, "usubjid", "censored", "rel_day", *LINEAGE).filter(
        pl.col("censored") == "left"
    )
    counted = rows.group_by("usubjid", maintain_order=True).agg(
        pl.len().alias("n"),
        pl.lit(None, dtype=pl.Float64).alias("rel_day"),
        *(pl.col(name).first() for name in LINEAGE),
    )
    detail = pl.format("{} {} of {} kept as censored at the limit", "n", _values(), pl.lit(what))
    return _flag(counted, "info", "Below the limit", detail)


def _number(column: str) -> pl.Expr:
    """A number for a sentence: one decimal, none when whole."""
    return pl.col(column).round(1).cast(pl.String).str.strip_suffix(".0")
