"""Which signals a trial has: one per tracer, metric, assay, matrix, unit, method and reader."""

from typing import Any

import polars as pl

from analysis.compute.units import canonical_unit
from analysis.derive.signal_key import QUALIFIERS, Domain, Signal
from analysis.derive.signal_rows import CODE, KEYS, prepared

Size = tuple[int, int]
"""Less patients, less rows: the larger signal sorts first."""


def signals_of(domain: Domain, frame: pl.DataFrame) -> list[tuple[Signal, Size]]:
    """Every signal of one domain's frame with its size."""
    rows = prepared(domain, frame).filter(
        pl.any_horizontal("value", "lower", "upper").is_not_null()
    )
    if domain == "uptake":
        own_region = pl.col("region_kind") == "organ"
        rows = rows.with_columns(pl.when(own_region).then("region_code").alias("region_code"))
    keys = list(KEYS[domain])
    name = [pl.col("test").drop_nulls().first()] if domain == "laboratory" else []
    groups = rows.group_by(keys, maintain_order=True).agg(
        *(pl.col(item).drop_nulls().n_unique().alias(f"n_{item}") for item in QUALIFIERS),
        *(pl.col(item).is_null().any().alias(f"null_{item}") for item in QUALIFIERS),
        pl.col("unit").drop_nulls().first(),
        pl.col("usubjid").n_unique().alias("subjects"),
        pl.len().alias("rows"),
        *name,
    )
    found: list[tuple[Signal, Size]] = []
    for group in groups.filter(pl.col(CODE[domain]).is_not_null()).iter_rows(named=True):
        known: dict[str, Any] = {"code" if key == CODE[domain] else key: group[key] for key in keys}
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
) -> list[tuple[Signal, Size]]:
    """One signal per unit, method or reader; the canonical unit needs no name in the key."""
    if "unit" in split:
        rows = rows.filter(pl.col("unit").is_not_null())
    found: list[tuple[Signal, Size]] = []
    for _, part in rows.group_by(list(split), maintain_order=True):
        unit = next(iter(part["unit"].drop_nulls()), None)
        values = {item: part[item][0] for item in split if item != "unit"}
        usual = unit == canonical_unit(plain.code)
        named = tuple(item for item in split if item != "unit" or not usual)
        signal = plain.replace(unit=unit, qualified_by=named, **values)
        found.append((signal, (-part["usubjid"].n_unique(), -part.height)))
    return found
