"""Frames as they come: missing columns are added as nulls, so that each rule is written once."""

from collections.abc import Mapping

import polars as pl

LINEAGE = ("source_file", "source_sheet", "source_row")

TEXT = pl.String
NUMBER = pl.Float64

SCHEMA: Mapping[str, type[pl.DataType]] = {
    "usubjid": TEXT,
    "siteid": TEXT,
    "arm": TEXT,
    "cohort": TEXT,
    "dose_level": TEXT,
    "disease": TEXT,
    "sex": TEXT,
    "age_year": NUMBER,
    "infused": pl.Boolean,
    "safety_set": pl.Boolean,
    "efficacy_set": pl.Boolean,
    "imaging_set": pl.Boolean,
    "paramcd": TEXT,
    "endpoint": TEXT,
    "time_day": NUMBER,
    "cnsr": pl.Int64,
    "start_from": TEXT,
    "label": TEXT,
    "value_text": TEXT,
    "infusion_no": pl.Int64,
    "product": TEXT,
    "analyte": TEXT,
    "assay": TEXT,
    "matrix": TEXT,
    "testcd": TEXT,
    "test": TEXT,
    "category": TEXT,
    "tracer_id": TEXT,
    "tracer_class": TEXT,
    "scan_code": TEXT,
    "region_code": TEXT,
    "region_kind": TEXT,
    "region_label": TEXT,
    "metric": TEXT,
    "method": TEXT,
    "reader": TEXT,
    "state": TEXT,
    "decay_state": TEXT,
    "evaluable": pl.Boolean,
    "not_evaluable_reason": TEXT,
    "modality": TEXT,
    "uptake_time_h": NUMBER,
    "weight_kg": NUMBER,
    "half_life_h": NUMBER,
    "tracer_administration_id": pl.Int64,
    "administration_no": pl.Int64,
    "injected_activity_mbq": NUMBER,
    "lesion_role": TEXT,
    "value": NUMBER,
    "lower": NUMBER,
    "upper": NUMBER,
    "censored": TEXT,
    "unit": TEXT,
    "lloq": NUMBER,
    "replicate": pl.Int64,
    "dtm_text": TEXT,
    "dtm_precision": TEXT,
    "label_activity_mbq": NUMBER,
    "labelled": pl.Boolean,
    "rel_day": NUMBER,
    "nominal_day": NUMBER,
    "visit": TEXT,
    "end_rel_day": NUMBER,
    "ongoing": pl.Boolean,
    "criterion": TEXT,
    "component": TEXT,
    "response": TEXT,
    "deauville": pl.Int64,
    "confirmed": pl.Boolean,
    "derived_by": TEXT,
    "term": TEXT,
    "decod": TEXT,
    "scale": TEXT,
    "grade": pl.Int64,
    "intervention_class": TEXT,
    "dose": NUMBER,
    "dose_unit": TEXT,
    "indication": TEXT,
    "source_file": TEXT,
    "source_sheet": TEXT,
    "source_row": pl.Int64,
    "raw_text": TEXT,
}
"""Type of each stored column that a derivation reads."""


def ensure(frame: pl.DataFrame | None, *names: str) -> pl.DataFrame:
    """`frame` with every column of `names` present and typed; absent ones are null.

    None counts as a frame with no rows. Other columns are kept.
    """
    names = tuple(dict.fromkeys(names))
    if frame is None:
        return pl.DataFrame(schema={name: SCHEMA[name] for name in names})
    casts = [
        pl.col(name).cast(SCHEMA[name])
        for name in names
        if name in frame.columns and frame.schema[name] != SCHEMA[name]
    ]
    missing = [
        pl.lit(None, dtype=SCHEMA[name]).alias(name) for name in names if name not in frame.columns
    ]
    return frame.with_columns(*casts, *missing) if casts or missing else frame
