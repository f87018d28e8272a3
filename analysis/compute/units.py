"""Units: one canonical unit per analyte, test and metric, exact factors, no forbidden bridge.

Units fall into families that convert by an exact factor (temperature also by an offset). A code
allows one family or more; two families of one code are two variables. Copies per microgram of
DNA never become cells: that needs the DNA yield and the copies per cell of the sample.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

FAMILIES: Mapping[str, Mapping[str, float]] = {
    "copies_per_dna": {"copies/ug": 1.0, "copies/ng": 1e3, "copies/mg": 1e-3},
    "copies_per_volume": {"copies/mL": 1.0, "copies/uL": 1e3, "copies/L": 1e-3},
    "copies_per_cell": {"copies/cell": 1.0},
    "count": {
        "cells/uL": 1.0, "cells/mm3": 1.0, "cells/mL": 1e-3, "cells/L": 1e-6,
        "10^3/uL": 1e3, "10^3/mm3": 1e3, "10^6/uL": 1e6, "10^6/L": 1.0, "10^9/L": 1e3,
        "10^12/L": 1e6,
    },
    "percent": {"%": 1.0, "fraction": 100.0},
    "percent_activity": {"%": 1.0, "%IA": 1.0, "%ID": 1.0, "fraction": 100.0},
    "percent_activity_per_mass": {"%ID/g": 1.0, "%IA/g": 1.0, "fraction/g": 100.0},
    "mass_concentration": {
        "pg/mL": 1.0, "ng/L": 1.0, "fg/mL": 1e-3, "ng/mL": 1e3, "ug/L": 1e3, "pg/uL": 1e3,
        "ng/dL": 10.0, "ug/dL": 1e4, "ug/mL": 1e6, "mg/L": 1e6, "mg/dL": 1e7, "mg/mL": 1e9,
        "g/L": 1e9, "g/dL": 1e10,
    },
    "enzyme": {"U/L": 1.0, "IU/L": 1.0, "U/mL": 1e3, "mU/mL": 1.0, "ukat/L": 60.0, "nkat/L": 0.06},
    "activity": {
        "MBq": 1.0, "kBq": 1e-3, "Bq": 1e-6, "GBq": 1e3, "mCi": 37.0, "uCi": 0.037, "Ci": 37e3,
    },
    "activity_concentration": {
        "Bq/mL": 1.0, "kBq/mL": 1e3, "MBq/mL": 1e6, "kBq/cm3": 1e3, "Bq/cm3": 1.0, "nCi/mL": 37.0,
    },
    "suv_body_weight": {"g/mL": 1.0, "SUV": 1.0, "SUVbw": 1.0},
    "suv_lean_mass": {"g/mL": 1.0, "SUL": 1.0, "SUVlbm": 1.0},
    "length": {"mm": 1.0, "cm": 10.0, "m": 1e3},
    "area": {"mm2": 1.0, "cm2": 100.0},
    "volume": {"mL": 1.0, "cm3": 1.0, "mm3": 1e-3, "L": 1e3},
    "glycolysis": {"g": 1.0, "SUV*mL": 1.0},
    "mass": {"kg": 1.0, "g": 1e-3, "lb": 0.45359237},
    "time": {"h": 1.0, "min": 1 / 60, "s": 1 / 3600, "d": 24.0},
    "cells": {"cells": 1.0} | {f"10^{n} cells": 10.0**n for n in range(3, 12)},
    "cells_per_mass": {"cells/kg": 1.0} | {f"10^{n} cells/kg": 10.0**n for n in range(3, 12)},
    "temperature": {"C": 1.0, "F": 5 / 9},
    "ratio": {"1": 1.0},
}  # fmt: skip
"""Family -> unit -> factor to the family's base unit (the first)."""

_OFFSET = {"F": -32.0 * 5 / 9}

CANONICAL: Mapping[str, tuple[tuple[str, str], ...]] = {
    "CARTG": (
        ("copies_per_dna", "copies/ug"), ("copies_per_volume", "copies/mL"),
        ("copies_per_cell", "copies/cell"),
    ),
    "CARFLOW": (("count", "cells/uL"), ("percent", "%")),
    **dict.fromkeys(
        ("INTLK1B", "INTLK2", "INTLK4", "INTLK6", "INTLK8", "INTLK10", "INTLK12", "IL12P70",
         "INTLK13", "INTLK15", "INTLK18", "IFNG", "TNF", "GMCSF", "MCP1", "MIP1A", "CXCL10",
         "IL2R", "IL2RA", "GRANZB"),
        (("mass_concentration", "pg/mL"),),
    ),
    "CRP": (("mass_concentration", "mg/L"),),
    "FERRITIN": (("mass_concentration", "ug/L"),),
    "FIBRINO": (("mass_concentration", "g/L"),),
    "DDIMER": (("mass_concentration", "ug/L"),),
    "IGG": (("mass_concentration", "g/L"),),
    "HGB": (("mass_concentration", "g/L"),),
    "LDH": (("enzyme", "U/L"),),
    "ALT": (("enzyme", "U/L"),),
    "AST": (("enzyme", "U/L"),),
    **dict.fromkeys(
        ("CD3", "CD4", "CD8", "CD19", "NK", "BCELL"), (("count", "cells/uL"), ("percent", "%"))
    ),
    **dict.fromkeys(
        ("WBC", "LYM", "NEUT", "MONO", "PLAT"), (("count", "10^9/L"), ("percent", "%"))
    ),
    "BLAST": (("percent", "%"),),
    "TEMP": (("temperature", "C"),),
    **dict.fromkeys(
        ("suv_mean", "suv_max", "suv_peak", "SUVMEAN", "SUVMAX", "SUVPEAK"),
        (("suv_body_weight", "g/mL"),),
    ),
    **dict.fromkeys(("sul_mean", "sul_max", "sul_peak"), (("suv_lean_mass", "g/mL"),)),
    **dict.fromkeys(("mtv_ml", "mtv41_ml", "mtv25_ml", "mtv40_ml", "TMTV", "VOLUME"),
                    (("volume", "mL"),)),
    "tlg": (("glycolysis", "g"),),
    "percent_injected_activity": (("percent_activity", "%"),),
    "percent_injected_activity_per_g": (("percent_activity_per_mass", "%ID/g"),),
    **dict.fromkeys(("tumor_to_blood_ratio", "tumor_to_liver_ratio"), (("ratio", "1"),)),
    **dict.fromkeys(("LDIAM", "SAXIS", "PERP", "SUMDIAM", "LPERP"), (("length", "mm"),)),
    **dict.fromkeys(("PPD", "SUMPPD"), (("area", "mm2"),)),
    "injected_activity_mbq": (("activity", "MBq"),),
    "residual_activity_mbq": (("activity", "MBq"),),
    "label_activity_mbq": (("activity", "MBq"),),
    "weight_kg": (("mass", "kg"),),
    "half_life_h": (("time", "h"),),
    "uptake_time_h": (("time", "h"),),
    "dose_cells": (("cells", "cells"),),
    "dose_cells_per_kg": (("cells_per_mass", "cells/kg"),),
}  # fmt: skip
"""Code of an analyte, test, metric or column -> (family, canonical unit) it may come in."""


@dataclass(frozen=True)
class Conversion:
    """value in `unit` = value as delivered * factor + offset; factor None = not possible."""

    factor: float | None
    unit: str | None
    reason: str = ""
    offset: float = 0.0


_SPELLINGS: tuple[tuple[str, str], ...] = (
    ("10\u00b3", "10^3"), ("10\u2076", "10^6"), ("10\u2079", "10^9"), ("\u00b2", "2"),
    ("\u00b3", "3"), ("\u03bc", "u"), ("\u00b5", "u"), ("\u00d7", "x"), ("\u00a0", " "),
)  # fmt: skip
ALIASES: Mapping[str, str] = {
    "mcg/l": "ug/L", "mcg/ml": "ug/mL", "copies/ug dna": "copies/ug", "copies/ug gdna": "copies/ug",
    "dna copies/ug": "copies/ug", "copies/ug genomic dna": "copies/ug",
    "transgene copies/ug": "copies/ug", "vector copies/ug": "copies/ug",
    "copies/mcg": "copies/ug", "copies/mcg dna": "copies/ug", "copies per ug dna": "copies/ug",
    "copies/ng dna": "copies/ng", "vcn": "copies/cell", "/ul": "cells/uL", "cell/ul": "cells/uL",
    "/mm3": "cells/mm3", "cells/cumm": "cells/mm3", "k/ul": "10^3/uL", "k/mcl": "10^3/uL",
    "thou/ul": "10^3/uL", "x10e3/ul": "10^3/uL", "10e3/ul": "10^3/uL", "10*3/ul": "10^3/uL",
    "x10^3/ul": "10^3/uL", "10*9/l": "10^9/L", "x10^9/l": "10^9/L", "10e9/l": "10^9/L",
    "giga/l": "10^9/L", "10*6/l": "10^6/L", "x10^6/l": "10^6/L", "10e6/l": "10^6/L",
    "percent": "%", "pct": "%", "% id": "%ID", "%id": "%ID", "%ia": "%IA", "% ia": "%IA",
    "cc": "mL", "ccm": "mL", "ml": "mL", "cm^3": "cm3",
    "mm^3": "mm3", "g/ml{suvbw}": "g/mL", "{suvbw}g/ml": "g/mL", "suvbw": "SUVbw", "suv": "SUV",
    "sul": "SUL", "kbq/cc": "kBq/cm3", "bq/cc": "Bq/cm3", "iu/l": "IU/L", "u/l": "U/L",
    "units/l": "U/L", "hr": "h", "hrs": "h", "hour": "h", "hours": "h", "minutes": "min",
    "sec": "s", "seconds": "s", "days": "d", "day": "d", "lbs": "lb", "kgs": "kg",
    "therapeutic cells": "cells", "10^6 therapeutic cells": "10^6 cells",
    "x10^6 cells": "10^6 cells", "10*6 cells": "10^6 cells", "10^6": "10^6 cells",
    "10^6/kg": "10^6 cells/kg", "x10^6/kg": "10^6 cells/kg", "10*6/kg": "10^6 cells/kg",
    "ratio": "1", "deg c": "C", "degc": "C", "\u00b0c": "C", "deg f": "F", "degf": "F",
    "\u00b0f": "F", "g{suv}ml": "SUV*mL", "suv*ml": "SUV*mL", "suv ml": "SUV*mL",
}  # fmt: skip

_CASE_COUNTS = re.compile(r"[mM](Bq|Ci)")
_BY_LOWER = {unit.lower(): unit for family in FAMILIES.values() for unit in family} | dict(ALIASES)


def normalize_unit(text: str | None) -> str | None:
    """A unit in the program's spelling: one mu, one space, known aliases; None for none.

    Case is forgiven except where it changes the size: mBq is not MBq. An unknown unit keeps its
    text.
    """
    if text is None:
        return None
    plain = text.strip().strip("[]()").strip()
    for written, meant in _SPELLINGS:
        plain = plain.replace(written, meant)
    plain = re.sub(r"\s+", " ", plain)
    plain = re.sub(r"\s*/\s*", "/", plain)
    if not plain:
        return None
    if cells := _cells_of(plain):
        return cells
    found = _BY_LOWER.get(plain.lower(), plain)
    return plain if found[:1] != plain[:1] and _CASE_COUNTS.match(found) else found


_POWER = re.compile(
    r"(?:(?:1 ?)?[x*] ?10 ?(?:\^|\*{1,2}|e\+?)? ?|10 ?(?:\^|\*{1,2}|e\+?) ?|1e\+?)(\d{1,2}) (.+)"
)
_CELLS = re.compile(
    r"(?:(?:viable|total|infused|transduced|positive|therapeutic|car[- ]?t?\+?|t)[ -])*cells?(/kg)?"
)


def _cells_of(text: str) -> str | None:
    """A number of cells as doses are written: "x10^6 CAR+ T cells/kg" is 10^6 cells/kg; else None.

    "x106 cells" is what a superscript six becomes in Unicode NFKC; "106 cells" without the sign is
    no power.
    """
    power, rest = "", text.lower()
    if match := _POWER.fullmatch(rest):
        power, rest = f"10^{int(match[1])} ", match[2]
    elif rest.startswith(("million ", "billion ")):
        power, rest = ("10^6 " if rest[0] == "m" else "10^9 "), rest[8:]
    found = _CELLS.fullmatch(rest)
    return f"{power}cells{found[1] or ''}" if found else None


def spellings() -> Mapping[str, tuple[str, ...]]:
    """Unit -> other texts that are read as it (case does not matter), sorted."""
    found: dict[str, list[str]] = {}
    for text, unit in sorted(ALIASES.items()):
        if text.lower() != unit.lower():
            found.setdefault(unit, []).append(text)
    return {unit: tuple(texts) for unit, texts in found.items()}


def canonical_unit(code: str) -> str | None:
    """Canonical unit of the first family a code may come in; None when the code is unknown."""
    allowed = CANONICAL.get(code)
    return allowed[0][1] if allowed else None


def conversion(code: str, unit: str | None) -> Conversion:
    """How a value of `code` in `unit` becomes canonical.

    A code without a canonical unit keeps its unit (factor 1, with the reason). No unit, or one
    that the code cannot come in, has no factor: the value is to be refused or shown as delivered,
    never guessed.
    """
    found = normalize_unit(unit)
    allowed = CANONICAL.get(code)
    if not allowed:
        return Conversion(1.0, found, f"no canonical unit is known for {code}; kept as delivered")
    expected = " or ".join(canonical for _, canonical in allowed)
    if found is None:
        if allowed == (("ratio", "1"),):
            return Conversion(1.0, "1")
        return Conversion(None, None, f"{code} has no unit; expected {expected}")
    for family, canonical in allowed:
        factors = FAMILIES[family]
        if found in factors:
            scale = factors[canonical]
            return Conversion(
                factors[found] / scale, canonical, offset=_OFFSET.get(found, 0.0) / scale
            )
    return Conversion(None, found, _why_not(code, found, expected))


def convert(value: float, from_unit: str, to_unit: str) -> float | None:
    """A value in another unit of the same family; None when no family holds both."""
    start, end = normalize_unit(from_unit), normalize_unit(to_unit)
    for factors in FAMILIES.values():
        if start is not None and end is not None and start in factors and end in factors:
            offset = _OFFSET.get(start, 0.0) - _OFFSET.get(end, 0.0)
            return (value * factors[start] + offset) / factors[end]
    return None


def _why_not(code: str, unit: str, expected: str) -> str:
    copies = unit in FAMILIES["copies_per_dna"] or unit in FAMILIES["copies_per_volume"]
    if code == "CARFLOW" and copies:
        return "copies of DNA are not cells: that needs the DNA yield and the copies per cell"
    if code == "CARTG" and unit in FAMILIES["count"]:
        return "cells are not copies of DNA; load them as flow (CARFLOW)"
    return f"{code} in {unit} does not convert to {expected} by an exact factor"
