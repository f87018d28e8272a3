"""Records to the subjects, scans, regions and tracers they name; nothing is linked by guess."""

import polars as pl

from etl.contracts.contract import Contract
from etl.contracts.refusal import refuse
from etl.known import Known

OPEN = pl.col("_rule").is_null() & ~pl.col("_empty")
NEEDS_TIME = frozenset({"kinetics_sample", "laboratory_result", "lesion_measurement"})


def link_subjects(
    frame: pl.DataFrame, contract: Contract, known: Known, study: str
) -> pl.DataFrame:
    """Every record with its `usubjid`: as delivered, or made of study, site and subject."""
    site = pl.col("siteid")
    with_site = pl.when(site.is_not_null()).then(
        pl.concat_str([pl.lit(study), site, pl.col("subjid")], separator="-")
    )
    made = with_site.otherwise(pl.concat_str([pl.lit(study), pl.col("subjid")], separator="-"))
    if contract.name == "subject":
        frame = frame.with_columns(pl.coalesce("usubjid", made).alias("usubjid"))
        frame = frame.with_columns(pl.coalesce("subjid", "usubjid").alias("subjid"))
        return refuse(frame, OPEN & pl.col("usubjid").is_null(), "subject_missing", "usubjid")
    if frame["usubjid"].null_count() or frame["subjid"].null_count() < frame.height:
        frame = _by_site_code(frame, known, made)
    frame = refuse(frame, OPEN & pl.col("usubjid").is_null(), "subject_missing", "usubjid")
    if known.has_subject_list:
        listed = known.subjects["usubjid"]
        unknown = ~pl.col("usubjid").is_in(listed.implode())
        column = "usubjid" if frame["subjid"].null_count() == frame.height else "subjid"
        frame = refuse(frame, OPEN & unknown, "subject_unknown", column)
    return frame


def _by_site_code(frame: pl.DataFrame, known: Known, made: pl.Expr) -> pl.DataFrame:
    """A bare subject code is looked up among the subjects; at two sites it is ambiguous."""
    codes = known.subjects.group_by("subjid").agg(
        pl.col("usubjid").first().alias("_listed"), pl.len().alias("_sites")
    )
    frame = frame.join(codes, on="subjid", how="left", maintain_order="left")
    bare = pl.col("usubjid").is_null() & pl.col("siteid").is_null()
    frame = refuse(frame, OPEN & bare & (pl.col("_sites") > 1), "subject_ambiguous", "subjid")
    listed = pl.when(bare).then("_listed")
    return frame.with_columns(pl.coalesce("usubjid", listed, made).alias("usubjid")).drop(
        "_listed", "_sites"
    )


def require(
    frame: pl.DataFrame, rows: pl.DataFrame, keys: tuple[str, ...], rule: str, needed: pl.Expr
) -> pl.DataFrame:
    """Refuses records whose code is not among `rows`; other columns of `rows` are joined on."""
    marked = rows.with_columns(pl.lit(True).alias("_found"))
    frame = frame.join(marked, on=list(keys), how="left", maintain_order="left")
    missing = OPEN & needed & pl.col("_found").is_null()
    return refuse(frame, missing, rule, keys[-1]).drop("_found")


def link_codes(frame: pl.DataFrame, contract: Contract, known: Known) -> pl.DataFrame:
    """Checks the codes of tracers, administrations, scans and regions that records refer to."""
    names = contract.field_names
    keys: tuple[str, ...]
    if "tracer_id" in names:
        given = pl.col("tracer_id").is_not_null()
        fits = pl.col("tracer_id").is_in(list(known.tracers))
        frame = refuse(frame, OPEN & given & ~fits, "tracer_unknown", "tracer_id")
    if contract.name == "scan":
        keys = ("usubjid", "tracer_id", "administration_no")
        given = pl.col("administration_no").is_not_null()
        frame = require(frame, known.administrations, keys, "administration_unknown", given)
    if contract.name == "tracer_administration":
        given = pl.col("infusion_no").is_not_null()
        keys = ("usubjid", "infusion_no")
        frame = require(frame, known.infusions, keys, "infusion_unknown", given)
    if contract.name == "quantification":
        keys = ("usubjid", "scan_code")
        frame = require(frame, known.scans, keys, "scan_unknown", pl.lit(True))
        frame = frame.with_columns(pl.coalesce("decay_state", "scan_decay_state", pl.lit("unknown"))
                                   .alias("decay_state"))  # fmt: skip
    if contract.name in {"quantification", "lesion_measurement"}:
        given = pl.col("region_code").is_not_null()
        keys = ("usubjid", "region_code")
        frame = require(frame, known.regions, keys, "region_unknown", given)
    if contract.name in NEEDS_TIME:
        untimed = pl.all_horizontal(
            pl.col(name).is_null() for name in ("dtm_text", "rel_day", "nominal_day", "visit")
        )
        frame = refuse(frame, OPEN & untimed, "time_missing", "dtm")
    return frame


def number_events(
    frame: pl.DataFrame, column: str, within: tuple[str, ...], by: tuple[str, ...]
) -> pl.DataFrame:
    """Numbers that were not delivered continue after the delivered ones, in file order.

    Rows that agree in `by` share a number: an event that stands twice in a file is one event.
    """
    if not frame[column].null_count():
        return frame
    missing = pl.col(column).is_null() & ~pl.col("_empty")
    same = [*within, *by]
    firsts = frame.filter(missing).select(same).unique(maintain_order=True)
    highest = frame.group_by(within).agg(pl.col(column).max().alias("_highest"))
    numbers = firsts.with_columns(
        pl.int_range(1, pl.len() + 1, dtype=pl.Int64).over(within).alias("_number")
    )
    frame = frame.join(numbers, on=same, how="left", nulls_equal=True, maintain_order="left").join(
        highest, on=list(within), how="left", nulls_equal=True, maintain_order="left"
    )
    counted = pl.col("_number") + pl.col("_highest").fill_null(0)
    return frame.with_columns(pl.coalesce(column, counted).alias(column)).drop(
        "_number", "_highest"
    )
