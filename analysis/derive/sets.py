"""Analysis sets: who is infused, and who can be judged for safety, imaging and efficacy.

A flag of the source stands as delivered, even where it puts a patient without an infusion into a
set; where none is given the set follows from the data, and a column says which. A set that
follows from the data is a subset of `infused`.
"""

import polars as pl

from analysis.derive.columns import ensure

SETS = ("infused", "safety", "imaging_evaluable", "efficacy_evaluable")
_FLAG = {
    "infused": "infused",
    "safety": "safety_set",
    "imaging_evaluable": "imaging_set",
    "efficacy_evaluable": "efficacy_set",
}


def analysis_sets(
    subjects: pl.DataFrame,
    infusions: pl.DataFrame | None = None,
    scans: pl.DataFrame | None = None,
    responses: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """One row per enrolled patient: usubjid, infused, safety, imaging_evaluable,
    efficacy_evaluable, and `<set>_source` ("delivered", "derived" or "assumed").

    infused: an infusion record; a study that delivers neither flags nor infusions counts every
    patient, marked "assumed". safety: infused. imaging_evaluable: infused, with an evaluable
    scan on or after the infusion day. efficacy_evaluable: infused, with a response call after it.
    """
    enrolled = ensure(subjects, "usubjid", *_FLAG.values()).select("usubjid", *_FLAG.values())
    given = ensure(infusions, "usubjid")
    seen = _evaluable_scans(scans)
    judged = _judged(responses)
    nothing = given.is_empty() and enrolled["infused"].null_count() == enrolled.height
    derived = enrolled.select(
        "usubjid",
        (pl.lit(True) if nothing else pl.col("usubjid").is_in(given["usubjid"].implode())).alias(
            "infused"
        ),
    ).with_columns(
        pl.lit(True).alias("safety"),
        pl.col("usubjid").is_in(seen["usubjid"].implode()).alias("imaging_evaluable"),
        pl.col("usubjid").is_in(judged["usubjid"].implode()).alias("efficacy_evaluable"),
    )
    joined = enrolled.rename({flag: f"_{name}" for name, flag in _FLAG.items()}).join(
        derived, on="usubjid", how="left", maintain_order="left"
    )
    infused = pl.coalesce("_infused", "infused")
    chosen = joined.with_columns(
        infused.alias("infused"),
        *(pl.coalesce(f"_{name}", pl.col(name) & infused).alias(name) for name in SETS[1:]),
        *(_source(name, nothing and name == "infused") for name in SETS),
    )
    return chosen.select("usubjid", *SETS, *(f"{name}_source" for name in SETS))


def _evaluable_scans(scans: pl.DataFrame | None) -> pl.DataFrame:
    rows = ensure(scans, "usubjid", "evaluable", "rel_day", "nominal_day")
    day = pl.coalesce("rel_day", "nominal_day")
    return rows.filter(pl.col("evaluable").fill_null(True) & (day >= 0))


def _judged(responses: pl.DataFrame | None) -> pl.DataFrame:
    """Response calls, other than those dated before infusion."""
    rows = ensure(responses, "usubjid", "response", "rel_day", "nominal_day")
    day = pl.coalesce("rel_day", "nominal_day")
    return rows.filter(pl.col("response").is_not_null() & (day.is_null() | (day > 0)))


def _source(name: str, assumed: bool) -> pl.Expr:
    return (
        pl.when(pl.col(f"_{name}").is_not_null())
        .then(pl.lit("delivered"))
        .otherwise(pl.lit("assumed" if assumed else "derived"))
        .alias(f"{name}_source")
    )
