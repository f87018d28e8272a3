"""Days that can be, and are most likely wrong, are said; nothing is refused for them."""

from pathlib import Path

import pytest

from etl import jobs

pytestmark = pytest.mark.usefixtures("reads_here")


def found(folder: Path, *rows: str) -> dict[str, int]:
    path = folder / "kinetics_sample.csv"
    head = "usubjid,analyte,assay,value,unit,rel_day,nominal_day"
    path.write_text("\n".join([head, *(f"S1,CARTG,qPCR,{row}" for row in rows)]) + "\n")
    result = jobs.load(None, [path], "ST", dry_run=True)
    assert result.to_dict()["files"][0]["refused"] == 0
    wanted = ("day_far_before", "visit_apart")
    return {one["code"]: one["count"] for one in result.findings if one["code"] in wanted}


def test_a_date_of_birth_in_place_of_a_sample(tmp_path: Path) -> None:
    assert found(tmp_path, "5,copies/ug,-14631,", "6,copies/ug,7,7") == {"day_far_before": 1}


def test_a_visit_far_from_its_plan(tmp_path: Path) -> None:
    rows = ("5,copies/ug,47,7", "6,copies/ug,27,7", "7,copies/ug,400,360", "8,copies/ug,480,360")
    assert found(tmp_path, *rows) == {"visit_apart": 2}


def test_usual_days_are_left_alone(tmp_path: Path) -> None:
    assert found(tmp_path, "5,copies/ug,-5,-7", "6,copies/ug,8,7", "7,copies/ug,30,28") == {}
