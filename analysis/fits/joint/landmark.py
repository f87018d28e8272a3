"""Those still at risk on a day, by the course of their signal until then.

Anderson, Cain and Gelber 1983, doi:10.1200/JCO.1983.1.11.710.
"""

import numpy as np

from analysis.engine.structure import Array, Index
from analysis.errors import UserError
from analysis.fits.censored_fitted import FittedCensored
from analysis.fits.fitted import FittedMixed
from analysis.fits.joint.cox_alternative import (
    CoxAlternative,
    answer,
    fitted_course,
    mixed_alone,
    refused,
    risk_sets,
    usable,
)
from analysis.results import Fit


def at_landmark(fit: Fit, day: float) -> CoxAlternative:
    """Cox from `day` on among those at risk, by the course fitted to measurements until then."""
    fitted, refusal = usable(fit, "landmark")
    if refusal:
        return refusal
    p = fitted.problem
    rows, names = p.rows, fitted.columns
    if not 0 < day < float(rows.first.max()):
        raise UserError(
            f"landmark must lie between 0 and the last follow-up ({rows.first.max():g}); it is "
            f"{day:g}"
        )
    frame = rows.visits.frame
    known = frame.filter(frame[names.long_time].cast(float) <= day)
    at_risk = np.array(rows.labels)[(rows.first > day) & (rows.entry <= day)]
    known = known.filter(known[names.group].is_in(list(at_risk)))
    if not known.height:
        return refused("landmark", "no_observations", f"Nobody at risk was measured by "
                        f"{day:g}.", "Take a later landmark.")  # fmt: skip
    alone = mixed_alone(fitted, known)
    if alone.reason == "random_part_too_large":
        alone = mixed_alone(fitted, known, "1")
    if not isinstance(alone.design, FittedMixed | FittedCensored):
        return refused("landmark", alone.reason or "", alone.sentence, alone.advice)
    labels = {label: number for number, label in enumerate(alone.design.design.labels)}
    number = np.array([labels.get(label, -1) for label in rows.labels])

    def on_the_day(patient: Index, time: Array) -> Array:
        found = np.full((len(patient), len(p.association)), np.nan)
        here = number[patient] >= 0
        day_of = np.full(int(here.sum()), day)
        found[here] = fitted_course(
            p, alone.design, patient[here], day_of, p.association, number[patient[here]]
        )
        return found

    sets = risk_sets(p, on_the_day, after=day)
    return answer(fit, "landmark", sets, p.association, len(labels), day)
