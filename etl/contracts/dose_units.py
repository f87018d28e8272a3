"""Units of a dose of the cell product that say nothing of its cells."""

NOT_CELLS = frozenset({
    "ml", "l", "ul", "bag", "bags", "vial", "vials", "syringe", "syringes", "infusion", "infusions",
    "dose", "doses", "unit", "units", "kg", "g", "mg", "ug", "\u03bcg", "ng", "ml/kg", "mg/kg",
    "mbq", "mci", "cells/m2", "therapeutic cells/m2", "10^6 cells/m2",
    "10^6 therapeutic cells/m2",
})  # fmt: skip
"""Units in which a product is handed out and its cells are not counted (CDISC UNIT has them)."""
