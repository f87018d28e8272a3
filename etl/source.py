"""Named bytes from files, folders and zip archives, with a hash and what was noticed."""

import hashlib
import io
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from analysis.errors import UserError
from etl.encoding import Encoding, detect_encoding

HEAD_BYTE = 65_536
MAX_ENTRIES = 10_000
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


def open_sources(paths: Iterable[str | Path]) -> Iterator[Source]:
    """Every file behind the paths: files as named, folders in sorted order, zip members.

    A file comes once, however often it is given, and counts as named when one path names it.
    Raises UserError for a path that does not exist or a folder without a file to read.
    """
    paths = list(paths)
    named = {_place(Path(given)) for given in paths if not Path(given).is_dir()}
    seen: set[Path] = set()
    for given in paths:
        require_paths([given])
        path = Path(given)
        files = _folder_files(path, str(given)) if path.is_dir() else [(path, str(given), ())]
        for file, name, findings in files:
            place = _place(file)
            if place not in seen:
                seen.add(place)
                yield from _file_sources(file, name, findings, named=place in named)


def _place(file: Path) -> Path:
    """One spelling of a file's path; a link beside its file stays a file of its own."""
    return file.parent.resolve() / file.name


def require_paths(paths: Iterable[str | Path]) -> None:
    """Raises UserError for the first path that does not exist; costs no reading."""
    for given in paths:
        if not Path(given).exists():
            raise UserError(
                f"{given}: no such file or folder; give the path of an export file, folder or zip"
            )


def source_from_bytes(name: str, content: bytes) -> Source:
    """A source held in memory (zip member, upload)."""
    return Source(name, hashlib.sha256(content).hexdigest(), len(content), content=content)


def _folder_files(folder: Path, given: str) -> Iterator[tuple[Path, str, tuple[Finding, ...]]]:
    """Each file with its name, and with the first what was passed over in the folder."""
    found: list[Path] = []
    skipped: list[Path] = []
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            ignored = any(_is_ignored(part) for part in path.relative_to(folder).parts)
            (skipped if ignored else found).append(path)
    if not found:
        raise UserError(f"{given}: the folder holds no file to read; name the folder of the export")
    findings = tuple(
        Finding(SKIPPED, f"{path.relative_to(folder)}: hidden or lock file, not read", "info")
        for path in skipped
    )
    for path in found:
        name = str(Path(given) / path.relative_to(folder))
        yield path, name, findings
        findings = ()


def _is_ignored(part: str) -> bool:
    return part.startswith((".", "~$")) or part in IGNORED_NAMES


def _file_sources(
    path: Path, name: str, findings: tuple[Finding, ...], named: bool = False
) -> Iterator[Source]:
    try:
        with path.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
            stream.seek(0)
            magic = stream.read(4)
    except OSError as error:
        reason = f"{name}: cannot be read ({error.strerror}); check the file's permissions"
        yield Source(name, "", 0, findings=findings, refusal=reason, named=named)
        return
    size = path.stat().st_size
    source = Source(name, digest, size, path=path, findings=findings, named=named)
    if magic.startswith(b"PK") and not _is_office_file(path):
        yield from _archive_sources(source)
    else:
        yield source


def _is_office_file(path: Path | BinaryIO) -> bool:
    """Workbooks are zip files too: they hold a list of content types or a mimetype member."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = set(archive.namelist())
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        return False
    office = {"[Content_Types].xml", "mimetype", "content.xml"}
    return bool(names & office) or any(name.startswith("xl/") for name in names)


def _archive_sources(archive_source: Source) -> Iterator[Source]:
    reason = None
    members: list[zipfile.ZipInfo] = []
    assert archive_source.path is not None
    try:
        with zipfile.ZipFile(archive_source.path) as archive:
            members = [info for info in archive.infolist() if not info.is_dir()]
            reason = _unsafe_archive(members)
            if reason is None:
                yield from _members(archive, members, archive_source)
                return
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError, EOFError) as error:
        reason = f"not a readable zip archive ({error}); it may be half written, send it again"
    yield replace(_refused(archive_source, archive_source.name, reason), named=archive_source.named)


def _unsafe_archive(members: list[zipfile.ZipInfo]) -> str | None:
    """Why an archive must not be unpacked, from its directory alone."""
    if not members:
        return "the zip archive holds no file"
    if len(members) > MAX_ENTRIES:
        return f"the zip archive holds {len(members)} files, more than {MAX_ENTRIES}"
    expanded = sum(info.file_size for info in members)
    packed = max(1, sum(info.compress_size for info in members))
    if expanded > MAX_EXPANDED_BYTE:
        return f"the zip archive would expand to {expanded} bytes, more than {MAX_EXPANDED_BYTE}"
    if expanded > RATIO_FREE_BYTE and expanded / packed > MAX_RATIO:
        return f"the zip archive expands {expanded // packed} times, more than {MAX_RATIO}"
    for info in members:
        parts = PurePosixPath(info.filename.replace("\\", "/")).parts
        drive = len(info.filename) > 1 and info.filename[1] == ":"
        if ".." in parts or info.filename.startswith(("/", "\\")) or drive:
            return "the zip archive holds an absolute path or one with '..'; pack it again"
    return None


def _members(
    archive: zipfile.ZipFile, members: list[zipfile.ZipInfo], source: Source
) -> Iterator[Source]:
    findings = list(source.findings)
    for info in sorted(members, key=lambda info: info.filename):
        if any(_is_ignored(part) for part in PurePosixPath(info.filename).parts):
            message = f"{source.name}!{info.filename}: hidden or lock file, not read"
            findings.append(Finding(SKIPPED, message, "info"))
            continue
        member = _read_member(archive, info, source)
        yield Source(
            member.name,
            member.sha256,
            member.size_byte,
            content=member.content,
            findings=tuple(findings),
            refusal=member.refusal,
        )
        findings = []


def _read_member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, source: Source) -> Source:
    name = f"{source.name}!{info.filename}"
    if info.flag_bits & 1:
        return _refused(source, name, "encrypted; unpack the archive with its password first")
    try:
        with archive.open(info) as stream:
            content = stream.read(info.file_size + 1)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError, OSError) as error:
        return _refused(source, name, f"broken in the archive ({error}); pack it again")
    if len(content) > info.file_size:
        return _refused(source, name, "longer than the archive says; pack it again")
    if content.startswith(b"PK\x03\x04") and not _is_office_file(io.BytesIO(content)):
        return _refused(source, name, "an archive inside an archive; unpack the outer one first")
    return source_from_bytes(name, content)


def _refused(source: Source, name: str, reason: str) -> Source:
    return Source(
        name,
        source.sha256,
        source.size_byte,
        findings=source.findings,
        refusal=f"{name}: {reason}",
    )


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
