"""The unit that a column's header states: read where the field has a unit, never lost in silence.

"dose (x10^6 cells)" above 120 means 120 million cells. A header with a multiplier over a number
whose unit nobody gives would load a number that is wrong by that multiplier.
"""

import re
from collections.abc import Mapping

from analysis.compute import units
from analysis.errors import UserError
from etl.contracts.contract import Contract
from etl.contracts.dose_units import NOT_CELLS
from etl.profiles.headers import leaf, squash

UNIT_FIELDS: Mapping[str, str] = {
    "value": "unit",
    "dose_cells": "dose_unit",
    "dose": "dose_unit",
    "activity": "activity_unit",
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
    """The unit that a header states for a dose, or by a multiplier for a number; None without.

    `given`: the unit that the profile states for the field, "" when a column holds it.

    Raises:
        UserError: The multiplier would be lost: it is no unit of the field, or the profile says
            another.
    """
    stated = units.normalize_unit(bracketed(path)) or ""
    is_dose = any(stated in units.FAMILIES[family] for family in DOSE_FAMILIES)
    if not _is_number(name, contract) or not MULTIPLIER.search(squash(leaf(path))):
        by_header = name == "dose_cells" and given is None
        return stated if by_header and (is_dose or stated.casefold() in NOT_CELLS) else None
    if given is None and name == "dose_cells" and is_dose:
        return stated
    contradicts = given == "" or (is_dose and units.normalize_unit(given) != stated)
    if given is not None and not (name == "dose_cells" and contradicts):
        return None
    raise UserError(
        f"{where}: column {leaf(path)!r} has a multiplier in its header, {_advice(name)}"
    )


def _is_number(name: str, contract: Contract) -> bool:
    kinds = {one.name: one.kind for one in contract.fields}
    return name == "value" or kinds.get(name) in {"number", "integer"}


def _advice(name: str) -> str:
    end = "(docs/reference/units.md), or export plain numbers"
    if name == "dose_cells":
        return f"and its dose must have one unit: give `unit: 10^6 cells` for it and no other {end}"
    if name == "dose_cells_per_kg":
        return f"which {name} would lose: map it to dose_cells with `unit: 10^6 cells/kg` {end}"
    if name in UNIT_FIELDS:
        return f"which {name} would lose: give `unit` or `units_from: header` for it {end}"
    return f"which {name} would lose: it takes plain numbers, so export those"
