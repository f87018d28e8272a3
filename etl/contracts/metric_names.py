"""The name of a metric that a header made: a unit in its brackets is its unit, not its name.

"liver_suvmean (kBq/mL)" by the pattern "{region_code}_suv{stat}" says suv_mean in kBq/mL. Taken as
a name, the number would be stored as an SUV.
"""

import polars as pl

from analysis.compute import units
from analysis.derive.labels import METRIC_LABELS
from etl.contracts.units import METRIC_UNITS

BRACKETS = r"^(.*?)\s*[(\[]([^()\[\]]+)[)\]]\s*$"
NO_NAME = r"[\s()\[\]]"
NAMED = ("quantification", "lesion_measurement")
FROM_NAME = "_unit_from_name"
"""Whether the unit of a record stood in the name of its metric."""

KNOWN_METRICS = tuple(
    dict.fromkeys(
        [
            *METRIC_LABELS,
            *(
                code
                for code in units.CANONICAL
                if code.startswith(tuple(p for p, *_ in METRIC_UNITS))
            ),
            "activity_concentration",
        ]
    )
)
"""Metrics whose unit the program knows, as a refused name is shown the nearest of them."""


def split_metric(frame: pl.DataFrame) -> pl.DataFrame:
    """`metric` without the brackets at its end, which become `unit`; a name whose brackets say
    another unit than the record keeps them, and is refused as a name."""
    metric = pl.col("metric")
    within = metric.str.extract(BRACKETS, 2)
    texts = frame.select(within.alias("_within"), "unit").unique()
    rows = [
        (inner, unit, inner is not None and _same(inner, unit)) for inner, unit in texts.iter_rows()
    ]
    types = {"_within": pl.String, "unit": pl.String, FROM_NAME: pl.Boolean}
    table = pl.DataFrame(rows, schema=types, orient="row")
    joined = frame.with_columns(within.alias("_within")).join(
        table, on=["_within", "unit"], how="left", nulls_equal=True, maintain_order="left"
    )
    split = pl.col(FROM_NAME)
    return joined.with_columns(
        pl.when(split).then(metric.str.extract(BRACKETS, 1)).otherwise(metric).alias("metric"),
        pl.when(split).then("_within").otherwise("unit").alias("unit"),
    ).drop("_within")


def is_no_name() -> pl.Expr:
    """Whether a metric has blanks or brackets: text of a header, not the name of a metric."""
    return pl.col("metric").str.contains(NO_NAME) & ~pl.col("metric").is_in(KNOWN_METRICS)


def _same(inner: str, unit: str | None) -> bool:
    return unit is None or units.normalize_unit(inner) == units.normalize_unit(unit)
