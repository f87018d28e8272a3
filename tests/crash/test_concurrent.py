"""Loaders and readers work together: no error, no half-read load, every loader gets its share.

Each load brings one new patient with the same number of samples, in one transaction; a reader that
ever sees a patient with fewer samples has seen half a load.
"""

import threading
import time
from pathlib import Path

import polars as pl
import pytest

from etl import guard, jobs
from models.connect import create_engine_for
from models.queries import read_trial

STUDY = "BUSY"
SAMPLES = 40


class Crowd:
    """Threads with an engine of their own each, until the time is over."""

    def __init__(self, url: str, folder: Path, seconds: float) -> None:
        self.url = url
        self.folder = folder
        self.end = time.monotonic() + seconds
        self.errors: list[str] = []
        self.loads: dict[int, int] = {}
        self.reads: dict[int, int] = {}

    def load(self, number: int) -> None:
        engine = create_engine_for(self.url)
        count = 0
        while time.monotonic() < self.end:
            path = write_patient(self.folder, number, count)
            (one,) = jobs.load(engine, [path], STUDY, name=f"{number}.{count}").files
            assert one.loaded == SAMPLES
            count += 1
        self.loads[number] = count
        engine.dispose()

    def read(self, number: int) -> None:
        engine = create_engine_for(self.url)
        seen = count = 0
        while time.monotonic() < self.end:
            trial = read_trial(engine, STUDY)
            sizes = trial.kinetics.group_by("usubjid").len()
            assert sizes["len"].unique().to_list() == [SAMPLES], "half a load was read"
            assert sizes.height == trial.subjects.height, "subjects and samples of two moments"
            assert sizes.height >= seen, "a load vanished"
            seen, count = sizes.height, count + 1
        self.reads[number] = count
        engine.dispose()

    def work(self, loaders: int, readers: int) -> None:
        jobs_of = [(self.load, n) for n in range(loaders)] + [
            (self.read, n) for n in range(readers)
        ]
        threads = [threading.Thread(target=self._guarded, args=one) for one in jobs_of]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _guarded(self, act, number: int) -> None:
        try:
            act(number)
        except Exception as error:
            self.errors.append(f"{act.__name__} {number}: {type(error).__name__}: {error}")


def write_patient(folder: Path, loader: int, count: int) -> Path:
    path = folder / f"{loader}_{count}" / "kinetics_sample.csv"
    path.parent.mkdir()
    rows = [f"L{loader}-{count},CARTG,qPCR,{day + 1},copies/ug,{day}" for day in range(SAMPLES)]
    path.write_text("\n".join(["usubjid,analyte,assay,value,unit,rel_day", *rows]) + "\n")
    return path


def run(url: str, folder: Path, each: int, seconds: float) -> Crowd:
    engine = create_engine_for(url)
    jobs.load(engine, [write_patient(folder, 99, 0)], STUDY)
    crowd = Crowd(url, folder, seconds)
    crowd.work(each, each)
    assert crowd.errors == []
    assert sum(crowd.reads.values()) >= each, "readers starved"
    total = sum(crowd.loads.values())
    trial = read_trial(engine, STUDY)
    assert trial.subjects.height == total + 1
    assert trial.kinetics.height == SAMPLES * (total + 1)
    assert trial.loads.height == total + 1
    assert trial.kinetics.select(pl.struct("usubjid", "rel_day").n_unique()).item() == (
        trial.kinetics.height
    )
    engine.dispose()
    return crowd


@pytest.fixture(autouse=True)
def reads_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """The reading child of the guard is left out: the database is what is shared."""

    def read(sources, limits=None, *, trusted=False):
        return tuple(guard._read_here(source) for source in sources)

    monkeypatch.setattr(jobs, "read_guarded", read)


@pytest.mark.slow
def test_four_loaders_and_four_readers(database_url: str, tmp_path: Path) -> None:
    crowd = run(database_url, tmp_path, 4, 8.0)
    assert min(crowd.loads.values()) >= 1


@pytest.mark.long
@pytest.mark.timeout(300)
def test_eight_loaders_and_eight_readers(database_url: str, tmp_path: Path) -> None:
    crowd = run(database_url, tmp_path, 8, 30.0)
    mean = sum(crowd.loads.values()) / len(crowd.loads)
    assert min(crowd.loads.values()) >= mean / 4, crowd.loads
