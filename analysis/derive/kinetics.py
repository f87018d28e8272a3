"""Cellular-kinetics parameters per patient from the series of one signal."""

import itertools
import math
from typing import Any

import numpy as np
import polars as pl

from analysis.compute.half_life import TerminalSlope
from analysis.compute.noncompartmental import NAN, NcaResult, NcaRules, nca
from analysis.derive.peak import peaks
from analysis.derive.signal_key import Signal
from analysis.errors import UserError
from analysis.tracers import words_for

_VALUES = (
    "cmax", "tmax_day", "auc_0_28", "clast", "tlast_day", "doubling_time_day",
    "contraction_half_life_day", "contraction_from_day", "contraction_to_day",
    "terminal_half_life_day", "terminal_from_day", "terminal_to_day", "fold_expansion",
    "persistence_lower_day", "persistence_upper_day",
)  # fmt: skip
_REASONS = {
    "cmax": "cmax_reason",
    "tmax": "tmax_day_reason",
    "auc_end": "auc_0_28_reason",
    "clast": "clast_reason",
    "tlast": "tlast_day_reason",
    "doubling_time": "doubling_time_day_reason",
    "contraction": "contraction_half_life_day_reason",
    "terminal": "terminal_half_life_day_reason",
    "fold": "fold_expansion_reason",
}
SCHEMA: dict[str, type[pl.DataType]] = {
    "usubjid": pl.String,
    **dict.fromkeys(_VALUES, pl.Float64),
    "n_samples": pl.Int64,
    "n_below_lloq": pl.Int64,
    **dict.fromkeys(_REASONS.values(), pl.String),
}


def parameters(
    series: pl.DataFrame, *, signal: Signal | None = None, rules: NcaRules | None = None
) -> pl.DataFrame:
    """One row per patient of `series` (`derive.signal.signal_series`, per subject).

    Values in the unit of the series, days since infusion; auc_0_28 in unit x day. A column
    `<parameter>_reason` says why a value is missing, or what limits it when it is there (an
    extrapolated area, a peak at the last sample). Persistence lies between the last quantifiable
    sample and the next one below the limit; the upper end is null when no such sample was taken,
    both are null without a sample after infusion. A curve with a value above or between limits
    has a peak only where `derive.peak` knows it exactly, its persistence, and nothing else.
    Raises UserError for a signal that may not be called expansion.
    """
    if signal is not None and signal.tracer_class == "direct_label":
        raise UserError(
            f"kinetics: '{signal.key}' is a label put on the cells before infusion. "
            f"{words_for('direct_label').caution} Choose a blood assay or a reporter gene."
        )
    samples = (
        series.filter(pl.col("rel_day").is_not_null())
        .sort("usubjid", "rel_day", maintain_order=True)
        .unique(["usubjid", "rel_day"], keep="first", maintain_order=True)
    )
    time = samples["rel_day"].to_numpy()
    value = samples["value"].cast(pl.Float64).fill_null(np.nan).to_numpy()
    below = (samples["censored"] == "left").to_numpy()
    bounded = samples["censored"].is_in(["right", "interval"]).to_numpy()
    starts = samples["usubjid"].rle_id().unique_counts().cum_sum().to_list()
    rows = []
    for start, stop in itertools.pairwise([0, *starts]):
        part = slice(start, stop)
        found = (
            _partly_bounded(samples[part], rules or NcaRules())
            if bounded[part].any()
            else nca(time[part], value[part], below[part], rules=rules)
        )
        rows.append(_flat(samples["usubjid"][start], found))
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


def _partly_bounded(samples: pl.DataFrame, rules: NcaRules) -> NcaResult:
    """What is known of a curve with a value above the upper limit or only between limits."""
    why = "a value is known only by its bounds (above or between limits)"
    reasons = dict.fromkeys(_REASONS, why)
    found: dict[str, Any] = {}
    peak = next(iter(peaks(samples, rules.peak_from, math.inf).to_dicts()), None)
    if peak and peak["above_limit"]:
        reasons["cmax"] = f"{why}: the peak is at least {peak['peak']:g}"
    elif peak and not peak["at_limit"]:
        found |= {"cmax": peak["peak"], "tmax": peak["peak_day"]}
    after = samples.filter(pl.col("rel_day") >= 0)
    seen = after.filter(pl.coalesce("value", "lower") > 0)
    if seen.height:
        found["tlast"] = seen["rel_day"].item(-1)
        found["clast"] = seen["value"].cast(pl.Float64).fill_null(NAN).item(-1)
    gone = after.filter(pl.col("rel_day") > found.get("tlast", -1.0))["rel_day"]
    n_below = int((samples["censored"] == "left").sum())
    return NcaResult(
        samples.height,
        n_below,
        first_below=gone.item(0) if gone.len() else NAN,
        reasons={
            name: why for name, why in reasons.items() if math.isnan(found.get(name, math.nan))
        },
        **found,
    )


def _flat(usubjid: str, found: NcaResult) -> dict[str, Any]:
    contraction, terminal = _accepted(found.contraction), _accepted(found.terminal)
    never_seen = np.isnan(found.tlast) and not np.isnan(found.first_below)
    row: dict[str, Any] = {
        "usubjid": usubjid,
        "cmax": found.cmax,
        "tmax_day": found.tmax,
        "auc_0_28": found.auc_end,
        "clast": found.clast,
        "tlast_day": found.tlast,
        "doubling_time_day": found.doubling_time,
        "contraction_half_life_day": contraction.half_life if contraction else None,
        "contraction_from_day": contraction.time_low if contraction else None,
        "contraction_to_day": contraction.time_high if contraction else None,
        "terminal_half_life_day": terminal.half_life if terminal else None,
        "terminal_from_day": terminal.time_low if terminal else None,
        "terminal_to_day": terminal.time_high if terminal else None,
        "fold_expansion": found.fold,
        "persistence_lower_day": 0.0 if never_seen else found.tlast,
        "persistence_upper_day": found.first_below,
        "n_samples": found.n_samples,
        "n_below_lloq": found.n_below,
        **{column: found.reasons.get(name) for name, column in _REASONS.items()},
    }
    return {key: None if isinstance(v, float) and np.isnan(v) else v for key, v in row.items()}


def _accepted(slope: TerminalSlope | None) -> TerminalSlope | None:
    """A slope that meets every rule; a failed one is not reported."""
    return slope if slope is not None and not slope.reason else None
