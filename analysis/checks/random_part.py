"""Does each patient's curve have the freedom that the mean curve has?"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from analysis.covariance_rules import RESIDUALS, is_structured
from analysis.number_words import count
from analysis.results import Check

if TYPE_CHECKING:
    from analysis.checks.answer import Answer


PERMUTED = "permutation of patients"
"""Method of a test whose p-value is that of relabelled patients."""
NO_CURVE: Mapping[str, str] = {
    "independent": "",
    "by:group": "; a residual variance for each group gives them no curve of their own",
    "by:visit": "; a residual variance for each visit gives them no curve of their own",
    "ar1:visit": "; residuals correlated over the visits do not stand for curves of their own",
    "car1:day": "; residuals correlated over days do not stand for curves of their own",
}
"""What a residual structure does not do. On null expansion curves of 24 patients with a level each
(500 trials) the F test of the whole course rejects 8 to 11 % of trials with visits as a factor and
19 to 21 % with a spline, whichever of these stands beside it."""
LEVEL = "Each patient has a level of their own and a course parallel to the group's{no_curve}."
RELABELLED = (
    " In null simulations of 24 patients the F test of the whole course then rejects 8 to 11 % of "
    "the time instead of 5 %, so its p-value is that of relabelled patients, which needs no model "
    "of the courses."
)
TESTED_BY_F = (
    " In null simulations of 24 patients the F test of the whole course then rejects 8 to 11 % of "
    "the time instead of 5 %. Read the ratio on the days planned, or take residual "
    "'unstructured:visit' where the patients can carry it."
)
ONE_DAY = (
    " The ratio on one day takes the spread of all visits for its own and rejects 0 to 8 % of the "
    "time; with inference 'robust' 4 to 6 %."
)
BENDING_ALONE = (
    "The random effects of curves with 4 degrees of freedom were taken as independent; the ratio "
    "on one day then rejects 1 to 8 % of null trials of 12 patients instead of 5 %. Take 3 degrees "
    "of freedom (spline_df 3), or compare planned visits."
)
FEW_SITES = 5
"""Sites below which their variance is little more than a guess."""


def check_random_part(answer: "Answer") -> Check:
    """A smaller random part than the mean curve takes patients' own curves for evidence.

    On null expansion curves of 24 patients a straight random slope under a spline rejects 15 to
    19 % of the time, a level alone 19 to 21 %; with five lesions per patient a slope 54 to 63 %;
    the matching basis about 5 %. No residual structure but a free covariance of the visits stands
    for the patients' curves (`NO_CURVE`).
    """
    return _sites(answer) or _curves(answer)


def _curves(answer: "Answer") -> Check:
    spec = answer.spec
    doubted = _doubted_curves(answer) if spec.time == "spline" else ""
    if doubted:
        return Check("random_part", "warning", doubted)
    if spec.time == "visit" and is_structured(spec) and "visit" not in answer.fit.nested:
        return _level_at_visits(answer)
    if answer.random_note:
        return Check("random_part", "note", answer.random_note)
    if spec.time == "visit" and "visit" not in answer.fit.nested:
        return _level_at_visits(answer)
    if spec.time == "visit":
        return Check(
            "random_part",
            "ok",
            f"Each patient, each visit of a patient and each {spec.unit} has a level of its own.",
        )
    return Check("random_part", "ok", "Each patient has a curve of their own.")


def _doubted_curves(answer: "Answer") -> str:
    """Why the patients' own curves do not keep the level of the tests; "" where they do."""
    if answer.spec.random != "matching":
        return _too_small(answer)
    independent = answer.spec.spline_df > 3 and answer.fit.covariance == "diagonal"
    return BENDING_ALONE if independent else ""


def _too_small(answer: "Answer") -> str:
    """A random part smaller than the curve, and whether the patients could carry one as large."""
    values, patients = answer.frame.height, answer.frame["usubjid"].n_unique()
    residual = answer.spec.residual
    beside = "" if residual == "independent" else f", beside residual {residual!r} too"
    if values > (answer.spec.spline_df + 1) * patients:
        return (
            f"The patients' random part is smaller than the curve{beside}: a comparison of curves "
            "then rejects far too often (15 to 21 % instead of 5 %). Use the matching random part."
        )
    return (
        f"{values} values of {count(patients, 'patient')} are too few for a curve of each patient; "
        f"with less, a comparison of curves rejects far too often (15 to 21 % instead of 5 %)"
        f"{beside}. Read the days, not the test of all days."
    )


def _sites(answer: "Answer") -> Check | None:
    """Sites are a sample of many; None where they can be, or are not asked for."""
    if "siteid" not in answer.spec.crossed:
        return None
    patients = answer.frame.select("usubjid", "siteid").unique()
    sites = patients["siteid"].n_unique()
    if sites == patients["usubjid"].n_unique():
        return Check(
            "random_part", "warning",
            f"Each of the {sites} sites has one patient, so what sites and what patients differ by "
            "cannot be told apart; leave 'crossed' out.", float(sites),
        )  # fmt: skip
    if sites < FEW_SITES:
        return Check(
            "random_part", "warning",
            f"{sites} sites hardly determine the variance between sites; make siteid an adjuster "
            f"instead, or have {FEW_SITES} sites or more.", float(sites),
        )  # fmt: skip
    return None


def _level_at_visits(answer: "Answer") -> Check:
    """Planned visits of patients with a level of their own: by what the course is tested."""
    residual, test = answer.spec.residual, answer.fit.group_test
    if residual.startswith("unstructured"):
        text = RESIDUALS[residual]
        return Check("random_part", "ok", f"{text[0].upper()}{text[1:]}.")
    words = LEVEL.format(no_curve=NO_CURVE[residual])
    one_day = ONE_DAY if answer.fit.inference in ("satterthwaite", "kenward_roger") else ""
    if test is None:
        return Check("random_part", "note", words)
    if test.method == PERMUTED:
        return Check("random_part", "note", f"{words}{RELABELLED}{one_day}")
    return Check("random_part", "warning", f"{words}{TESTED_BY_F}{one_day}")
