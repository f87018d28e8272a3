"""Days of records that were there before their infusion was known or corrected."""

import polars as pl
from sqlalchemy import Connection


def redate(
    connection: Connection,
    study_id: int,
    load_id: int,
    before: pl.DataFrame,
    after: pl.DataFrame,
) -> int:
    """New versions of earlier records whose day from infusion changed; returns how many."""
    return 0
