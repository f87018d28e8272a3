"""A conclusion that turns with the rule or with the day stands in the sentence of the fit."""

import pytest

from analysis import ModelSpec, fit_specification
from analysis.checks.answer import Answer
from analysis.checks.conclusion import check_conclusion_by_day, check_conclusion_by_rule
from analysis.results import Fit, GeometricMeanRatio, SensitivityRow, WaldTest
from export.fit_text import fit_text

SPEC = ModelSpec(outcome="kinetics:CARTG:qPCR:BLOOD", day_low=0.0)
FIT = Fit("linear mixed model", "ok", None, "", n_subjects=24, n_observations=96, n_censored=9)


def rows(*found, joint=(None, None, None)):
    rules = ("censored", "half_lloq", "drop")
    return tuple(
        SensitivityRow(rule, 14.0, ratio, None, None, p, 96, "ok", whole)
        for rule, (ratio, p), whole in zip(rules, found, joint, strict=True)
    )


def by_rule(*found, joint=(None, None, None), blq="half_lloq"):
    fit = FIT.replace(sensitivity=rows(*found, joint=joint))
    return check_conclusion_by_rule(Answer(SPEC.replace(blq=blq), None, fit, ()))


def test_a_decision_that_turns_is_a_warning_with_what_to_do():
    check = by_rule((3.1, 0.16), (3.4, 0.002), (3.3, 0.2))
    assert check.status == "warning"
    assert check.message == (
        "The conclusion depends on the rule for values below the limit (p 0.16 censored, p 0.0020 "
        "half the limit, p 0.20 left out); take the rule 'censored' as the primary one, and report "
        "the others beside it; the number above is that of the rule 'half the limit', which has a "
        "test of the whole course."
    )


def test_under_the_censored_likelihood_too():
    check = by_rule((3.1, 0.16), (3.4, 0.002), (3.3, 0.2), blq="censored")
    assert check.status == "warning"
    assert check.message.endswith("; keep the censored result, and report the others beside it.")


def test_the_test_of_the_whole_course_counts_too():
    check = by_rule((3.1, 0.01), (3.2, 0.01), (3.3, 0.02), joint=(None, 0.03, 0.2))
    assert check.status == "warning"
    assert check.message.startswith(
        "The test of the whole course depends on the rule for values below the limit (p 0.030 half "
        "the limit, p 0.20 left out); there is no such test with the values censored: report both, "
        "and conclude from neither alone."
    )
    three = by_rule((3.1, 0.01), (3.2, 0.01), (3.3, 0.02), joint=(0.1, 0.03, 0.2))
    assert "take the rule 'censored' as the primary one, and report the others" in three.message


def test_without_a_censored_answer_nobody_is_sent_to_it():
    check = by_rule((None, None), (3.2, 0.01), (3.3, 0.2))
    assert check.status == "warning"
    assert check.message == (
        "The conclusion depends on the rule for values below the limit (p 0.010 half the limit, "
        "p 0.20 left out); the censored rule could not be fitted: report those that were, and "
        "conclude from none alone."
    )


def test_two_p_values_that_round_to_five_per_cent_are_told_apart():
    check = by_rule((3.1, 0.0496), (3.4, 0.0504), (3.3, 0.04999))
    assert "p 0.0496 censored, p 0.0504 half the limit, p 0.04999 left out" in check.message


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (((1.15, 0.5), (0.95, 0.6), (1.1, 0.7)),
         "The direction depends on the rule for values below the limit (ratio 1.1 censored, ratio "
         "0.95 half the limit, ratio 1.1 left out); "),
        (((3.0, 0.01), (2.3, 0.01), (2.9, 0.02)),
         "The size depends on the rule for values below the limit (ratio 3.0 censored, ratio 2.3 "
         "half the limit, ratio 2.9 left out); "),
    ],
)  # fmt: skip
def test_direction_and_size(found, words):
    check = by_rule(*found)
    assert check.status == "warning"
    assert check.message.startswith(words)


@pytest.mark.parametrize(
    "found",
    [
        ((3.0, 0.01), (2.8, 0.02), (2.9, 0.03)),
        ((1.02, 0.9), (0.98, 0.9), (1.0, 0.9)),  # about one has no direction
        ((3.0, 0.01), (2.8, 0.02), (None, None)),  # a rule that cannot be fitted says nothing
    ],
)
def test_rules_that_agree(found):
    check = by_rule(*found)
    assert check.status == "ok"
    assert "one conclusion" in check.message


def by_day(p_value, joint):
    key = GeometricMeanRatio(14.0, "a", "b", 2.0, 1.1, 3.6, p_value, 12, 12)
    test = WaldTest("group at any time", 2.0, 4, joint)
    fit = FIT.replace(ratios=(key,), group_test=test)
    return check_conclusion_by_day(Answer(SPEC, None, fit, ()))


def test_one_day_against_the_whole_course():
    check = by_day(0.03, 0.12)
    assert (check.status, check.value) == ("warning", 0.12)
    assert check.message == (
        "The test of the whole course shows no difference (p 0.12) where day 14 alone does "
        "(p 0.030); report the whole course first, and take day 14 as a lead to be confirmed."
    )
    check = by_day(0.12, 0.03)
    assert check.status == "warning"
    assert check.message == (
        "The test of the whole course shows a difference (p 0.030) where day 14 alone does not "
        "(p 0.12); report the whole course first, and read the days as its description."
    )
    assert by_day(0.03, 0.049).status == by_day(0.06, 0.9).status == "ok"


def test_a_fit_says_both_in_its_sentence_and_in_its_text(simulate_trial):
    """Half the limit is below 5 % on day 14; censored it is not, nor is the whole course."""
    frame = simulate_trial(7, patients=20, log_ratio=0.35, lloq=300.0)
    fit = fit_specification(frame, SPEC, influence=False)
    censored, half, _ = fit.sensitivity
    assert half.p_value < 0.05 < censored.p_value
    assert (fit.status, fit.reason) == ("warning", "conclusion_by_rule")
    said = fit.sentence.partition(" Caution: ")[2]
    assert "The conclusion depends on the rule for values below the limit" in said
    assert "The test of the whole course shows no difference" in said
    assert fit_text(fit).startswith(fit.sentence)
    stored = Fit.from_dict(fit.to_dict())
    assert stored.sensitivity == fit.sensitivity


def test_the_table_has_the_test_of_the_course_as_the_answer_shows_it(simulate_trial):
    """With visits it is the permutation p of relabelled patients, under every rule."""
    frame = simulate_trial(4, log_ratio=0.5, lloq=60.0)
    spec = SPEC.replace(time="visit", random="intercept", day_low=7.0)
    fit = fit_specification(frame, spec, influence=False)
    by = {row.rule: row.joint_p_value for row in fit.sensitivity}
    assert by["censored"] is None
    assert by["half_lloq"] == fit.group_test.p_value
    dropped = fit_specification(frame, spec.replace(blq="drop"), influence=False)
    assert by["drop"] == dropped.group_test.p_value


def test_the_caution_of_a_turned_conclusion_hides_no_other(simulate_trial):
    frame = simulate_trial(7, patients=10, log_ratio=0.9, lloq=300.0)
    fit = fit_specification(frame, SPEC, influence=False)
    turned = [
        c.message for c in fit.checks if c.name.startswith("conclusion_") and c.status == "warning"
    ]
    others = [
        c.message
        for c in fit.checks
        if not c.name.startswith("conclusion_") and c.status == "warning"
    ]
    assert turned
    assert others
    assert fit.advice == " ".join([*turned, others[0]])


def test_nothing_to_compare_is_said():
    alone = check_conclusion_by_rule(Answer(SPEC, None, FIT, ()))
    assert (alone.status, alone.message) == (
        "note", "No second rule for values below the limit could be compared.",
    )  # fmt: skip
    none = check_conclusion_by_rule(Answer(SPEC, None, FIT.replace(n_censored=0), ()))
    assert (none.status, none.message[:30]) == ("ok", "No value is below the limit, s")


def test_a_residual_structure_is_compared_by_the_same_test(simulate_trial):
    """Its visits are tested by relabelled patients, under every rule or under none."""
    frame = simulate_trial(4, log_ratio=0.5, lloq=60.0)
    spec = SPEC.replace(time="visit", random="intercept", day_low=7.0, residual="ar1:visit")
    fit = fit_specification(frame, spec, influence=False)
    by = {row.rule: row.joint_p_value for row in fit.sensitivity}
    assert by["half_lloq"] == fit.group_test.p_value
    dropped = fit_specification(frame, spec.replace(blq="drop"), influence=False)
    assert by["drop"] == dropped.group_test.p_value
