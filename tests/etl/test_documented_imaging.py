"""The worked example of docs/profiles.md, loaded from the page itself: file, profile, numbers."""

from datetime import datetime
from pathlib import Path

import polars as pl
import pytest
from sqlalchemy import Engine

from analysis.errors import UserError
from etl import jobs
from jobs.demo import upgrade_database
from models.queries import read_trial

pytestmark = pytest.mark.usefixtures("reads_here")

PAGE = Path(__file__).resolve().parents[2] / "docs" / "profiles.md"
HEADING = "## A third example: one row per scan, organs as columns\n"


@pytest.fixture(autouse=True)
def registry(request: pytest.FixtureRequest) -> None:
    """The tracers in the database, as `cartograph db upgrade` writes them."""
    if "engine" in request.fixturenames:
        upgrade_database(request.getfixturevalue("database_url"))


def written(folder: Path) -> tuple[Path, Path]:
    """The file and the profile as the page shows them."""
    section = PAGE.read_text(encoding="utf-8").partition(HEADING)[2].partition("\n## ")[0]
    paths = (folder / "pet_reads.csv", folder / "wide_pet.yaml")
    for path, language in zip(paths, ("csv", "yaml"), strict=True):
        path.write_text(section.partition(f"```{language}\n")[2].partition("```")[0])
    return paths


def test_the_example_loads_with_every_number_in_its_place(engine: Engine, tmp_path: Path) -> None:
    file, profile = written(tmp_path)
    result = jobs.load(engine, [file], "ST", profile=str(profile))
    assert result.exit_code == 0
    assert result.refused == ()
    account = result.files[0]
    assert (account.rows_in, account.loaded, account.duplicates, account.empty) == (20, 17, 0, 3)
    trial = read_trial(engine, "ST")
    scans = trial.scans.sort("usubjid", "dtm_utc")
    assert scans.select("usubjid", "dtm_utc", "weight_kg").rows() == [
        ("P-01", datetime(2026, 1, 14), 71.5),
        ("P-01", datetime(2026, 1, 28), 70.8),
        ("P-02", datetime(2026, 1, 15), 64.0),
    ]
    for column, said in (("tracer_id", "f18_fhbg"), ("modality", "PET")):
        assert scans[column].unique().to_list() == [said]
    values = trial.quantifications.sort("usubjid", "scan_code", "region_code", "metric")
    assert values["unit"].unique().to_list() == ["g/mL"]
    assert values.select("usubjid", "scan_code", "region_code", "metric", "value").rows() == [
        ("P-01", "14/01/2026", "L1", "suv_max", 11.3),
        ("P-01", "14/01/2026", "LIVER", "suv_max", 6.9),
        ("P-01", "14/01/2026", "LIVER", "suv_mean", 4.1),
        ("P-01", "14/01/2026", "SPLEEN", "suv_mean", 3.05),
        ("P-01", "28/01/2026", "L1", "suv_max", 8.15),
        ("P-01", "28/01/2026", "LIVER", "suv_max", 7.2),
        ("P-01", "28/01/2026", "LIVER", "suv_mean", 4.35),
        ("P-01", "28/01/2026", "SPLEEN", "suv_mean", 3.4),
        ("P-02", "15/01/2026", "L2", "suv_max", 5.6),
        ("P-02", "15/01/2026", "LIVER", "suv_max", 6.1),
        ("P-02", "15/01/2026", "LIVER", "suv_mean", 3.8),
        ("P-02", "15/01/2026", "SPLEEN", "suv_mean", 2.95),
    ]


def test_a_lesion_without_a_value_is_not_there(engine: Engine, tmp_path: Path) -> None:
    """L1 of P-01 is one record though it has two values; the lesion of P-02 that reads n.e. and
    the empty one of P-01 are none; organs are told by their code."""
    file, profile = written(tmp_path)
    jobs.load(engine, [file], "ST", profile=str(profile))
    regions = read_trial(engine, "ST").regions.sort("usubjid", "region_code")
    lesions = regions.filter(pl.col("kind") == "lesion")
    assert lesions.select("usubjid", "region_code").rows() == [("P-01", "L1"), ("P-02", "L2")]
    organs = regions.filter(pl.col("kind") == "organ")["region_code"].unique().sort().to_list()
    assert organs == ["LIVER", "SPLEEN"]


@pytest.mark.parametrize("cell", ["H9", "H2", "G99"])
def test_an_empty_cell_is_one_clear_line(tmp_path: Path, cell: str) -> None:
    file, profile = written(tmp_path)
    profile.write_text(profile.read_text().replace("cell: H1", f"cell: {cell}"))
    words = (
        f"profile 'wide_pet', table 'scan', file 'pet_reads.csv': cell '{cell}' is empty or not in"
    )
    with pytest.raises(UserError, match=words):
        jobs.load(None, [file], "ST", profile=str(profile), dry_run=True)


def test_a_cell_is_an_address(tmp_path: Path) -> None:
    file, profile = written(tmp_path)
    profile.write_text(profile.read_text().replace("cell: H1", "cell: tracer"))
    with pytest.raises(UserError, match=r"columns\.tracer_id.*cell"):
        jobs.load(None, [file], "ST", profile=str(profile), dry_run=True)
