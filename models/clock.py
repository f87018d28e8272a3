"""The one clock of the database: UTC without a zone, as every `*_at` and `*_utc` column holds."""

from datetime import UTC, datetime


def utc_now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)
