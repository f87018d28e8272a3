"""A full list of regions says nothing of those that only measurements name."""

from pathlib import Path

import pytest
from sqlalchemy import Engine

from etl import jobs
from models.queries import read_trial

pytestmark = pytest.mark.usefixtures("reads_here")

PROFILE = """
name: whole
delivery: full
tables:
  - {contract: subject, file: "subject.csv", columns: {usubjid: usubjid}}
  - contract: scan
    file: "scan.csv"
    columns: {usubjid: usubjid, scan_code: scan_code, rel_day: rel_day, weight_kg: weight_kg}
  - contract: region
    file: "region.csv"
    columns: {usubjid: usubjid, region_code: region_code, kind: kind}
  - contract: quantification
    file: "quantification.csv"
    columns:
      {usubjid: usubjid, scan_code: scan_code, region_code: region_code, metric: metric,
       value: value, unit: unit}
"""
FILES = {
    "subject.csv": "usubjid\nS1\n",
    "scan.csv": "usubjid,scan_code,rel_day,weight_kg\nS1,A,14,70\n",
    "region.csv": "usubjid,region_code,kind\nS1,T01,lesion\nS1,T02,lesion\n",
    "quantification.csv": (
        "usubjid,scan_code,region_code,metric,value,unit\n"
        "S1,A,LIVER,suv_mean,3,g/mL\nS1,A,T01,suv_mean,5,g/mL\n"
    ),
}


def load(engine: Engine, folder: Path, **changed: str) -> jobs.LoadResult:
    profile = folder / "whole.yaml"
    profile.write_text(PROFILE)
    paths = []
    for name, text in FILES.items():
        paths.append(folder / name)
        paths[-1].write_text(changed.get(name.removesuffix(".csv"), text))
    return jobs.load(engine, paths, "ST", profile=str(profile))


def seen(engine: Engine) -> list[tuple[str, float]]:
    rows = read_trial(engine, "ST").quantifications.sort("region_code")
    return list(zip(rows["region_code"], rows["value"], strict=True))


def test_organs_outlive_a_list_of_lesions(engine: Engine, tmp_path: Path) -> None:
    first = load(engine, tmp_path)
    assert first.exit_code == 0
    assert seen(engine) == [("LIVER", 3.0), ("T01", 5.0)]
    again = load(engine, tmp_path, scan=FILES["scan.csv"].replace("70", "71"))
    assert again.retired == 0
    assert seen(engine) == [("LIVER", 3.0), ("T01", 5.0)]


def test_a_corrected_value_of_an_organ_is_loaded(engine: Engine, tmp_path: Path) -> None:
    load(engine, tmp_path)
    corrected = FILES["quantification.csv"].replace("suv_mean,3", "suv_mean,4")
    result = load(engine, tmp_path, quantification=corrected)
    assert (result.superseded, result.retired) == (1, 0)
    assert seen(engine) == [("LIVER", 4.0), ("T01", 5.0)]


def test_a_lesion_that_leaves_the_list_cannot_be_named_any_more(
    engine: Engine, tmp_path: Path
) -> None:
    load(engine, tmp_path)
    without = "usubjid,region_code,kind\nS1,T02,lesion\n"
    corrected = FILES["quantification.csv"].replace("suv_mean,5", "suv_mean,6")
    result = load(engine, tmp_path, region=without, quantification=corrected)
    assert result.exit_code in (0, 1)
    if result.exit_code:
        assert {row["rule"] for row in result.to_dict()["refused"]} <= {"region_unknown"}
    assert ("LIVER", 3.0) in seen(engine)
