"""How one new measurement lies around its mean, in a model whose residual has a structure.

Its residual has the variance of its group, visit and weight. Under autoregressive residuals of the
patient it goes together with those observed, which already moved the patient's predicted mean.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis.engine.residual_parts import (
    AutoregressiveResidual,
    IndependentResidual,
    UnstructuredResidual,
)
from analysis.engine.structure import Array, Index
from analysis.errors import UserError
from analysis.fits.chosen_values import DAYS
from analysis.fits.structured.effects import PatientMoments
from analysis.fits.structured.fitted import FittedStructured
from analysis.fits.structured.weights import positive_weights

if TYPE_CHECKING:
    import polars as pl

VISIT_NUMBER = "visit_number"
"""Column of `model_rows` that counts the planned visits."""


def residual_variances(fitted: FittedStructured, frame: "pl.DataFrame") -> Array:
    """Of a measurement in each new row, on the scale of the data.

    frame: with the columns of the residual and the weights. Raises UserError for a group or visit
    that was not fitted, or a weight that is not positive.
    """
    part, own = fitted.dense.parts[-1], fitted.dense.split.of(fitted.theta)[-1]
    if isinstance(part, UnstructuredResidual):
        sizes = np.diagonal(part.sigma(own))[_levels(fitted, frame, part.labels)]
    elif isinstance(part, IndependentResidual):
        grouped = len(part.levels) > 1 or part.levels != ("",)
        sizes = np.exp(2 * own)[_levels(fitted, frame, part.levels) if grouped else 0]
    else:
        assert isinstance(part, AutoregressiveResidual)
        _require_visits(fitted, frame, part)
        sizes = np.exp(2 * own[0])
    return np.asarray(fitted.design.y_scale**2 * sizes / _relative_weights(fitted, frame))


def _require_visits(
    fitted: FittedStructured, frame: "pl.DataFrame", part: AutoregressiveResidual
) -> None:
    """AR(1) counts visits: between two of them there is no correlation to speak of."""
    column = fitted.asked.residual.column
    for value in frame[column].cast(float).to_list():
        if not part.continuous and value != round(value):
            raise UserError(
                f"prediction: {column} = {value:g} lies between two visits of an AR(1) residual; "
                "choose a whole number, or fit it with 'car1' over days"
            )


def _levels(fitted: FittedStructured, frame: "pl.DataFrame", known: tuple[str, ...]) -> Index:
    """Number of each row's level among those that were fitted, named as there."""
    import polars as pl

    column = fitted.asked.residual.column
    dtype = fitted.design.frame.schema[column]
    names = frame[column].cast(dtype, strict=False).cast(pl.String).to_list()
    for name, given in zip(names, frame[column].to_list(), strict=True):
        if name not in known:
            raise UserError(
                f"prediction: {column} = {given} has no residual variance in the fit; it has those "
                f"of {', '.join(known)}"
            )
    return np.array([known.index(name) for name in names], dtype=np.intp)


def _relative_weights(fitted: FittedStructured, frame: "pl.DataFrame") -> Array:
    column = fitted.asked.weights
    if not column:
        return np.ones(frame.height)
    return positive_weights(frame, column) / fitted.mean_weight


def other_variances(fitted: FittedStructured, frame: "pl.DataFrame") -> Array:
    """Of nested and crossed effects, which are at their mean in a patient's own."""
    total = np.zeros(frame.height)
    for one in fitted.effects:
        if one.role != "patient":
            z = one.rows(frame)
            total += np.einsum("iq,qr,ir->i", z, fitted.covariance_of(one), z)
    return total


def shared_with_observed(
    fitted: FittedStructured,
    moments: PatientMoments,
    patient: int,
    x: Array,
    z: Array,
    frame: "pl.DataFrame",
) -> float:
    """Covariance of a patient's predicted mean with the residual of a new measurement of theirs.

    x, z, frame: of one new row. Zero unless residuals of the patient are autoregressive; a new
    lesion begins a course of its own.
    """
    part, own = fitted.dense.parts[-1], fitted.dense.split.of(fitted.theta)[-1]
    if not isinstance(part, AutoregressiveResidual) or fitted.asked.nested:
        return 0.0
    weights, point, design = moments.weights[patient], fitted.point, fitted.design
    rows = weights.rows
    time = float(frame[fitted.asked.residual.column].cast(float)[0]) / part.unit
    apart = np.abs(part.time[rows[weights.own]] - time)
    together = np.exp(2 * own[0]) * part.correlation(own, apart)
    if part.root is not None:
        together /= part.root[rows[weights.own]] * np.sqrt(_relative_weights(fitted, frame)[0])
    # Weight of every observation in the predicted mean: x'b of all patients and z'u of this one.
    turned = weights.inverse @ fitted.dense.x[rows] @ point.covariance
    slope = weights.gain @ fitted.dense.x[rows]
    scaled = fitted.scaled_rows(x[None])[0]
    turn = z @ np.linalg.inv(design.z_transform)
    share = scaled @ turned.T + turn @ weights.gain - turn @ slope @ turned.T
    return float(design.y_scale**2 * share[weights.own] @ together)


def with_residual_time(
    fitted: FittedStructured, setting: Mapping[str, Any], values: dict[str, Any]
) -> dict[str, Any]:
    """The values of a question's setting with the time of the residual, which its day says too.

    values: in columns of the model, where the day has become a visit or a spline's time.
    """
    import polars as pl

    column = fitted.asked.residual.column
    days = [setting[name] for name in DAYS if name in setting]
    if not days or column in values:
        return values
    if column == "day":
        return {**values, "day": float(days[0])}
    if column == VISIT_NUMBER and "visit" in values:
        frame = fitted.design.frame
        own = frame.filter(pl.col("visit").cast(pl.String) == str(values["visit"]))
        return {**values, column: own[column][0]}
    return values
