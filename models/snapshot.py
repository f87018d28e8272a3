"""Parquet copies of what a cut holds, so that the second reading does not ask the database.

A cut never changes, so a copy is never stale: its name holds all that its content depends on.
A damaged or missing copy is read anew; the database stays the truth.
"""

import hashlib
from collections.abc import Callable
from pathlib import Path
from tempfile import NamedTemporaryFile

import polars as pl

from models.tables import TABLES
from models.trial import Cut

FORMAT = 1
"""Raised when the frames of `models.queries` change without a change of the tables."""


class Store:
    """The copies of one cut of one study, one file per table below `directory`.

    Two databases may share a directory: the key holds the instant at which the cut was made.
    """

    def __init__(self, directory: Path, studyid: str, cut: Cut) -> None:
        created = cut.created_at.isoformat() if cut.created_at else ""
        self._directory = directory
        self._key = f"{FORMAT}|{studyid}|{cut.id}|{cut.name}|{cut.load_id}|{created}"

    def read(self, table: str, read_database: Callable[[], pl.DataFrame]) -> pl.DataFrame:
        """The copy of a table in this cut; where there is none, it is read and copied."""
        path = self.path(table)
        if path.exists():
            try:
                return pl.read_parquet(path)
            except (OSError, pl.exceptions.PolarsError, pl.exceptions.PanicException):
                # Some damage makes the parser panic, which is a BaseException.
                path.unlink(missing_ok=True)
        frame = read_database()
        write_atomically(frame, path)
        return frame

    def path(self, table: str) -> Path:
        """Where the copy of a table lies; the name changes with the columns of the table."""
        columns = ",".join(column.name for column in TABLES[table].columns)
        digest = hashlib.blake2b(f"{self._key}|{columns}".encode(), digest_size=12).hexdigest()
        return self._directory / f"{table}-{digest}.parquet"


def write_atomically(frame: pl.DataFrame, path: Path) -> None:
    """A reader sees the whole file or none; a directory that cannot be written to is no error."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with NamedTemporaryFile(dir=path.parent, suffix=".part", delete=False) as part:
            temporary = Path(part.name)
    except OSError:
        return
    try:
        frame.write_parquet(temporary)
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)
