"""What to do about a refused record, beside the words of its rule: the names that are accepted and
lie nearest, the format that was expected, where the whole list is."""

import re
from collections.abc import Iterable
from datetime import datetime
from difflib import get_close_matches

from analysis.compute.units import FAMILIES
from analysis.tracers import TRACERS
from etl.contracts.contract import Contract
from etl.contracts.day_units import DAYS_PER
from etl.contracts.metric_names import KNOWN_METRICS
from etl.contracts.times import EPOCHS
from etl.contracts.units import accepted_units
from etl.profiles.cells import fold

UNIT_LIST, TRACER_LIST = "docs/reference/units.md", "docs/reference/tracers.md"
NEAREST, MOST_WORDS = 3, 12
NEAR_ENOUGH = 0.5
EXAMPLE = datetime(2026, 3, 31, 9, 30)
COMMA = re.compile(r"^[<>\u2264\u2265= ]*[+-]?\d*,\d+(?:[eE][+-]?\d+)?$")
THOUSANDS = re.compile(r"^[<>\u2264\u2265= ]*[+-]?[1-9]\d{0,2},\d{3}$")
"""A number with a comma, which may stand before a fraction or before three figures."""
MORE_FIELDS = (
    'put a number or text with the delimiter in it into quotes ("12,400"; then `thousands` or '
    "`decimal` says what its comma is), export with another delimiter (semicolon, tab), or name "
    "the field in the header"
)
UNIT_RULES = frozenset({"unit_unknown", "unit_missing", "unit_of_another_quantity"})


def advice(
    rule: str, field: str, text: str | None, code: str | None, contract: Contract, dates: str
) -> str:
    """One clause on how to mend a record that breaks `rule` in `field`; "" when the rule's own
    words say it all.

    `text`: the field as delivered. `code`: what the value is (its test, analyte or metric).
    `dates`: how the profile reads dates.
    """
    if rule == "too_many_fields":
        return MORE_FIELDS
    if rule in UNIT_RULES:
        return _unit_advice(rule, field, text, code, contract)
    if rule == "metric_unknown":
        near = nearest(text or "", KNOWN_METRICS) or KNOWN_METRICS[:NEAREST]
        return (
            f"nearest: {', '.join(near)}; a profile maps other names (`maps: metric`) or declares "
            "them as the trial's own (`metrics`)"
        )
    if rule == "tracer_unknown":
        return _tracer_advice(text or "")
    if rule in {"date_format", "date_ambiguous"}:
        return _date_advice(rule, dates)
    return _value_advice(rule, field, text or "", contract)


def _value_advice(rule: str, field: str, text: str, contract: Contract) -> str:
    """About the text of one cell: a word, a number with a comma, a limit that is not given."""
    if rule == "not_allowed":
        words = next((one.words for one in contract.fields if one.name == field), {})
        accepted = list(dict.fromkeys(words.values()))
        return f"accepted: {', '.join(accepted[:MOST_WORDS])}" if accepted else ""
    if rule == "limit_missing":
        return 'map its limit, or give it once for all: `constants: {lloq: "20"}` (above: uloq)'
    if rule == "ambiguous_nd":
        return f"not detected: `limits: {{{text}: below}}`; not done: `missing: [{text}]`"
    return _number_advice(text) if rule == "not_a_number" else ""


def nearest(text: str, names: Iterable[str]) -> list[str]:
    """The accepted names that look most like the text, best first; may be none."""
    folded = {fold(name): name for name in names}
    found = get_close_matches(fold(text), folded, n=NEAREST, cutoff=NEAR_ENOUGH)
    return [folded[name] for name in found]


def _unit_advice(
    rule: str, field: str, text: str | None, code: str | None, contract: Contract
) -> str:
    families = {
        "dose_unit": (*FAMILIES["cells"], *FAMILIES["cells_per_mass"]),
        "activity_unit": tuple(FAMILIES["activity"]),
        "time_unit": tuple(DAYS_PER),
    }
    accepted = families.get(field) or accepted_units(contract.name, code or "")
    near = nearest(text, accepted) if text and rule == "unit_unknown" else []
    of = f" for {code}" if code else ""
    shown = f"nearest{of}: {', '.join(near)}" if near else _expected(accepted, of)
    return f"{shown}; all units: {UNIT_LIST}"


def _expected(accepted: tuple[str, ...], of: str) -> str:
    more = " ..." if len(accepted) > NEAREST * 2 else ""
    return f"expected{of}: {', '.join(accepted[: NEAREST * 2])}{more}"


def _tracer_advice(text: str) -> str:
    """Ids are looked for by id and by name: "18F-FHBG" is near to f18_fhbg."""
    names = {name: one.id for one in TRACERS.values() for name in (one.id, one.name)}
    within = [one for name, one in names.items() if fold(text) and fold(text) in fold(name)]
    found = list(dict.fromkeys([*within, *(names[name] for name in nearest(text, names))]))
    near = f"nearest ids: {', '.join(found[:NEAREST])}; " if found else ""
    return f"{near}all ids: {TRACER_LIST}; a profile maps other names (`maps: tracer_id`)"


def _number_advice(text: str) -> str:
    if THOUSANDS.match(text):
        return (
            "with a comma as decimal mark write `decimal: comma` into the profile or its table, "
            'as separator of thousands `thousands: ","`'
        )
    if COMMA.match(text):
        return "write `decimal: comma` into the profile or its table"
    return "declare the word in a profile (`missing`, `limits`); a unit stands in its own field"


def _date_advice(rule: str, dates: str) -> str:
    if rule == "date_ambiguous":
        return 'write `dates: "%d/%m/%Y"` or `dates: "%m/%d/%Y"` into the profile or its table'
    if dates in EPOCHS:
        return (
            f"the profile says `dates: {dates}`, a serial number of days; give the table of this "
            "column its own `dates`"
        )
    if dates not in {"iso", "auto"}:
        return (
            f'the profile says `dates: "{dates}"`, as in {EXAMPLE.strftime(dates)}; give the table '
            "of this column its own `dates` (iso for 2026-03-31), or correct the profile's"
        )
    return (
        "expected ISO 8601, as 2026-03-31 or 2026-03-31T09:30, or one format that fits every text "
        'of the column; say which in a profile, as `dates: "%d/%m/%Y"`'
    )
