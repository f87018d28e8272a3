"""The sentences of the patient page. They say what was measured, in the words of each signal.

A label put on the cells is diluted by division, so its sentence speaks of distribution and never
of growth; an immune target is a signal of its target, not of the engineered cells.
"""

from collections.abc import Sequence
from typing import NamedTuple

from dashboard.patient.facts import BloodPeak, ImagePeak, PatientFacts, Toxicity
from figures.number_text import day_text
from figures.tracks.toxicity import grade_words

RESPONSE_WORDS: dict[str, str] = {
    "CR": "Complete response",
    "PR": "Partial response",
    "SD": "Stable disease as best response",
    "PD": "Progressive disease as best response",
    "NE": "Response not evaluable",
}


class Part(NamedTuple):
    """A piece of a sentence; strong pieces are the findings."""

    text: str
    strong: bool = False


def live_sentence(facts: PatientFacts) -> tuple[Part, ...]:
    """One or two sentences with the findings of this patient."""
    parts: list[Part] = [*_response(facts), *_peaks(facts), *_toxicity(facts)]
    if not parts:
        return (Part("Nothing was measured yet in this data cut."),)
    return tuple(parts)


def plain_text(parts: Sequence[Part]) -> str:
    """The sentence without marks."""
    return "".join(part.text for part in parts)


def image_sentence(image: ImagePeak) -> str:
    """What an imaging signal did, by itself: the text that the words gate is held to."""
    return f"{_image_subject(image)} {_image_verb(image)}on day {day_text(image.day)}."


def _response(facts: PatientFacts) -> list[Part]:
    if facts.best is None or not facts.best.get("best_response"):
        return [Part("No response assessment in this cut. ")]
    category = facts.best.get("best_category") or ""
    words = RESPONSE_WORDS.get(category, f"Best response {facts.best['best_response']}")
    day = facts.best.get("best_response_day")
    when = f" at day {day_text(day)}" if day is not None else ""
    return [Part(f"{words}{when}. ")]


def _peaks(facts: PatientFacts) -> list[Part]:
    blood, image = facts.blood, facts.image
    parts: list[Part] = []
    if blood is not None:
        parts += _blood(blood)
    if image is not None:
        parts.append(Part(", and " if blood is not None else ""))
        subject = _image_subject(image)
        parts.append(Part(subject[0].lower() + subject[1:] if len(parts) > 1 else subject))
        parts.append(Part(f" {_image_verb(image)}"))
        parts.append(Part(f"on day {day_text(image.day)}", True))
        parts.append(Part(" at "))
        parts.append(Part(together(image.metric, image.text), True))
        if image.fold:
            parts.append(Part(f", {image.fold} times baseline"))
        if image.in_lesions and image.where.endswith("lesions"):
            parts.append(Part(f" (geometric mean of {image.where})"))
    return [*parts, Part(". ")] if parts else []


def _blood(blood: BloodPeak) -> list[Part]:
    if not blood.text or blood.day is None:
        return [Part(_never(blood))]
    verb = "was highest " if blood.at_edge else "peaked "
    plural = blood.name.endswith("s")
    if plural and blood.at_edge:
        verb = "were highest "
    return [
        Part(f"Blood {blood.name} {verb}"),
        Part(f"on day {day_text(blood.day)}", True),
        Part(f" at {together(blood.text, blood.unit)}"),
    ]


def together(value: str, unit: str) -> str:
    """A value with its unit that no line break parts: "31,400 copies/µg DNA"."""
    return f"{value} {unit}".rstrip().replace(" ", "\N{NO-BREAK SPACE}").replace("/", "/\u2060")


def _never(blood: BloodPeak) -> str:
    verb = "were" if blood.name.endswith("s") else "was"
    if blood.only_odd:
        return f"Blood {blood.name} {verb} not measured in {blood.unit} ({blood.odd})"
    return f"Blood {blood.name} {verb} not quantifiable in any sample"


def _image_subject(image: ImagePeak) -> str:
    place = f"in {_image_place(image)}"
    return {
        "direct_label": f"Label of the infused cells {place}",
        "reporter_gene": f"Reporter signal {place}",
        "immune_target": f"Immune-target signal {place}",
        "target_antigen": f"Antigen signal {place}",
        "pretargeting": f"Pretargeted signal {place}",
    }.get(image.tracer_class, f"Uptake {place}")


def _image_place(image: ImagePeak) -> str:
    """ "the lesions" for their mean, "lesion L2" for the highest of fewer, "the spleen"."""
    if not image.in_lesions:
        return f"the {image.where}"
    if image.where.endswith("lesions"):
        return "the lesions"
    named = image.where.lower().startswith("lesion")
    return f"{image.where[0].lower()}{image.where[1:]}" if named else f"lesion {image.where}"


def _image_verb(image: ImagePeak) -> str:
    rising = image.tracer_class in ("reporter_gene", "immune_target") and not image.at_edge
    return "peaked " if rising else "was highest "


def _toxicity(facts: PatientFacts) -> list[Part]:
    known = [one for one in ("CRS", "ICANS") if one in facts.recorded]
    if not known:
        return []
    found = [one for one in facts.toxicities if one.category in known]
    if not found:
        return [Part(f"No {' or '.join(known)} was recorded.")]
    text = " and ".join(_grade(one) for one in found)
    return [Part(f"{text[0].upper()}{text[1:]}.")]


def _grade(one: Toxicity) -> str:
    if one.grade == 0:
        return f"{one.category} {grade_words(0)}"
    when = one.days or "no day given"
    end = ", end not recorded" if one.open_end else ""
    return f"{grade_words(one.grade)} {one.category} ({when}{end})"


def tracks_title(facts: PatientFacts) -> str:
    """What the stacked tracks show, said only when the data say it."""
    blood, image = facts.blood, facts.image
    has_blood = blood is not None and bool(blood.text) and blood.day is not None
    if has_blood and blood is not None and image is not None:
        if image.tracer_class == "reporter_gene" and not image.at_edge and not blood.at_edge:
            return (
                f"Cells peaked in blood on day {day_text(blood.day or 0)}, "
                f"in {_image_place(image)} on day {day_text(image.day)}"
            )
        subject = _image_subject(image)
        return (
            f"Blood peak on day {day_text(blood.day or 0)}; {subject[0].lower()}{subject[1:]} "
            f"highest on day {day_text(image.day)}"
        )
    if has_blood and blood is not None:
        verb = "were highest" if blood.at_edge else "peaked"
        return f"Cells in blood {verb} on day {day_text(blood.day or 0)}"
    if blood is not None:
        return _never(blood)
    return "Course by day from infusion"
