"""A time in months is stored as days, or refused in words: 8.4 months are never 8.4 days."""

from pathlib import Path

import pytest
from sqlalchemy import Engine

from analysis.errors import UserError
from etl import jobs
from etl.contracts.day_units import longer_unit
from etl.load_result import LoadResult
from models.queries import read_trial

pytestmark = pytest.mark.usefixtures("reads_here")


def loaded(
    engine: Engine | None, folder: Path, header: str, rule: str, unit: str = ""
) -> LoadResult:
    """The load of one survival time, 8.4, in a column under `header` read by `rule`."""
    (folder / "os.csv").write_text(f"Patient,{header},Event,Unit\nP-1,8.4,0,{unit}\n")
    profile = folder / "os.yaml"
    profile.write_text(
        "name: os\ntables:\n  - contract: survival_event\n"
        f"    columns: {{usubjid: Patient, cnsr: Event, {rule}}}\n"
        "    constants: {endpoint: PFS}\n"
    )
    return jobs.load(engine, [folder / "os.csv"], "ST", profile=str(profile), dry_run=not engine)


@pytest.mark.parametrize(
    ("unit", "day"),
    [("months", 255.675), ("weeks", 58.8), ("years", 3068.1), ("Mo", 255.675), ("days", 8.4)],
)
def test_a_time_is_stored_in_days(engine: Engine, tmp_path: Path, unit: str, day: float) -> None:
    loaded(engine, tmp_path, "PFS months", f"time_day: {{from: PFS months, unit: {unit}}}")
    (stored,) = read_trial(engine, "ST").survival["time_day"].to_list()
    assert stored == pytest.approx(day, rel=1e-12)


def test_the_unit_may_stand_in_the_header_or_a_column(engine: Engine, tmp_path: Path) -> None:
    loaded(engine, tmp_path, "PFS (months)", "time_day: {from: PFS (months), units_from: header}")
    assert read_trial(engine, "ST").survival["time_day"].to_list() == [255.675]
    loaded(engine, tmp_path, "PFS", "time_day: PFS, time_unit: Unit", "WEEKS")
    assert read_trial(engine, "ST").survival["time_day"].to_list() == pytest.approx([58.8])


def test_months_in_a_header_without_a_unit_end_the_load(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"'PFS months' states months .*`unit: months`"):
        loaded(None, tmp_path, "PFS months", "time_day: PFS months")


def test_a_visit_day_from_a_column_of_weeks_ends_the_load(tmp_path: Path) -> None:
    (tmp_path / "k.csv").write_text("Patient,Week,Result\nP-1,4,12\n")
    profile = tmp_path / "k.yaml"
    profile.write_text(
        "name: k\ntables:\n  - contract: kinetics_sample\n"
        "    columns: {usubjid: Patient, nominal_day: Week, value: Result}\n"
        "    constants: {analyte: CARTG, unit: copies/ug}\n"
    )
    with pytest.raises(UserError, match=r"'Week' states weeks .*nominal_day .*days"):
        jobs.load(None, [tmp_path / "k.csv"], "ST", profile=str(profile), dry_run=True)


def test_an_unknown_unit_of_time_is_refused_with_those_known(tmp_path: Path) -> None:
    result = loaded(None, tmp_path, "PFS", "time_day: {from: PFS, unit: zz9}")
    (row,) = result.refused
    assert row["rule"] == "unit_unknown"
    assert "days, weeks, months, years" in row["message"]


@pytest.mark.parametrize(
    ("header", "unit"),
    [
        ("PFS months", "months"), ("OS_months", "months"), ("PFSMONTHS", "months"),
        ("OS (mo)", "months"), ("Week", "weeks"), ("yrs", "years"), ("PFS", None),
        ("Day of visit", None), ("AVAL", None), ("Week 4 (day)", None), ("Study day", None),
        ("Memory", None), ("VISITDY", None), ("Months on days", None),
    ],
)  # fmt: skip
def test_the_unit_of_time_in_a_header(header: str, unit: str | None) -> None:
    assert longer_unit(header) == unit
