"""What an absent field of an incoming table means; every default is stated in docs/profiles.md."""

from typing import Any

import polars as pl

from analysis.compute import units
from etl.contracts.adverse_event import CATEGORY_WORDS
from etl.contracts.contract import Contract
from etl.contracts.day_units import DAYS_PER, WORDS
from etl.contracts.dose_units import NOT_CELLS
from etl.contracts.intervention import DRUGS
from etl.contracts.refusal import refuse
from etl.profiles.cells import fold, folded

ORGANS = (
    "liver", "spleen", "marrow", "bone_marrow", "bone marrow", "lung", "lungs", "kidney",
    "kidneys", "heart", "brain", "lymph_node", "lymph_nodes", "muscle", "bone", "stomach",
    "bowel", "pancreas", "thyroid", "whole_body", "salivary_glands", "bladder", "skin",
)  # fmt: skip

DEFAULTS: dict[str, dict[str, object]] = {
    "infusion": {"labelled": False},
    "scan": {"decay_state": "unknown"},
    "kinetics_sample": {"matrix": "BLOOD", "replicate": 1},
    "laboratory_result": {"category": "other", "replicate": 1},
    "response_assessment": {"component": "overall"},
}

NO_CELLS = "_dose_not_in_cells"
"""Whether an infusion came with a dose in a unit that says nothing of cells."""


def fill_defaults(frame: pl.DataFrame, contract: Contract) -> pl.DataFrame:
    """The frame with the stated meaning of absent fields filled in."""
    for name, value in DEFAULTS.get(contract.name, {}).items():
        frame = frame.with_columns(pl.col(name).fill_null(pl.lit(value)))
    fill = FILLERS.get(contract.name)
    return fill(frame) if fill else frame


def _infusion(frame: pl.DataFrame) -> pl.DataFrame:
    """A label means labelled cells; a dose in a known unit becomes cells, or cells per kg. One in
    milliliters or bags says nothing of cells and is left empty: the infusion is day 0 all the same,
    and `etl.model_notes` says so."""
    frame = frame.with_columns(
        (pl.col("labelled") | pl.col("tracer_id").is_not_null()).alias("labelled")
    )
    table = frame.select("dose_unit").unique()
    rows = [
        (unit, units.convert(1.0, unit or "", "cells"), units.convert(1.0, unit or "", "cells/kg"))
        for unit in table["dose_unit"]
    ]
    types = {"dose_unit": pl.String, "_cells": pl.Float64, "_per_kg": pl.Float64}
    known = pl.DataFrame(rows, schema=types, orient="row")
    frame = frame.join(known, on="dose_unit", how="left", nulls_equal=True, maintain_order="left")
    dose, per_kg = pl.col("dose_cells"), pl.col("_per_kg").is_not_null()
    unknown = dose.is_not_null() & pl.col("dose_unit").is_not_null() & pl.col("_cells").is_null()
    handed_out = folded(pl.col("dose_unit")).is_in(NOT_CELLS).fill_null(False)
    frame = refuse(frame, unknown & ~per_kg & ~handed_out, "unit_unknown", "dose_unit")
    emptied = handed_out & dose.is_not_null()
    dose = pl.when(~handed_out).then(dose)
    return frame.with_columns(
        emptied.alias(NO_CELLS),
        pl.coalesce("dose_cells_per_kg", dose * pl.col("_per_kg")).alias("dose_cells_per_kg"),
        pl.when(~per_kg).then(dose * pl.col("_cells").fill_null(1.0)).alias("dose_cells"),
        pl.when(pl.col("_cells").is_not_null()).then(pl.lit("cells"))
        .when(~per_kg).then("dose_unit").alias("dose_unit"),
    ).drop("_cells", "_per_kg")  # fmt: skip


def _characteristic(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.with_columns(
        pl.col("label").fill_null(pl.col("paramcd")),
        pl.col("value_text").fill_null(pl.col("_raw").str.strip_chars()),
    )


def _scan(frame: pl.DataFrame) -> pl.DataFrame:
    evaluable = pl.col("evaluable").fill_null(pl.col("not_evaluable_reason").is_null())
    return frame.with_columns(evaluable.alias("evaluable"))


def _region(frame: pl.DataFrame) -> pl.DataFrame:
    code = folded(pl.col("region_code"))
    kind = (
        pl.when(pl.col("lesion_role").is_not_null()).then(pl.lit("lesion"))
        .when(code.is_in(ORGANS)).then(pl.lit("organ"))
        .when(code.str.contains("^blood.?pool$|^aorta$")).then(pl.lit("blood_pool"))
        .when(code.str.contains("^background")).then(pl.lit("background"))
    )  # fmt: skip
    return frame.with_columns(pl.coalesce("kind", kind).alias("kind"))


def _tracer_administration(frame: pl.DataFrame) -> pl.DataFrame:
    """An activity in another unit becomes MBq; an unknown unit leaves it null and is refused."""
    table = frame.select("activity_unit").unique()
    factors = [(unit, units.convert(1.0, unit or "", "MBq")) for unit in table["activity_unit"]]
    types = {"activity_unit": pl.String, "_mbq": pl.Float64}
    known = pl.DataFrame(factors, schema=types, orient="row")
    frame = frame.join(
        known, on="activity_unit", how="left", nulls_equal=True, maintain_order="left"
    )
    unknown = pl.col("activity").is_not_null() & pl.col("_mbq").is_null()
    rule = pl.when(pl.col("activity_unit").is_null()).then(pl.lit("unit_missing"))
    open_row = unknown & pl.col("_rule").is_null()
    return frame.with_columns(
        pl.coalesce("injected_activity_mbq", pl.col("activity") * pl.col("_mbq"))
        .alias("injected_activity_mbq"),
        pl.when(open_row).then(rule.otherwise(pl.lit("unit_unknown"))).otherwise(pl.col("_rule"))
        .alias("_rule"),
        pl.when(open_row).then(pl.lit("activity_unit")).otherwise(pl.col("_bad")).alias("_bad"),
    ).drop("_mbq", "activity", "activity_unit")  # fmt: skip


def _adverse_event(frame: pl.DataFrame) -> pl.DataFrame:
    words = {fold(word): code for word, code in CATEGORY_WORDS.items()}
    found = [
        folded(pl.col(name)).replace_strict(
            list(words), list(words.values()), default=None, return_dtype=pl.String
        )
        for name in ("decod", "term")
    ]
    return frame.with_columns(pl.coalesce("category", *found, pl.lit("OTHER")).alias("category"))


def _intervention(frame: pl.DataFrame) -> pl.DataFrame:
    term = folded(pl.col("term"))
    chosen: Any = pl.when(pl.col("intervention_class").is_not_null()).then("intervention_class")
    for name, drugs in DRUGS:
        chosen = chosen.when(term.str.contains(drugs)).then(pl.lit(name))
    return frame.with_columns(chosen.otherwise(pl.lit("other")).alias("intervention_class"))


def _survival_event(frame: pl.DataFrame) -> pl.DataFrame:
    """A time in weeks, months or years becomes days; an unknown unit is refused."""
    given = folded(pl.col("time_unit"))
    factor = given.replace_strict(
        {fold(word): DAYS_PER[unit] for word, unit in WORDS.items()},
        default=None,
        return_dtype=pl.Float64,
    )
    named = pl.col("time_day").is_not_null() & pl.col("time_unit").is_not_null()
    frame = refuse(frame, named & factor.is_null(), "unit_unknown", "time_unit")
    days = pl.col("time_day") * factor.fill_null(1.0)
    return frame.with_columns(days.alias("time_day")).drop("time_unit")


FILLERS = {
    "survival_event": _survival_event,
    "infusion": _infusion,
    "subject_characteristic": _characteristic,
    "scan": _scan,
    "region": _region,
    "tracer_administration": _tracer_administration,
    "adverse_event": _adverse_event,
    "intervention": _intervention,
}
