"""What was left out, and what is there twice."""

from typing import TYPE_CHECKING

import numpy as np

from analysis.results import Check, Fit

if TYPE_CHECKING:
    from analysis.fits.censored_fitted import FittedCensored
    from analysis.fits.fitted_model import FittedModel


def check_missing(fitted: "FittedModel | FittedCensored", fit: Fit) -> Check:
    """Rows left out, by reason."""
    if not fit.excluded:
        return Check("missing", "ok", "No observation was left out.", 0.0)
    parts = ", ".join(f"{item.n} with {item.reason}" for item in fit.excluded)
    return Check("missing", "note", f"Left out: {parts}.", float(fit.n_excluded))


def check_duplicates(fitted: "FittedModel | FittedCensored", fit: Fit) -> Check:
    """Identical rows are counted as independent measurements: usually a file loaded twice."""
    frame = fitted.design.frame
    used = [name for name in frame.columns if name != "row"]
    # Rows whose outcomes all differ cannot repeat each other: most trials end here.
    ordered = np.sort(fitted.design.matrices.y)
    apart = bool((ordered[1:] != ordered[:-1]).all())
    copies = 0 if apart else frame.height - frame[used].n_unique()
    if not copies:
        return Check("duplicates", "ok", "No row is there twice.", 0.0)
    return Check(
        "duplicates",
        "warning",
        f"{copies} rows repeat another row exactly and count "
        "twice; check the patient ids and the load.",
        float(copies),
    )
