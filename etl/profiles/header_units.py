"""The unit that a column's header states: read where the field has a unit, never lost in silence.

"dose (x10^6 cells)" above 120 means 120 million cells. A header with a multiplier over a number
whose unit nobody gives would load a number that is wrong by that multiplier.
"""

import re
from collections.abc import Mapping

from analysis.compute import units
from analysis.errors import UserError
from etl.contracts.contract import Contract
from etl.contracts.day_units import DAY_FIELDS, longer_unit
from etl.contracts.dose_units import NOT_CELLS
from etl.profiles.cells import fold
from etl.profiles.headers import leaf, squash

UNIT_FIELDS: Mapping[str, str] = {
    "value": "unit",
    "dose_cells": "dose_unit",
    "dose": "dose_unit",
    "activity": "activity_unit",
    "time_day": "time_unit",
}
"""Field of a number -> the field of its unit."""

MULTIPLIER = re.compile(
    r"(?<![a-z])[x\u00d7*\u00b7] ?10(?: ?(?:\^|\*{1,2}|e\+?) ?-?\d|[1-9](?!\d))"
    r"|(?<![\d.])10 ?(?:\^|\*{1,2}|e\+?) ?-?\d|(?<![\d.])1e\+?\d"
    r"|\b(?:thousand|million|billion)s?\b",
    re.IGNORECASE,
)
"""How headers write a power of ten; "x106" is "x10" with a superscript six in NFKC."""
DOSE_FAMILIES = ("cells", "cells_per_mass")
DOSE_FIELDS = ("dose_cells", "dose_cells_per_kg")
OCCASIONS = frozenset({"infusion", "infusions", "dose", "doses"})
"""In the brackets of a header these say when the cells were given: "Cells (infusion)"."""
PER_AMOUNT = re.compile(
    r"(?:/|\bper ) ?(?:kg|g|m2|[mu\u03bc]?l|cells?|[num\u03bc]g)\b", re.IGNORECASE
)
"""A text in brackets that is some unit, known or not: "TNC/kg"."""

PER_KG = re.compile(r"(?:/|\bper ) ?kg\b", re.IGNORECASE)
"""A dose by body weight, said without brackets: "Dose cells/kg"."""


def bracketed(path: str) -> str:
    """The text in the last brackets of a header: "Result (copies/ug)" gives copies/ug."""
    text = leaf(path).rstrip()
    for left, right in ("()", "[]"):
        if text.endswith(right) and left in text:
            return text[text.rindex(left) + 1 : -1].strip()
    return ""


def unit_field(name: str, contract: Contract, where: str) -> str:
    """The field that holds the unit of a number.

    Raises:
        UserError: The field has a fixed unit; one in the profile would not be looked at.
    """
    found = UNIT_FIELDS.get(name)
    if found is None or found not in contract.field_names:
        known = ", ".join(one for one in UNIT_FIELDS if UNIT_FIELDS[one] in contract.field_names)
        raise UserError(
            f"{where}: {name} takes no unit; a unit can be given for {known or 'no field'} of "
            f"{contract.name}; leave out `unit` and `units_from`"
        )
    return found


def stated_unit(
    path: str, name: str, contract: Contract, given: str | None, where: str
) -> str | None:
    """The unit that a header with a multiplier, or that of a dose, states for a number; else None.

    `given`: the unit that the profile states for the field, "" when a column holds it.

    Raises:
        UserError: The multiplier, or the unit of a dose, would be lost: it is no unit of the field,
            or the profile says another.
    """
    if not _is_number(name, contract):
        return None
    if name in DAY_FIELDS and given is None:
        _require_days(path, name, where)
    if not MULTIPLIER.search(squash(leaf(path))):
        return _dose_unit(path, name, given, where)
    stated = units.normalize_unit(bracketed(path)) or ""
    is_dose = any(stated in units.FAMILIES[family] for family in DOSE_FAMILIES)
    if given is None and name == "dose_cells" and is_dose:
        return stated
    contradicts = given == "" or (is_dose and units.normalize_unit(given) != stated)
    if given is not None and not (name == "dose_cells" and contradicts):
        return None
    raise UserError(
        f"{where}: column {leaf(path)!r} has a multiplier in its header, {_advice(name)}"
    )


def _require_days(path: str, name: str, where: str) -> None:
    """Raises UserError when a header says weeks, months or years of a field that holds days."""
    unit = longer_unit(squash(leaf(path)))
    if unit is None:
        return
    advice = f"give `unit: {unit}` for it" if name in UNIT_FIELDS else "export days"
    raise UserError(
        f"{where}: column {leaf(path)!r} states {unit} in its header and {name} is counted in "
        f"days; {advice}, or correct the header"
    )


def _dose_unit(path: str, name: str, given: str | None, where: str) -> str | None:
    """The unit that the header of a dose states: cells, cells/kg, or one that counts no cells."""
    stated = units.normalize_unit(bracketed(path)) or ""
    if not bracketed(path) and PER_KG.search(squash(leaf(path))):
        stated = "cells/kg"
    kind = _kind(stated)
    if name not in DOSE_FIELDS or kind is None or given == "":
        return None
    if given is None and name == "dose_cells" and kind != "other":
        return stated
    wanted = "cells_per_mass" if given is None else _kind(units.normalize_unit(given) or "")
    if wanted == kind:
        return None
    said = f"and the profile says {given!r}" if given is not None else f"which is no {name}"
    raise UserError(
        f"{where}: column {leaf(path)!r} states the unit {stated!r} in its header, {said}; map a "
        "dose in cells or cells/kg to dose_cells, or correct the header or the profile"
    )


def _kind(stated: str) -> str | None:
    """What kind of unit a dose is in; None for words that are no unit, like "planned"."""
    for family in DOSE_FAMILIES:
        if stated in units.FAMILIES[family]:
            return family
    if fold(stated) in NOT_CELLS - OCCASIONS:
        return "not_cells"
    known = any(stated in family for family in units.FAMILIES.values())
    return "other" if known or PER_AMOUNT.search(stated) else None


def _is_number(name: str, contract: Contract) -> bool:
    kinds = {one.name: one.kind for one in contract.fields}
    return name == "value" or kinds.get(name) in {"number", "integer"}


def _advice(name: str) -> str:
    end = "(docs/reference/units.md), or export plain numbers"
    if name == "dose_cells":
        return f"and its dose must have one unit: give `unit: 10^6 cells` for it and no other {end}"
    if name == "dose_cells_per_kg":
        return (
            f"which {name} would lose: map it to dose_cells with `unit: 10^6 cells/kg`, which is "
            f"stored as {name} {end}"
        )
    if name in UNIT_FIELDS:
        return f"which {name} would lose: give `unit` or `units_from: header` for it {end}"
    return f"which {name} would lose: it takes plain numbers, so export those"
