"""The joint tests of a specification beside the reference that assumes no distribution.

With patients' own curves the F test of the whole course holds its level, and the share of
relabelled trials that are as extreme stands beside it. In three cases that share is the p-value
(rejections of null expansion curves at 5 %, benchmark "curve tests"): with planned visits as a
factor a patient has a level and no curve, and F rejects 8 to 11 % of trials; with fewer than five
patients per random effect of a full covariance F rejects 1 to 3 %; with independent effects of a
curve with 4 degrees of freedom, 8 %. Who asks for an inference by name gets its F.
"""

from dataclasses import replace

from analysis.errors import UserError
from analysis.fits.fitted import FittedMixed
from analysis.fits.permutation import permutation_test
from analysis.fits.structured import FittedStructured
from analysis.results import Fit, WaldTest
from analysis.specs import ModelSpec

ARRANGEMENTS = 1999
SEED = 1
METHOD = "permutation of patients"
FEW_PER_EFFECT = 5
DEFAULTS = ("auto", "bootstrap")
"""Inferences that leave the joint tests to the rule."""
NOTE = (
    f" The tests of the whole course compare with {ARRANGEMENTS:,} trials of relabelled patients: "
)
VISITS = (
    "a level per patient leaves the course of curves to the residual, and F tests then reject "
    "8 to 11 % of null trials."
)
FEW = (
    "with fewer than five patients per random effect F tests reject 1 to 3 % of null trials "
    "instead of 5 %."
)

INDEPENDENT = (
    "with independent random effects under a curve with 4 degrees of freedom F tests reject about "
    "8 % of null trials instead of 5 %."
)


def as_shown(fit: Fit, spec: ModelSpec) -> Fit:
    """The fit with its joint tests as they are shown: beside relabelled patients where the model
    can be fitted to them again."""
    whole = isinstance(fit.design, FittedMixed | FittedStructured)
    return relabelled_tests(fit, spec) if whole else fit


def relabelled_tests(fit: Fit, spec: ModelSpec) -> Fit:
    """Joint tests of the group with their permutation p-value; the same fit where labels cannot be
    exchanged."""
    reason = _reason(fit, spec)
    tests = {
        "interaction": _relabelled(fit, fit.interaction, "interaction", bool(reason)),
        "group_test": _relabelled(fit, fit.group_test, "any", bool(reason)),
    }
    relabelled = any(test is not None and test.method == METHOD for test in tests.values())
    note = f"{NOTE}{reason}" if relabelled else ""
    return fit.replace(**tests, inference_note=fit.inference_note + note)


def _reason(fit: Fit, spec: ModelSpec) -> str:
    """Why relabelled patients are the reference; empty where F is."""
    if spec.inference not in DEFAULTS:
        return ""
    if spec.time == "visit":  # with every covariance of the visits free F is a test of its own
        return "" if spec.residual.startswith("unstructured") else VISITS
    if spec.time == "spline" and spec.spline_df > 3 and fit.covariance == "diagonal":
        return INDEPENDENT
    effects = fit.design.design.structure.size
    crowded = effects > 1 and fit.covariance == "full" and fit.n_subjects < FEW_PER_EFFECT * effects
    return FEW if crowded else ""


def _relabelled(fit: Fit, test: WaldTest | None, terms: str, primary: bool) -> WaldTest | None:
    if test is None:
        return None
    try:
        found = permutation_test(fit, "group", ARRANGEMENTS, SEED, terms=terms, variances="null")
    except UserError:
        return test
    share = found.p_value
    if not primary:
        return replace(test, permutation_p_value=share)
    return replace(test, p_value=share, den_df=None, method=METHOD, permutation_p_value=share)
