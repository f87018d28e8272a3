"""SAS transport files (XPT version 5 and 8), as SDTM and ADaM datasets are sent."""

import math
import re
from io import BytesIO
from typing import Any

import polars as pl

from analysis.errors import UserError
from etl.sheets.sheet import Column, Sheet
from etl.sheets.typed_text import elapsed_text, instant_text, number_text
from etl.source import Finding, Source

NAME = "xpt"
RECORD_BYTE = 80
MAGIC = (b"HEADER RECORD*******LIBRARY HEADER", b"HEADER RECORD*******LIBV8   HEADER")
MEMBER = re.compile(rb"HEADER RECORD\*{7}MEM(?:BER |BV8 ) HEADER RECORD!{7}")
OBSERVATIONS = re.compile(rb"HEADER RECORD\*{7}OBS(?:     |V8   )HEADER RECORD!{7}")
DATE_FORMATS = re.compile(
    r"^(DATE|YYMMDD|MMDDYY|DDMMYY|YYMMN|YYMON|MONYY|WEEKDATE|WEEKDATX|WORDDATE|WORDDATX|JULIAN"
    r"|E8601DA|B8601DA|IS8601DA|ND8601DA|EURDFDE|NENGO|MINGUO)[A-Z]?(?=\d|\.|$)"
)
DATETIME_FORMATS = re.compile(
    r"^(DATETIME|DATEAMPM|E8601DT|B8601DT|E8601DZ|B8601DZ|IS8601DT|MDYAMPM|DTDATE|EURDFDT)(?=\d|\.|$)"
)
TIME_FORMATS = re.compile(r"^(TIME|HHMM|TOD|TIMEAMPM|E8601TM|B8601TM|IS8601TM|MMSS)(?=\d|\.|$)")
SAS_EPOCH = "1960-01-01"
LAST_DAY = 2_936_549.0  # 9999-12-31
SECOND_DAY = 86_400.0
NOISE_DIGITS, NOISE_ULPS = 12, 4


def sniff(source: Source) -> bool:
    """The first header record of a transport file."""
    return source.head().startswith(MAGIC)


def read(source: Source) -> tuple[Sheet, ...]:
    """The one dataset. A blank character value is SAS's missing and becomes null.

    Raises UserError for a file that is cut or holds several datasets.
    """
    content = source.unpacked()
    if len(content) % RECORD_BYTE:
        raise UserError(
            f"{source.name}: its length is not a multiple of {RECORD_BYTE} bytes; "
            "the file is half written or was changed in transfer, send it again in binary mode"
        )
    members = len(MEMBER.findall(content))
    if members != 1:
        raise UserError(
            f"{source.name}: holds {members} datasets, expected 1; export each to its own file"
        )
    frame, meta, findings = _parse(source.name, content)
    _check_complete(source.name, content, frame.height, meta)
    columns, cells, noisy = [], [], 0
    for position, name in enumerate(meta.column_names):
        form = (meta.original_variable_types.get(name) or "").upper()
        numbers, changed = _without_conversion_noise(frame.to_series(position))
        noisy += changed
        values, kind = _as_text(numbers, form)
        cells.append(values.alias(f"c{position}"))
        columns.append(Column(name, meta.column_names_to_labels.get(name) or "", kind))
    if noisy:
        message = f"{noisy} numbers were off by last bits of SAS's arithmetic, read to 12 digits"
        findings += (Finding("conversion_noise", message, "info", count=noisy),)
    return (
        Sheet(
            source.name,
            meta.table_name or "",
            pl.DataFrame(cells),
            header=True,
            columns=tuple(columns),
            label=meta.file_label or "",
            findings=findings,
        ),
    )


def _parse(name: str, content: bytes) -> tuple[pl.DataFrame, Any, tuple[Finding, ...]]:
    import pyreadstat

    error: Exception | None = None
    for encoding in (None, "WINDOWS-1252"):
        try:
            frame, meta = pyreadstat.read_xport(
                BytesIO(content),
                output_format="polars",
                disable_datetime_conversion=True,
                encoding=encoding,
            )
        except (pyreadstat.ReadstatError, pyreadstat.PyreadstatError, ValueError) as failure:
            error = error or failure
            continue
        message = "characters outside UTF-8, read as cp1252"
        return frame, meta, (Finding("encoding", message),) if encoding else ()
    reason = " ".join(str(error).split())[:200]
    raise UserError(
        f"{name}: not a readable SAS transport file ({reason}); export it again"
    ) from error


def _check_complete(name: str, content: bytes, rows: int, meta: Any) -> None:
    """The format holds no row count: what follows the last row must be blank padding."""
    start = OBSERVATIONS.search(content)
    width = sum(meta.variable_storage_width.values())
    if start is None or width == 0:
        return
    observations = content[(start.start() // RECORD_BYTE + 1) * RECORD_BYTE :]
    rest = observations[rows * width :]
    if rest.strip(b" ") or len(observations) < rows * width:
        raise UserError(
            f"{name}: the data end in the middle of row {rows + 1}; "
            "the file is half written, send it again"
        )


def _as_text(values: pl.Series, form: str) -> tuple[pl.Series, str]:
    """Text and type (string, number, date, datetime, time) of one column."""
    if values.dtype == pl.String:
        return values.str.strip_chars_end(" ").replace({"": None}), "string"
    n = pl.col("n")
    plain = number_text(n)
    epoch = pl.lit(SAS_EPOCH).str.to_datetime("%Y-%m-%d", time_unit="ms")
    ms = (n * 1000).round().cast(pl.Int64, strict=False)
    kind = "number"
    text = plain
    if DATETIME_FORMATS.match(form):
        kind = "datetime"
        known = n.abs() < LAST_DAY * SECOND_DAY
        text = pl.when(known).then(instant_text(epoch + ms.cast(pl.Duration("ms"))))
        text = text.otherwise(plain)
    elif TIME_FORMATS.match(form):
        kind = "time"
        text = pl.when(n >= 0).then(elapsed_text(ms)).otherwise(plain)
    elif DATE_FORMATS.match(form):
        kind = "date"
        whole = (n == n.floor()) & (n.abs() < LAST_DAY)
        day = epoch + n.cast(pl.Int64, strict=False) * pl.duration(days=1)
        text = pl.when(whole).then(day.dt.to_string("%Y-%m-%d")).otherwise(plain)
    column = values.cast(pl.Float64).fill_nan(None).alias("n").to_frame()
    return column.select(text).to_series(), kind


def _without_conversion_noise(values: pl.Series) -> tuple[pl.Series, int]:
    """Numbers a few last bits away from a number of at most 12 digits become that number.

    SAS computes and converts (IEEE to IBM float and back) in binary and shows 15 digits: the LB
    example of CDISC's SDTM-MSG 2.0 holds 8.549999999999999 and 88.39999999999998 where the same
    data in Dataset-JSON say 8.55 and 88.4. Every other number keeps all its digits.
    """
    if values.dtype == pl.String:
        return values, 0
    noise = {}
    for value in values.drop_nulls().drop_nans().unique().to_list():
        short = float(f"{value:.{NOISE_DIGITS}g}")
        if short != value and abs(short - value) <= NOISE_ULPS * math.ulp(value):
            noise[value] = short
    if not noise:
        return values, 0
    return values.replace(noise), int(values.is_in(list(noise)).sum())
