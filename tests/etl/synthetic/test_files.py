"""The files: same seed, same bytes; the planted problems are where the answers say."""

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from etl.synthetic import Truth, write_trial
from etl.synthetic.files.export_file import ExportFile
from etl.synthetic.problems import PROBLEMS
from etl.synthetic.write import ANSWER_FILE

SEED = 4
ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Truth]:
    folder = tmp_path_factory.mktemp("synthetic")
    return folder, write_trial(folder, seed=SEED)


def test_same_seed_same_bytes(written: tuple[Path, Truth], tmp_path: Path) -> None:
    folder, truth = written
    again = write_trial(tmp_path, seed=SEED)
    assert again.files == truth.files
    for name in (*truth.files, ANSWER_FILE):
        assert (tmp_path / name).read_bytes() == (folder / name).read_bytes(), name


@pytest.mark.slow
def test_same_bytes_in_another_process(written: tuple[Path, Truth], tmp_path: Path) -> None:
    """Another hash seed and another number of threads change nothing."""
    code = f"from etl.synthetic import write_trial; write_trial({str(tmp_path)!r}, seed={SEED})"
    environment = os.environ | {"PYTHONHASHSEED": "7", "POLARS_MAX_THREADS": "1"}
    subprocess.run([sys.executable, "-c", code], check=True, env=environment, cwd=ROOT)
    for name in (*written[1].files, ANSWER_FILE):
        assert (tmp_path / name).read_bytes() == (written[0] / name).read_bytes(), name


def test_other_seed_other_values(written: tuple[Path, Truth], tmp_path: Path) -> None:
    other = write_trial(tmp_path, seed=SEED + 1)
    same = [name for name, sha in other.files.items() if written[1].files[name] == sha]
    assert same == []


def test_files_of_a_trial(written: tuple[Path, Truth]) -> None:
    assert sorted(written[1].files) == [
        "adam/adtte.csv",
        "central_lab/car_flow.csv",
        "central_lab/cytokine_multiplex.xlsx",
        "central_lab/qpcr_transgene.xlsx",
        "crf/baseline.csv",
        "imaging/organ_regions.csv",
        "imaging/quantification.csv",
        "imaging/scan_log.csv",
        "imaging/tracer_administrations.csv",
        "sdtm/ae.xpt",
        "sdtm/cm.csv",
        "sdtm/dm.xpt",
        "sdtm/ex.csv",
        "sdtm/lb.json",
        "sdtm/rs.csv",
        "sdtm/tr.xpt",
        "sdtm/tu.csv",
    ]


def test_every_kind_of_problem_is_planted(written: tuple[Path, Truth]) -> None:
    codes = {problem.code for problem in written[1].problems}
    assert len(codes) == len(written[1].problems) == 30
    assert {problem.outcome for problem in written[1].problems} == {
        "refused", "duplicate", "empty", "loaded", "censored", "partial_date", "flagged",
        "not_evaluable", "finding",
    }  # fmt: skip
    assert len(PROBLEMS) == 19


def test_answers_point_at_the_rows(written: tuple[Path, Truth]) -> None:
    """Row and column of each CSV problem hold the text the answer file quotes."""
    folder, truth = written
    checked = 0
    for problem in truth.problems:
        if not problem.file.endswith(".csv") or problem.outcome == "finding":
            continue
        with (folder / problem.file).open(newline="", encoding="utf-8") as stream:
            rows = list(csv.reader(stream))
        assert rows[problem.row - 1][rows[0].index(problem.column)] == problem.raw
        checked += 1
    assert checked >= 9


def test_answers_are_json_and_hidden(written: tuple[Path, Truth]) -> None:
    answers = json.loads((written[0] / ANSWER_FILE).read_text(encoding="utf-8"))
    assert ANSWER_FILE.startswith(".")
    assert answers["seed"] == SEED
    assert len(answers["patients"]) == 48
    assert answers["cohorts"]["B-ALL"]["response_model"]["expansion_log_odds"] == 5.0
    assert answers["cohorts"]["LBCL"]["response_model"]["expansion_log_odds"] == 0.0
    assert "teaching" in answers["statement"]
    below = [s for s in answers["samples"] if s["value"] < s["lloq"]]
    assert 0.2 < len(below) / len(answers["samples"]) < 0.4


def test_the_trial_without_problems(tmp_path: Path) -> None:
    truth = write_trial(tmp_path, seed=SEED, patients_per_cohort=3, plant=False)
    assert truth.problems == ()


def test_size_is_bounded(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="stream_trial"):
        write_trial(tmp_path, patients_per_cohort=501)


def test_row_in_file_counts_title_and_unit_rows() -> None:
    file = ExportFile("x.xlsx", pl.DataFrame({"a": ["1"]}), above=(("t",), ()), units=("mm",))
    assert file.row_in_file(0) == 5
