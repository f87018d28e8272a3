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


def start(url: str, path: Path) -> subprocess.Popen[str]:
    """A loader that has done its imports and waits for the word to begin."""
    return subprocess.Popen(
        [sys.executable, str(CHILD), url, STUDY, str(path)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def kill_at(child: subprocess.Popen[str], stage: str, wait: float) -> None:
    """Lets the load begin and kills it `wait` seconds after it reached a stage."""
    assert child.stdin is not None
    assert child.stdout is not None
    child.stdin.write("go\n")
    child.stdin.flush()
    for line in child.stdout:
        if line.startswith(stage):
            break
    time.sleep(wait)
    child.send_signal(signal.SIGKILL)
    child.communicate()


def kill_and_repeat(url: str, kills: int, tmp_path: Path) -> None:
    folder = tmp_path / "export"
    folder.mkdir()
    path = write_export(folder)
    chance = random.Random(SEED)
    engine = create_engine_for(url)
    waiting = start(url, path)
    for number in range(kills):
        child, waiting = waiting, start(url, path) if number + 1 < kills else waiting
        stage = chance.choice(["checking", "writing", "writing kinetics", "writing kinetics"])
        kill_at(child, stage, chance.uniform(0.0, 0.15))
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
@pytest.mark.timeout(600)
def test_killed_loads_leave_nothing_half_written(database_url: str, tmp_path: Path) -> None:
    kill_and_repeat(database_url, 20, tmp_path)


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_a_hundred_killed_loads(database_url: str, tmp_path: Path) -> None:
    kill_and_repeat(database_url, 100, tmp_path)
