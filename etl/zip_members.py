"""Members of a zip archive as sources, after what must not be unpacked was refused."""

import io
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from etl.source import (
    MAX_EXPANDED_BYTE,
    MAX_RATIO,
    RATIO_FREE_BYTE,
    SKIPPED,
    Finding,
    Source,
    is_ignored,
    source_from_bytes,
)

MAX_ENTRIES = 10_000
UNREADABLE = (
    zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, RuntimeError,
)  # fmt: skip
"""What the standard library raises for a broken archive."""
UNPACKED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""Methods of which the reader bounds what one step unpacks. In bzip2 a few hundred bytes become
gigabytes at once, and in LZMA the archive sets the size of the dictionary."""
METHOD_NAMES = {
    9: "Deflate64", zipfile.ZIP_BZIP2: "bzip2", zipfile.ZIP_LZMA: "LZMA", 93: "Zstandard",
    95: "XZ", 98: "PPMd",
}  # fmt: skip
OFFICE = frozenset({"[Content_Types].xml", "mimetype", "content.xml"})


def is_office_file(path: Path) -> bool:
    """Workbooks are zip files too; what cannot be read is none."""
    try:
        return _holds_office(_names(path))
    except UNREADABLE:
        return False


def _names(path: Path | BinaryIO) -> set[str]:
    with zipfile.ZipFile(path) as archive:
        return set(archive.namelist())


def _holds_office(names: set[str]) -> bool:
    """A list of content types, a mimetype member, or the folder of a workbook."""
    return bool(names & OFFICE) or any(name.startswith("xl/") for name in names)


def archive_sources(archive_source: Source) -> Iterator[Source]:
    """Every member, or the archive itself, refused whole with its reason."""
    assert archive_source.path is not None
    try:
        archive = zipfile.ZipFile(archive_source.path)
    except UNREADABLE as error:
        yield _refused_whole(
            archive_source,
            f"not a readable zip archive or workbook ({error}); it may be half written, send it "
            "again",
        )
        return
    with archive:
        members = [info for info in archive.infolist() if not info.filename.endswith("/")]
        reason = _unsafe_archive(members)
        if reason is None:
            yield from _members(archive, members, archive_source)
        else:
            yield _refused_whole(archive_source, reason)


def _refused_whole(source: Source, reason: str) -> Source:
    return replace(_refused(source, source.name, reason), named=source.named)


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
    return next(filter(None, (_unsafe_name(info.filename) for info in members)), None)


def _unsafe_name(name: str) -> str | None:
    """Why a member of this name refuses its archive. A name ends at its first NUL, where none may
    be left of it."""
    if not name:
        return "the zip archive holds a file without a name; pack it again"
    parts = PurePosixPath(name.replace("\\", "/")).parts
    drive = len(name) > 1 and name[1] == ":"
    if ".." in parts or name.startswith(("/", "\\")) or drive:
        return "the zip archive holds an absolute path or one with '..'; pack it again"
    return None


def _members(
    archive: zipfile.ZipFile, members: list[zipfile.ZipInfo], source: Source
) -> Iterator[Source]:
    findings = list(source.findings)
    for info in sorted(members, key=lambda info: info.filename):
        if any(is_ignored(part) for part in PurePosixPath(info.filename).parts):
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
    if info.compress_type not in UNPACKED:
        method = METHOD_NAMES.get(info.compress_type, f"method {info.compress_type}")
        return _refused(
            source,
            name,
            f"packed by {method}, which is not unpacked here; pack the archive again with the "
            "usual method (Deflate)",
        )
    try:
        with archive.open(info) as stream:
            content = stream.read(info.file_size + 1)
    except UNREADABLE as error:
        return _refused(source, name, f"broken in the archive ({error}); pack it again")
    if len(content) > info.file_size:
        return _refused(source, name, "longer than the archive says; pack it again")
    if content.startswith(b"PK\x03\x04") and (reason := _no_workbook(content)):
        return _refused(source, name, reason)
    return source_from_bytes(name, content)


def _no_workbook(content: bytes) -> str | None:
    """Why a zip file inside the archive cannot be read; None for a workbook."""
    try:
        names = _names(io.BytesIO(content))
    except UNREADABLE as error:
        return f"not a readable workbook ({error}); it may be half written, send it again"
    if _holds_office(names):
        return None
    return "an archive inside an archive; unpack the outer one first"


def _refused(source: Source, name: str, reason: str) -> Source:
    return Source(
        name,
        source.sha256,
        source.size_byte,
        findings=source.findings,
        refusal=f"{name}: {reason}",
    )
