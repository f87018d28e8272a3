"""The mean of each patient, and the range of a new measurement, at chosen values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np

from analysis.compute.confidence_level import require_level
from analysis.engine.structure import Array
from analysis.errors import UserError
from analysis.fits.chosen_values import extrapolation, model_values
from analysis.fits.fitted import FittedMixed
from analysis.fits.inference import degrees
from analysis.fits.patient_effects import effect_moments, random_variables
from analysis.fits.restored import fitted_of
from analysis.frames import takes_frames
from analysis.results import Fit, finite
from analysis.serialized import Serialized

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
class PatientPredictions(Serialized):
    """Result of `predict_patients`."""

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
    "nested effects are at their mean. Intervals take the estimated variances as known. For a new "
    "patient the interval of a measurement holds the variance between patients."
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
    Raises UserError for a patient or column that does not exist, or a column that changes within a
    patient and is not set.
    """
    require_level(level)
    import polars as pl
    from scipy.special import stdtrit

    fitted = fitted_of(fit, frame, "prediction")
    labels = list(fitted.design.labels) if patients is None else [str(name) for name in patients]
    new = _settings(fit, fitted, at, labels)
    rows = pl.concat([row.frame for row in new], how="vertical_relaxed")
    x, z = fitted.design.fixed_rows(rows), fitted.design.random_rows(rows)
    means, variances = _moments(fitted, [row.patient for row in new], x, z)
    df = degrees(fitted, x)
    width = stdtrit(df, 0.5 + level / 2)
    inside = width * np.sqrt(variances)
    around = width * np.sqrt(variances + _spread(fitted, [row.patient for row in new], z))
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
    fit: Fit, fitted: FittedMixed, at: Sequence[Mapping[str, Any]], labels: Sequence[str]
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
            row = _row(design.frame, base, values, used, label)
            named = ", ".join(f"{name} = {value}" for name, value in setting.items())
            caution = extrapolation(fit, fitted, [setting])
            found.append(_Setting(label, index, named, row, caution))
    return found


def _used(fitted: FittedMixed) -> list[str]:
    known = {name for _, names, _ in fitted.design.matrices.x_terms for name in names}
    known |= set(random_variables(fitted))
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
    fitted: FittedMixed, patients: Sequence[int | None], x: Array, z: Array
) -> tuple[Array, Array]:
    """Mean and variance (of the mean less its truth) of each row."""
    parts = effect_moments(fitted)
    means = x @ fitted.beta
    variances = np.einsum("ip,pq,iq->i", x, fitted.covariance, x)
    for index, patient in enumerate(patients):
        if patient is None:
            continue
        means[index] += z[index] @ parts.effects[patient]
        variances[index] += z[index] @ parts.covariance[patient] @ z[index]
        variances[index] += 2 * x[index] @ parts.shared[patient] @ z[index]
    return means, np.maximum(variances, 0.0)


def _spread(fitted: FittedMixed, patients: Sequence[int | None], z: Array) -> Array:
    """Variance of one measurement around the mean: residual and nested, and for a new patient the
    variance between patients."""
    new = np.array([patient is None for patient in patients])
    between = np.einsum("iq,qr,ir->i", z, fitted.block, z)
    return np.asarray(
        fitted.sigma2 + float(fitted.nested_variances.sum()) + np.where(new, between, 0.0)
    )
