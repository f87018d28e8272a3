"""A unit in the header of an uptake is its unit, and text of a header is no metric."""

from pathlib import Path

import pytest

from etl import jobs

PROFILE = """
name: t
tables:
  - contract: scan
    columns: {usubjid: ID, scan_code: scan, rel_day: day, tracer_id: tracer}
    constants: {modality: PET, decay_state: scan_start}
  - contract: quantification
    columns: {usubjid: ID, scan_code: scan}
    wide:
      - header: "{region_code}_suv{stat}"
        constants: {metric: "suv_{stat}"%s}
"""


def refused_and_loaded(
    tmp_path: Path, header: str, more: str = ""
) -> tuple[list[tuple[str, str, str]], int]:
    file, profile = tmp_path / "reads.csv", tmp_path / "p.yaml"
    file.write_text(f"ID,scan,day,tracer,{header}\nS1,A,7,zr89_oxine_cells,2.5\n")
    profile.write_text(PROFILE % more)
    result = jobs.load(None, [file], "ST", str(profile), dry_run=True)
    rows = [(one["rule"], one["raw"], one["message"]) for one in result.refused]
    return rows, result.files[0].loaded


@pytest.mark.parametrize("header", ["liver_suvmean", "liver_suvmean (g/mL)", "liver_suvmax [SUV]"])
def test_a_header_with_the_right_unit_loads(tmp_path: Path, header: str) -> None:
    assert refused_and_loaded(tmp_path, header) == ([], 2)


@pytest.mark.parametrize("more", ["", ", unit: g/mL"])
def test_a_header_with_another_unit_is_refused(tmp_path: Path, more: str) -> None:
    [(rule, raw, _)], loaded = refused_and_loaded(tmp_path, "liver_suvmean (kBq/mL)", more)
    assert rule == ("metric_unknown" if more else "unit_of_another_quantity")
    assert (raw, loaded) == ("suv_mean (kBq/mL)", 1)


def test_text_of_a_header_is_no_metric(tmp_path: Path) -> None:
    [(rule, raw, message)], loaded = refused_and_loaded(tmp_path, "liver_suvmean of VOI")
    assert (rule, raw, loaded) == ("metric_unknown", "suv_mean of VOI", 1)
    assert "nearest: suv_mean" in message
