"""Group against reference on a fitted model: ratios at days, overall tests, fitted curves."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from analysis.compute.multiplicity import adjust_p_values
from analysis.engine.structure import Array
from analysis.fits.censored_fitted import FittedCensored
from analysis.fits.fitted import FittedMixed
from analysis.fits.inference import joint_test as test_of_rows
from analysis.fits.inference import tested
from analysis.fits.outcome_scale import measured_scale, power
from analysis.fits.structured import FittedStructured
from analysis.fits.visit_factor import visit_name
from analysis.results import CurvePoint, GeometricMeanRatio, WaldTest, finite
from analysis.specs import ModelSpec, adjuster_column

if TYPE_CHECKING:
    import polars as pl

CURVE_POINTS = 61
Fitted = FittedMixed | FittedCensored | FittedStructured
KINDS = {
    "log10": "geometric-mean ratio",
    "log10_shift": "ratio of shifted values",
    "none": "difference",
}


class Setting(NamedTuple):
    """What a population mean is taken over: the patients' adjusters and regions as observed."""

    spec: ModelSpec
    frame: "pl.DataFrame"
    groups: tuple[str, ...]

    @property
    def after_infusion(self) -> bool:
        lowest = self.frame["day"].min()
        return lowest is not None and float(lowest) >= 0  # type: ignore[arg-type]


def mean_rows(fitted: Fitted, setting: Setting, group: str, days: Sequence[float]) -> Array:
    """One design row per day for the mean of `group`, averaged over the patients' adjusters.

    Adjusters enter additively (`recipe_for`), so their mean is one shift of every row.
    """
    import polars as pl

    spec, frame = setting.spec, setting.frame
    names = [adjuster_column(name) for name in spec.adjusters]
    patients = frame.select("usubjid", *names).unique(subset="usubjid", maintain_order=True)
    regions = pl.DataFrame({"one_region": [0]})
    if spec.unit == "organ":
        regions = frame.select("region_code").unique().sort("region_code")
    time = [float(np.log1p(day)) if setting.after_infusion else day for day in days]
    axis = pl.DataFrame({"time": time, "visit": [visit_name(day) for day in days]}).with_columns(
        group=pl.lit(group)
    )

    def rows_of(axis: "pl.DataFrame", base: "pl.DataFrame") -> Array:
        return fitted.design.fixed_rows(
            axis.join(regions, how="cross", maintain_order="left").join(
                base, how="cross", maintain_order="left"
            )
        )

    rows = rows_of(axis, patients.head(1)).reshape(len(days), regions.height, -1).mean(axis=1)
    if names:
        first = axis.head(1)
        rows = (
            rows
            + rows_of(first, patients).mean(axis=0)
            - rows_of(first, patients.head(1)).mean(axis=0)
        )
    return np.asarray(rows)


def ratios_at(
    fitted: Fitted, setting: Setting, days: Sequence[float]
) -> tuple[GeometricMeanRatio, ...]:
    """Every group against the reference on every day, with Holm-adjusted p-values."""
    reference = setting.groups[0]
    below = mean_rows(fitted, setting, reference, days)
    found = []
    for group in setting.groups[1:]:
        rows = mean_rows(fitted, setting, group, days) - below
        found += [
            _ratio(setting, group, day, *(float(value) for value in values))
            for day, *values in zip(days, *tested(fitted, rows), strict=True)
        ]
    return _holm(tuple(found))


def _ratio(
    setting: Setting,
    group: str,
    day: float,
    estimate: float,
    error: float,
    df: float,
    statistic: float,
    p_value: float,
    low: float,
    high: float,
) -> GeometricMeanRatio:
    spec, reference = setting.spec, setting.groups[0]
    scale = float if spec.transform == "none" else power
    visits = spec.time == "visit"
    return GeometricMeanRatio(
        day=None if spec.time == "none" else float(day),
        group=group,
        reference=reference,
        ratio=scale(estimate),
        conf_low=finite(scale(low)),
        conf_high=finite(scale(high)),
        p_value=p_value if error > 0 else None,
        n=_patients(setting, group),
        n_reference=_patients(setting, reference),
        n_observed=_patients(setting, group, day) if visits else None,
        n_observed_reference=_patients(setting, reference, day) if visits else None,
        kind=KINDS[spec.transform],
        df=finite(df),
    )


def _patients(setting: Setting, group: str, day: float | None = None) -> int:
    rows = setting.frame.filter(setting.frame["group"].cast(str) == group)
    if day is not None:
        rows = rows.filter(rows["day"] == day)
    return int(rows["usubjid"].n_unique())


def _holm(ratios: tuple[GeometricMeanRatio, ...]) -> tuple[GeometricMeanRatio, ...]:
    family = adjust_p_values([ratio.p_value for ratio in ratios], "holm", "ratios of this fit")
    return tuple(
        replace(ratio, p_adjusted=p) for ratio, p in zip(ratios, family.adjusted, strict=True)
    )


def joint_test(fitted: Fitted, name: str, needed: set[str]) -> WaldTest | None:
    """Joint test of all terms that contain every variable of `needed`; None without any."""
    columns = [
        index
        for _, variables, where in fitted.design.matrices.x_terms
        if needed <= set(variables)
        for index in range(where.start, where.stop)
    ]
    if not columns:
        return None
    rows = np.eye(len(fitted.beta))[columns]
    if isinstance(fitted, FittedCensored):
        return fitted.joint_test(name, rows)
    return test_of_rows(fitted, name, rows)


def fitted_curves(fitted: Fitted, setting: Setting) -> tuple[CurvePoint, ...]:
    """Mean curve of every group over the days that group was observed, back-transformed."""
    points = []
    for group in setting.groups:
        days = _grid(setting, group)
        found = tested(fitted, mean_rows(fitted, setting, group, days))
        columns = (found.estimate, found.conf_low, found.conf_high)
        for day, *values in zip(days, *columns, strict=True):
            numbers = (finite(measured_scale(float(value), setting.spec)) for value in values)
            points.append(
                CurvePoint(group, None if setting.spec.time == "none" else float(day), *numbers)
            )
    return tuple(points)


def _grid(setting: Setting, group: str) -> list[float]:
    days = setting.frame.filter(setting.frame["group"].cast(str) == group)["day"].drop_nulls()
    if setting.spec.time == "none" or days.is_empty():
        return [0.0]
    if setting.spec.time == "visit":
        return sorted({float(day) for day in setting.frame["day"]})
    low, high = float(days.min()), float(days.max())  # type: ignore[arg-type]
    if not setting.after_infusion:
        return [float(day) for day in np.linspace(low, high, CURVE_POINTS)]
    even = np.expm1(np.linspace(np.log1p(low), np.log1p(high), CURVE_POINTS))
    return [float(day) for day in np.clip(even, low, high)]
