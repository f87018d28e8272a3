"""Structured fits without one patient: full refits from the optimum of all."""

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from analysis.engine.structure import Array
from analysis.fits.inference import variances
from analysis.fits.structured.fitted import FittedStructured
from analysis.fits.structured.search import EXACT, refit


class LeftOut(NamedTuple):
    """Fixed effects and standard errors (of the reported inference) without each patient, original
    scale; nan if not fitted."""

    beta: Array
    errors: Array


def left_out(fitted: FittedStructured) -> LeftOut:
    """Of every patient in turn."""
    found = [without_patient(fitted, number) for number in range(fitted.design.n_subjects)]
    size = len(fitted.beta)
    nothing, each = np.full(size, np.nan), np.eye(size)
    beta = [nothing if one is None else one.beta for one in found]
    errors = [nothing if one is None else np.sqrt(variances(one, each)) for one in found]
    return LeftOut(np.stack(beta), np.stack(errors))


def without_patient(fitted: FittedStructured, number: int) -> FittedStructured | None:
    """The same model fitted to the other patients; None where it cannot be fitted to them.

    With effects that cross patients the rows of the patient leave the block of all rows.
    """
    dense = fitted.dense
    gone = (fitted.design.patient == number).astype(np.intp)
    if fitted.asked.crossed:
        cluster, counts = gone, np.array([1.0, 0.0])
    else:
        cluster, counts = dense.cluster, np.ones(fitted.design.n_subjects)
        counts[number] = 0.0
    kept = gone == 0
    if np.linalg.matrix_rank(dense.x[kept]) < dense.x.shape[1]:
        return None
    smaller = replace(dense, cluster=cluster, counts=counts)
    found = refit(smaller, fitted.theta, EXACT)
    return None if found is None else replace(fitted, dense=smaller, theta=found.theta)
