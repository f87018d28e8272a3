"""A Cox model of the last measured value, as a time-varying covariate."""

import numpy as np

from analysis.engine.structure import Array, Index
from analysis.fits.joint.cox_alternative import CoxAlternative, answer, refused, risk_sets, usable
from analysis.results import Fit


def carried_forward(fit: Fit) -> CoxAlternative:
    """Cox with the last measured value before every event time."""
    fitted, refusal = usable(fit, "carried forward")
    if refusal:
        return refusal
    p = fitted.problem
    if p.rows.limits is not None:
        return refused("carried forward", "limits", "a value beyond a limit is not there to be "
                        "carried forward.", "Rely on the joint model.")  # fmt: skip
    if "value" not in p.association:
        return refused(
            "carried forward",
            "no_value",
            "the joint model has no association with the value of the signal.",
            "Fit it with the association 'value'.",
        )
    frame = p.rows.visits.frame
    time = frame[fitted.columns.long_time].cast(float).to_numpy()
    patient, value = p.design.patient, p.design.matrices.y
    order = np.lexsort((time, patient))
    patient, time, value = patient[order], time[order], value[order]
    starts = np.searchsorted(patient, np.arange(len(p.rows.labels)))

    def last(who: Index, at: Array) -> Array:
        ends = np.append(starts, len(patient))
        found = np.full(len(who), np.nan)
        for row, (number, when) in enumerate(zip(who, at, strict=True)):
            here = slice(int(ends[number]), int(ends[number + 1]))
            before = int(np.searchsorted(time[here], when, side="left"))
            if before:
                found[row] = value[here][before - 1]
        return found[:, None]

    return answer(fit, "carried forward", risk_sets(p, last), ("value",), len(p.rows.labels))
