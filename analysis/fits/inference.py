"""Which inference answers, and what it says: degrees of freedom, t and F tests, intervals.

The one rule for "auto" (`chosen`), at every number of patients:

- one effect or contrast: t with Satterthwaite degrees of freedom. It holds its level in small
  trials, costs nothing in large ones (where it is the normal reference), and needs no choice of a
  size from which a trial would count as large;
- several effects at once (two curves, a term of several columns): F with Kenward-Roger's degrees
  of freedom and scaling. Satterthwaite's F has no scaling, so with patients' own curves it is
  Hotelling's T2 without its factor and rejects too often; under maximum likelihood, where
  Kenward-Roger does not exist, it has to serve.

Kenward-Roger for everything on demand under REML; Wald on demand; "bootstrap" on demand. "robust"
on demand, where no effect crosses patients, and by default where a specification takes planned
visits as a factor: a random intercept takes the variances of all visits for equal, and where they
differ, single days are rejected in 1 to 8 % of trials without an effect (docs/decisions/019).
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from analysis.engine import kenward_roger as kr
from analysis.engine.satterthwaite import joint_degrees
from analysis.engine.structure import Array
from analysis.errors import UserError
from analysis.results import Estimate, WaldTest, finite

if TYPE_CHECKING:
    from analysis.fits.censored_fitted import FittedCensored
    from analysis.fits.fitted_model import FittedModel

CONF_LEVEL = 0.95
BOOTSTRAP_REPLICATES = 1000
INFERENCES = ("auto", "satterthwaite", "kenward_roger", "bootstrap", "robust", "wald")
NOTES = {
    "satterthwaite": "t and F tests with Satterthwaite degrees of freedom. With few patients the "
    "normal (Wald) reference is too narrow: at 12 patients it rejects a true null in about 8 % "
    "of trials instead of 5 %.",
    "kenward_roger": "t and F tests with Kenward-Roger degrees of freedom and standard errors "
    "corrected for estimated variances (REML).",
    "bootstrap": "Intervals and p-values of the fixed effects by parametric bootstrap "
    "(bootstrap-t, {replicates:,} replicates, seed {seed}); joint tests as by default.",
    "robust": "t tests with standard errors from how the patients differ (cluster-robust, CR2) and "
    "Bell and McCaffrey's degrees of freedom: they hold whatever the variance of each visit is. "
    "Where a random intercept takes all for equal they are then the default for planned visits. "
    "Joint tests as by default.",
    "wald": "Wald intervals and p-values (normal reference), as asked for. With few patients they "
    "are too narrow: at 12 patients a true null is rejected in about 8 % of trials instead of 5 %.",
}
AUTO = "Chosen by default, at every number of patients: "
JOINT = (
    " Joint tests of several effects by Kenward-Roger's scaled F: Satterthwaite's, which has no "
    "scaling, rejects equal curves of 24 patients in 7 to 10 % of trials."
)
KENWARD_ROGER, SATTERTHWAITE = "Kenward-Roger", "Satterthwaite"
NOTHING = 1e-12
"""Variance of a contrast, relative to the model's, that is rounding error."""
EIGENVALUE = 1.490116e-08
"""Relative size below which a direction of a joint test is not tested (as lmerTest)."""


class Tested(NamedTuple):
    """Contrasts with their uncertainty; df is infinite for the normal reference, nan for none."""

    estimate: Array
    std_error: Array
    df: Array
    statistic: Array
    p_value: Array
    conf_low: Array
    conf_high: Array


class Choice(NamedTuple):
    """Method of single effects, that of joint tests, and why."""

    single: str
    joint: str
    note: str


def chosen(inference: str, reml: bool, seed: int = 0) -> Choice:
    """The rule; seed: of the bootstrap.

    Raises UserError for a method that does not exist or does not apply.
    """
    if inference not in INFERENCES:
        raise UserError(
            f"inference {inference!r} does not exist; use one of {', '.join(INFERENCES)}"
        )
    if inference == "kenward_roger" and not reml:
        raise UserError(
            "inference 'kenward_roger' corrects a REML fit and does not exist under maximum "
            "likelihood; use reml=True or 'satterthwaite'"
        )
    joint = "kenward_roger" if reml else "satterthwaite"
    if inference == "auto":
        note = f"{AUTO}{NOTES['satterthwaite']}{JOINT * reml}"
        return Choice("satterthwaite", joint, note)
    if inference == "bootstrap":
        note = NOTES["bootstrap"].format(replicates=BOOTSTRAP_REPLICATES, seed=seed)
        return Choice("bootstrap", joint, note)
    if inference == "robust":
        return Choice("robust", joint, NOTES["robust"])
    return Choice(inference, inference, NOTES[inference])


def tested(fitted: "FittedModel | FittedCensored", rows: Array) -> Tested:
    """t tests of linear combinations of the fixed effects (rows, on the original scale).

    By parametric bootstrap where the fit asked for it; then df is nan. A censored model brings
    tests of its own.
    """
    from analysis.fits.censored_fitted import FittedCensored

    if isinstance(fitted, FittedCensored):
        return fitted.tested(rows)
    if fitted.inference == "bootstrap":
        from analysis.fits.bootstrap import bootstrap_tested
        from analysis.fits.fitted import FittedMixed
        from analysis.fits.structured import FittedStructured

        assert isinstance(fitted, FittedMixed | FittedStructured)
        return bootstrap_tested(fitted, rows)
    from scipy.special import stdtr, stdtrit

    estimate = rows @ fitted.beta
    error = np.sqrt(variances(fitted, rows))
    df = degrees(fitted, rows)
    with np.errstate(divide="ignore", invalid="ignore"):
        statistic = estimate / error
    width = stdtrit(df, 0.5 + fitted.level / 2) * error
    p_value = 2 * stdtr(df, -np.abs(statistic))
    return Tested(estimate, error, df, statistic, p_value, estimate - width, estimate + width)


def variances(fitted: "FittedModel", rows: Array) -> Array:
    """Of each contrast. Where patients do not differ at all, as at a visit with all values below
    the limit, there is nothing to judge by: nan, not zero."""
    from analysis.fits.fitted import FittedMixed
    from analysis.fits.structured import FittedStructured

    variance = np.einsum("lp,pq,lq->l", rows, fitted.covariance, rows)
    if fitted.inference != "robust" or not isinstance(fitted, FittedMixed | FittedStructured):
        return np.asarray(variance)
    least = NOTHING * np.einsum("lp,pq,lq->l", rows, fitted.model_covariance, rows)
    return np.where(variance > least, variance, np.nan)


def degrees(fitted: "FittedModel", rows: Array) -> Array:
    """Degrees of freedom of each contrast by the fit's method."""
    plain = fitted.degrees(rows)
    if fitted.inference != "kenward_roger":
        return plain
    tests = [_kenward_roger_test(fitted, row[None]) for row in rows]
    # A singular fit can have no Kenward-Roger moments.
    return np.array(
        [df if test is None else test.den_df for test, df in zip(tests, plain, strict=True)]
    )


def estimates(fitted: "FittedModel") -> tuple[Estimate, ...]:
    """One row per fixed effect."""
    names = fitted.design.matrices.x_names
    found = tested(fitted, np.eye(len(names)))
    return tuple(estimate_row(name, found, index) for index, name in enumerate(names))


def estimate_row(term: str, found: Tested, index: int) -> Estimate:
    """One contrast of `found` as a row of a table."""
    return Estimate(
        term,
        float(found.estimate[index]),
        std_error=finite(found.std_error[index]),
        df=finite(found.df[index]),
        statistic=finite(found.statistic[index]),
        p_value=finite(found.p_value[index]),
        conf_low=finite(found.conf_low[index]),
        conf_high=finite(found.conf_high[index]),
    )


def joint_test(fitted: "FittedModel", name: str, rows: Array) -> WaldTest:
    """F test of all rows being zero: Kenward-Roger's, lmerTest's contest, or (Wald) chi-square.

    Where Kenward-Roger's moments have no F distribution (a singular fit can do that) the test is
    Satterthwaite's, and says so.
    """
    from scipy.stats import chi2, f

    if fitted.inference == "kenward_roger" or (
        fitted.joint_inference == "kenward_roger" and len(rows) > 1
    ):
        found = _kenward_roger_test(fitted, rows)
        if found is not None:
            p_value = float(f.sf(found.statistic, found.df, found.den_df))
            return WaldTest(
                name, found.statistic, found.df, p_value, finite(found.den_df), "F", KENWARD_ROGER
            )
    values, vectors = np.linalg.eigh(rows @ fitted.covariance @ rows.T)
    kept = values > EIGENVALUE * values.max()
    turned = vectors[:, kept].T @ rows
    squares = (turned @ fitted.beta) ** 2 / values[kept]
    q = int(kept.sum())
    if fitted.inference == "wald":
        statistic = float(squares.sum())
        return WaldTest(name, statistic, q, float(chi2.sf(statistic, q)), method="Wald")
    den_df = joint_degrees(degrees(fitted, turned))
    statistic = float(squares.sum()) / q
    p_value = float(f.sf(statistic, q, den_df))
    return WaldTest(name, statistic, q, p_value, finite(den_df), "F", SATTERTHWAITE)


def _kenward_roger_test(fitted: "FittedModel", rows: Array) -> kr.JointTest | None:
    return where_it_exists(lambda: fitted.kenward_roger_test(rows))


def where_it_exists(kenward_roger_test: Callable[[], kr.JointTest]) -> kr.JointTest | None:
    """The test; None where Kenward-Roger's approximation does not exist."""
    try:
        test = kenward_roger_test()
    except (np.linalg.LinAlgError, ZeroDivisionError):
        return None
    usable = np.isfinite(test.statistic) and test.statistic >= 0 and test.den_df > 0
    return test if usable else None
