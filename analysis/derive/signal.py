"""Values of a signal over time: which signals a trial has, their series, and what is left out.

The rule for a value that no log axis can hold, written here once: a zero that was delivered
without a limit is kept as delivered in the column `delivered` and treated as lying below an
unknown limit: `censored` left, `value` null, `upper` the smallest positive value of that signal in
the trial, `limit_source` "assumed". Nothing is added to any value. A signal with negative values
lives on a linear axis, where zero is a value, and is not touched.

Several values of one patient at one time (lesions of a scan, replicates of a sample) become their
geometric mean. When any of them is censored the mean is only known to lie between the geometric
means of the lower and of the upper bounds, and is stored as that interval.

A label put on the cells is left out after its usable window, by name.
"""

from collections.abc import Iterable
from typing import Literal

import polars as pl

from analysis.derive.columns import LINEAGE
from analysis.derive.signal_catalog import signals_of
from analysis.derive.signal_fold import below_unknown_limit, fold
from analysis.derive.signal_key import DOMAINS, QUALIFIERS, Signal
from analysis.derive.signal_rows import signal_rows, source_frame
from analysis.derive.usual_unit import usual_keys
from analysis.errors import UserError

__all__ = [
    "Signal",
    "find_signal",
    "signal_catalog",
    "signal_excluded",
    "signal_series",
]


def signal_catalog(
    kinetics: pl.DataFrame | None = None,
    quantifications: pl.DataFrame | None = None,
    labs: pl.DataFrame | None = None,
    lesions: pl.DataFrame | None = None,
) -> tuple[Signal, ...]:
    """Every signal of the trial, most useful first: kinetics, uptake, burden, laboratory.

    Within a domain lesions come before organs and signals with more patients, then more values,
    before those with fewer; a unit that does not speak for its quantity (`derive.usual_unit`), a
    method or a reader of its own comes last. Lesions and blood pool are one signal each; every
    organ is its own.
    """
    found: list[tuple[tuple[object, ...], Signal]] = []
    for order, domain in enumerate(DOMAINS):
        frame = source_frame(domain, kinetics, quantifications, labs, lesions)
        if frame is None or frame.is_empty():
            continue
        sized = signals_of(domain, frame)
        usual = usual_keys(sized)
        for signal, size in sized:
            rank = {"lesion": 0, "blood_pool": 1, "organ": 2}.get(signal.region_kind or "", 3)
            unusual = signal.key not in usual or bool(set(signal.qualified_by) - {"unit"})
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
    source = source_frame(signal.domain, kinetics, quantifications, labs, lesions)
    rows = signal_rows(signal, source)
    kept = rows.filter(pl.col("reason").is_null())
    _refuse_mixture(signal, kept)
    return fold(below_unknown_limit(kept), by_region=per == "region")


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
    source = source_frame(signal.domain, kinetics, quantifications, labs, lesions)
    rows = signal_rows(signal, source)
    return rows.filter(pl.col("reason").is_not_null()).select(
        "usubjid", "region_code", "rel_day", "nominal_day", "visit",
        pl.col("value").alias("delivered"), "unit", "reason", *LINEAGE,
    )  # fmt: skip


def _refuse_mixture(signal: Signal, rows: pl.DataFrame) -> None:
    for item in QUALIFIERS:
        if item in signal.qualified_by:
            continue
        values = sorted(rows[item].drop_nulls().unique().to_list())
        if item != "unit" and values and rows[item].null_count():
            values.append("none")
        if len(values) > 1:
            raise UserError(
                f"signal: '{signal.key}' mixes the {item.removesuffix('_id')}s "
                f"{', '.join(values)}, which are "
                f"different variables; add @{item}=... for one of them"
            )
