"""What an earlier tracer leaves in a scan: PET cannot tell one positron emitter from another."""

import numpy as np
import polars as pl

from analysis.derive.columns import ensure
from analysis.tracers import NUCLIDES, TRACERS

HOURS_PER_DAY = 24.0


def residue_shares(
    scans: pl.DataFrame,
    tracer_administrations: pl.DataFrame | None,
    infusions: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """One row per scan and earlier injection of another positron emitter into the same patient.

    `share` is the positron-weighted activity left of the earlier one over that of the scan's own
    tracer, in the whole body at the time of the scan. Columns of the scan, and tracer_name,
    tracer_name_given, day (of the earlier injection), share. Injections without an activity or a
    day give no row.
    """
    given = _activities(tracer_administrations, infusions)
    own = given.select(
        "usubjid", "tracer_id", pl.col("day").alias("own_day"), pl.col("mbq").alias("own_mbq")
    )
    timed = scans.filter(pl.col("rel_day").is_not_null()).join(registry_frame(), on="tracer_id")
    with_own = timed.sort("rel_day").join_asof(
        own.sort("own_day"),
        left_on="rel_day",
        right_on="own_day",
        by=["usubjid", "tracer_id"],
        check_sortedness=False,
    )
    pairs = with_own.join(given, on="usubjid", suffix="_given").filter(
        (pl.col("tracer_id") != pl.col("tracer_id_given")) & (pl.col("day") < pl.col("own_day"))
    )
    share = _positrons("mbq", "day", "_given") / _positrons("own_mbq", "own_day", "")
    return pairs.with_columns(share.alias("share"))


def _positrons(activity: str, day: str, suffix: str) -> pl.Expr:
    """Activity left at the scan, MBq of positrons."""
    hours = (pl.col("rel_day") - pl.col(day)) * HOURS_PER_DAY
    left = (-np.log(2.0) * hours / pl.col(f"registry_half_life_h{suffix}")).exp()
    weighted: pl.Expr = pl.col(activity) * left * pl.col(f"positron{suffix}")
    return weighted


def _activities(
    tracer_administrations: pl.DataFrame | None, infusions: pl.DataFrame | None
) -> pl.DataFrame:
    """Every injected positron emitter: usubjid, tracer_id, day, mbq."""
    injected = ensure(
        tracer_administrations, "usubjid", "tracer_id", "rel_day", "injected_activity_mbq"
    ).select("usubjid", "tracer_id", "rel_day", pl.col("injected_activity_mbq").alias("mbq"))
    labelled = ensure(infusions, "usubjid", "tracer_id", "rel_day", "label_activity_mbq").select(
        "usubjid", "tracer_id", pl.col("rel_day").fill_null(0.0),
        pl.col("label_activity_mbq").alias("mbq"),
    )  # fmt: skip
    names = registry_frame().select("tracer_id", "tracer_name", "registry_half_life_h", "positron")
    return (
        pl.concat([injected, labelled])
        .unique(["usubjid", "tracer_id", "rel_day"])
        .join(names, on="tracer_id")
        .filter((pl.col("positron") > 0) & (pl.col("mbq") > 0) & pl.col("rel_day").is_not_null())
        .rename({"rel_day": "day"})
    )


def registry_frame() -> pl.DataFrame:
    """One row per tracer: tracer_id, tracer_name, low_h, high_h, clock, registry_half_life_h and
    positron (share of decays; null without one nuclide)."""
    return pl.DataFrame(
        [
            {
                "tracer_id": tracer.id,
                "tracer_name": tracer.name,
                "low_h": tracer.window_for()[0],
                "high_h": tracer.window_for()[1],
                "clock": tracer.decay_clock,
                "registry_half_life_h": tracer.half_life_h(),
                "positron": _positron(tracer.nuclide),
            }
            for tracer in TRACERS.values()
        ],
        schema_overrides={"registry_half_life_h": pl.Float64, "positron": pl.Float64},
        infer_schema_length=None,
    )


def _positron(nuclide: str | None) -> float | None:
    return NUCLIDES[nuclide].positron_percent / 100.0 if nuclide else None
