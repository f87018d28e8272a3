"""The head of the patient page: who, where between the others, what happened, in numbers."""

from typing import Any

from dash import html
from dash.development.base_component import Component

from dashboard.components.icon import icon
from dashboard.components.marks import grade_badge, response_mark
from dashboard.components.page_header import page_header
from dashboard.components.stat_tile import stat_strip, stat_tile
from dashboard.patient.facts import PatientFacts, Toxicity
from dashboard.patient.page_data import PageData, patient_path, short_code
from dashboard.patient.words import live_sentence
from dashboard.view import View
from figures.number_text import EN_DASH, day_text, signed_percent, significant
from figures.tracks.patient_frames import Row
from figures.tracks.response import criterion_text
from figures.tracks.toxicity import NONE_RECORDED, grade_words

SETS = {
    "infused": "all infused",
    "imaging": "imaging-evaluable",
    "efficacy": "efficacy-evaluable",
    "safety": "safety set",
}
SEX = {"F": "woman", "M": "man"}


def patient_header(view: View, data: PageData) -> Component:
    """Breadcrumb, name, neighbors, demographics and the live sentence."""
    place = (
        f"{SETS.get(view.selection.analysis_set, view.selection.analysis_set)}, "
        f"{data.order.index(data.patient.usubjid) + 1} of {len(data.order)}"
        if data.patient.usubjid in data.order
        else "outside the current filters"
    )
    parts = [
        html.Strong(part.text) if part.strong else part.text for part in live_sentence(data.facts)
    ]
    return page_header(
        data.patient.label,
        parts,
        actions=_neighbors(view, data),
        breadcrumbs=(("Patients", view.href("/patients")), (place, None)),
        subtitle=[html.Span(text) for text in demographics(data)],
    )


def _neighbors(view: View, data: PageData) -> list[Component]:
    order, here = data.order, data.patient.usubjid
    if here not in order:
        return []
    place = order.index(here)
    codes = dict(data.records.frame("subjects").select("usubjid", "subjid").iter_rows())
    before = order[place - 1] if place > 0 else None
    after = order[place + 1] if place + 1 < len(order) else None
    return [
        _neighbor(view, before, codes, "left", "Previous patient"),
        _neighbor(view, after, codes, "right", "Next patient"),
    ]


def _neighbor(
    view: View, usubjid: str | None, codes: dict[str, str | None], side: str, words: str
) -> Component:
    picture = icon(side, 16)
    if usubjid is None:
        return html.Span(picture, className="cg-button cg-button-off", **{"aria-hidden": "true"})
    code = short_code({"usubjid": usubjid, "subjid": codes.get(usubjid)})
    shown = html.Span(code, className="cg-neighbor-code")
    body = [picture, shown] if side == "left" else [shown, picture]
    return html.A(
        body,
        href=view.href(patient_path(usubjid)),
        className="cg-button",
        **{"aria-label": f"{words}: {code}", "data-focus": f"patient-{side}"},
    )


def demographics(data: PageData) -> list[str]:
    """The quiet line of facts; only those that were delivered."""
    subject = data.subject
    infusion = next(iter(data.records.patient("infusions", data.patient.usubjid).to_dicts()), {})
    age, sex = subject.get("age_year"), SEX.get(str(subject.get("sex")))
    person = " ".join(
        part for part in (f"{age:.0f}-year-old" if age is not None else "", sex or "") if part
    )
    facts = [
        person,
        str(subject.get("disease") or ""),
        str(subject.get("cohort") or ""),
        f"Site {subject['siteid']}" if subject.get("siteid") else "",
        _product(infusion, subject),
    ]
    unique = [fact for place, fact in enumerate(facts) if fact and fact not in facts[:place]]
    if not infusion and subject.get("infused") is False:
        unique.append("never infused")
    return unique


def _product(infusion: Row, subject: Row) -> str:
    parts = [str(infusion.get("product") or "")]
    level = subject.get("dose_level")
    if level:
        parts.append(f"dose level {level}" if str(level).isdigit() else str(level))
    per_kg, cells = infusion.get("dose_cells_per_kg"), infusion.get("dose_cells")
    if per_kg:
        parts.append(f"{power(per_kg)} cells/kg")
    elif cells:
        parts.append(f"{power(cells)} {infusion.get('dose_unit') or 'cells'}")
    return ", ".join(part for part in parts if part)


def power(value: float) -> str:
    """ "1.5 × 10⁶"."""
    mantissa, exponent = f"{value:.1e}".split("e")
    digits = str(int(exponent)).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
    return f"{mantissa.removesuffix('.0')} × 10{digits}"


def tiles(facts: PatientFacts) -> Component:
    """The strip of numbers; a domain that was not measured has no tile."""
    made = [_response(facts), _blood(facts), _image(facts), _burden(facts)]
    made += [_grade(facts, one) for one in ("CRS", "ICANS") if one in facts.recorded]
    if facts.b_cells:
        made.append(stat_tile("B cells below limit", facts.b_cells))
    return html.Div(
        stat_strip([tile for tile in made if tile is not None]), className="cg-patient-tiles"
    )


def _response(facts: PatientFacts) -> Component | None:
    if facts.best is None:
        return stat_tile("Best response", EN_DASH, "not assessed")
    call = facts.best.get("best_category") or facts.best.get("best_response")
    day, criterion = facts.best.get("best_response_day"), facts.best.get("criterion")
    where = [f"day {day_text(day)}" if day is not None else "", short_criterion(criterion)]
    return stat_tile("Best response", response_mark(call), ", ".join(w for w in where if w))


def short_criterion(criterion: Any) -> str:
    """ "Lugano" for "LUGANO 2014": the name without its year."""
    words = str(criterion or "").split()
    return criterion_text(" ".join(w for w in words if not w.replace(".", "").isdigit()))


def _blood(facts: PatientFacts) -> Component | None:
    blood = facts.blood
    if blood is None:
        return None
    label = f"Peak {blood.name} in blood"
    if blood.only_odd:
        return stat_tile(label, EN_DASH, blood.odd)
    if not blood.text or blood.day is None:
        return stat_tile(label, EN_DASH, "not quantifiable", note=blood.odd or None)
    where = f"{blood.unit}, day {day_text(blood.day)}".lstrip(", ")
    return stat_tile(label, blood.text, where, note=blood.odd or None)


def _image(facts: PatientFacts) -> Component | None:
    image = facts.image
    if image is None:
        return None
    place = "lesion uptake" if image.in_lesions else f"uptake, {image.where}"
    return stat_tile(f"Highest {place}", image.text, f"{image.metric}, day {day_text(image.day)}")


def _burden(facts: PatientFacts) -> Component | None:
    change = facts.burden
    if change is None:
        return None
    sign = "≤ " if change.at_limit else ""
    value = f"{sign}{signed_percent(change.percent)}"
    return stat_tile("Tumor burden", value, f"day {significant(round(change.day))}, {change.name}")


def _grade(facts: PatientFacts, category: str) -> Component:
    found: Toxicity | None = next((t for t in facts.toxicities if t.category == category), None)
    if found is None:
        return stat_tile(f"Maximum {category}", EN_DASH, NONE_RECORDED)
    said = [found.days or "no day given", *(["end open"] if found.open_end else [])]
    if found.grade == 0:
        said = [grade_words(0), *([found.days] if found.days else [])]
    badge = grade_badge(category, found.grade)
    return stat_tile(f"Maximum {category}", badge, ", ".join(said), note=found.note or None)
