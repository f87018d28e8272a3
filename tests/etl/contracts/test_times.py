"""Date texts and zones to instants: literal columns."""

from datetime import datetime

import polars as pl
import pytest

from etl.contracts.times import parse_moments, parse_texts

COLUMNS = [
    # texts of one column, instants or None, rule
    (["05 Jan 2024", "12 May 2024"], [datetime(2024, 1, 5), datetime(2024, 5, 12)], None),
    (["12 May 2024"], [datetime(2024, 5, 12)], None),
    (["05 January 2024", "12 May 2024"], [datetime(2024, 1, 5), datetime(2024, 5, 12)], None),
    (["12 May 2024 08:30"], [datetime(2024, 5, 12, 8, 30)], None),
    (["05/05/2024"], [datetime(2024, 5, 5)], None),
    (["05/05/2024", "05/06/2024"], [None, None], "date_ambiguous"),
    (["05/05/2024", "13/06/2024"], [datetime(2024, 5, 5), datetime(2024, 6, 13)], None),
    (["12 Mai 2024"], [None], "date_format"),
]


@pytest.mark.parametrize(("texts", "instants", "rule"), COLUMNS)
def test_a_column_is_read_when_its_formats_agree(texts, instants, rule) -> None:
    found = parse_texts(pl.Series(texts), "auto")
    assert found["local"].to_list() == instants
    assert set(found["rule"]) == {rule}


ZONES = [
    ("Europe/Zurich", datetime(2024, 1, 5, 9), None),
    ("+05:30", datetime(2024, 1, 5, 4, 30), None),
    *((zone, datetime(2024, 1, 5, 10), "zone_unknown") for zone in
      ("localtime", "posixrules", "Factory", "posix/UTC", "Europe", "", "../etc/passwd", "Mars")),
]  # fmt: skip


@pytest.mark.parametrize(("zone", "utc", "rule"), ZONES)
def test_a_zone_is_known_or_refused(zone, utc, rule) -> None:
    frame = pl.DataFrame({"dtm": ["2024-01-05T10:00"], "tz": [zone]})
    (row,) = parse_moments(frame, "dtm", "iso", None).to_dicts()
    assert (row["dtm_utc"], row["_dtm_rule"]) == (utc, rule)
