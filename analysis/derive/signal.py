"""Values of a signal over time: which signals a trial has, their series, and what is left out.

The rule for a value that no log axis can hold, written here once: a zero (or less) that was
delivered without a limit is kept as delivered in the column `delivered` and treated as lying
below an unknown limit: `censored` left, `value` null, `upper` the smallest positive value of that
signal in the trial, `limit_source` "assumed". Nothing is added to any value.

Several values of one patient at one time (lesions of a scan, replicates of a sample) become their
geometric mean. When any of them is censored the mean is only known to lie between the geometric
means of the lower and of the upper bounds, and is stored as that interval.
"""

from collections.abc import Iterable
from typing import Any, Literal

import polars as pl

from analysis.compute.units import canonical_unit
from analysis.derive.burden import burden_series
from analysis.derive.columns import LINEAGE, ensure
from analysis.derive.signal_key import QUALIFIERS, Domain, Signal
from analysis.errors import UserError
from analysis.tracers import TRACERS

__all__ = [
    "Signal",
    "find_signal",
    "signal_catalog",
    "signal_excluded",
    "signal_series",
]

HOURS_PER_DAY = 24.0
_Size = tuple[int, int]
"""Less patients, less rows: the larger signal sorts first."""
_KEYS: dict[Domain, tuple[str, ...]] = {
    "kinetics": ("analyte", "assay", "matrix"),
    "uptake": ("tracer_id", "metric", "region_kind", "region_code"),
    "laboratory": ("testcd", "matrix"),
    "burden": ("metric",),
}
_CODE: dict[Domain, str] = {
    "kinetics": "analyte", "uptake": "metric", "laboratory": "testcd", "burden": "metric",
}  # fmt: skip
_FIELD = {"analyte": "code", "metric": "code", "testcd": "code"}
_COMMON = ("rel_day", "nominal_day", "visit", "value", "lower", "upper", "censored", "unit", "lloq")
_NEEDED: dict[Domain, tuple[str, ...]] = {
    "kinetics": (*_KEYS["kinetics"], "method", "reader"),
    "uptake": (*_KEYS["uptake"], "method", "reader", "evaluable", "not_evaluable_reason",
               "decay_state", "scan_code"),
    "laboratory": (*_KEYS["laboratory"], "test", "method", "reader"),
    "burden": (*_KEYS["burden"], "method", "reader"),
}  # fmt: skip


def signal_catalog(
    kinetics: pl.DataFrame | None = None,
    quantifications: pl.DataFrame | None = None,
    labs: pl.DataFrame | None = None,
    lesions: pl.DataFrame | None = None,
) -> tuple[Signal, ...]:
    """Every signal of the trial, most useful first: kinetics, uptake, burden, laboratory.

    Within a domain lesions come before organs and signals with more patients, then more values,
    before those with fewer. Lesions and blood pool are one signal each; every organ is its own.
    """
    found: list[tuple[tuple[object, ...], Signal]] = []
    frames = {
        "kinetics": kinetics,
        "uptake": quantifications,
        "burden": _burden(lesions, quantifications),
        "laboratory": labs,
    }
    for order, (domain, frame) in enumerate(frames.items()):
        if frame is None or frame.is_empty():
            continue
        for signal, size in _catalog_of(domain, frame):  # type: ignore[arg-type]
            rank = {"lesion": 0, "blood_pool": 1, "organ": 2}.get(signal.region_kind or "", 3)
            unusual = bool(signal.qualified_by)
            found.append(((order, rank, unusual, size, signal.key), signal))
    return tuple(signal for _, signal in sorted(found, key=lambda item: item[0]))


def find_signal(key: str, catalog: Iterable[Signal]) -> Signal | None:
    """The signal of `catalog` with this key (its unit and name filled in), or None.

    A key that names the unit finds the signal whose key leaves it out as the usual one.
    """
    asked = Signal.parse(key)
    for signal in catalog:
        if key in {signal.key, signal.replace(qualified_by=asked.qualified_by).key}:
            return signal
    return None


def signal_series(
    signal: Signal,
    *,
    kinetics: pl.DataFrame | None = None,
    quantifications: pl.DataFrame | None = None,
    labs: pl.DataFrame | None = None,
    lesions: pl.DataFrame | None = None,
    per: Literal["subject", "region"] = "subject",
) -> pl.DataFrame:
    """One row per patient and time, or per patient, region and time.

    Columns: usubjid, [region_code], rel_day (days since infusion; the nominal day where
    `day_source` says "nominal"), nominal_day, visit, value, lower, upper, censored, delivered
    (the number as delivered, zeros included), limit_source ("sample", "assumed" or null), unit,
    lloq, n_regions, decay_state, source_file, source_sheet, source_row (of the first value).
    Raises UserError when the signal mixes units, methods or readers, or pools organs.
    """
    if per == "subject" and signal.region_kind == "organ" and signal.region_code is None:
        raise UserError(
            f"signal: '{signal.key}' pools organs, whose uptake has no common mean; name one "
            "organ, or read it per region"
        )
    rows = _rows(signal, kinetics, quantifications, labs, lesions)
    kept = rows.filter(pl.col("reason").is_null())
    _refuse_mixture(signal, kept)
    return _fold(_below_unknown_limit(kept), by_region=per == "region")


def signal_excluded(
    signal: Signal,
    *,
    kinetics: pl.DataFrame | None = None,
    quantifications: pl.DataFrame | None = None,
    labs: pl.DataFrame | None = None,
    lesions: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """Rows that `signal_series` leaves out: usubjid, region_code, rel_day, nominal_day, visit,
    delivered, unit, reason and lineage; one row per delivered row."""
    rows = _rows(signal, kinetics, quantifications, labs, lesions)
    return rows.filter(pl.col("reason").is_not_null()).select(
        "usubjid", "region_code", "rel_day", "nominal_day", "visit",
        pl.col("value").alias("delivered"), "unit", "reason", *LINEAGE,
    )  # fmt: skip


def _burden(lesions: pl.DataFrame | None, quantifications: pl.DataFrame | None) -> pl.DataFrame:
    return burden_series(lesions, quantifications)


def _prepared(domain: Domain, frame: pl.DataFrame | None) -> pl.DataFrame:
    ready = ensure(frame, "usubjid", *_COMMON, *_NEEDED[domain], "region_code", "decay_state",
                   "tracer_id", "evaluable", *LINEAGE)  # fmt: skip
    return ready.with_columns(pl.col("censored").fill_null("none"))


def _catalog_of(domain: Domain, frame: pl.DataFrame) -> list[tuple[Signal, _Size]]:
    rows = _prepared(domain, frame).filter(
        pl.any_horizontal("value", "lower", "upper").is_not_null()
    )
    if domain == "uptake":
        own_region = pl.col("region_kind") == "organ"
        rows = rows.with_columns(pl.when(own_region).then("region_code").alias("region_code"))
    keys = list(_KEYS[domain])
    name = [pl.col("test").drop_nulls().first()] if domain == "laboratory" else []
    groups = rows.group_by(keys, maintain_order=True).agg(
        *(pl.col(item).drop_nulls().n_unique().alias(f"n_{item}") for item in QUALIFIERS),
        *(pl.col(item).is_null().any().alias(f"null_{item}") for item in QUALIFIERS),
        pl.col("unit").drop_nulls().first(),
        pl.col("usubjid").n_unique().alias("subjects"),
        pl.len().alias("rows"),
        *name,
    )
    found: list[tuple[Signal, _Size]] = []
    for group in groups.filter(pl.col(_CODE[domain]).is_not_null()).iter_rows(named=True):
        known: dict[str, Any] = {_FIELD.get(key, key): group[key] for key in keys}
        plain = Signal(domain=domain, unit=group["unit"], name=group.get("test") or "", **known)
        split = tuple(item for item in QUALIFIERS if _is_split(item, group))
        if split:
            chosen = rows.filter(pl.all_horizontal(pl.col(k).eq_missing(group[k]) for k in keys))
            found += _variants(plain, chosen, split)
        else:
            found.append((plain, (-group["subjects"], -group["rows"])))
    return found


def _is_split(item: str, group: dict[str, object]) -> bool:
    """Whether a unit, method or reader tells two variables apart in this group.

    A missing method or reader beside a named one is its own variable; a missing unit is not a
    unit, and its rows are left out with that reason.
    """
    several = int(group[f"n_{item}"])  # type: ignore[call-overload]
    unnamed = bool(group[f"null_{item}"]) and item != "unit"
    return bool(several + (1 if unnamed and several else 0) > 1)


def _variants(
    plain: Signal, rows: pl.DataFrame, split: tuple[str, ...]
) -> list[tuple[Signal, _Size]]:
    """One signal per unit, method or reader; the canonical unit needs no name in the key."""
    if "unit" in split:
        rows = rows.filter(pl.col("unit").is_not_null())
    found: list[tuple[Signal, _Size]] = []
    for _, part in rows.group_by(list(split), maintain_order=True):
        unit = next(iter(part["unit"].drop_nulls()), None)
        values = {item: part[item][0] for item in split if item != "unit"}
        usual = unit == canonical_unit(plain.code)
        named = tuple(item for item in split if item != "unit" or not usual)
        signal = plain.replace(unit=unit, qualified_by=named, **values)
        found.append((signal, (-part["usubjid"].n_unique(), -part.height)))
    return found


def _rows(
    signal: Signal,
    kinetics: pl.DataFrame | None,
    quantifications: pl.DataFrame | None,
    labs: pl.DataFrame | None,
    lesions: pl.DataFrame | None,
) -> pl.DataFrame:
    """Rows of the signal with `reason` (null = used)."""
    if signal.domain == "burden":
        source: pl.DataFrame | None = _burden(lesions, quantifications)
    else:
        source = {"kinetics": kinetics, "uptake": quantifications, "laboratory": labs}[
            signal.domain
        ]
    rows = _prepared(signal.domain, source)
    for column in _KEYS[signal.domain]:
        wanted = getattr(signal, _FIELD.get(column, column))
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


def _refuse_mixture(signal: Signal, rows: pl.DataFrame) -> None:
    for item in QUALIFIERS:
        if item in signal.qualified_by:
            continue
        values = sorted(rows[item].drop_nulls().unique().to_list())
        if item != "unit" and values and rows[item].null_count():
            values.append("none")
        if len(values) > 1:
            raise UserError(
                f"signal: '{signal.key}' mixes the {item}s {', '.join(values)}, which are "
                f"different variables; add @{item}=... for one of them"
            )


def _below_unknown_limit(rows: pl.DataFrame) -> pl.DataFrame:
    """Zeros without a limit become values below the smallest positive value of the signal.

    A signal with negative values lives on a linear axis, where zero is a value.
    """
    smallest = rows.filter(pl.col("value") > 0)["value"].min()
    signed = bool((rows["value"] < 0).any())
    zero = (pl.col("censored") == "none") & (pl.col("value") == 0) & (not signed)
    sample = pl.when(pl.col("censored") != "none").then(pl.lit("sample"))
    return rows.with_columns(
        pl.col("value").alias("delivered"),
        pl.when(zero).then(None).otherwise(pl.col("value")).alias("value"),
        pl.when(zero).then(0.0).otherwise(pl.col("lower")).alias("lower"),
        pl.when(zero)
        .then(pl.lit(smallest, dtype=pl.Float64))
        .otherwise(pl.col("upper"))
        .alias("upper"),
        pl.when(zero).then(pl.lit("left")).otherwise(pl.col("censored")).alias("censored"),
        pl.when(zero).then(pl.lit("assumed")).otherwise(sample).alias("limit_source"),
    )


def _fold(rows: pl.DataFrame, *, by_region: bool) -> pl.DataFrame:
    """Values of one patient at one time to one row (module docstring)."""
    keys = ["usubjid", *(["region_code"] if by_region else []), "rel_day", "nominal_day", "visit"]
    columns = [
        *keys, "value", "lower", "upper", "censored", "delivered", "limit_source", "unit",
        "lloq", "n_regions", "day_source", "decay_state", *LINEAGE,
    ]  # fmt: skip
    counted = rows.with_columns(pl.len().over(keys).cast(pl.Int64).alias("n_regions"))
    single = counted.filter(pl.col("n_regions") == 1).select(columns)
    several = counted.filter(pl.col("n_regions") > 1)
    signed = bool((rows["value"] < 0).any())
    parts = [single, _means(several, keys, signed=signed).select(columns)]
    return pl.concat(parts).sort(keys[:-1], nulls_last=True, maintain_order=True)


def _means(rows: pl.DataFrame, keys: list[str], *, signed: bool) -> pl.DataFrame:
    """Rows of the same keys as one; a signal with negative values takes the arithmetic mean."""
    low = pl.coalesce("value", pl.col("lower"), pl.lit(0.0))
    high = pl.coalesce("value", "upper")
    mean_high = high.mean() if signed else high.log().mean().exp()
    mean_low = low.mean() if signed else low.log().mean().exp()
    if not signed:
        mean_low = pl.when((low <= 0).any()).then(0.0).otherwise(mean_low)
    exact = (pl.col("censored") == "none").all()
    assumed = pl.col("limit_source").eq("assumed").any()
    kind = (
        pl.when(pl.col("value").is_not_null()).then(pl.lit("none"))
        .when(pl.col("upper").is_null() & pl.col("limit_source").ne_missing("assumed"))
        .then(pl.lit("right"))
        .when(pl.col("lower").fill_null(0.0) <= 0).then(pl.lit("left"))
        .otherwise(pl.lit("interval"))
    )  # fmt: skip
    means = rows.group_by(keys, maintain_order=True).agg(
        pl.when(exact).then(mean_high).alias("value"),
        pl.when(~exact).then(mean_low).alias("lower"),
        pl.when(~exact & ~high.is_null().any()).then(mean_high).alias("upper"),
        pl.when(assumed)
        .then(pl.lit("assumed"))
        .otherwise(pl.col("limit_source").drop_nulls().first())
        .alias("limit_source"),
        pl.col("unit").drop_nulls().first(),
        pl.col("lloq").max(),
        pl.col("n_regions").first(),
        pl.col("day_source").first(),
        pl.col("decay_state").drop_nulls().unique().sort().str.join("/").alias("decay_state"),
        *(pl.col(name).first() for name in LINEAGE),
    )
    return means.with_columns(
        kind.alias("censored"),
        pl.col("value").alias("delivered"),
        pl.col("decay_state").replace("", None),
    )
