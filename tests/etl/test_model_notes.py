"""What a load says of values that models use otherwise than as delivered, or leave out."""

from pathlib import Path

import pytest

from analysis import ModelSpec
from analysis.checks.answer import Answer
from analysis.checks.censoring import check_below_limit
from analysis.load_words import zero_rule
from analysis.results import Fit
from etl import jobs

pytestmark = pytest.mark.usefixtures("reads_here")


def messages(folder: Path, code: str, **tables: str) -> dict[str, int]:
    for name, text in tables.items():
        (folder / f"{name}.csv").write_text(text)
    result = jobs.load(None, [folder], "ST", dry_run=True)
    assert all(one["refused"] == 0 for one in result.to_dict()["files"])
    return {one["message"]: one["count"] for one in result.findings if one["code"] == code}


def test_zeros_without_a_limit_name_what_was_measured(tmp_path: Path) -> None:
    rows = (
        "S1,CARFLOW,flow,BLOOD,0,cells/uL,7", "S1,CARFLOW,flow,BLOOD,0,cells/uL,14",
        "S1,CARFLOW,flow,BLOOD,5,cells/uL,21", "S1,CARTG,qPCR,MARROW,0,copies/ug,28",
    )  # fmt: skip
    text = "\n".join(["usubjid,analyte,assay,matrix,value,unit,rel_day", *rows, ""])
    assert messages(tmp_path, "zero_without_limit", kinetics_sample=text) == {
        "Cellular kinetics, CARFLOW, flow, BLOOD, cells/uL: 2 zeros without a limit of "
        "quantification, stored as zero; on a log scale they are taken as below a limit, the "
        "smallest value above zero of that signal": 2,
        "Cellular kinetics, CARTG, qPCR, MARROW, copies/ug: 1 zero without a limit of "
        "quantification, stored as zero; on a log scale it is taken as below a limit, the smallest "
        "value above zero of that signal": 1,
    }


def test_a_fit_says_the_same_of_its_zeros() -> None:
    spec = ModelSpec(outcome="kinetics:CARFLOW:flow:BLOOD")
    fit = Fit("linear mixed model", "ok", None, "", n_observations=90, n_censored=2)
    said = check_below_limit(Answer(spec, None, fit, (), n_assumed=2)).message
    assert f"without a limit of quantification, {zero_rule(2)}." in said


SCANS = "usubjid,scan_code,tracer_id,rel_day{head}\nS1,A,f18_fhbg,14{cell}\n"
UPTAKE = (
    "usubjid,scan_code,region_code,metric,value,unit\n"
    "S1,A,LIVER,suv_mean,2.1,g/mL\nS1,A,SPLEEN,suv_mean,3.1,g/mL\nS1,A,LIVER,mtv_ml,9,mL\n"
)


def test_uptake_without_a_decay_state_is_said_with_what_to_add(tmp_path: Path) -> None:
    """Not of a volume, which decay does not change."""
    scans = SCANS.format(head="", cell="")
    found = messages(tmp_path, "decay_state_unknown", scan=scans, quantification=UPTAKE)
    assert found == {
        "Quantifications, suv_mean: 2 rows of uptake without a decay state are not used in models; "
        "add decay_state (none, scan_start, tracer_injection or cell_infusion) to the scans: a "
        "column of the file, or under constants of the table in its profile": 2
    }


def test_uptake_with_a_decay_state_is_left_alone(tmp_path: Path) -> None:
    scans = SCANS.format(head=",decay_state", cell=",scan_start")
    assert not messages(tmp_path, "decay_state_unknown", scan=scans, quantification=UPTAKE)
