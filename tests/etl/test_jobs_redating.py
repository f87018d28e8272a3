"""Days of earlier records follow the infusion: it may come later, or be corrected."""

from pathlib import Path

import pytest
from sqlalchemy import Engine

from etl import jobs
from models.queries import read_trial

pytestmark = pytest.mark.usefixtures("reads_here")

SAMPLES = """usubjid,analyte,assay,dtm,value,unit
S1,CARTG,qPCR,2024-03-08T09:00+01:00,120,copies/ug
S1,CARTG,qPCR,2024-03-15,340,copies/ug
S2,CARTG,qPCR,2024-04-02,15,copies/ug
"""
INFUSIONS = """usubjid,infusion_no,dtm,product
S1,1,2024-03-01T09:00+01:00,CAR
"""


def days(engine: Engine, cut: str | None = None) -> list[tuple[str, float | None]]:
    frame = read_trial(engine, "ST", cut).kinetics.sort("usubjid", "dtm_text")
    return list(frame.select("usubjid", "rel_day").iter_rows())


def test_days_follow_an_infusion_that_comes_later(engine: Engine, tmp_path: Path) -> None:
    samples, infusions = tmp_path / "kinetics_sample.csv", tmp_path / "infusion.csv"
    samples.write_text(SAMPLES)
    infusions.write_text(INFUSIONS)
    first = jobs.load(engine, [samples], "ST")
    assert days(engine) == [("S1", None), ("S1", None), ("S2", None)]
    second = jobs.load(engine, [infusions], "ST")
    assert days(engine) == [("S1", 7.0), ("S1", 14.0), ("S2", None)]
    assert "new days from infusion for 2 earlier records" in second.message
    assert days(engine, first.cut) == [("S1", None), ("S1", None), ("S2", None)]

    infusions.write_text(INFUSIONS.replace("2024-03-01", "2024-02-29"))
    jobs.load(engine, [infusions], "ST")
    assert days(engine) == [("S1", 8.0), ("S1", 15.0), ("S2", None)]
    again = jobs.load(engine, [samples], "ST")
    assert not again.changed


def test_a_redated_record_equals_a_loaded_one(engine: Engine, tmp_path: Path) -> None:
    """The content hash is the one a delivery makes, so that loading on finds nothing to change."""
    samples, infusions = tmp_path / "kinetics_sample.csv", tmp_path / "infusion.csv"
    samples.write_text(SAMPLES)
    infusions.write_text(INFUSIONS)
    jobs.load(engine, [samples], "ST")
    jobs.load(engine, [infusions], "ST")
    samples.write_text(SAMPLES + "S1,CARTG,qPCR,2024-03-20,90,copies/ug\n")
    more = jobs.load(engine, [samples], "ST")
    assert (more.files[0].loaded, more.files[0].duplicates) == (1, 3)
    sources = read_trial(engine, "ST").kinetics.sort("usubjid", "dtm_text")["rel_day_source"]
    assert sources.to_list() == ["datetime", "date", "date", None]
