"""Do the residuals look like the model says?"""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from analysis.results import Check, Fit

if TYPE_CHECKING:
    from analysis.fits.fitted_model import FittedModel

CLOSE, POOR = 0.97, 0.90
"""Normal quantile correlation: close to normal above, visibly not normal below."""
OUTLIER_SD = 4.0
OUTLIER_SHARE = 0.01
"""Share of the observations from which outliers change the status; mixed models bear a few."""


def normal_scores(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Expected normal order statistics (Blom 1958): (rank - 3/8) / (n + 1/4)."""
    from scipy.special import ndtri

    distinct, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    ranks = last - (counts - 1) / 2 if len(distinct) < len(values) else last
    return np.asarray(ndtri((ranks[place] - 0.375) / (len(values) + 0.25)))


def check_residual_shape(fitted: "FittedModel", fit: Fit) -> Check:
    """Correlation of residuals with normal scores (the straightness of the QQ plot)."""
    residuals = fitted.residuals
    if np.ptp(residuals) == 0:
        return Check("residual_shape", "note", "All residuals are the same.")
    one, scores = residuals - residuals.mean(), normal_scores(residuals)
    two = scores - scores.mean()
    correlation = float(one @ two / np.sqrt((one @ one) * (two @ two)))
    if correlation >= CLOSE:
        return Check("residual_shape", "ok", "Residuals are close to normal.", correlation)
    text = (
        f"Residuals have heavy or uneven tails (QQ correlation {correlation:.2f}): look at the "
        "QQ plot; values below the limit and single patients are the usual cause."
    )
    return Check("residual_shape", "warning" if correlation < POOR else "note", text, correlation)


def check_outliers(fitted: "FittedModel", fit: Fit) -> Check:
    """Residuals beyond four standard deviations: 1 in 16,000 under the model."""
    standardized = np.abs(fitted.residuals) / np.sqrt(fitted.sigma2)
    rows = np.flatnonzero(standardized > OUTLIER_SD)
    if not len(rows):
        return Check("outliers", "ok", "No residual beyond four standard deviations.", 0.0)
    patients = len({int(fitted.design.patient[row]) for row in rows})
    one = len(rows) == 1
    text = (
        f"{len(rows)} value{'' if one else 's'} of {patients} patient"
        f"{'' if patients == 1 else 's'} {'lies' if one else 'lie'} beyond four standard "
        "deviations; look there in the residual plot before you trust the estimate."
    )
    many = len(rows) > OUTLIER_SHARE * len(standardized)
    return Check("outliers", "warning" if many else "note", text, float(len(rows)))
