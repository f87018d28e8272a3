"""A full disk in the middle of a load: a clear error, nothing half written, and it can be repeated.

The loader runs in a child whose files may not grow beyond a limit, as on a full disk.
"""

import random
import subprocess
import sys
from pathlib import Path

import pytest

from etl import jobs
from models.connect import create_engine_for
from tests.crash.test_kill_loader import CHILD, ROOT, SEED, STUDY, is_whole_or_empty, write_export

resource = pytest.importorskip("resource", reason="limits of file size need a Unix system")

LIMITED = (
    "import resource, runpy, sys; limit = int(sys.argv.pop(1));"
    "resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)); sys.dont_write_bytecode = True;"
    f"sys.argv[0] = {str(CHILD)!r}; runpy.run_path(sys.argv[0], run_name='__main__')"
)
RECORDS = 8000


def load_with_limit(url: str, path: Path, limit: int) -> tuple[int, str]:
    """Exit code and last line of stderr of a load whose files may have `limit` bytes."""
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, str(limit), url, STUDY, str(path)],
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin", "HOME": str(path.parent)},
        input="go\n",
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    lines = done.stderr.strip().splitlines()
    return done.returncode, lines[-1] if lines else ""


def fill_the_disk(url: str, tmp_path: Path, runs: int) -> None:
    file = Path(url.removeprefix("sqlite:///"))
    folder = tmp_path / "export"
    folder.mkdir()
    path = write_export(folder)
    chance = random.Random(SEED)
    engine = create_engine_for(url)
    empty = file.stat().st_size
    for _ in range(runs):
        limit = chance.randint(40_000, empty + 600_000)
        code, message = load_with_limit(url, path, limit)
        assert code != 0, f"the load fits in {limit} bytes: the test proves nothing"
        assert "DatabaseError: database sqlite:" in message, (limit, message)
        assert "disk" in message, (limit, message)
        assert is_whole_or_empty(engine, RECORDS)
        with engine.connect() as connection:
            assert connection.exec_driver_sql("SELECT count(*) FROM load").scalar() == 0
            assert connection.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"
    (one,) = jobs.load(engine, [path], STUDY).files
    assert one.loaded == RECORDS
    engine.dispose()


@pytest.mark.slow
def test_a_full_disk_leaves_nothing_half_written(sqlite_url: str, tmp_path: Path) -> None:
    fill_the_disk(sqlite_url, tmp_path, 3)


@pytest.mark.long
@pytest.mark.timeout(900)
def test_twenty_full_disks(sqlite_url: str, tmp_path: Path) -> None:
    fill_the_disk(sqlite_url, tmp_path, 20)
