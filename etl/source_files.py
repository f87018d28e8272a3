"""The sources behind the paths that a person names: files, folders, zip archives."""

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from analysis.errors import UserError
from etl.source import SKIPPED, Finding, Source, is_ignored
from etl.zip_members import archive_sources, is_office_file


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


def _folder_files(folder: Path, given: str) -> Iterator[tuple[Path, str, tuple[Finding, ...]]]:
    """Each file with its name, and with the first what was passed over in the folder."""
    found: list[Path] = []
    skipped: list[Path] = []
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            ignored = any(is_ignored(part) for part in path.relative_to(folder).parts)
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
    if magic.startswith(b"PK") and not is_office_file(path):
        yield from archive_sources(source)
    else:
        yield source
