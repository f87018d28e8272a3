"""A whole delivery checked: every record with its verdict, before anything is written.

The same function serves the load, the dry run and `check`: verdicts cannot differ.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import polars as pl

from analysis.number_words import count
from etl.contracts import CONTRACTS
from etl.contracts.contract import RECORD, Contract
from etl.contracts.defaults import fill_defaults
from etl.contracts.times import parse_texts
from etl.day_0 import without_day_0
from etl.days import add_days, references_of
from etl.guard import ReadResult
from etl.id_rows import unlike_findings
from etl.known import IMPLIED, Known
from etl.linking import OPEN, link_codes, link_subjects, number_events
from etl.observations import observe
from etl.profiles import SavedProfile
from etl.shaping import Part, shape
from etl.source import Finding
from etl.verdicts import DUPLICATE, LOADED, apply_keys, apply_schema

MOMENT = ("dtm_text", "rel_day", "nominal_day", "visit")
ENDS = ("end_dtm_text", "end_rel_day")
EVENT_NUMBERS = {
    "infusion": ("infusion_no", ("usubjid",), MOMENT),
    "adverse_event": ("aeseq", ("usubjid",), ("term", "grade", *MOMENT, *ENDS)),
    "intervention": ("intervention_no", ("usubjid",), ("term", "dose", *MOMENT, *ENDS)),
    "tracer_administration": ("administration_no", ("usubjid", "tracer_id"), MOMENT),
}
"""Numbers that a source may leave out: the column, within what, and what tells events apart."""
REFERENCE_START = "RFSTDTC"
"""Characteristic that keeps the SDTM reference start, from which days may be counted."""


@dataclass
class Delivery:
    """Checked records per incoming table (`_verdict`, `record_key`, `content_hash`).

    `implied`: subjects and regions that records name and nobody delivered; written with the
    records but no records of a file themselves.
    """

    saved: SavedProfile
    files: Sequence[ReadResult]
    parts: tuple[Part, ...] = ()
    records: dict[str, pl.DataFrame] = field(default_factory=dict)
    implied: dict[str, pl.DataFrame] = field(default_factory=dict)
    findings: list[tuple[int | None, Finding]] = field(default_factory=list)
    rows_read: Mapping[int, int] = field(default_factory=dict)
    file_rows: Mapping[int, int] = field(default_factory=dict)


def check_delivery(
    results: Sequence[ReadResult], saved: SavedProfile, known: Known, studyid: str
) -> Delivery:
    """Reads every sheet by the profile and gives every record its verdict.

    `known` is what the database holds of the study; the delivery's own rows are added to it.

    Raises:
        UserError: The profile does not fit the files.
    """
    shaped = shape(results, saved.profile)
    delivery = Delivery(
        saved, results, shaped.parts, rows_read=shaped.rows, file_rows=shaped.file_rows
    )
    delivery.findings += list(shaped.findings)
    for name, contract in CONTRACTS.items():
        parts = [part for part in shaped.parts if part.table.contract == name]
        if not parts:
            continue
        frame = pl.concat([part.records for part in parts], how="diagonal_relaxed")
        frame = frame.with_columns(pl.int_range(pl.len(), dtype=pl.UInt32).alias(RECORD))
        numbered = any(part.table.replicate == "numbered" for part in parts)
        frame = _check(frame, contract, delivery, known, studyid, numbered)
        delivery.records[name] = frame
        delivery.findings += observe(frame, contract, shaped.parts)
        _learn(frame, contract, known, saved)
    places = {n: (part.file, part.file_name) for n, part in enumerate(shaped.parts)}
    delivery.findings += unlike_findings(delivery.records, places)
    if saved.profile.reference == "rfstdtc":
        delivery.findings += _clock(known)
    delivery.findings += without_day_0(
        delivery.records, known, shaped.parts, [one.source.name for one in results]
    )
    return delivery


def _clock(known: Known) -> list[tuple[int | None, Finding]]:
    """What days count from, where that is not an infusion for every subject."""
    if known.infusions.is_empty():
        message = (
            "no infusion of a cell product is known; days count from RFSTDTC, the reference start "
            "of the datasets, and what was given is kept as interventions"
        )
        return [(None, Finding("no_cell_product", message, "warning"))]
    n = known.subjects.join(known.references, on="usubjid", how="anti").height
    message = (
        f"{count(n, 'subject')} without an accepted infusion and its date: no day from infusion "
        "is computed for them, for others' days count from infusion and RFSTDTC is another moment"
    )
    return [(None, Finding("no_day_0", message, "warning", None, n))] if n else []


def _check(
    frame: pl.DataFrame,
    contract: Contract,
    delivery: Delivery,
    known: Known,
    studyid: str,
    numbered: bool,
) -> pl.DataFrame:
    frame = link_subjects(frame, contract, known, studyid)
    if contract.name != "subject":
        _imply_subjects(frame, delivery, known)
    if contract.name in {"quantification", "lesion_measurement"}:
        _imply_regions(frame, contract, delivery, known)
    if contract.name in EVENT_NUMBERS:
        frame = number_events(frame, *EVENT_NUMBERS[contract.name])
    frame = link_codes(frame, contract, known)
    before = known.references
    if contract.name == "infusion":
        known.learn("references", references_of(frame.filter(OPEN)), ("usubjid",))
    frame = add_days(frame, contract, known.references)
    frame = apply_schema(frame, contract)
    frame = apply_keys(frame, contract, numbered)
    if contract.name == "infusion":
        _learn_references(frame.filter(_accepted()), known, before)
    return frame


def _accepted() -> pl.Expr:
    return pl.col("_verdict").is_in([LOADED, DUPLICATE])


def _imply_subjects(frame: pl.DataFrame, delivery: Delivery, known: Known) -> None:
    """While nobody has delivered a list of subjects, the records' own ids make it."""
    if known.has_subject_list:
        return
    named = frame.filter(OPEN & pl.col("usubjid").is_not_null())
    new = named.join(known.subjects, on="usubjid", how="anti").unique(
        "usubjid", keep="first", maintain_order=True
    )
    if new.is_empty():
        return
    rows = new.select(
        "usubjid",
        pl.coalesce("subjid", "usubjid").alias("subjid"),
        "siteid",
        "_part",
        "_row",
        pl.lit(IMPLIED).alias("_column"),
    )
    _add_implied(delivery, "subject", rows)
    known.learn("subjects", rows.with_columns(pl.lit(True).alias("implied")), ("usubjid",))
    message = f"{count(rows.height, 'subject')} named by records only; deliver a list of subjects"
    file = delivery.parts[rows["_part"][0]].file
    finding = Finding("subject_implied", message, "warning", None, rows.height)
    delivery.findings.append((file, finding))


def _imply_regions(
    frame: pl.DataFrame, contract: Contract, delivery: Delivery, known: Known
) -> None:
    """Organs by their name, and lesions by being measured, need no list of regions."""
    named = frame.filter(OPEN & pl.col("region_code").is_not_null())
    keys = ["usubjid", "region_code"]
    new = named.join(known.regions, on=keys, how="anti").unique(
        keys, keep="first", maintain_order=True
    )
    texts = ("kind", "label", "location", "laterality", "lesion_role")
    rows = new.select(
        *keys, "_part", "_row", *(pl.lit(None, pl.String).alias(name) for name in texts)
    )
    if contract.name == "lesion_measurement":
        rows = rows.with_columns(pl.lit("lesion").alias("kind"))
    rows = fill_defaults(rows, CONTRACTS["region"]).filter(pl.col("kind").is_not_null())
    if rows.is_empty():
        return
    rows = rows.with_columns(pl.lit(IMPLIED).alias("_column"))
    _add_implied(delivery, "region", rows)
    known.learn(
        "regions", rows.with_columns(pl.lit(True).alias("implied")), ("usubjid", "region_code")
    )
    message = f"{count(rows.height, 'region')} named by {contract.title.lower()} only; kind by code"
    file = delivery.parts[rows["_part"][0]].file
    delivery.findings.append((file, Finding("region_implied", message, "info", None, rows.height)))


def _add_implied(delivery: Delivery, name: str, rows: pl.DataFrame) -> None:
    contract = CONTRACTS[name]
    absent = [
        pl.lit(None, _DTYPES[one.kind]).alias(one.name)
        for one in contract.fields
        if one.name not in rows.columns
    ]
    blank = [pl.lit(None, pl.String).alias(column) for column in ("_rule", "_bad", "_raw")]
    rows = rows.with_columns(
        *absent,
        *blank,
        pl.lit(False).alias("_empty"),
        pl.int_range(pl.len(), dtype=pl.UInt32).alias(RECORD),
    )
    rows = apply_keys(rows, contract, False)
    before = delivery.implied.get(name)
    merged = rows if before is None else pl.concat([before, rows], how="diagonal_relaxed")
    delivery.implied[name] = merged


_DTYPES = {
    "text": pl.String(),
    "code": pl.String(),
    "number": pl.Float64(),
    "integer": pl.Int64(),
    "flag": pl.Boolean(),
}


def _learn(frame: pl.DataFrame, contract: Contract, known: Known, saved: SavedProfile) -> None:
    """Accepted rows become known to the tables that come later."""
    good = frame.filter(_accepted())
    if saved.profile.delivery == "full" and contract.name in LISTS:
        name, key = LISTS[contract.name]
        known.forget(name, frame, key)
    if contract.name == "subject":
        known.subjects_delivered = not frame["_empty"].all()
        listed = good.with_columns(pl.lit(False).alias("implied"))
        known.learn("subjects", listed, ("usubjid",))
    elif contract.name == "subject_characteristic" and saved.profile.reference == "rfstdtc":
        _learn_reference_starts(good, known)
    elif contract.name == "infusion":
        known.learn("infusions", good, ("usubjid", "infusion_no"))
    elif contract.name == "tracer_administration":
        keys = ("usubjid", "tracer_id", "administration_no")
        known.learn("administrations", good, keys)
    elif contract.name == "scan":
        scans = good.with_columns(pl.col("decay_state").alias("scan_decay_state"))
        known.learn("scans", scans, ("usubjid", "scan_code"))
    elif contract.name == "region":
        listed = good.with_columns(pl.lit(False).alias("implied"))
        known.learn("regions", listed, ("usubjid", "region_code"))


LISTS = {
    "subject": ("subjects", ("usubjid",)),
    "infusion": ("infusions", ("usubjid", "infusion_no")),
    "tracer_administration": (
        "administrations", ("usubjid", "tracer_id", "administration_no"),
    ),
    "scan": ("scans", ("usubjid", "scan_code")),
    "region": ("regions", ("usubjid", "region_code")),
}  # fmt: skip
"""Contract -> what is known by it, and its key."""


def _learn_references(good: pl.DataFrame, known: Known, before: pl.DataFrame) -> None:
    """Accepted infusions alone say day 0. The first ones of a study end the counting from reference
    starts: days from consent would lie beside days from infusion."""
    first = known.infusions.is_empty() and not good.is_empty()
    known.references = before.clear() if first else before
    known.learn("references", references_of(good), ("usubjid",))


def _learn_reference_starts(characteristics: pl.DataFrame, known: Known) -> None:
    """SDTM reference starts, for a study of which no infusion is known."""
    if not known.infusions.is_empty():
        return
    starts = characteristics.filter(pl.col("paramcd") == REFERENCE_START)
    known.learn("references", reference_starts(starts), ("usubjid",))


def reference_starts(starts: pl.DataFrame) -> pl.DataFrame:
    """usubjid and value_text to rows of `Known.references`."""
    parsed = parse_texts(starts["value_text"].drop_nulls().unique(), "iso")
    joined = starts.join(parsed, left_on="value_text", right_on="text", how="inner")
    return joined.filter(pl.col("local").is_not_null()).select(
        "usubjid",
        pl.col("local").alias("reference_utc"),
        pl.col("local").dt.date().alias("reference_date"),
        pl.col("precision").alias("reference_precision"),
        pl.col("offset").is_not_null().alias("reference_zoned"),
    )
