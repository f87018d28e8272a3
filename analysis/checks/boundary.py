"""Is a variance zero or a correlation one (a singular fit)?"""

from typing import TYPE_CHECKING

from analysis.results import Check, Fit

if TYPE_CHECKING:
    from analysis.fits.fitted import FittedMixed


def check_boundary(fitted: "FittedMixed", fit: Fit) -> Check:
    """A singular fit is an answer, but one that says the random part is larger than the data."""
    singular = fitted.singular
    if not singular:
        return Check("boundary", "ok", "All variances are above zero.")
    return Check(
        "boundary",
        "warning",
        f"Singular fit: {'; '.join(singular)}. The random part is "
        "larger than the data can tell; the fixed effects stand, the variances do not. "
        "A smaller random part says the same more simply.",
        float(len(singular)),
    )
