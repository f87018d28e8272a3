"""Best response per patient and the rates that follow from it, with both denominators.

The source's own calls are read, never overwritten: a delivered best response stands; else the
best is taken over the overall assessments after infusion up to and including the first
progression. Calls of the criteria map to the five categories of `CATEGORY`; an unconfirmed
immune progression (iUPD) is not progression, and a missing or not evaluable call is not stable.
"""

from collections.abc import Mapping

import polars as pl

from analysis.compute.intervals import Proportion, proportion
from analysis.derive.columns import ensure

CATEGORY: Mapping[str, str] = {
    **dict.fromkeys(("SCR", "CR", "CRH", "CRI", "CMR", "CAR", "ICR"), "CR"),
    **dict.fromkeys(("VGPR", "PR", "PMR", "PAR", "IPR"), "PR"),
    **dict.fromkeys(("MR", "SD", "SMD", "NMR", "SAD", "ISD", "NON-CR/NON-PD"), "SD"),
    **dict.fromkeys(("PD", "PMD", "PAD", "ICPD", "RELAPSE"), "PD"),
    **dict.fromkeys(("NE", "NA", "ND", "IUPD", "UNK"), "NE"),
}
"""Category of each call. CAR, PAR, SAD and PAD are the CT calls of Lugano, CMR to PMD its PET
calls, VGPR and MR are myeloma calls; MR (minimal response) is no response."""

_BEST_FIRST = (
    "SCR", "CR", "ICR", "CMR", "CAR", "CRH", "CRI", "VGPR", "PR", "IPR", "PMR", "PAR", "MR", "SD",
    "ISD", "SMD", "NMR", "SAD", "NON-CR/NON-PD", "PD", "ICPD", "PMD", "PAD", "RELAPSE", "IUPD",
    "NE",
)  # fmt: skip
_READER_FIRST = ("IRC", "CENTRAL", "INDEPENDENT", "INVESTIGATOR")
_COMPONENTS = ("best", "overall", "metabolic")
_SERIES = ("criterion", "reader")
_COLUMNS = ("usubjid", *_SERIES, "component", "response", "rel_day", "nominal_day", "visit")


def response_category(call: str | None) -> str | None:
    """CR, PR, SD, PD or NE of a call as delivered; None for an unknown or missing call."""
    return CATEGORY.get(call.strip().upper()) if call else None


def response_criteria(responses: pl.DataFrame | None) -> pl.DataFrame:
    """Criterion and reader pairs that have a best, overall or metabolic call.

    Columns criterion, reader, n_subjects; most patients first, then the independent reader.
    """
    order = {reader: place for place, reader in enumerate(_READER_FIRST)}
    place = (
        pl.col("reader")
        .str.to_uppercase()
        .replace_strict(order, default=len(order), return_dtype=pl.Int64)
    )
    return (
        _calls(responses)
        .group_by(_SERIES)
        .agg(pl.col("usubjid").n_unique().cast(pl.Int64).alias("n_subjects"))
        .sort(-pl.col("n_subjects"), place, "criterion", "reader", nulls_last=True)
    )


def best_response(
    responses: pl.DataFrame | None, criterion: str | None = None, reader: str | None = None
) -> pl.DataFrame:
    """One row per patient with a call, each under one criterion and reader.

    criterion, reader: None leaves the choice open: a patient takes the first pair of
    `response_criteria` that fits and under which there is a call. So a study whose cohorts are
    read by different criteria (marrow, Lugano) has a best response for both.
    Columns: usubjid, criterion, reader, best_response (as delivered), best_category (CR, PR, SD,
    PD, NE), best_response_day (null when the source gives a best response without a day),
    responder (CR or PR; null when the patient was never evaluable).
    """
    calls = _of_one_series(_calls(responses), response_criteria(responses), criterion, reader)
    rank = {call: place for place, call in enumerate(_BEST_FIRST)}
    ranked = calls.with_columns(
        pl.col("call").replace_strict(rank, default=len(rank), return_dtype=pl.Int64).alias("rank"),
        pl.col("call")
        .replace_strict(CATEGORY, default=None, return_dtype=pl.String)
        .alias("category"),
    )
    delivered = ranked.filter(pl.col("component") == "best")
    assessed = _until_progression(_one_component(ranked)).join(delivered, on="usubjid", how="anti")
    best = pl.concat([delivered, assessed]).sort("usubjid", "rank", "day", nulls_last=True)
    return (
        best.unique("usubjid", keep="first", maintain_order=True)
        .with_columns(
            pl.when(pl.col("category").is_in(["CR", "PR"])).then(True)
            .when(pl.col("category").is_in(["SD", "PD"])).then(False)
            .alias("responder")
        )
        .select(
            "usubjid", *_SERIES, pl.col("response").alias("best_response"),
            pl.col("category").alias("best_category"), pl.col("day").alias("best_response_day"),
            "responder",
        )
    )  # fmt: skip


def response_rate(
    best: pl.DataFrame, usubjids: list[str], categories: tuple[str, ...] = ("CR", "PR")
) -> tuple[Proportion, Proportion]:
    """Rate over all `usubjids` (a missing response is no response) and over those evaluable.

    Both with the exact 95 % interval of Clopper and Pearson.
    """
    group = best.filter(pl.col("usubjid").is_in(usubjids))
    successes = group.filter(pl.col("best_category").is_in(categories)).height
    evaluable = group.filter(pl.col("responder").is_not_null()).height
    return proportion(successes, len(set(usubjids))), proportion(successes, evaluable)


def _calls(responses: pl.DataFrame | None) -> pl.DataFrame:
    """Calls that can make a best response: named components, after infusion."""
    rows = ensure(responses, *_COLUMNS)
    day = pl.coalesce("rel_day", "nominal_day")
    return rows.with_columns(
        day.alias("day"),
        pl.col("response").str.strip_chars().str.to_uppercase().alias("call"),
    ).filter(
        pl.col("component").is_in(_COMPONENTS)
        & pl.col("call").is_not_null()
        & (pl.col("call") != "")
        & ((pl.col("component") == "best") | pl.col("day").is_null() | (pl.col("day") > 0))
    )


def _of_one_series(
    calls: pl.DataFrame, pairs: pl.DataFrame, criterion: str | None, reader: str | None
) -> pl.DataFrame:
    """The calls of each patient's first pair of criterion and reader."""
    for name, wanted in (("criterion", criterion), ("reader", reader)):
        if wanted is not None:
            pairs = pairs.filter(pl.col(name) == wanted)
    order = pairs.select(_SERIES).with_row_index("place")
    placed = calls.join(order, on=_SERIES, how="inner", nulls_equal=True)
    first = pl.col("place") == pl.col("place").min().over("usubjid")
    return placed.filter(first).drop("place")


def _one_component(ranked: pl.DataFrame) -> pl.DataFrame:
    """Overall calls; the metabolic ones for patients who have no overall call."""
    overall = ranked.filter(pl.col("component") == "overall")
    metabolic = ranked.filter(pl.col("component") == "metabolic")
    return pl.concat([overall, metabolic.join(overall, on="usubjid", how="anti")])


def _until_progression(calls: pl.DataFrame) -> pl.DataFrame:
    progressed = pl.col("day").filter(pl.col("category") == "PD").min().over("usubjid")
    return calls.filter(
        progressed.is_null() | pl.col("day").is_null() | (pl.col("day") <= progressed)
    )
