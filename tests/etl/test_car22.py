"""The worked example against published values: ../shared/data/car22_nci_ball (59 patients).

Every number is computed from what `models.queries.read_trial` gives back, on both databases.
"""

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from sqlalchemy import Engine

from analysis.derive.groups import patient_groups
from etl import jobs
from models.queries import read_trial
from models.trial import Trial

STUDY = "NCT02315612"


@pytest.fixture(scope="module")
def workbook(shared: Path) -> Path:
    return shared / "data" / "car22_nci_ball" / "clinical_data_05-12-20_v1.xlsx"


@pytest.fixture(scope="module")
def truth(shared: Path) -> dict:
    return json.loads((shared / "data" / "TRUTH.json").read_text())["python"]["car22"]


@pytest.fixture
def trial(engine: Engine, workbook: Path) -> Trial:
    result = jobs.load(engine, [workbook], STUDY, profile="car22")
    assert result.exit_code == 0
    return read_trial(engine, STUDY)


def belongs(trial: Trial, kind: str, level: str) -> pl.DataFrame:
    """usubjid and whether (1 or 0) the patient is of this level; null when not known."""
    groups = patient_groups(
        kind, trial.subjects, responses=trial.responses, adverse_events=trial.adverse_events
    )
    return groups.select("usubjid", (pl.col("group") == level).cast(pl.Float64).alias("belongs"))


def absolute(trial: Trial) -> pl.DataFrame:
    return trial.kinetics.filter(
        (pl.col("analyte") == "CARFLOW")
        & (pl.col("matrix") == "BLOOD")
        & (pl.col("unit") == "cells/uL")
    )


def peaks(trial: Trial, kind: str, level: str) -> dict[str, float]:
    rows = absolute(trial).group_by("usubjid").agg(pl.col("value").max())
    joined = rows.join(belongs(trial, kind, level), on="usubjid").drop_nulls()
    medians = joined.group_by("belongs").agg(pl.col("value").median(), pl.len())
    return {key: (value, n) for key, value, n in medians.iter_rows()}


@pytest.mark.slow
def test_truth(trial: Trial, truth: dict) -> None:
    assert trial.subjects.height == truth["n"]
    crs = trial.adverse_events.filter(pl.col("category") == "CRS")
    assert crs.height == truth["crs"]
    grades = dict(crs["grade"].value_counts().iter_rows())
    expected = {int(grade): n for grade, n in truth["crs_grade"].items() if grade != "0"}
    assert grades == expected
    assert truth["n"] - crs.height == truth["crs_grade"]["0"]
    hlh = trial.adverse_events.filter(pl.col("category") == "HLH")
    assert hlh.height == truth["carHLH"]

    codes = {"MRD-negative CR": "0.0", "MRD-positive CR": "1.0", "partial response": "2.0",
             "stable disease": "3.0", "progressive disease": "4.0"}  # fmt: skip
    counts = {codes[word]: n for word, n in trial.responses["detail"].value_counts().iter_rows()}
    counts["NaN"] = truth["n"] - trial.responses.height
    assert counts == truth["response_0MRDnegCR_4PD"]
    for name, kind, level in (("ORR", "responder", "responder"), ("CR", "complete_response", "CR")):
        answers = belongs(trial, kind, level)["belongs"].drop_nulls()
        assert [int(answers.sum()), answers.len()] == truth[name]

    cells = absolute(trial)
    percent = trial.kinetics.filter((pl.col("unit") == "%") & (pl.col("matrix") == "BLOOD"))
    assert percent.height == truth["rows_pct"]
    assert cells.height == truth["rows_abs"]
    assert cells["usubjid"].n_unique() == truth["patients_abs"]
    assert (cells["value"] == 0).sum() == truth["zeros_abs"]
    assert (cells["censored"] == "none").all()  # zeros without a limit stay exact zeros
    visits = cells.group_by("nominal_day").agg(pl.col("value").median(), pl.len())
    by_day = {str(int(day)): (median, n) for day, median, n in visits.iter_rows()}
    assert {day: n for day, (_, n) in by_day.items()} == truth["n_by_visit_abs"]
    for day, median in truth["median_abs_by_visit"].items():
        assert by_day[day][0] == pytest.approx(median, rel=1e-12)


@pytest.mark.slow
def test_peaks_and_exposure(trial: Trial, truth: dict) -> None:
    by_hlh = peaks(trial, "event:HLH", "yes")
    for group, median in truth["peak_median_by_hlh"].items():
        assert by_hlh[float(group)] == (pytest.approx(median), truth["peak_n_by_hlh"][group])
    by_response = peaks(trial, "complete_response", "CR")
    for group, median in truth["peak_median_by_CR"].items():
        assert by_response[float(group)][0] == pytest.approx(median)

    cells = absolute(trial)
    top = cells.filter(pl.col("value") == pl.col("value").max()).row(0, named=True)
    assert top["value"] == pytest.approx(truth["max_abs"])
    assert [float(top["usubjid"].removeprefix(f"{STUDY}-")), top["rel_day"]] == (
        truth["max_abs_id_day"]
    )
    day14 = cells.filter(pl.col("nominal_day") == 14).join(
        belongs(trial, "event:HLH", "yes"), on="usubjid"
    )
    for group, median in truth["day14_abs_median_by_hlh"].items():
        rows = day14.filter(pl.col("belongs") == float(group))
        assert rows["value"].median() == pytest.approx(median)

    areas = []
    for _, rows in cells.drop_nulls("rel_day").sort("rel_day").group_by("usubjid"):
        if rows.height >= 3:  # the figures of TRUTH.json are those of three values or more
            areas.append(np.trapezoid(rows["value"], rows["rel_day"]))
    assert len(areas) == truth["auc_lin_obs_n"]
    assert np.median(areas) == pytest.approx(truth["auc_lin_obs_median"])


@pytest.mark.slow
def test_the_same_workbook_again_changes_nothing(engine: Engine, workbook: Path) -> None:
    first = jobs.load(engine, [workbook], STUDY, profile="car22")
    again = jobs.load(engine, [workbook], STUDY, profile="car22")
    assert (again.changed, again.cut) == (False, first.cut)
    assert again.files[0].rows_in == first.files[0].rows_in
    assert again.files[0].loaded == 0
    assert read_trial(engine, STUDY).loads.height == 1


@pytest.mark.slow
def test_a_dry_run_gives_the_same_verdicts_and_writes_nothing(
    engine: Engine, workbook: Path
) -> None:
    promised = jobs.load(engine, [workbook], STUDY, profile="car22", dry_run=True)
    done = jobs.load(engine, [workbook], STUDY, profile="car22")
    assert promised.to_dict() | {"cut": None} == done.to_dict() | {"cut": None}
    assert promised.cut is None


@pytest.mark.slow
def test_left_out_cytokine_columns_repeat_daily_ones(workbook: Path) -> None:
    """The columns of the visit windows that the profile ignores hold no number of their own."""
    from etl.profiles.headers import header_paths
    from etl.readers import read_source
    from etl.source_files import open_sources

    (source,) = open_sources([workbook])
    cells = read_source(source)[1][0].cells
    paths = header_paths([cells.row(row) for row in range(3)])
    daily = {}
    for at, path in enumerate(paths):
        parts = path.split(" | ")
        if parts[0] == "CYTOKINES" and "TIMEPOINT" not in path and parts[1].startswith("Day "):
            daily[parts[2], float(parts[1].removeprefix("Day "))] = at
    checked = 0
    for window in ("Day 21 TIMEPOINT [19-23]", "Day 28 TIMEPOINT [24-32]"):
        columns = {p.split(" | ")[2]: at for at, p in enumerate(paths) if f"| {window} |" in p}
        day_column = next(at for name, at in columns.items() if "EXCEPT IL-18" in name)
        for row in cells.rows()[3:]:
            for name, at in columns.items():
                if name.startswith("True date") or name == "IL-18" or not row[at]:
                    continue
                if row[day_column] in (None, ""):
                    continue
                source_at = daily[name, float(row[day_column])]
                assert row[source_at] is not None
                assert float(row[source_at]) == float(row[at])
                checked += 1
    assert checked > 1000
