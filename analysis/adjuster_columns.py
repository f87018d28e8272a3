"""Adjusters of a question: their columns in the model frame, their logarithms, their words."""

import re

_RESERVED = frozenset((
    "usubjid", "region_code", "rel_day", "nominal_day", "visit", "value", "lower", "upper",
    "censored", "lloq", "tracer_id", "unit", "group", "time", "day", "y", "delivered",
    "limit_source", "assumed", "metric", "analyte", "assay", "method", "matrix", "bs", "c",
    "cc", "contr", "cr", "cs", "exp", "exp10", "exp2", "hashed", "i", "lag", "log", "log10",
    "log2", "np", "poly", "q", "scale", "center",
))  # fmt: skip
"""Names that the frame or the formula already use for something else."""


_LOGARITHM = re.compile(r"^log10\((.*)\)$")
_WORDS = {"age_year": "age", "dose_level": "dose level", "siteid": "site"}


def is_logarithm(adjuster: str) -> bool:
    """Whether it enters as its decimal logarithm: "log10(characteristic:LDH)"."""
    return _LOGARITHM.match(adjuster) is not None


def measured_adjuster(adjuster: str) -> str:
    """What is measured: "characteristic:LDH" of "log10(characteristic:LDH)" and of itself."""
    inside = _LOGARITHM.match(adjuster)
    return inside.group(1) if inside else adjuster


def adjuster_column(adjuster: str) -> str:
    """Column of the model frame that carries this adjuster ("characteristic:BURDEN" -> burden, its
    logarithm -> log10_burden)."""
    if is_logarithm(adjuster):
        return f"log10_{adjuster_column(measured_adjuster(adjuster))}"
    code = re.sub(r"\W", "_", adjuster.partition(":")[2] or adjuster).lower()
    return code if code.isidentifier() and code not in _RESERVED else f"baseline_{code}"


def adjuster_words(adjuster: str) -> str:
    """As a sentence says it: "age", "BURDEN", "log10 of LDH"."""
    name = measured_adjuster(adjuster)
    words = _WORDS.get(name, name.partition(":")[2] or name)
    return f"log10 of {words}" if is_logarithm(adjuster) else words
