"""What an incoming table is: its fields, its natural key, and the rules its rows must hold.

Fields arrive as text. A field says how its text is read; the schema (dataframely) says what must
be true of the typed rows. A row that breaks either is refused with the rule, never repaired.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import dataframely as dy
import polars as pl

Kind = Literal["text", "code", "number", "integer", "flag"]

RECORD = "_record"
"""Name of the column that numbers the records of one incoming table within a delivery."""


@dataclass(frozen=True)
class Field:
    """One column of an incoming table; `words` maps what exports write to the stored code."""

    name: str
    kind: Kind = "text"
    note: str = ""
    required: bool = False
    words: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Contract:
    """One incoming table; its name is the table it fills.

    `key`: the natural key within the study. `content`: a row in which all of these are missing
    carries nothing and counts as empty. `references`: code field -> table it must exist in.
    """

    name: str
    title: str
    fields: tuple[Field, ...]
    key: tuple[str, ...]
    content: tuple[str, ...]
    schema: type[dy.Schema]
    timed: bool = False
    interval: bool = False
    measured: bool = False
    limits: tuple[str, ...] = ()
    constants: Mapping[str, object] = field(default_factory=dict)

    @property
    def field_names(self) -> tuple[str, ...]:
        """All fields a delivery may hold, in order."""
        return tuple(one.name for one in self.fields)

    @property
    def stored(self) -> tuple[Field, ...]:
        """The fields of its own: neither subject, time nor measured value."""
        shared = {one.name for one in SUBJECT}
        for has, fields in ((self.timed, TIME), (self.interval, END), (self.measured, MEASURED)):
            shared |= {one.name for one in fields} if has else set()
        return tuple(one for one in self.fields if one.name not in shared)


SUBJECT = (
    Field("usubjid", note="unique subject id; made of study, site and subject when absent"),
    Field("subjid", note="subject id within the site"),
    Field("siteid", note="site id"),
)
TIME = (
    Field("dtm", note="date or date-time as delivered (ISO 8601 unless the profile says else)"),
    Field("tz", note="time zone of `dtm`, as Europe/Berlin or +01:00"),
    Field("rel_day", "number", "days since infusion as delivered, 0 = day of infusion"),
    Field("visit", note="visit name"),
    Field("visitnum", "number", "visit number"),
    Field("nominal_day", "number", "planned day of the visit"),
)
END = (
    Field("end_dtm", note="end, as `dtm`"),
    Field("end_rel_day", "number", "day of the end since infusion"),
    Field("ongoing", "flag", "still going on"),
)
MEASURED = (
    Field("value", note="the result as delivered: a number, <50, BLQ, >ULOQ ..."),
    Field("unit", note="unit as delivered"),
)

MATRIX_WORDS = {
    "BLOOD": "BLOOD", "WHOLE BLOOD": "BLOOD", "PERIPHERAL BLOOD": "BLOOD", "PB": "BLOOD",
    "MARROW": "MARROW", "BONE MARROW": "MARROW", "BM": "MARROW", "BONE MARROW ASPIRATE": "MARROW",
    "CSF": "CSF", "CEREBROSPINAL FLUID": "CSF", "TISSUE": "TISSUE",
}  # fmt: skip
ASSAY_WORDS = {
    "QPCR": "qPCR", "PCR": "qPCR", "RT-PCR": "qPCR", "QUANTITATIVE PCR": "qPCR",
    "QUANTITATIVE POLYMERASE CHAIN REACTION": "qPCR", "DDPCR": "ddPCR",
    "DIGITAL PCR": "ddPCR", "DROPLET DIGITAL PCR": "ddPCR", "FLOW": "flow",
    "FLOW CYTOMETRY": "flow",
}  # fmt: skip
SEX_WORDS = {
    "M": "M", "MALE": "M", "F": "F", "FEMALE": "F",
    "U": "U", "UNKNOWN": "U", "UNDIFFERENTIATED": "U", "X": "U",
}  # fmt: skip


class Row(dy.Schema):
    """What every typed row carries: its number within the delivery."""

    _record = dy.UInt32()


class TimedRow(Row):
    """Days are finite and within a human life."""

    rel_day = dy.Float64(nullable=True, min=-36525, max=36525)
    nominal_day = dy.Float64(nullable=True, min=-36525, max=36525)


class MeasuredRow(Row):
    """A number, or bounds in order."""

    value = dy.Float64(nullable=True)
    lower = dy.Float64(nullable=True)
    upper = dy.Float64(nullable=True)

    @dy.rule()
    def value__bounds_in_order(cls) -> pl.Expr:
        return cls.lower.col.is_null() | cls.upper.col.is_null() | (cls.lower.col <= cls.upper.col)
