"""The key ratio of a censored model without each patient in turn: full refits from the optimum."""

import numpy as np

from analysis.fits.censored_fitted import FittedCensored
from analysis.fits.censored_likelihood import likelihood_of
from analysis.fits.influence import KeyContrast
from analysis.fits.joint.information import inverse_information, vanished_effects
from analysis.fits.joint.quadrature import NODES_BY_DIMENSION
from analysis.fits.joint.search import search
from analysis.fits.outcome_scale import power
from analysis.results import InfluencePoint, finite


def leave_one_out_censored(fitted: FittedCensored, key: KeyContrast) -> tuple[InfluencePoint, ...]:
    """One point per patient; None where the model cannot be fitted without that patient.

    On a coarser grid than the fit: the change by one patient is far larger than its error.
    """
    labels = fitted.design.labels
    return tuple(_without(fitted, key, number) for number in range(len(labels)))


def _without(fitted: FittedCensored, key: KeyContrast, number: int) -> InfluencePoint:
    design, layout = fitted.design, fitted.layout
    label = design.labels[number]
    nothing = InfluencePoint(label, None, None, None, None)
    who = np.delete(np.arange(design.n_subjects, dtype=np.intp), number)
    per_effect = NODES_BY_DIMENSION[layout.n_random]
    likelihood = likelihood_of(design, fitted.limits, per_effect, who)
    try:
        found = search(likelihood, fitted.found.theta)
        hidden = vanished_effects(layout, found.theta)
        inverse = inverse_information(layout, found.evaluation.hessian, hidden)
    except np.linalg.LinAlgError:
        return nothing
    if inverse is None or not found.converged:
        return nothing
    row = design.y_scale * np.linalg.solve(design.x_transform.T, key.row)
    value = float(row @ found.theta[layout.beta])
    variance = float(row @ inverse[layout.beta, layout.beta] @ row)
    # The small-sample scale and the degrees of freedom of the whole trial, one patient fewer.
    raised = float(key.row @ fitted.covariance @ key.row)
    assert fitted.information_inverse is not None
    plain = float(row @ fitted.information_inverse[layout.beta, layout.beta] @ row)
    df = float(fitted.degrees(key.row[None])[0]) - 1
    return _point(key, label, value, variance * raised / plain, df, fitted.conf_level)


def _point(
    key: KeyContrast, label: str, value: float, variance: float, df: float, level: float
) -> InfluencePoint:
    from scipy.special import stdtrit

    if df <= 0:
        return InfluencePoint(label, None, None, None, None)
    half = float(stdtrit(df, 0.5 + level / 2)) * float(np.sqrt(variance))
    back = power if key.log else float
    values = (value, value - half, value + half, value - key.estimate)
    return InfluencePoint(label, *(finite(back(number)) for number in values))
