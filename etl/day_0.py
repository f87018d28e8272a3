"""Patients whose dated records have no day from infusion, for no infusion of theirs is loaded."""

from collections.abc import Mapping, Sequence

import polars as pl

from analysis.number_words import count
from etl.contracts import CONTRACTS
from etl.contracts.times import DAYS
from etl.known import Known
from etl.profiles.house import file_name
from etl.shaping import Part
from etl.source import Finding
from etl.verdicts import DUPLICATE, LOADED, REFUSED

NAMED = 3
"""Subjects that the finding names."""


def without_day_0(
    records: Mapping[str, pl.DataFrame], known: Known, parts: Sequence[Part], names: Sequence[str]
) -> list[tuple[int | None, Finding]]:
    """One finding for the study: who has dated records and no day 0, and where their infusion was
    refused in this load. `names`: the file names by number. It names the subjects, for one wrong
    cell in a list of infusions takes every model of time from a patient."""
    rows = [
        frame.filter(
            pl.col("_verdict").is_in([LOADED, DUPLICATE])
            & pl.col("rel_day").is_null()
            & pl.col("dtm_precision").is_in(DAYS)
        ).select("usubjid")
        for name, frame in records.items()
        if CONTRACTS[name].timed and name != "infusion"
    ]
    if not rows:
        return []
    dated = pl.concat(rows).join(known.references, on="usubjid", how="anti")
    dated = dated.join(known.infusions, on="usubjid", how="anti")
    if dated.is_empty():
        return []
    subjects = dated["usubjid"].unique().sort()
    n, k = subjects.len(), dated.height
    refused = _refused_infusions(records, parts, names)
    shown = [f"{one} ({refused[one]})" if one in refused else one for one in subjects.head(NAMED)]
    more = f" and {n - NAMED} more" if n > NAMED else ""
    message = (
        f"{count(n, 'patient')} {'has' if n == 1 else 'have'} records but no day from infusion "
        f"(no infusion loaded: {', '.join(shown)}{more}; their {count(k, 'dated record')} "
        f"{'has' if k == 1 else 'have'} no day); load their infusions with a date"
    )
    return [(None, Finding("no_infusion", message, "warning", None, n))]


def _refused_infusions(
    records: Mapping[str, pl.DataFrame], parts: Sequence[Part], names: Sequence[str]
) -> dict[str, str]:
    """Subject -> where the first infusion of theirs that was refused stands."""
    frame = records.get("infusion")
    if frame is None:
        return {}
    refused = frame.filter((pl.col("_verdict") == REFUSED) & pl.col("usubjid").is_not_null())
    found: dict[str, str] = {}
    for subject, part, row in refused.select("usubjid", "_part", "_row").iter_rows():
        place = f"{file_name(names[parts[part].file])} row {row}"
        found.setdefault(subject, f"refused: {place}")
    return found
