"""What is looked at after a mixed model with values beyond a limit was fitted."""

from typing import TYPE_CHECKING

from analysis.checks.enough_subjects import FEW_SUBJECTS
from analysis.checks.records import check_duplicates, check_missing
from analysis.results import Check, Fit

if TYPE_CHECKING:
    from analysis.fits.censored_fitted import FittedCensored

ACCURACY = 1e-3
"""Change of the log-likelihood by twice the nodes that is shown as a warning: it may move an
estimate by about as many standard errors."""
HALF = 0.5
FEW, MUCH = 20, 1 / 3
CONSERVATIVE = (
    " Few patients, slopes of their own and a third or more of the values beyond a limit make the "
    "test of a course conservative (12 patients and 40 %: about 2 % of trials without a difference "
    "are rejected instead of 5 %): that nothing was found says less than usual."
)
"""Below FEW patients and from a share of MUCH on; measured by `benchmarks.censored_nulls`."""


def censored_checks(fitted: "FittedCensored", fit: Fit) -> tuple[Check, ...]:
    """Convergence, integral, limits, random part, patients, rows left out, inference."""
    return (
        _converged(fitted),
        _integral(fitted),
        _share(fit),
        _boundary(fitted),
        _enough(fitted),
        check_missing(fitted, fit),
        check_duplicates(fitted, fit),
        _inference(fitted, fit),
    )


def _inference(fitted: "FittedCensored", fit: Fit) -> Check:
    if fit.inference == "satterthwaite" and fitted.restricted is None:
        return Check(
            "inference", "warning",
            "The restricted likelihood has no maximum, so standard errors are those of maximum "
            "likelihood, which are too small with few patients. Take a smaller random part.",
        )  # fmt: skip
    if _is_conservative(fitted, fit):
        return Check("inference", "note", fit.inference_note + CONSERVATIVE)
    return Check("inference", "note" if fit.inference == "wald" else "ok", fit.inference_note)


def _is_conservative(fitted: "FittedCensored", fit: Fit) -> bool:
    return (
        fit.inference == "satterthwaite"
        and len(fitted.block) > 1
        and fit.n_subjects < FEW
        and fit.n_censored >= MUCH * fit.n_observations
    )


def _converged(fitted: "FittedCensored") -> Check:
    steps, left = fitted.found.steps, fitted.found.decrement
    return Check(
        "convergence", "ok",
        f"The maximum was reached in {steps} Newton steps; a further one promises a gain of "
        f"{left:.0e} in log-likelihood.", left,
    )  # fmt: skip


def _integral(fitted: "FittedCensored") -> Check:
    """The log-likelihood at the maximum with twice the nodes."""
    message = (
        f"{fitted.per_effect} nodes per random effect; twice as many change the log-likelihood by "
        f"{fitted.accuracy:.0e}."
    )
    if fitted.accuracy < ACCURACY:
        return Check("integral", "ok", message, fitted.accuracy)
    return Check(
        "integral", "warning", f"{message} Take a smaller random part.", fitted.accuracy
    )  # fmt: skip


def _share(fit: Fit) -> Check:
    n, total = fit.n_censored, fit.n_observations
    words = f"{n} of {total} values are known by their limits only."
    if n > HALF * total:
        return Check(
            "limits", "warning",
            f"{words} More than half: the answer rests on the normal shape of what was not "
            "measured.", n / total,
        )  # fmt: skip
    return Check("limits", "ok", words, n / total)


def _boundary(fitted: "FittedCensored") -> Check:
    if not fitted.vanished:
        return Check("boundary", "ok", "All variances are above zero.")
    return Check(
        "boundary", "warning",
        f"Singular fit: {len(fitted.vanished)} of {fitted.layout.n_random} directions of the "
        "random effects have no variance. The fixed effects stand; a smaller random part says the "
        "same more simply.", float(len(fitted.vanished)),
    )  # fmt: skip


def _enough(fitted: "FittedCensored") -> Check:
    n = fitted.design.n_subjects
    if n >= FEW_SUBJECTS:
        return Check("enough_subjects", "ok", f"{n} patients.", float(n))
    return Check(
        "enough_subjects", "warning",
        f"Only {n} patients: variances are rough. Show the individual curves beside the estimate.",
        float(n),
    )  # fmt: skip
