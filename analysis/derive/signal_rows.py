"""Rows of one signal in the frames of a trial, each with the reason when it is not used."""

import polars as pl

from analysis.compute.units import canonical_unit
from analysis.derive.burden import burden_series
from analysis.derive.columns import LINEAGE, ensure
from analysis.derive.signal_key import Domain, Signal
from analysis.tracers import TRACERS

HOURS_PER_DAY = 24.0
KEYS: dict[Domain, tuple[str, ...]] = {
    "kinetics": ("analyte", "assay", "matrix"),
    "uptake": ("tracer_id", "metric", "region_kind", "region_code"),
    "laboratory": ("testcd", "matrix"),
    "burden": ("metric",),
}
"""Columns that tell the signals of a domain apart."""
CODE: dict[Domain, str] = {
    "kinetics": "analyte", "uptake": "metric", "laboratory": "testcd", "burden": "metric",
}  # fmt: skip
"""The column that `Signal.code` names."""
_COMMON = (
    "usubjid", "rel_day", "nominal_day", "visit", "value", "lower", "upper", "censored", "unit",
    "lloq", "method", "reader", "region_code", "tracer_id", "decay_state", "evaluable",
    "not_evaluable_reason", "test", *LINEAGE,
)  # fmt: skip


def prepared(domain: Domain, frame: pl.DataFrame | None) -> pl.DataFrame:
    """The frame of a domain with every column that a signal may need."""
    ready = ensure(frame, *_COMMON, *KEYS[domain])
    return ready.with_columns(pl.col("censored").fill_null("none"))


def source_frame(
    domain: Domain,
    kinetics: pl.DataFrame | None,
    quantifications: pl.DataFrame | None,
    labs: pl.DataFrame | None,
    lesions: pl.DataFrame | None,
) -> pl.DataFrame | None:
    """The frame in which a domain's values stand."""
    if domain == "burden":
        return burden_series(lesions, quantifications)
    return {"kinetics": kinetics, "uptake": quantifications, "laboratory": labs}[domain]


def signal_rows(signal: Signal, source: pl.DataFrame | None) -> pl.DataFrame:
    """Rows of the signal with `reason` (null = used), `rel_day` filled from the nominal day and
    `day_source` ("rel_day" or "nominal")."""
    rows = prepared(signal.domain, source)
    for column in KEYS[signal.domain]:
        wanted = getattr(signal, "code" if column == CODE[signal.domain] else column)
        if wanted is not None or column in {"tracer_id", "assay", "matrix"}:
            rows = rows.filter(pl.col(column).eq_missing(pl.lit(wanted)))
    for item in signal.qualified_by:
        wanted = getattr(signal, item)
        missing = pl.col(item).is_null() if item == "unit" else pl.lit(False)
        rows = rows.filter(pl.col(item).eq_missing(pl.lit(wanted)) | missing)
    signal = _with_usual_unit(signal, rows)
    if signal.unit is not None:
        rows = rows.filter(pl.col("unit").is_null() | (pl.col("unit") == signal.unit))
    return rows.with_columns(_reason(signal).alias("reason"), _day_source(), _day())


def _with_usual_unit(signal: Signal, rows: pl.DataFrame) -> Signal:
    """The signal in its canonical unit where the data hold that unit and others.

    Another unit of the same code (cells/uL and %) is another variable with a key of its own.
    """
    units = set(rows["unit"].drop_nulls())
    usual = canonical_unit(signal.code)
    several = signal.unit is None and "unit" not in signal.qualified_by and len(units) > 1
    return signal.replace(unit=usual) if several and usual in units else signal


def _day_source() -> pl.Expr:
    return (
        pl.when(pl.col("rel_day").is_not_null())
        .then(pl.lit("rel_day"))
        .when(pl.col("nominal_day").is_not_null())
        .then(pl.lit("nominal"))
        .alias("day_source")
    )


def _day() -> pl.Expr:
    return pl.coalesce("rel_day", "nominal_day").alias("rel_day")


def _reason(signal: Signal) -> pl.Expr:
    """Why a row is left out; the first reason that applies."""
    day = pl.coalesce("rel_day", "nominal_day")
    no_value = pl.all_horizontal(pl.col(name).is_null() for name in ("value", "lower", "upper"))
    late, window = pl.lit(False), ""
    if signal.tracer_class == "direct_label" and signal.tracer_id:
        high = TRACERS[signal.tracer_id].window_for()[1]
        late = day * HOURS_PER_DAY > high
        window = f"after the usable window of the label ({high:g} h from infusion)"
    no_unit = pl.col("unit").is_null() & pl.lit(signal.unit is not None)
    return (
        pl.when(pl.col("evaluable").eq(False))
        .then(pl.concat_str(pl.lit("scan not evaluable"), _given("not_evaluable_reason", signal)))
        .when(late)
        .then(pl.lit(window))
        .when(no_value)
        .then(pl.lit("no value"))
        .when(day.is_null())
        .then(pl.lit("no day"))
        .when(no_unit)
        .then(pl.lit("no unit"))
    )


def _given(column: str, signal: Signal) -> pl.Expr:
    if signal.domain != "uptake":
        return pl.lit("")
    return (
        pl.when(pl.col(column).is_not_null())
        .then(pl.lit(": ") + pl.col(column))
        .otherwise(pl.lit(""))
    )
