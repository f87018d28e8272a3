"""A unit in the header of an uptake is its unit, and text of a header is no metric."""

from pathlib import Path

import pytest

from etl import jobs
from etl.contracts.metric_names import is_metric
from etl.load_result import LoadResult

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


LONG = """
name: t
%stables:
  - contract: scan
    columns: {usubjid: ID, scan_code: scan, rel_day: day, tracer_id: tracer}
    constants: {modality: PET, decay_state: scan_start}
  - contract: quantification
    columns: {usubjid: ID, scan_code: scan, region_code: region, metric: metric, value: value,
              unit: unit}
%s"""


def load_metric(tmp_path: Path, metric: str, top: str = "", more: str = "") -> LoadResult:
    file, profile = tmp_path / "reads.csv", tmp_path / "p.yaml"
    file.write_text(
        "ID,scan,day,tracer,region,metric,value,unit\n"
        f"S1,A,7,zr89_oxine_cells,LIVER,{metric},2.5,g/mL\n"
    )
    profile.write_text(LONG % (top, more))
    return jobs.load(None, [file], "ST", str(profile), dry_run=True)


@pytest.mark.parametrize(
    "metric", ["suvmeanfoo", "SUVmean", "suv_meen", "entropy", "mtv_41", "tumor_to_ratio"]
)
def test_an_unknown_metric_is_refused_in_one_line_with_what_to_do(
    tmp_path: Path, metric: str
) -> None:
    result = load_metric(tmp_path, metric)
    [row] = result.refused
    assert (row["rule"], row["raw"]) == ("metric_unknown", metric)
    [line] = [line for line in result.summary().splitlines() if metric in line]
    assert "`maps: metric`" in line
    assert "`metrics`" in line
    if metric != "entropy":
        near = "mtv41_ml" if "mtv" in metric else "tumor_to" if "tumor" in metric else "suv_mean"
        assert near in line


def test_a_metric_is_mapped_or_declared_by_the_profile(tmp_path: Path) -> None:
    mapped = load_metric(tmp_path, "suvmeanfoo", more="    maps: {metric: {suvmeanfoo: suv_mean}}")
    declared = load_metric(tmp_path, "entropy", top="metrics: [entropy, SUV of the rim]\n")
    text = load_metric(tmp_path, "SUV of the rim", top="metrics: [entropy, SUV of the rim]\n")
    for result in (mapped, declared, text):
        assert (result.refused, result.files[0].loaded) == ((), 2)
        assert not [one for one in result.findings if "metric" in one["code"]]


@pytest.mark.parametrize(
    "metric",
    ["suv_median", "sul_peak", "mtv50_ml", "tlg", "tumor_to_spleen_ratio", "VOLUME", "SUVMAX"],
)
def test_names_made_as_the_known_ones_are_known(metric: str) -> None:
    assert is_metric(metric)


LESIONS = """
name: t
%stables:
  - contract: lesion_measurement
    columns: {usubjid: ID, rel_day: day, region_code: lesion, metric: metric, value: value,
              unit: unit}
"""


@pytest.mark.parametrize(
    ("metric", "top", "code"),
    [
        ("LDIAM", "", None), ("FDPL5PS", "", None), ("RIMENH", "metrics: [RIMENH]\n", None),
        ("RIMENH", "", "metric_undeclared"), ("suvmeanfoo", "", "metric_unknown"),
    ],
)  # fmt: skip
def test_measures_of_lesions_are_an_open_list(
    tmp_path: Path, metric: str, top: str, code: str | None
) -> None:
    """TRTESTCD is extensible: a code of the trial's own loads, and the load says so; one that looks
    like an uptake, whose unit its name would state, is refused."""
    file, profile = tmp_path / "tr.csv", tmp_path / "p.yaml"
    file.write_text(f"ID,day,lesion,metric,value,unit\nS1,7,T01,{metric},12,mm\n")
    profile.write_text(LESIONS % top)
    result = jobs.load(None, [file], "ST", str(profile), dry_run=True)
    said = [one["message"] for one in result.findings if one["code"] == "metric_undeclared"]
    assert [row["rule"] for row in result.refused if code == "metric_unknown"] == (
        ["metric_unknown"] if code == "metric_unknown" else []
    )
    assert bool(said) == (code == "metric_undeclared")
    if said:
        assert said == [
            "Lesion measurements, RIMENH: 1 row of a metric that the program does not know, stored "
            "under this name; map it to a known one (`maps: metric`), or declare it under "
            "`metrics` in the profile"
        ]
