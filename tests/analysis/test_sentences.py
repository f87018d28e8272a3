"""Sentences, literally; and the words that no sentence about a tracer class may hold."""

from dataclasses import replace

import pytest

from analysis import ModelSpec
from analysis.results import Fit, GeometricMeanRatio
from analysis.sentences import (
    answer_sentence,
    count,
    group_phrase,
    number,
    ratio_sentence,
    signal_phrase,
    verb,
    within_cohorts,
)
from analysis.tracers import TRACERS, check_words

RATIO = GeometricMeanRatio(14.0, "CR", "no CR", 83.2, 21.4, 312.0, 1e-9, 42, 16)


def test_the_sentence_of_the_model_page():
    assert ratio_sentence(RATIO, "blood CAR+ T cells", "complete responders", "all others") == (
        "On day 14, blood CAR+ T cells were 83 times higher in complete responders than in all "
        "others (95 % CI 21 to 312; n = 42 against 16; Satterthwaite t)."
    )


def test_no_clear_difference_is_said():
    ratio = GeometricMeanRatio(28.0, "responder", "non-responder", 0.5, 0.2, 1.3, 0.15, 12, 12)
    assert ratio_sentence(ratio, "IL-6", "responders", "non-responders") == (
        "On day 28, IL-6 was 2.0 times lower in responders than in non-responders (ratio 0.50, "
        "95 % CI 0.20 to 1.3; n = 12 against 12; Satterthwaite t). The data "
        "are also compatible with no difference."
    )


def test_a_difference_and_no_day():
    ratio = GeometricMeanRatio(None, "F", "M", -3.25, -5.0, -1.5, 0.001, 5, 7, kind="difference")
    assert ratio_sentence(ratio, "uptake", "women", "men") == (
        "Uptake was 3.2 lower in women than in men (95 % CI -5.0 to -1.5; n = 5 against 7; "
        "Satterthwaite t)."
    )


def test_a_caution_follows_a_warning():
    spec = ModelSpec(outcome="kinetics:CARFLOW:flow:BLOOD", group="complete_response")
    fit = Fit("m", "warning", "boundary", "", advice="Look twice.", ratios=(RATIO,))
    fit = fit.replace(inference="satterthwaite")
    assert answer_sentence(fit, spec).endswith("Satterthwaite t). Caution: Look twice.")


def levels(kind: str, reference: str, *groups: str) -> str:
    ratios = tuple(replace(RATIO, day=float(day), group=group, reference=reference)
                   for group in groups for day in (7, 14))  # fmt: skip
    key = next(place for place, one in enumerate(ratios) if one.group == groups[-1])
    if "CR" in groups:
        key = next(place for place, one in enumerate(ratios) if one.group == "CR")
    fit = Fit("m", "ok", None, "", ratios=ratios, key_index=key).replace(inference="satterthwaite")
    return answer_sentence(fit, ModelSpec(outcome="kinetics:CARFLOW:flow:BLOOD", group=kind))


def test_of_several_groups_the_sentence_says_why_it_is_about_this_one():
    said = levels("dose_level", "DL1", "DL2", "DL3")
    assert said.endswith(
        "This is the last of 2 levels compared with DL1; the ratios of DL2 stand beside it."
    )
    said = levels("best_response", "PD", "CR", "PR", "SD")
    assert said.endswith(
        "This is CR, of 3 levels compared with PD; the ratios of PR and SD stand beside it."
    )
    assert "levels compared" not in levels("responder", "non-responder", "responder")


@pytest.mark.parametrize(("value", "text"), [
    (0, "0"), (0.2, "0.20"), (0.0123, "0.012"), (1.0, "1.0"), (9.96, "10"), (2.345, "2.3"),
    (10.4, "10"), (99.6, "100"), (312.4, "312"), (13653.4, "13,700"), (4.2e7, "4.2e+07"),
    (-3.25, "-3.2"), (0.00012, "1.2e-04"),
])  # fmt: skip
def test_numbers(value, text):
    assert number(value) == text


def test_about_the_same():
    ratio = GeometricMeanRatio(14.0, "responder", "non-responder", 0.98, 0.69, 1.4, 0.9, 12, 12)
    assert ratio_sentence(ratio, "ferritin", "responders", "non-responders") == (
        "On day 14, ferritin was about the same in responders and in non-responders (ratio 0.98, "
        "95 % CI 0.69 to 1.4; n = 12 against 12; Satterthwaite t). The data "
        "are also compatible with no difference."
    )


def test_verbs():
    assert verb("blood CAR+ cells") == "were"
    assert verb("signal of reporter-positive viable cells in lesions (SUVmean)") == "was"
    assert verb("total lesion glycolysis") == "was"


@pytest.mark.parametrize(
    ("group", "level", "phrase"),
    [
        ("complete_response", "no CR", "patients without complete response"),
        ("responder", "responder", "responders"),
        ("dose_level", "DL2", "patients with dose level DL2"),
        ("characteristic:PRIORHCT", "1", "patients with PRIORHCT 1"),
    ],
)
def test_groups_in_words(group, level, phrase):
    assert group_phrase(ModelSpec(outcome="kinetics:CARTG", group=group), level) == phrase


@pytest.mark.parametrize(
    ("outcome", "phrase"),
    [
        ("kinetics:CARTG:qPCR:BLOOD", "blood transgene"),
        ("kinetics:CARFLOW:flow:BLOOD", "blood CAR+ cells"),
        ("laboratory:INTLK6:PLASMA", "IL-6"),
        ("laboratory:FERRITIN:SERUM", "ferritin"),
        (
            "uptake:zr89_oxine_cells:suv_mean:organ:SPLEEN",
            "label of the infused product in spleen (SUVmean)",
        ),
        (
            "uptake:f18_fhbg:suv_mean:lesion",
            "signal of reporter-positive viable cells in lesions (SUVmean)",
        ),
    ],
)
def test_signals_in_words(outcome, phrase):
    assert signal_phrase(ModelSpec(outcome=outcome)) == phrase


@pytest.mark.parametrize("tracer", sorted(TRACERS))
def test_no_sentence_holds_a_word_its_tracer_forbids(tracer):
    """Every tracer, every metric and region kind, up and down, ratio and difference."""
    tracer_class = TRACERS[tracer].tracer_class
    for place in ("lesion", "organ:SPLEEN", "blood_pool"):
        for kind in ("geometric-mean ratio", "ratio of shifted values", "difference"):
            for value in (3.0, 0.2):
                spec = ModelSpec(outcome=f"uptake:{tracer}:suv_max:{place}")
                ratio = GeometricMeanRatio(
                    14.0,
                    "responder",
                    "non-responder",
                    value,
                    value / 2,
                    value * 2,
                    0.01,
                    9,
                    8,
                    kind=kind,
                )
                fit = Fit("m", "ok", None, "", ratios=(ratio,))
                assert check_words(answer_sentence(fit, spec), tracer_class) == ()


@pytest.mark.parametrize(
    ("cohorts", "sentence", "said"),
    [
        ((), "On day 14, it rose.", "On day 14, it rose."),
        (("B-ALL",), "On day 14, it rose.", "In B-ALL, on day 14, it rose."),
        (("A", "B"), "CD8 signal rose.", "In A and B, CD8 signal rose."),
    ],
)
def test_a_finding_of_one_cohort_names_it(
    cohorts: tuple[str, ...], sentence: str, said: str
) -> None:
    assert within_cohorts(cohorts, sentence) == said


def test_the_words_follow_the_inference():
    text = ratio_sentence(RATIO, "IL-6", "responders", "non-responders", "wald")
    assert text.endswith("n = 42 against 16; Wald z, without small-sample correction).")


def test_one_is_singular_and_thousands_have_a_comma() -> None:
    assert (count(1, "patient"), count(1200, "patient")) == ("1 patient", "1,200 patients")
    assert count(0, "column") == "0 columns"
    assert (count(1, "study", "studies"), count(2, "study", "studies")) == ("1 study", "2 studies")
