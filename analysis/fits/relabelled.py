"""The joint tests of a specification beside the reference that assumes no distribution.

With planned visits as a factor a patient has a level and no curve, and no small random part makes
the test of the whole course hold its level: on null expansion curves of 24 patients it rejects 11 %
of trials instead of 5 %. There the share of relabelled trials is the p-value. With patients' own
curves the F test holds its level, and the share stands beside it.
"""

from dataclasses import replace

from analysis.errors import UserError
from analysis.fits.permutation import permutation_test
from analysis.results import Fit, WaldTest
from analysis.specs import ModelSpec

ARRANGEMENTS = 1999
SEED = 1
METHOD = "permutation of patients"
NOTE = (
    f" The tests of the whole course compare with {ARRANGEMENTS:,} trials of relabelled patients: "
    "a level per patient leaves the course of curves to the residual, and F tests then reject "
    "about 11 % of null trials."
)


def relabelled_tests(fit: Fit, spec: ModelSpec) -> Fit:
    """Joint tests of the group with their permutation p-value; the same fit where labels cannot be
    exchanged."""
    tests = {
        "interaction": _relabelled(fit, fit.interaction, "interaction", spec),
        "group_test": _relabelled(fit, fit.group_test, "any", spec),
    }
    relabelled = any(test is not None and test.method == METHOD for test in tests.values())
    return fit.replace(**tests, inference_note=fit.inference_note + NOTE * relabelled)


def _relabelled(fit: Fit, test: WaldTest | None, terms: str, spec: ModelSpec) -> WaldTest | None:
    if test is None:
        return None
    try:
        found = permutation_test(fit, "group", ARRANGEMENTS, SEED, terms=terms, variances="null")
    except UserError:
        return test
    share = found.p_value
    if spec.time != "visit":
        return replace(test, permutation_p_value=share)
    return replace(test, p_value=share, den_df=None, method=METHOD, permutation_p_value=share)
