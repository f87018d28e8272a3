"""A load is all or nothing: the loader is killed at seeded random points and loaded again.

After every kill the database holds either nothing of the load or all of it; after the repeat it
equals, row by row, a database that was loaded once without a kill.
"""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import polars as pl
import pytest
from sqlalchemy import Engine, text

from etl import jobs
from models.connect import create_engine_for
from models.queries import read_trial

ROOT = Path(__file__).resolve().parents[2]
CHILD = Path(__file__).with_name("loader_child.py")
STUDY = "KILL"
SEED = 20_261_122


def write_export(folder: Path, patients: int = 40) -> Path:
    rows = [
        f"S{patient:03d},CARTG,qPCR,{patient * 10 + day},copies/ug,{day}"
        for patient in range(patients)
        for day in range(0, 200)
    ]
    header = "usubjid,analyte,assay,value,unit,rel_day"
    path = folder / "kinetics_sample.csv"
    path.write_text("\n".join([header, *rows]) + "\n")
    return path


def content(engine: Engine) -> tuple[pl.DataFrame, pl.DataFrame, int]:
    trial = read_trial(engine, STUDY)
    kinetics = trial.kinetics.drop("loaded_in").sort("usubjid", "rel_day")
    return kinetics, trial.subjects.drop("loaded_in").sort("usubjid"), trial.loads.height


def is_whole_or_empty(engine: Engine, expected: int) -> bool:
    with engine.connect() as connection:
        counts = [
            connection.scalar(text(f"SELECT count(*) FROM {table}"))
            for table in ("kinetics_sample", "load", "data_cut", "source_file")
        ]
    return counts in ([0, 0, 0, 0], [expected, 1, 1, 1])


def killed_load(url: str, path: Path, stage: str, wait: float) -> None:
    """Starts a load and kills it `wait` seconds after it reached a stage."""
    command = [sys.executable, str(CHILD), url, STUDY, str(path)]
    child = subprocess.Popen(
        command,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    for line in child.stdout:
        if line.startswith(stage):
            break
    time.sleep(wait)
    child.send_signal(signal.SIGKILL)
    child.wait()
    child.stdout.close()


def kill_and_repeat(url: str, kills: int, tmp_path: Path) -> None:
    path = write_export(tmp_path)
    chance = random.Random(SEED)
    engine = create_engine_for(url)
    for _ in range(kills):
        stage = chance.choice(["checking", "writing", "writing kinetics", "writing kinetics"])
        killed_load(url, path, stage, chance.uniform(0.0, 0.25))
        assert is_whole_or_empty(engine, 8000)
    jobs.load(engine, [path], STUDY)
    assert is_whole_or_empty(engine, 8000)
    kinetics, subjects, loads = content(engine)
    assert (kinetics.height, subjects.height, loads) == (8000, 40, 1)
    expected = pl.DataFrame(
        [(f"S{p:03d}", float(day), float(p * 10 + day)) for p in range(40) for day in range(200)],
        schema=["usubjid", "rel_day", "value"],
        orient="row",
    )
    assert kinetics.select("usubjid", "rel_day", "value").equals(expected)
    engine.dispose()


@pytest.mark.slow
def test_killed_loads_leave_nothing_half_written(database_url: str, tmp_path: Path) -> None:
    kill_and_repeat(database_url, 20, tmp_path)


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_a_hundred_killed_loads(database_url: str, tmp_path: Path) -> None:
    kill_and_repeat(database_url, 100, tmp_path)
