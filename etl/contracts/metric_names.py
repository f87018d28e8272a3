"""The name of a metric that a header made: a unit in its brackets is its unit, not its name.

"liver_suvmean (kBq/mL)" by the pattern "{region_code}_suv{stat}" says suv_mean in kBq/mL. Taken as
a name, the number would be stored as an SUV.

What an image was quantified by is a controlled list: a name that is not in it, as "suvmeanfoo",
would be a variable of its own that no question asks for, so it is refused until a profile maps it
or declares it (`metrics`). Measures of lesions are an open list, as TRTESTCD is: a name that is not
known is stored and said.
"""

import re
from collections.abc import Collection, Iterable

import polars as pl

from analysis.compute import units
from analysis.derive.labels import METRIC_LABELS
from etl.contracts.units import METRIC_UNITS

BRACKETS = r"^(.*?)\s*[(\[]([^()\[\]]+)[)\]]\s*$"
NO_NAME = r"[\s()\[\]]"
NAMED = ("quantification", "lesion_measurement")
FROM_NAME = "_unit_from_name"
"""Whether the unit of a record stood in the name of its metric."""
UNDECLARED = "_metric_undeclared"
"""Whether neither the program nor CDISC nor the profile knows the name of a lesion's measure."""

KNOWN_METRICS = tuple(
    dict.fromkeys(
        [
            *METRIC_LABELS,
            *(
                code
                for code in units.CANONICAL
                if code.startswith(tuple(p for p, *_ in METRIC_UNITS))
            ),
            "activity_concentration",
        ]
    )
)
"""Metrics whose unit the program knows, as a refused name is shown the nearest of them."""

PATTERNS = re.compile(
    r"(?:suv|sul)_(?:mean|max|peak|median|min|sd)|mtv\d{0,3}_ml|volume_ml|tlg\d{0,3}"
    r"|tumor_to_[a-z]+(?:_[a-z]+)*_ratio"
)
"""Names made as the known ones: a statistic, a threshold, an organ of reference."""
TRTESTCD = frozenset({
    "ACHNAD", "ACNDOREN", "ACNSD", "ACPPDNLD", "ACPPDNLP", "AREA", "AVMETSUV", "BMUPTAKE",
    "BNLNUM", "CALCFIND", "DIAMETER", "FDPL5PS", "LDIAM", "LESELESV", "LESERYSV", "LESFLIND",
    "LESRVIND", "LESSCIND", "LESSCLSV", "LESTHICK", "LMBFLIND", "LMNDEXAM", "LMNDPNUM", "LNSTATE",
    "LPERP", "LRISCIND", "LRVCLIND", "NBNL2IND", "NBNLNUM", "NEWCONF", "ORENLQN", "ORSTATE",
    "ORVERLN", "OTRCUPCB", "OTRCUPCN", "PALPSTAT", "PBNL2IND", "PCBSD", "PCBSLD", "PCBSOREN",
    "PCBSPPD", "PCBSV", "PCHGBL", "PCHGNAD", "PCNDOREN", "PCNPPD", "PCNSD", "PCNSLD", "PCNSPPD",
    "PCNSV", "PPD", "RADIODEN", "SULMAX", "SULMEAN", "SULPEAK", "SUMDIAM", "SUMLDIAM", "SUMLPERP",
    "SUMNLNLD", "SUMPPD", "SUMVDIAM", "SUMVOL", "SUVMAX", "SUVMEAN", "SUVPEAK", "TUMSTATE",
    "VDIAM", "VOLUME", "VSLFLIND", "VSLPIND", "VSLRVIND",
})  # fmt: skip
"""CDISC SDTM Controlled Terminology, codelist C96779 (Tumor or Lesion Properties Test Code)."""


def is_metric(name: str, declared: Collection[str] = ()) -> bool:
    """Whether a name is of the controlled list, made as its names are, or declared by a profile."""
    known = name in KNOWN_METRICS or name in TRTESTCD or PATTERNS.fullmatch(name) is not None
    return known or name in declared


def refused_names(contract: str, names: Iterable[str], declared: Collection[str]) -> list[str]:
    """Names under which no value of this incoming table is stored: of quantifications every one
    that is not known; of lesions text of a header, and what looks like an uptake without being one,
    for its start would say its unit."""
    unknown = [name for name in names if not is_metric(name, declared)]
    if contract == "quantification":
        return unknown
    starts = tuple(prefix for prefix, *_ in METRIC_UNITS)
    return [
        name for name in unknown
        if re.search(NO_NAME, name) or name.lower().startswith(starts)
    ]  # fmt: skip


def split_metric(frame: pl.DataFrame, declared: Collection[str]) -> pl.DataFrame:
    """`metric` without the brackets at its end, which become `unit`, unless the profile declares
    the whole; a name whose brackets say another unit than the record keeps them, and is refused as
    a name."""
    metric = pl.col("metric")
    within = metric.str.extract(BRACKETS, 2)
    texts = frame.select(within.alias("_within"), "unit").unique()
    rows = [
        (inner, unit, inner is not None and _same(inner, unit)) for inner, unit in texts.iter_rows()
    ]
    types = {"_within": pl.String, "unit": pl.String, FROM_NAME: pl.Boolean}
    table = pl.DataFrame(rows, schema=types, orient="row")
    joined = frame.with_columns(within.alias("_within")).join(
        table, on=["_within", "unit"], how="left", nulls_equal=True, maintain_order="left"
    )
    split = pl.col(FROM_NAME) & ~metric.is_in(list(declared))
    return joined.with_columns(
        split.alias(FROM_NAME),
        pl.when(split).then(metric.str.extract(BRACKETS, 1)).otherwise(metric).alias("metric"),
        pl.when(split).then("_within").otherwise("unit").alias("unit"),
    ).drop("_within")


def has_no_name(frame: pl.DataFrame) -> bool:
    """Whether some metric has blanks or brackets: text of a header, not the name of a metric."""
    metric = pl.col("metric")
    text = metric.str.contains(NO_NAME) & ~metric.is_in(KNOWN_METRICS)
    return bool(frame.select(text.any()).item())


def _same(inner: str, unit: str | None) -> bool:
    return unit is None or units.normalize_unit(inner) == units.normalize_unit(unit)
