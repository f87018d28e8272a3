"""The accepted units as a page: what a value may come in, what it is stored in, other spellings."""

from collections.abc import Mapping

from analysis.compute.units import CANONICAL, FAMILIES, spellings
from docs.generate.markdown import bullets, code, page, table
from etl.contracts.units import GIGA, KEPT, KINETICS, LENGTHS, METRIC_UNITS, MOLAR
from etl.profiles.header_units import UNIT_FIELDS

OPENING = """\
The units a delivery may come in. A value is converted by an exact factor to the stored unit and
kept as delivered beside it. Case and spaces do not matter, except where case changes the size
(mBq is not MBq). A unit that is not here, or that belongs to another quantity, refuses the row;
nothing is guessed. In a profile a unit is a column (`unit: Unit`), fixed (`unit: mg/L`) or in the
header (`units_from: header`), see [profiles](../profiles.md)."""

BY_CODE = """\
What a test, an analyte, a metric or a column may come in. Two quantities of one code are two
variables: copies per ug of DNA never become cells."""

BY_NAME = """\
Metrics whose name begins so state their quantity: they need no unit, and a unit that is given must
be one of that quantity."""

OTHERS = """\
A laboratory test or metric without an entry keeps its unit: any of the quantities above, or one of
these."""


def units_page() -> str:
    return page(
        "Units",
        OPENING,
        "## Quantities and their units",
        table(("quantity", "accepted", "factor", "other spellings"), family_rows()),
        "## Tests, analytes, metrics and columns",
        BY_CODE,
        table(("code", "quantity", "stored in"), code_rows()),
        "## Metrics by the beginning of their name",
        BY_NAME,
        table(("begins with", "quantity", "stored in"), name_rows()),
        "## Units kept as delivered",
        OTHERS,
        ", ".join(code(unit) for unit in sorted(KEPT, key=lambda unit: (unit.lower(), unit))),
        bullets(rules()),
    )


def family_rows() -> list[tuple[str, ...]]:
    """One row per quantity and unit, the unit of factor 1 first."""
    others = spellings()
    return [
        (
            words(family),
            code(unit),
            f"{factor:g}",
            ", ".join(code(text) for text in others.get(unit, ())),
        )
        for family, units in FAMILIES.items()
        for unit, factor in units.items()
    ]


def code_rows() -> list[tuple[str, ...]]:
    """Codes that share quantities and stored units on one row."""
    groups: dict[tuple[tuple[str, str], ...], list[str]] = {}
    for name, allowed in CANONICAL.items():
        groups.setdefault(allowed, []).append(name)
    rows = [
        (", ".join(code(name) for name in names), quantities(dict(allowed)), stored(dict(allowed)))
        for allowed, names in groups.items()
    ]
    other = (
        ("any other analyte of `kinetics_sample`", quantities(KINETICS), stored(KINETICS)),
        (f"{', '.join(code(name) for name in sorted(LENGTHS))} of a lesion", "length", code("mm")),
    )
    return [*rows, *other]


def name_rows() -> list[tuple[str, ...]]:
    return [(code(start), words(family), code(unit)) for start, family, unit in METRIC_UNITS]


def rules() -> tuple[str, ...]:
    giga = ", ".join(f"{code(short)} is {code(unit)}" for short, unit in GIGA.items())
    molar = ", ".join(code(unit) for unit in sorted(MOLAR))
    fields = ", ".join(f"{code(name)} by {code(unit)}" for name, unit in UNIT_FIELDS.items())
    return (
        f"Hematology: {giga}; the capital G tells it from gram per liter.",
        f"A test that is stored by mass keeps {molar}: its molar mass is not known here.",
        f"A number has its unit in a field of its own: {fields}. Every other number is "
        "plain, in the unit that its name says (`weight_kg`).",
        "A power of ten before cells is read as labs write it: `x10^6 cells`, `10E6 CAR+ cells`, "
        "`million cells`, `10^6 cells/kg`. A header with such a multiplier counts for "
        "`dose_cells`; over any other number it needs a unit in the profile, or the load ends "
        "with one line.",
    )


def words(family: str) -> str:
    return family.replace("_", " ")


def quantities(allowed: Mapping[str, str]) -> str:
    return " or ".join(words(family) for family in allowed)


def stored(allowed: Mapping[str, str]) -> str:
    return " or ".join(code(unit) for unit in allowed.values())
