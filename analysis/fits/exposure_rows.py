"""One exposure per patient from the samples of a signal: a named parameter over a day window."""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from analysis.compute.auc import auc, value_at
from analysis.engine.structure import Array
from analysis.errors import UserError
from analysis.fits.model_rows import model_rows
from analysis.results import Excluded
from analysis.specs import ModelSpec, adjuster_column

if TYPE_CHECKING:
    import polars as pl

MINIMUM_SAMPLES = 2
"""Samples in the window below which a highest value says nothing of a peak."""


class ExposureRows(NamedTuple):
    """frame: one row per patient with usubjid, exposure (on the scale of the fit), adjusters and
    the outcome's columns; excluded: rows and patients left out, by reason."""

    frame: "pl.DataFrame"
    excluded: tuple[Excluded, ...]
    n_censored: int


def exposure_rows(frame: "pl.DataFrame", spec: ModelSpec, outcome: tuple[str, ...]) -> ExposureRows:
    """Apply window, limits and parameter of the specification to its frame.

    outcome: columns that are one value per patient and are carried along. Raises UserError for a
    missing column, rows that mix variables, or patients with two values of an outcome's column.
    """
    import polars as pl

    require_columns(frame, outcome)
    carried = [*outcome, *(adjuster_column(name) for name in spec.adjusters)]
    # The area needs samples around the window to know the values at its ends.
    high = None if spec.parameter == "auc" else spec.day_high
    low = 0.0 if spec.parameter == "auc" else spec.day_low or 0.0
    everyone = frame.with_columns(group=pl.lit("all"))
    rows = model_rows(
        everyone, spec.replace(group="cohort", reference="", time="none", unit="patient",
                               adjusters=(), day_high=high, day_low=low),
    )  # fmt: skip
    samples = rows.frame.filter(pl.col("day").is_not_null()).sort("usubjid", "day")
    values, lost = _parameters(samples, spec)
    patients = one_per_patient(frame, carried)
    found = pl.DataFrame(
        {"usubjid": list(values), "exposure": list(values.values())},
        schema={"usubjid": frame.schema["usubjid"], "exposure": pl.Float64},
    )
    return ExposureRows(
        found.join(patients, on="usubjid", how="left", maintain_order="left"),
        (*rows.excluded, *lost),
        rows.n_censored,
    )


def require_columns(frame: "pl.DataFrame", outcome: tuple[str, ...]) -> None:
    """Raises UserError for a missing column of the signal or of the outcome."""
    for name in ("usubjid", "value", *outcome):
        if name not in frame.columns:
            raise UserError(
                f"model frame: there is no column '{name}', which the specification "
                f"needs; the columns are {', '.join(frame.columns)}"
            )


def one_per_patient(frame: "pl.DataFrame", names: list[str]) -> "pl.DataFrame":
    """usubjid and `names`, one row per patient. Raises UserError where a patient has two values."""
    patients = frame.select("usubjid", *names).unique(maintain_order=True)
    twice = patients.filter(patients["usubjid"].is_duplicated())
    for name in names:
        if not twice.is_empty() and twice.group_by("usubjid").n_unique()[name].max() != 1:
            raise UserError(
                f"model frame: a patient has two values of {name}; one per patient is expected"
            )
    return patients


def _parameters(
    samples: "pl.DataFrame", spec: ModelSpec
) -> tuple[dict[str, float], list[Excluded]]:
    """Exposure of each patient on the scale of the fit, and how many have none, by reason."""
    import polars as pl

    values: dict[str, float] = {}
    reasons: dict[str, int] = {}
    # Two samples at one time are one: their mean.
    daily = samples.group_by("usubjid", "day", maintain_order=True).agg(pl.col("value").mean())
    for (patient,), own in daily.group_by("usubjid", maintain_order=True):
        day, value = own["day"].to_numpy().astype(float), own["value"].to_numpy()
        found = _parameter(day, value, spec)
        if isinstance(found, str):
            reasons[found] = reasons.get(found, 0) + 1
        else:
            values[str(patient)] = found
    return values, [Excluded(f"patient: {reason}", n) for reason, n in reasons.items()]


def _parameter(day: Array, value: Array, spec: ModelSpec) -> float | str:
    """The number on the scale of the fit, or why there is none."""
    found = {"auc": _area, "peak": _peak, "mean": _mean, "last": _last}[spec.parameter](
        day, value, spec
    )
    return found if isinstance(found, str) else _scaled(found, spec)


def _last(day: Array, value: Array, spec: ModelSpec) -> float | str:
    return float(value[-1])


def _peak(day: Array, value: Array, spec: ModelSpec) -> float | str:
    if len(day) < MINIMUM_SAMPLES:
        return f"fewer than {MINIMUM_SAMPLES} days with a sample in the window"
    return float(value.max())


def _mean(day: Array, value: Array, spec: ModelSpec) -> float | str:
    if len(day) < MINIMUM_SAMPLES:
        return f"fewer than {MINIMUM_SAMPLES} days with a sample in the window"
    if (value <= 0).any():
        return "a value that is not above 0 has no geometric mean"
    return float(np.exp(np.log(value).mean()))


def _area(day: Array, value: Array, spec: ModelSpec) -> float | str:
    """From day_low to day_high; blood has no cells of the product at infusion, so a window from
    day 0 starts at zero there when no sample does."""
    low, high = spec.day_low or 0.0, spec.day_high or 0.0
    if day[-1] < high:
        return f"no sample at or after day {high:g}, so the area is not calculable"
    if day[0] > low and not (low == 0 and spec.signal_key.startswith("kinetics:")):
        return f"no sample at or before day {low:g}, so the area is not calculable"
    if day[0] > low:
        day, value = np.append(low, day), np.append(0.0, value)
    inside = (day > low) & (day < high)
    ends = [value_at(day, value, at) for at in (low, high)]
    days = np.concatenate([[low], day[inside], [high]])
    return auc(days, np.concatenate([[ends[0]], value[inside], [ends[1]]]))


def _scaled(value: float, spec: ModelSpec) -> float | str:
    if spec.transform == "none":
        return value
    shifted = value + spec.shift
    return float(np.log10(shifted)) if shifted > 0 else "an exposure of zero has no logarithm"
