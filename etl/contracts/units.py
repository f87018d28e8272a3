"""Which unit a delivered value is stored in, and the rule that refuses it when none is known.

Factors come from `analysis.compute.units`. Here: what a load does with a missing, an unknown or
an unfitting unit, and the units of laboratory tests that have no canonical one (kept as delivered).
"""

import math
from typing import NamedTuple

from analysis.compute import units
from etl.profiles.headers import squash

KEPT = frozenset({
    "mol/L", "mmol/L", "umol/L", "nmol/L", "pmol/L", "mEq/L", "mU/L", "U/mL", "mIU/L", "uIU/mL",
    "mIU/mL", "fL", "pg", "fmol", "fmol(Fe)", "amol", "s", "ms", "min", "h", "mm/h", "mL/min",
    "mL/min/1.73m2", "mosm/kg", "mOsm/kg", "mmHg", "beats/min", "/HPF", "/LPF", "kg/m2",
    "10^12/L", "TI/L", "GI/L", "RATIO", "INR", "SCORE", "TITER", "nmol/mL", "ug/g", "mg/g",
    "g/mol", "L/L", "kU/L", "%", "mg/mmol",
})  # fmt: skip
"""Units of laboratory tests that no canonical family holds; spelled as CDISC writes them."""

MOLAR = frozenset({
    "mol/L", "mmol/L", "umol/L", "nmol/L", "pmol/L",
})  # fmt: skip
"""Amount of substance: a test stored by mass keeps it as delivered, its molar mass is not ours."""

GIGA = {"G/L": "10^9/L", "T/L": "10^12/L", "GI/L": "10^9/L", "TI/L": "10^12/L"}
"""Giga and tera per liter in hematology: only the capital tells G/L from gram per liter."""

METRIC_UNITS = (
    ("suv", "suv_body_weight", "g/mL"), ("sul", "suv_lean_mass", "g/mL"),
    ("mtv", "volume", "mL"), ("volume", "volume", "mL"), ("tlg", "glycolysis", "g"),
    ("percent_injected_activity_per_g", "percent_activity_per_mass", "%ID/g"),
    ("percent_injected", "percent_activity", "%"), ("percent", "percent", "%"),
    ("tumor_to", "ratio", "1"), ("activity_concentration", "activity_concentration", "kBq/mL"),
)  # fmt: skip
"""Metrics whose name states the quantity: prefix, family, stored unit. They need no unit."""

LENGTHS = frozenset({
    "LDIAM", "SAXIS", "LPERP", "PERP", "SUMDIAM", "DIAMETER", "SUMLDIAM", "SUMNDIAM", "LMAXSP",
})  # fmt: skip
KINETICS = {
    "copies_per_dna": "copies/ug", "copies_per_volume": "copies/mL",
    "copies_per_cell": "copies/cell", "count": "cells/uL", "percent": "%",
}  # fmt: skip
_FOLDED_KEPT = {unit.lower(): unit for unit in KEPT} | {"no units": "1", "none": "1"}


class Conversion(NamedTuple):
    """`stored = delivered * factor + offset` in `unit`, or the rule that refuses the row."""

    unit: str
    factor: float = 1.0
    offset: float = 0.0
    rule: str | None = None


def conversion(contract: str, code: str, text: str | None) -> Conversion:
    """How a value of this analyte, test or metric in its delivered unit becomes the stored one."""
    given = squash(text) if text else None
    if given in GIGA:
        given = GIGA[given]
    if code in units.CANONICAL and not (given is None and _stated_by_name(code)):
        return _canonical(code, given)
    if contract == "kinetics_sample":
        return _by_family(KINETICS, given)
    if contract == "lesion_measurement" and code in LENGTHS:
        return _by_family({"length": "mm"}, given)
    for prefix, family, unit in METRIC_UNITS:
        if contract != "laboratory_result" and code.lower().startswith(prefix):
            return Conversion(unit) if given is None else _by_family({family: unit}, given)
    return _kept(given, contract)


def accepted_units(contract: str, code: str) -> tuple[str, ...]:
    """The units that a value of this analyte, test or metric may come in, the stored one first."""
    if code in units.CANONICAL:
        families = dict(units.CANONICAL[code])
    elif contract == "kinetics_sample":
        families = KINETICS
    elif contract == "lesion_measurement" and code in LENGTHS:
        families = {"length": "mm"}
    else:
        by_name = [one for one in METRIC_UNITS if code.lower().startswith(one[0])]
        families = {family: unit for _, family, unit in by_name[:1]}
    if not families or (contract == "laboratory_result" and code not in units.CANONICAL):
        every = [unit for family in units.FAMILIES.values() for unit in family]
        return tuple(dict.fromkeys([*every, *sorted(KEPT)]))
    stored = list(families.values())
    return tuple(dict.fromkeys(stored + [u for f in families for u in units.FAMILIES[f]]))


def _stated_by_name(code: str) -> bool:
    return any(code.startswith(prefix) for prefix, _, _ in METRIC_UNITS)


def _canonical(code: str, given: str | None) -> Conversion:
    found = units.conversion(code, given)
    if found.factor is not None and found.unit is not None:
        return Conversion(found.unit, _clean(found.factor), _clean(found.offset))
    spelled = _FOLDED_KEPT.get((units.normalize_unit(given) or "").lower())
    by_mass = units.CANONICAL[code][0][0] == "mass_concentration"
    if by_mass and spelled in MOLAR:
        return Conversion(spelled)
    return Conversion("", rule=_why(given))


def _by_family(allowed: dict[str, str], given: str | None) -> Conversion:
    spelled = units.normalize_unit(given) or ""
    for family, unit in allowed.items():
        factors = units.FAMILIES[family]
        if spelled in factors:
            return Conversion(unit, _clean(factors[spelled] / factors[unit]))
    return Conversion("", rule=_why(given))


def _kept(given: str | None, contract: str) -> Conversion:
    if given is None:
        missing = contract == "quantification"
        return Conversion("", rule="unit_missing" if missing else None)
    spelled = units.normalize_unit(given) or ""
    spelled = _FOLDED_KEPT.get(given.lower()) or _FOLDED_KEPT.get(spelled.lower(), spelled)
    if _is_known(spelled):
        return Conversion(spelled)
    return Conversion("", rule="unit_unknown")


def _is_known(spelled: str) -> bool:
    return spelled in KEPT or any(spelled in family for family in units.FAMILIES.values())


def _why(given: str | None) -> str:
    if given is None:
        return "unit_missing"
    known = _is_known(units.normalize_unit(given) or "")
    return "unit_of_another_quantity" if known else "unit_unknown"


def _clean(number: float) -> float:
    """Without the last binary digits of a division: 1e-2 / 1e-3 is 10."""
    short = float(f"{number:.12g}")
    return short if math.isclose(short, number, rel_tol=1e-15) else number
