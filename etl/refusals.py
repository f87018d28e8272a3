"""Every refused record: its place, the rule, its text as delivered, and what to do about it."""

from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

import polars as pl

from etl.contracts import CONTRACTS
from etl.contracts.advice import advice
from etl.contracts.contract import RECORD, Contract
from etl.contracts.rules import RULES
from etl.contracts.typed import CODES
from etl.delivery import Delivery
from etl.keys import content_columns
from etl.long_rows import RULE as TOO_MANY_FIELDS
from etl.profiles.house import file_name
from etl.shaping import Part
from etl.verdicts import OTHER, REFUSED

RAW_LIMIT = 500
"""Characters of a refused text that are kept."""

REFUSED_SCHEMA = {
    "file": pl.Int64,
    "sheet": pl.String,
    "row": pl.Int64,
    "column_name": pl.String,
    "rule": pl.String,
    "raw": pl.String,
    "message": pl.String,
}
MADE_FROM: Mapping[str, tuple[str, ...]] = {
    "rel_day": ("dtm", "nominal_day", "visit"),
    "end_dtm": ("end_rel_day",),
    "end_rel_day": ("end_dtm",),
    "dtm": ("rel_day", "nominal_day", "visit"),
    "usubjid": ("subjid",),
    "subjid": ("usubjid",),
    "injected_activity_mbq": ("activity",),
    "dose_cells_per_kg": ("dose_cells",),
    "kind": ("region_code",),
}
"""Field -> the delivered fields that it is made of, where it was not delivered itself."""


def refused_rows(delivery: Delivery) -> pl.DataFrame:
    """One row per refused record: file number, sheet, row, column, rule, raw text, message.

    `sheet` of a text file is its name without the ending; `raw` of an empty cell is "".
    """
    subjects = _refused_subjects(delivery)
    frames = [
        _refused_of(delivery.parts[part], CONTRACTS[name], rows, subjects)
        for name, frame in delivery.records.items()
        for (part,), rows in _with_others(
            delivery, frame.filter(pl.col("_verdict") == REFUSED), frame, CONTRACTS[name]
        ).group_by("_part", maintain_order=True)
    ]
    if not frames:
        return pl.DataFrame(schema=REFUSED_SCHEMA)
    return pl.concat(frames).sort("file", "sheet", "row", maintain_order=True)


def refused_json(rows: pl.DataFrame, paths: Sequence[str]) -> list[dict[str, Any]]:
    """The refused rows of the command contract, with the message of each."""
    return [
        {
            "file": paths[row["file"]],
            "sheet": row["sheet"],
            "row": row["row"],
            "column": row["column_name"],
            "rule": row["rule"],
            "raw": row["raw"],
            "message": row["message"],
        }
        for row in rows.iter_rows(named=True)
    ]


def _refused_subjects(delivery: Delivery) -> dict[str, str]:
    """Subjects whose own row is refused in this delivery: ids -> where it stands and why."""
    frame = delivery.records.get("subject")
    if frame is None:
        return {}
    found: dict[str, str] = {}
    refused = frame.filter(pl.col("_verdict") == REFUSED)
    columns = ("usubjid", "subjid", "_part", "_row", "_rule", "_bad")
    for usubjid, subjid, part, row, rule, bad in refused.select(columns).iter_rows():
        why = RULES[rule].partition(";")[0]
        words = f"{_place(delivery, part, row)} ({why}{'' if rule == 'conflict' else f', {bad}'})"
        for name in (usubjid, subjid):
            if name is not None:
                found.setdefault(name, words)
    return found


def _place(delivery: Delivery, part: int, row: int) -> str:
    return f"{file_name(delivery.files[delivery.parts[part].file].source.name)} row {row}"


def _with_others(
    delivery: Delivery, refused: pl.DataFrame, frame: pl.DataFrame, contract: Contract
) -> pl.DataFrame:
    """The refused records with the place of the record that each is in conflict with, and the
    fields in which the two differ."""
    if OTHER not in refused.columns or refused[OTHER].null_count() == refused.height:
        nothing = pl.lit(None, pl.String)
        return refused.with_columns(nothing.alias("_place"), nothing.alias("_differing"))
    names = [name for name in content_columns(contract) if name in frame.columns]
    wanted = refused[OTHER].drop_nulls().unique().implode()
    others = frame.filter(pl.col(RECORD).is_in(wanted)).select(RECORD, "_part", "_row", *names)
    places = [_place(delivery, *one) for one in others.select("_part", "_row").iter_rows()]
    others = others.select(
        pl.col(RECORD).alias(OTHER),
        pl.Series("_place", places, pl.String),
        *(pl.col(name).alias(f"_other_{name}") for name in names),
    )
    joined = refused.join(others, on=OTHER, how="left", maintain_order="left")
    differs = [
        pl.when(pl.col(name).ne_missing(pl.col(f"_other_{name}"))).then(pl.lit(name))
        for name in names
    ]
    both = pl.concat_str(differs, separator=" ", ignore_nulls=True)
    return joined.with_columns(
        pl.when(pl.col("_place").is_not_null()).then(both).alias("_differing")
    )


def _refused_of(
    part: Part, contract: Contract, rows: pl.DataFrame, subjects: Mapping[str, str]
) -> pl.DataFrame:
    text = part.incoming.frame.to_dict()
    advised: dict[tuple[str, str, str, str | None], str] = {}  # the same text, the same advice
    sheet = part.sheet or PurePosixPath(part.file_name).stem
    code = CODES.get(contract.name, "")
    out = []
    chosen = ("_index", "_row", "_rule", "_bad", "_place", "_differing", "usubjid", "subjid")
    for index, row, rule, bad, place, differing, usubjid, subjid in rows.select(chosen).iter_rows():
        field = bad if rule == "required" else _delivered(bad, differing, text, index)
        column, raw = _cell(part, text, field, index)
        raw = part.incoming.long_rows.texts[row] if rule == TOO_MANY_FIELDS else raw
        clauses = [RULES[rule]]
        if rule == "subject_unknown":
            clauses += _own_row(subjects, usubjid, subjid)
        elif place:
            clauses += _conflict(place, _shown(differing))
        else:
            said = text[code][index] if code in text else None
            key = (rule, field, raw, said)
            if key not in advised:
                advised[key] = advice(rule, field, raw or None, said, contract, part.dates)
            clauses.append(advised[key])
        message = "; ".join(one for one in clauses if one)
        out.append((part.file, sheet, row, column, rule, raw[:RAW_LIMIT], message))
    return pl.DataFrame(out, schema=REFUSED_SCHEMA, orient="row")


def _delivered(bad: str, differing: str | None, text: Mapping[str, pl.Series], index: int) -> str:
    """The field to point at: of a conflict one that differs, else the one that breaks the rule, or
    that which it was made from."""
    candidates = [*_shown(differing), bad, *MADE_FROM.get(bad, ())]
    held = [name for name in candidates if name in text and text[name][index]]
    return next(iter(held), bad)


def _shown(differing: str | None) -> list[str]:
    """Fields as a delivery names them: the instant and its text are both `dtm`."""
    names = (differing or "").split()
    plain = [name.removesuffix("_utc").removesuffix("_text") for name in names]
    inner = {"lower": "value", "upper": "value", "censored": "value", "rel_day_source": "rel_day"}
    kept = [inner.get(name, name) for name in plain if not name.endswith("_precision")]
    return list(dict.fromkeys(kept))


def _cell(part: Part, text: Mapping[str, pl.Series], field: str, index: int) -> tuple[str, str]:
    """Header and text of a field of a record; "" for a cell that is empty."""
    headers = part.incoming.headers
    content = text["_column"][index]
    is_content = field in {"value", part.table.wide[0].into if part.table.wide else ""}
    column = (content if is_content else None) or headers.get(field) or field
    raw = text[field][index] if field in text else None
    if is_content and raw is None:
        raw = text["_raw"][index]
    return column, raw or ""


def _own_row(subjects: Mapping[str, str], usubjid: str | None, subjid: str | None) -> list[str]:
    """That the subject's own row is refused in the same load: mending that heals this record."""
    place = next((subjects[name] for name in (usubjid, subjid) if name and name in subjects), None)
    if place is None:
        return []
    return [f"the subject's own row was refused in this load: {place}; correct it, load it again"]


def _conflict(place: str, differing: Sequence[str]) -> list[str]:
    """Which record stands against it, in what, and that nothing was chosen."""
    what = f"they differ in {', '.join(differing)}" if differing else ""
    return [
        f"the other is {place}",
        what,
        "neither is loaded: keep the right one in this delivery, or send the newer file by itself "
        "after the older",
    ]
