"""Named bytes of one file, with a hash and what was noticed."""

import hashlib
import io
import zlib
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from analysis.errors import UserError
from etl.encoding import Encoding, detect_encoding

HEAD_BYTE = 65_536
MAX_EXPANDED_BYTE = 2 * 1024**3
MAX_RATIO = 500
RATIO_FREE_BYTE = 16 * 1024**2
SKIPPED = "file_skipped"
IGNORED_NAMES = {"Thumbs.db", "desktop.ini", "__MACOSX"}


@dataclass(frozen=True, slots=True)
class Finding:
    """Something a person should know about a delivery; it never holds a cell's text."""

    code: str
    message: str
    severity: str = "warning"
    column_name: str | None = None
    count: int = 1


@dataclass(frozen=True, slots=True)
class Source:
    """One file as delivered; `name` is what a person typed or sees (`archive.zip!member`).

    `sha256` and `size_byte` describe the bytes as delivered (compressed, if they were).
    A source with a `refusal` was found but must not be read; reading it raises UserError.
    `named`: a person gave this very path, so it is not passed over when it cannot be read.
    """

    name: str
    sha256: str
    size_byte: int
    path: Path | None = None
    content: bytes | None = None
    findings: tuple[Finding, ...] = ()
    refusal: str | None = None
    named: bool = False

    @property
    def suffix(self) -> str:
        """The ending of the name in lower case, compression aside: `a.csv.gz` gives `.csv`."""
        name = self.name.rpartition("!")[2].lower()
        return PurePosixPath(name.removesuffix(".gz")).suffix

    @property
    def encoding(self) -> Encoding | None:
        """Text encoding with its evidence; None for a file that is not text. Reads the file."""
        return detect_encoding(self.unpacked())

    def open(self) -> BinaryIO:
        """The delivered bytes as a stream. Raises UserError for a refused source."""
        if self.refusal is not None:
            raise UserError(self.refusal)
        if self.content is not None:
            return io.BytesIO(self.content)
        assert self.path is not None
        try:
            return self.path.open("rb")
        except OSError as error:
            raise UserError(
                f"{self.name}: cannot be opened ({error.strerror}); check the file's permissions"
            ) from error

    def read_bytes(self) -> bytes:
        """All delivered bytes."""
        with self.open() as stream:
            return stream.read()

    def head(self) -> bytes:
        """The first 64 KiB after decompression, for a reader to recognize its own."""
        with self.open() as stream:
            raw = stream.read(HEAD_BYTE)
        if not _is_deflated(raw):
            return raw
        try:
            return zlib.decompressobj(wbits=47).decompress(raw, HEAD_BYTE)
        except zlib.error:
            return raw

    def unpacked(self) -> bytes:
        """All bytes after gzip or zlib decompression, bounded; other files as they are.

        Raises UserError when the compressed data are broken, half written or expand too far.
        """
        raw = self.read_bytes()
        return _inflate(self.name, raw) if _is_deflated(raw) and self.head() != raw else raw


def source_from_bytes(name: str, content: bytes) -> Source:
    """A source held in memory (zip member, upload)."""
    return Source(name, hashlib.sha256(content).hexdigest(), len(content), content=content)


def is_ignored(part: str) -> bool:
    return part.startswith((".", "~$")) or part in IGNORED_NAMES


def _is_deflated(raw: bytes) -> bool:
    """Gzip magic, or a zlib header with the deflate method and a right check sum."""
    if len(raw) < 3:
        return False
    zlib_header = raw[0] == 0x78 and (raw[0] * 256 + raw[1]) % 31 == 0
    return raw[:3] == b"\x1f\x8b\x08" or zlib_header


def _inflate(name: str, raw: bytes) -> bytes:
    limit = min(MAX_EXPANDED_BYTE, max(RATIO_FREE_BYTE, MAX_RATIO * len(raw)))
    parts, size, rest = [], 0, raw
    while rest:
        stream = zlib.decompressobj(wbits=47)
        try:
            part = stream.decompress(rest, limit - size + 1)
        except zlib.error as error:
            raise UserError(f"{name}: broken compressed data ({error}); send it again") from error
        parts.append(part)
        size += len(part)
        if size > limit:
            raise UserError(f"{name}: expands to more than {limit} bytes; unpack it first")
        if not stream.eof:
            raise UserError(f"{name}: the compressed data end too early; send the file again")
        rest = stream.unused_data.lstrip(b"\0")
    return b"".join(parts)
