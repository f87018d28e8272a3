"""Response calls as symbols, a lane per reader, so that two readers who differ are seen."""

from collections.abc import Sequence

from analysis.derive.response import response_category
from figures.number_text import day_text
from figures.tracks.patient_frames import Choices, PatientFrames, Row, at_day, hover_text, rows
from figures.tracks.track import Mark, ReadRow, Track

COMPONENT = "overall"
READER_TEXT: dict[str, str] = {
    "INVESTIGATOR": "investigator",
    "IRC": "central",
    "INDEPENDENT ASSESSOR": "central",
}


def response_tracks(
    patient: PatientFrames, choices: Choices, day: float | None
) -> tuple[Track, ...]:
    """One lane per reader of the chosen criterion; other criteria get lanes of their own when
    none was chosen. Best responses and component calls have no lane: they have no day."""
    found = [row for row in rows(patient.responses) if _is_call(row)]
    if choices.criterion:
        found = [row for row in found if row["criterion"] == choices.criterion] or found
    lanes = _lanes(found)
    if not lanes:
        return ()
    criteria = {row["criterion"] for row in found if row.get("criterion")}
    readers = {row.get("reader") for row in found}
    single = len(lanes) == 1
    note = criterion_text(next(iter(criteria))) if len(criteria) == 1 else ""
    if single and len(readers) == 1 and (reader := next(iter(readers))):
        note = ", ".join(part for part in (note, reader_text(reader)) if part)
    return (
        Track(
            key="response",
            name="Response",
            note=note or "overall call",
            scale="lanes",
            height=26 * len(lanes) + 14,
            lanes=tuple("" if single else name for name, _ in lanes),
            marks=tuple(
                _mark(patient, row, lane)
                for lane, (_, members) in enumerate(lanes)
                for row in members
            ),
            rows=tuple(
                row
                for name, members in lanes
                for row in _rows("" if single else name, members, day)
            ),
        ),
    )


_PLAIN = {"LUGANO": "Lugano", "MARROW": "marrow", "AND": "and"}


def criterion_text(criterion: str) -> str:
    """A criterion as the screen calls it: "Lugano 2014", "B-ALL marrow and MRD"."""
    return " ".join(_PLAIN.get(word, word) for word in criterion.split())


def call_text(call: str) -> str:
    """A call as it stands beside its symbol: MRD states are short."""
    return {"MRD NEGATIVE": "neg", "MRD POSITIVE": "pos"}.get(call.upper(), call)


def reader_text(reader: str) -> str:
    """A reader as the screen calls it."""
    return READER_TEXT.get(reader.upper(), reader)


def _is_call(row: Row) -> bool:
    return bool(row.get("response")) and row.get("component") in (
        COMPONENT,
        "metabolic",
        "mrd",
        None,
    )


def _lanes(found: Sequence[Row]) -> list[tuple[str, list[Row]]]:
    """Lanes in the order overall, metabolic, MRD; of overall calls one lane per reader."""
    made: dict[tuple[int, str, str], list[Row]] = {}
    several_criteria = len({row.get("criterion") for row in found}) > 1
    for row in found:
        component = row.get("component") or COMPONENT
        order = {COMPONENT: 0, "metabolic": 1, "mrd": 2}.get(component, 3)
        what = {"mrd": "MRD", "metabolic": "PET"}.get(component, "")
        if not what and several_criteria:
            what = criterion_text(str(row.get("criterion") or ""))
        made.setdefault((order, what, reader_text(row.get("reader") or "")), []).append(row)
    named = []
    for (order, what, reader), members in sorted(made.items()):
        several_readers = sum(key[:2] == (order, what) for key in made) > 1
        parts = (what, reader if several_readers else "")
        named.append((" ".join(p for p in parts if p) or "overall", members))
    return named


def _mark(patient: PatientFrames, row: Row, lane: int) -> Mark:
    call = str(row["response"])
    category = response_category(call) or call
    words = [f"{criterion_text(str(row.get('criterion') or 'Response'))}: {call}"]
    if row.get("deauville") is not None:
        words.append(f"Deauville {row['deauville']}")
    if row.get("reader"):
        words.append(reader_text(row["reader"]))
    return Mark(
        day=float(row["rel_day"]),
        lane=lane,
        symbol=_symbol(call, category),
        color=f"response:{category}",
        hover=hover_text(patient, row, ", ".join(words), str(row.get("detail") or "")),
        text=call_text(call),
    )


def _symbol(call: str, category: str) -> str:
    """A response category has its own symbol; an MRD state is a filled or an open circle."""
    return {"MRD NEGATIVE": "circle", "MRD POSITIVE": "circle-open"}.get(call.upper(), category)


def _rows(lane: str, members: list[Row], day: float | None) -> list[ReadRow]:
    here = [row for row in members if at_day(row["rel_day"], day)]
    earlier = [row for row in members if day is not None and row["rel_day"] < day]
    if here:
        row, value = here[-1], lane
        if row.get("deauville") is not None:
            value = f"Deauville {row['deauville']}"
    elif earlier:
        row = earlier[-1]
        value = f"since day {day_text(row['rel_day'])}"
    else:
        return [ReadRow(lane or "Not assessed yet", "" if not lane else "not yet")]
    call = str(row["response"])
    category = response_category(call) or call
    return [ReadRow(call_text(call), value, symbol=category, color=f"response:{category}")]
