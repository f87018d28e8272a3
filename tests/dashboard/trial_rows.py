"""The columns that records of every kind share: where a value came from, when, how exact."""

import zlib
from datetime import datetime, timedelta
from typing import Any

Rows = list[dict[str, Any]]


def lineage(file: str, row: int) -> dict[str, Any]:
    return {
        "record_key": zlib.crc32(f"{file}{row}".encode()),
        "content_hash": row,
        "source_file": file,
        "source_sheet": None,
        "source_row": row,
        "source_column": "VALUE",
        "raw_text": None,
        "raw_unit": None,
    }


def timed(day: float, start: datetime) -> dict[str, Any]:
    at = start + timedelta(days=day)
    return {
        "dtm_utc": at,
        "dtm_text": at.isoformat(),
        "tz": "UTC",
        "dtm_precision": "minute",
        "rel_day": day,
        "rel_day_source": "datetime",
        "visit": f"DAY {day:g}",
        "visitnum": day,
        "nominal_day": day,
    }


def exact(value: float, unit: str) -> dict[str, Any]:
    return {"value": value, "lower": None, "upper": None, "unit": unit, "censored": "none"}


def below(limit: float, unit: str) -> dict[str, Any]:
    return {"value": None, "lower": 0.0, "upper": limit, "unit": unit, "censored": "left"}
