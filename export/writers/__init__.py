"""WRITERS: one file per format; each writes the same document with the same numbers."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from analysis.errors import UserError
from export.document import Document
from export.writers.csv import write_csv
from export.writers.json import write_json
from export.writers.xlsx import write_xlsx

Writer = Callable[[Document, Path], list[Path]]

WRITERS: Mapping[str, Writer] = {"csv": write_csv, "xlsx": write_xlsx, "json": write_json}


def write_document(document: Document, directory: Path, formats: Sequence[str]) -> list[Path]:
    """Write all formats, then move the files into `directory`; those of an earlier export of the
    same name are replaced, others stay.

    Nothing is replaced before everything is written. The files are moved one by one, so that a
    crash or a full disk during the moves can leave new files beside old ones; `Written` in each
    provenance tells them apart. Export into a new folder where that matters.

    Raises:
        UserError: a format is not known, or the folder cannot be written.
    """
    chosen = [writer_of(name) for name in formats]
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=directory, prefix=".writing-") as folder:
            written = [path for writer in chosen for path in writer(document, Path(folder))]
            return [path.replace(directory / path.name) for path in written]
    except OSError as error:
        raise UserError(
            f"{directory}: cannot be written ({error.strerror or error}); choose a folder that "
            "you may write to and that has room."
        ) from error


def writer_of(name: str) -> Writer:
    """The writer of a format. Raises UserError for a format that is not known."""
    writer = WRITERS.get(name.strip().lower())
    if writer is None:
        raise UserError(
            f"--format {name.strip() or '(empty)'}: not a format; known are {', '.join(WRITERS)}."
        )
    return writer
