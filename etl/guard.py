"""Reads untrusted files (the spawned, limited child follows; the interface is final)."""

from collections.abc import Iterable
from dataclasses import dataclass

from analysis.errors import UserError
from etl.readers import read_source
from etl.readers.sheet import Sheet
from etl.source import Source


@dataclass(frozen=True, slots=True)
class Limits:
    """What one untrusted file may cost."""

    file_byte: int = 256 * 1024**2
    memory_byte: int = 1536 * 1024**2
    seconds: float = 20.0


@dataclass(frozen=True, slots=True, eq=False)
class ReadResult:
    """Either sheets or a refusal ("refused: reason", one line) for one source."""

    source: Source
    reader: str | None
    sheets: tuple[Sheet, ...]
    refusal: str | None = None


def read_guarded(
    sources: Iterable[Source], limits: Limits | None = None, *, trusted: bool = False
) -> tuple[ReadResult, ...]:
    """One result per source, in order; never raises for a bad file.

    `trusted` (files named on the command line): those above `limits.file_byte` are read in this
    process instead of being refused.
    """
    results = []
    for source in sources:
        try:
            reader, sheets = read_source(source)
            results.append(ReadResult(source, reader, sheets))
        except UserError as error:
            results.append(ReadResult(source, None, (), f"refused: {error}"))
    return tuple(results)
