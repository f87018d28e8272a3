"""Columns of the model frame that carry the adjusters of a question."""

import re

_RESERVED = frozenset((
    "usubjid", "region_code", "rel_day", "nominal_day", "visit", "value", "lower", "upper",
    "censored", "lloq", "tracer_id", "unit", "group", "time", "day", "y", "delivered",
    "limit_source", "assumed", "metric", "analyte", "assay", "method", "matrix", "bs", "c",
    "cc", "contr", "cr", "cs", "exp", "exp10", "exp2", "hashed", "i", "lag", "log", "log10",
    "log2", "np", "poly", "q", "scale", "center",
))  # fmt: skip
"""Names that the frame or the formula already use for something else."""


def adjuster_column(adjuster: str) -> str:
    """Column of the model frame that carries this adjuster ("characteristic:BURDEN" -> burden)."""
    code = re.sub(r"\W", "_", adjuster.partition(":")[2] or adjuster).lower()
    return code if code.isidentifier() and code not in _RESERVED else f"baseline_{code}"
