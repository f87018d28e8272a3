"""The one plain sentence of a fit. It obeys the status and the words of the tracer class."""

import re
from collections.abc import Mapping
from math import exp
from typing import Any

from analysis.adjuster_columns import adjuster_words
from analysis.exposure_rules import RESPONSES
from analysis.number_words import count, number
from analysis.results import Fit, GeometricMeanRatio
from analysis.specs import ModelSpec

INFERENCE_WORDS: Mapping[str, str] = {
    "satterthwaite": "Satterthwaite t",
    "kenward_roger": "Kenward-Roger t",
    "bootstrap": "parametric bootstrap",
    "robust": "t with robust variances",
    "wald": "Wald z, without small-sample correction",
}


def mixed_sentence(fit: Fit) -> str:
    """For a bare mixed model: what was fitted; the strongest term is not picked out."""
    outcome = fit.context or fit.formula.split("~")[0].strip()
    caution = "" if fit.status == "ok" else f" Caution: {fit.advice}"
    return (
        f"The model for {outcome} was fitted to {count(fit.n_observations, 'observation')} of "
        f"{count(fit.n_subjects, 'patient')} ({INFERENCE_WORDS[fit.inference]}).{caution}"
    )


GROUP_WORDS: Mapping[tuple[str, str], str] = {
    ("responder", "responder"): "responders",
    ("responder", "non-responder"): "non-responders",
    ("complete_response", "CR"): "complete responders",
    ("complete_response", "no CR"): "patients without complete response",
    ("best_response", "CR"): "complete responders",
    ("best_response", "PR"): "partial responders",
    ("best_response", "SD"): "patients with stable disease",
    ("best_response", "PD"): "patients with progression",
    ("best_response", "NE"): "patients not evaluable",
    ("sex", "F"): "women",
    ("sex", "M"): "men",
}


def answer_sentence(fit: Fit, spec: ModelSpec, signal_words: Any = None) -> str:
    """The key ratio in words, with a caution when a check was raised."""
    ratio = fit.key_ratio
    if ratio is None:
        return mixed_sentence(fit)
    text = as_asked(
        spec,
        ratio_sentence(
            ratio,
            signal_phrase(spec, signal_words),
            group_phrase(spec, ratio.group),
            group_phrase(spec, ratio.reference),
            fit.inference,
            fit.conf_level,
        )
        + _of_several(fit, ratio),
    )
    return text if fit.status == "ok" else f"{text} Caution: {fit.advice}"


def _of_several(fit: Fit, key: GeometricMeanRatio) -> str:
    """Why the sentence is about this group where there are others; "" where it is the only one."""
    groups = list(dict.fromkeys(ratio.group for ratio in fit.ratios))
    if len(groups) == 1:
        return ""
    which = "the last" if key.group == groups[-1] else f"{key.group},"
    others = [group for group in groups if group != key.group]
    listed = " and ".join(part for part in (", ".join(others[:-1]), others[-1]) if part)
    return (
        f" This is {which} of {len(groups)} levels compared with {key.reference}; the ratios of "
        f"{listed} stand beside it."
    )


def exposure_sentence(fit: Fit, spec: ModelSpec, signal_words: Any = None) -> str:
    """'Ten times more of the peak of blood transgene went with 2.1 times higher odds of ...'.

    It says "went with": an exposure is observed, not given.
    """
    row = next((item for item in fit.estimates if item.term == "exposure"), None)
    if row is None:
        return mixed_sentence(fit)
    ratio, low, high = (
        None if value is None else exp(value)
        for value in (row.estimate, row.conf_low, row.conf_high)
    )
    assert ratio is not None
    odds = spec.question == "response_by_exposure"
    code = spec.outcome.partition(":")[2]
    what = f"odds of {RESPONSES[code][1]}" if odds else f"hazard of {code}"
    same = number(ratio) == "1.0" or number(1 / ratio) == "1.0"
    size = (
        f"about the same {what}"
        if same
        else f"{number(max(ratio, 1 / ratio))} times {'higher' if ratio > 1 else 'lower'} {what}"
    )
    ends = ["without end" if end is None else number(end) for end in (low, high)]
    facts = f"{count(fit.n_subjects, 'patient')}, {fit.n_events or 0} " + (
        ("response" if fit.n_events == 1 else "responses")
        if odds
        else ("event" if fit.n_events == 1 else "events")
    )
    more = "one unit more of" if spec.transform == "none" else "ten times"
    text = (
        f"From day {spec.landmark_day:g}, {more} the {PARAMETER_WORDS[spec.parameter]} "
        f"{signal_phrase(spec, signal_words)} (day {spec.day_low or 0:g} to {spec.day_high:g}) "
        f"went with {size} ({'odds' if odds else 'hazard'} ratio {number(ratio)}, "
        f"{100 * fit.conf_level:g} % CI {ends[0]} to {ends[1]}; {facts})."
    )
    if low is None or high is None or low <= 1 <= high:
        text += " The data are also compatible with no relation."
    text = as_asked(spec, text)
    return text if fit.status == "ok" else f"{text} Caution: {fit.advice}"


PARAMETER_WORDS: Mapping[str, str] = {
    "peak": "peak of",
    "auc": "area under the curve of",
    "mean": "geometric mean of",
    "last": "last value of",
}


def as_asked(spec: ModelSpec, sentence: str) -> str:
    """The sentence with the cohorts it is about in front, what it is adjusted for behind, and then
    its caution."""
    said, caution, words = within_cohorts(spec.cohort, sentence).partition(" Caution: ")
    names = [adjuster_words(name) for name in spec.adjusters]
    listed = " and ".join(part for part in (", ".join(names[:-1]), *names[-1:]) if part)
    adjusted = f" Adjusted for {listed}." if listed else ""
    return f"{said}{adjusted}{caution}{words}"


def within_cohorts(cohorts: tuple[str, ...], sentence: str) -> str:
    """The sentence with the cohorts it is about in front: it says nothing about the others."""
    if not cohorts:
        return sentence
    start = sentence if sentence[:2].isupper() else sentence[0].lower() + sentence[1:]
    return f"In {' and '.join(cohorts)}, {start}"


def group_phrase(spec: ModelSpec, level: str) -> str:
    """A level as a group of people: 'complete responders', 'patients of dose level 2'."""
    known = GROUP_WORDS.get((spec.group, level))
    if known:
        return known
    name = spec.group.partition(":")[2] or spec.group
    return f"patients with {name.replace('_', ' ')} {level}"


def signal_phrase(spec: ModelSpec, signal_words: Any = None) -> str:
    """The outcome as a noun phrase in the words its tracer class allows.

    Blood and laboratory signals keep their label; an uptake is called what `SignalWords.signal`
    says, with metric and region.
    """
    from analysis.derive.labels import METRIC_LABELS, region_label
    from analysis.derive.signal_key import Signal
    from analysis.tracers import words_for

    signal = Signal.parse(spec.signal_key)
    if signal.domain != "uptake":
        label = signal.label.partition(",")[0]
        return (
            label
            if label[:2].isupper() or not label[:1].isalpha()
            else (label[0].lower() + label[1:])
        )
    words = signal_words or (words_for(signal.tracer_class) if signal.tracer_class else None)
    noun = words.signal if words is not None else "signal"
    where = region_label(signal.region_kind, signal.region_code)
    metric = METRIC_LABELS.get(signal.code, signal.code)
    return f"{noun} in {where} ({metric})" if where else f"{noun} ({metric})"


def ratio_sentence(
    ratio: GeometricMeanRatio,
    signal: str,
    group: str,
    reference: str,
    inference: str = "satterthwaite",
    level: float = 0.95,
) -> str:
    """'On day 14, blood transgene was 3.1 times higher in responders than in ...'.

    signal, group, reference: noun phrases; the words for the signal are the tracer class's.
    Where "lower" or "about the same" turns the number round, the ratio itself stands beside its
    interval.
    """
    when = "" if ratio.day is None else f"On day {ratio.day:g}, "
    body = f"{when}{signal} {verb(signal)} {_comparison(ratio, group, reference)}"
    counts = f"n = {ratio.n} against {ratio.n_reference}"
    facts = f"{_interval(ratio, level)}{counts}; {INFERENCE_WORDS[inference]}"
    text = f"{body[0].upper()}{body[1:]} ({facts})."
    return text if _is_clear(ratio) else f"{text} The data are also compatible with no difference."


def _comparison(ratio: GeometricMeanRatio, group: str, reference: str) -> str:
    if ratio.kind == "difference":
        size = f"{number(abs(ratio.ratio))} {'higher' if ratio.ratio >= 0 else 'lower'}"
        return f"{size} in {group} than in {reference}"
    if number(ratio.ratio) == "1.0" or number(1 / ratio.ratio) == "1.0":
        return f"about the same in {group} and in {reference}"
    if ratio.ratio > 1:
        return f"{number(ratio.ratio)} times higher in {group} than in {reference}"
    return f"{number(1 / ratio.ratio)} times lower in {group} than in {reference}"


def _interval(ratio: GeometricMeanRatio, level: float) -> str:
    if ratio.conf_low is None or ratio.conf_high is None:
        return ""
    bounds = f"{100 * level:g} % CI {number(ratio.conf_low)} to {number(ratio.conf_high)}; "
    name = "ratio of shifted values" if ratio.kind == "ratio of shifted values" else "ratio"
    turned = ratio.kind != "difference" and float(number(ratio.ratio).replace(",", "")) <= 1
    if turned:
        return f"{name} {number(ratio.ratio)}, {bounds}"
    return f"{name}, {bounds}" if name != "ratio" else bounds


def _is_clear(ratio: GeometricMeanRatio) -> bool:
    null = 0.0 if ratio.kind == "difference" else 1.0
    low, high = ratio.conf_low, ratio.conf_high
    return low is not None and high is not None and (low > null or high < null)


_PLURAL = ("cells", "cytes", "phils", "platelets", "copies")


def verb(phrase: str) -> str:
    """'were' for cells and their like, else 'was'; the noun stands before 'in', 'of' or '('."""
    noun = re.split(r" in | of | \(", phrase, maxsplit=1)[0]
    return "were" if noun.endswith(_PLURAL) else "was"
