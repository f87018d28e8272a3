"""The mean of each patient, and the range of a new measurement, at chosen values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np

from analysis.compute.confidence_level import require_level
from analysis.engine.structure import Array
from analysis.errors import UserError
from analysis.fits.answered import Answered, unanswered
from analysis.fits.chosen_values import extrapolation, model_values
from analysis.fits.fitted import FittedMixed
from analysis.fits.inference import degrees
from analysis.fits.patient_effects import effect_moments, random_variables
from analysis.fits.restored import fitted_of
from analysis.fits.structured import FittedStructured
from analysis.fits.structured.effects import patient_moments
from analysis.fits.structured.new_rows import (
    other_variances,
    residual_variances,
    shared_with_observed,
    with_residual_time,
)
from analysis.fits.structured.refusals import without_patient_effects
from analysis.frames import takes_frames
from analysis.results import Fit, finite

if TYPE_CHECKING:
    import polars as pl


class PatientPrediction(NamedTuple):
    """The mean of one patient under one setting, on the scale of the fit.

    conf_*: of the patient's own mean; pred_*: of one new measurement; df: that of the population's
    mean there, which keeps the coverage of few patients near its level. caution: where a chosen
    number lies outside what was observed.
    """

    usubjid: str
    at: str
    estimate: float
    std_error: float
    df: float | None
    conf_low: float
    conf_high: float
    pred_low: float
    pred_high: float
    caution: str = ""


@dataclass(frozen=True)
class PatientPredictions(Answered):
    """Result of `predict_patients`; empty where the model has no effects of the patient."""

    ROWS: ClassVar = {"predictions": PatientPrediction}

    conf_level: float
    predictions: tuple[PatientPrediction, ...]
    note: str

    def table(self) -> "pl.DataFrame":
        """usubjid, at, estimate, std_error, df, conf_low, conf_high, pred_low, pred_high,
        caution."""
        return self.rows_table("predictions")


NEW = "new patient"
NOTE = (
    "A patient's own mean holds the predicted random effects, drawn towards the mean of all; "
    "nested and crossed effects are at their mean. Intervals take the estimated variances as "
    "known. For a new patient the interval of a measurement holds the variance between patients."
)


@takes_frames
def predict_patients(
    fit: Fit,
    at: Sequence[Mapping[str, Any]],
    patients: Sequence[str] | None = None,
    level: float = 0.95,
    *,
    frame: "pl.DataFrame | None" = None,
) -> PatientPredictions:
    """Every patient's own mean, and the range of a new measurement, under each setting of `at`.

    at: columns and their values, such as `{"rel_day": 14.0}`; the patient's other columns are as
    observed. patients: some of them (all when None); the label "new patient" gives the mean of the
    population, for which `at` must set every column of the model. frame: the data of a fit
    restored from JSON.
    Of a model without random effects of the patient, as one with an unstructured covariance, there
    is the new patient only: a patient's own mean is not estimable.
    Raises UserError for a patient or column that does not exist, or a column that changes within a
    patient and is not set; among them are those of the residual (group, time) and the weights.
    """
    require_level(level)
    import polars as pl
    from scipy.special import stdtrit

    fitted = fitted_of(fit, frame, "prediction")
    labels = list(fitted.design.labels) if patients is None else [str(name) for name in patients]
    problem = without_patient_effects(fitted)
    if problem is not None and any(label != NEW for label in labels):
        return PatientPredictions(level, (), NOTE, **unanswered(problem))
    new = _settings(fit, fitted, at, labels)
    rows = pl.concat([row.frame for row in new], how="vertical_relaxed")
    x, z = fitted.design.fixed_rows(rows), fitted.design.random_rows(rows)
    means, variances = _moments(fitted, [row.patient for row in new], x, z)
    df = degrees(fitted, x)
    width = stdtrit(df, 0.5 + level / 2)
    inside = width * np.sqrt(variances)
    around = width * np.sqrt(np.maximum(variances + _spread(fitted, new, rows, x, z), 0.0))
    found = [
        PatientPrediction(
            row.label,
            row.named,
            float(mean),
            float(np.sqrt(variance)),
            finite(free),
            float(mean - one),
            float(mean + one),
            float(mean - two),
            float(mean + two),
            row.caution,
        )
        for row, mean, variance, free, one, two in zip(
            new, means, variances, df, inside, around, strict=True
        )
    ]
    return PatientPredictions(level, tuple(found), NOTE)


class _Setting(NamedTuple):
    label: str
    patient: int | None
    named: str
    frame: "pl.DataFrame"
    caution: str


def _settings(
    fit: Fit,
    fitted: FittedMixed | FittedStructured,
    at: Sequence[Mapping[str, Any]],
    labels: Sequence[str],
) -> list[_Setting]:
    """One row of the model's columns for each patient and setting."""
    import polars as pl

    design = fitted.design
    where = {label: index for index, label in enumerate(design.labels)}
    used = _used(fitted)
    found = []
    for label in labels:
        if label not in where and label != NEW:
            raise UserError(
                f"prediction: there is no patient {label!r} in the fit; use its patients, or "
                f"{NEW!r} for the mean of the population"
            )
        index = where.get(label)
        base = design.frame.filter(pl.Series(design.patient == index)) if label != NEW else None
        for setting in at:
            values = model_values(fit, fitted, setting, "prediction")
            if isinstance(fitted, FittedStructured) and fit.spec is not None:
                values = with_residual_time(fitted, setting, values)
            row = _row(design.frame, base, values, used, label)
            named = ", ".join(f"{name} = {value}" for name, value in setting.items())
            caution = extrapolation(fit, fitted, [setting])
            found.append(_Setting(label, index, named, row, caution))
    return found


def _used(fitted: FittedMixed | FittedStructured) -> list[str]:
    known = {name for _, names, _ in fitted.design.matrices.x_terms for name in names}
    known |= set(random_variables(fitted))
    if isinstance(fitted, FittedStructured):
        known |= {*fitted.asked.residual_columns, *fitted.asked.effect_columns}
    return [name for name in fitted.design.frame.columns if name in known]


def _row(
    frame: "pl.DataFrame",
    base: "pl.DataFrame | None",
    setting: Mapping[str, Any],
    used: Sequence[str],
    label: str,
) -> "pl.DataFrame":
    import polars as pl

    for name in setting:
        if name not in used:
            raise UserError(f"prediction: '{name}' is not in the model; it holds {', '.join(used)}")
    values = {}
    for name in used:
        if name in setting:
            values[name] = setting[name]
            continue
        levels = base[name].unique().to_list() if base is not None else []
        if len(levels) != 1:
            who = label if base is None else f"patient {label}"
            raise UserError(f"prediction: '{name}' has no one value for {who}; set it in 'at'")
        values[name] = levels[0]
    return pl.DataFrame(
        {
            name: pl.Series(
                [value],
                dtype=pl.Float64 if frame.schema[name].is_numeric() else frame.schema[name],
            )
            for name, value in values.items()
        }
    )


def _moments(
    fitted: FittedMixed | FittedStructured, patients: Sequence[int | None], x: Array, z: Array
) -> tuple[Array, Array]:
    """Mean and variance (of the mean less its truth) of each row."""
    means = x @ fitted.beta
    variances = np.einsum("ip,pq,iq->i", x, fitted.covariance, x)
    if all(patient is None for patient in patients):
        return means, variances
    parts = effect_moments(fitted)
    for index, patient in enumerate(patients):
        if patient is None:
            continue
        means[index] += z[index] @ parts.effects[patient]
        variances[index] += z[index] @ parts.covariance[patient] @ z[index]
        variances[index] += 2 * x[index] @ parts.shared[patient] @ z[index]
    return means, np.maximum(variances, 0.0)


def _spread(
    fitted: FittedMixed | FittedStructured,
    new: Sequence[_Setting],
    rows: "pl.DataFrame",
    x: Array,
    z: Array,
) -> Array:
    """Variance of one measurement around the mean: residual, nested and crossed, and for a new
    patient the variance between patients."""
    between = np.einsum("iq,qr,ir->i", z, fitted.block, z)
    spread = np.where([row.patient is None for row in new], between, 0.0)
    if not isinstance(fitted, FittedStructured):
        return np.asarray(spread + fitted.sigma2 + float(fitted.nested_variances.sum()))
    spread += residual_variances(fitted, rows) + other_variances(fitted, rows)
    if fitted.patient_effects is None:
        return np.asarray(spread)
    parts = patient_moments(fitted)
    for index, row in enumerate(new):
        if row.patient is not None:
            # The residuals that were observed moved the mean already.
            spread[index] -= 2 * shared_with_observed(
                fitted, parts, row.patient, x[index], z[index], row.frame
            )
    return np.asarray(spread)
