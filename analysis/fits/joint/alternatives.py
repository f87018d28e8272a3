"""The joint model and the simpler analyses in one table, with a plain word on their bias."""

import numpy as np

from analysis.fits.joint.carried_forward import carried_forward
from analysis.fits.joint.cox_alternative import fitted_of, refused
from analysis.fits.joint.landmark import at_landmark
from analysis.fits.joint.reported import FittedJoint
from analysis.fits.joint.sentences import ratio, step_of
from analysis.fits.joint.two_stage import two_stage
from analysis.results import Check, Estimate, Fit, SensitivityRow, finite

NOT_FOLLOWED = refused(
    "landmark", "no_follow_up", "nobody was followed beyond the quarter of the events.",
    "Give an earlier landmark.",
)  # fmt: skip


def joint_alternatives(fit: Fit, landmark: float | None = None) -> Fit:
    """The joint fit with the simpler analyses in `sensitivity`, and a note on their bias.

    landmark: day of the landmark analysis, by default the quarter of the events; ratios are per
    the same step as in the sentence. Raises UserError for a fit that holds no data.
    """
    fitted = fitted_of(fit)
    rows = fitted.problem.rows
    day = float(np.quantile(rows.first[rows.event > 0], 0.25)) if landmark is None else landmark
    late = landmark is None and day >= rows.first.max()
    found = [two_stage(fit), carried_forward(fit), NOT_FOLLOWED if late else at_landmark(fit, day)]
    main = [item for item in fit.estimates if item.part == "association"][:1]
    table = [
        _row("joint model", None, item, fitted, fit.n_observations, fit.status) for item in main
    ]
    for item in found:
        shown = next((row for row in item.estimates if row.part == "association"), None)
        when = day if item.rule == "landmark" else None
        table.append(_row(item.rule, when, shown, fitted, fit.n_observations, item.status))
    notes = " ".join(f"{item.rule.capitalize()}: {item.bias}" for item in found)
    checks = tuple(check for check in fit.checks if check.name != "alternatives")
    note = Check("alternatives", "note", notes)
    return fit.replace(sensitivity=tuple(table), checks=(*checks, note))


def _row(
    rule: str, day: float | None, item: Estimate | None, fitted: FittedJoint, n: int, status: str
) -> SensitivityRow:
    if item is None:
        return SensitivityRow(rule, day, None, None, None, None, n, status)
    size, _ = step_of(item.term, fitted)
    low, high = (
        None if value is None else finite(ratio(value, size))
        for value in (item.conf_low, item.conf_high)
    )
    return SensitivityRow(
        rule, day, finite(ratio(item.estimate, size)), low, high, item.p_value, n, status
    )
