"""The published-style mixed models of CAR22, out of the database and through the product's code.

y = log10(CAR+ cells/uL + 0.1), v = planned day as a factor, (1 | patient); R's values (lme4) stand
in ../shared/data/TRUTH.json.
"""

import json
from pathlib import Path

import polars as pl
import pytest
from sqlalchemy import Engine

import analysis
from analysis.derive.comparison import color_groups
from analysis.derive.groups import patient_groups
from analysis.derive.measured_peaks import measured_peaks
from analysis.derive.response import best_response
from analysis.derive.signal import Signal, signal_series
from analysis.fits.ranks import mann_whitney
from analysis.results import Fit
from etl import jobs
from models.queries import read_trial
from models.trial import Trial

pytestmark = pytest.mark.slow
STUDY = "CAR22"
SIGNAL = Signal.parse("kinetics:CARFLOW:flow:BLOOD")
NAMES = {"Intercept": "(Intercept)"}


@pytest.fixture(scope="module")
def truth(shared: Path) -> dict:
    return json.loads((shared / "data" / "TRUTH.json").read_text())


@pytest.fixture
def trial(engine: Engine, shared: Path) -> Trial:
    workbook = shared / "data" / "car22_nci_ball" / "clinical_data_05-12-20_v1.xlsx"
    jobs.load(engine, [workbook], STUDY, profile="car22")
    return read_trial(engine, STUDY)


def rows(trial: Trial, group: str | None = None, first_day: float = 0.0) -> pl.DataFrame:
    """usubjid, y, v and, where asked for, g (0 or 1); shifted as in the published analysis."""
    series = signal_series(SIGNAL, kinetics=trial.kinetics)
    frame = series.filter(pl.col("nominal_day") >= first_day).select(
        "usubjid",
        y=(pl.col("delivered") + 0.1).log10(),
        v=pl.col("nominal_day").cast(pl.Int64).cast(pl.String).str.pad_start(2, "0"),
    )
    if group is None:
        return frame
    known = patient_groups(
        group, trial.subjects, responses=trial.responses, adverse_events=trial.adverse_events
    )
    level = (
        pl.when(pl.col("group").is_in(["yes", "CR"])).then(1.0)
        .when(pl.col("group").is_not_null()).then(0.0)
    )  # fmt: skip
    return frame.join(known.with_columns(g=level), on="usubjid").drop_nulls("g")


def check(fit: Fit, expected: dict, names: dict[str, str]) -> None:
    assert fit.n_observations == expected["n"]
    assert fit.criterion == pytest.approx(expected["crit"], abs=1e-4)
    found = {names.get(e.term, e.term): e for e in fit.estimates}
    assert set(found) == set(expected["fixef"])
    for term, value in expected["fixef"].items():
        assert found[term].estimate == pytest.approx(value, abs=1e-4), term
        assert found[term].std_error == pytest.approx(expected["se"][term], abs=1e-4), term
    variances = {
        "Residual" if part.group == "Residual" else "id": part.variance
        for part in fit.variance_components
    }
    for part in expected["varcomp"]:
        assert variances[part["grp"]] == pytest.approx(part["vcov"], abs=1e-4)


def test_the_visit_model(trial: Trial, truth: dict) -> None:
    fit = analysis.fit_mixed(rows(trial), "y ~ v", "usubjid")
    names = NAMES | {f"v[T.{day:02d}]": f"v{day}" for day in (7, 14, 21, 28)}
    check(fit, truth["R"]["car22_LMM_visit"], names)


@pytest.mark.parametrize(
    ("which", "group", "term"),
    [
        ("car22_LMM_from14_hlh", "event:HLH", "hlh"),
        ("car22_LMM_from14_CR", "complete_response", "cr"),
    ],
)
def test_the_models_from_day_14(
    trial: Trial, truth: dict, which: str, group: str, term: str
) -> None:
    fit = analysis.fit_mixed(rows(trial, group, 14.0), "y ~ v * g", "usubjid")
    names = NAMES | {"g": term, "v[T.21]": "v21", "v[T.28]": "v28"}
    names |= {f"v[T.{day}]:g": f"v{day}:{term}" for day in (21, 28)}
    check(fit, truth["R"][which], names)


def test_the_size_of_the_signal(trial: Trial, truth: dict) -> None:
    """Median peak 747 against 9.0 cells/uL in CR against the others, and its rank test."""
    expected = truth["python"]["car22"]
    series = signal_series(SIGNAL, kinetics=trial.kinetics)
    groups = patient_groups("complete_response", trial.subjects, responses=trial.responses)
    found = measured_peaks(series, groups, ("CR", "no CR"))
    medians = [group.median for group in found.groups]
    assert medians == pytest.approx(
        [expected["peak_median_by_CR"]["1.0"], expected["peak_median_by_CR"]["0.0"]]
    )
    assert found.p_value == pytest.approx(expected["peak_mwu_CR_p"], rel=1e-6)


def test_peaks_and_day_14_by_carhlh(trial: Trial, truth: dict) -> None:
    expected = truth["python"]["car22"]
    series = signal_series(SIGNAL, kinetics=trial.kinetics)
    groups = patient_groups("event:HLH", trial.subjects, adverse_events=trial.adverse_events)
    levels = sorted(groups.get_column("group").drop_nulls().unique())
    found = measured_peaks(series, groups, levels)
    assert [group.n for group in found.groups] == list(expected["peak_n_by_hlh"].values())
    assert [group.median for group in found.groups] == pytest.approx(
        list(expected["peak_median_by_hlh"].values())
    )
    assert found.p_value == pytest.approx(expected["peak_mwu_hlh_p"], rel=1e-6)
    at_14 = series.filter(pl.col("nominal_day") == 14).join(groups, on="usubjid")
    parts = [at_14.filter(pl.col("group") == level)["delivered"].to_list() for level in levels]
    assert mann_whitney(*parts).p_value == pytest.approx(expected["day14_mwu_p"], rel=1e-6)


def test_response_groups_add_up(trial: Trial, truth: dict) -> None:
    best = best_response(trial.responses)
    counts = dict(color_groups("response", trial.subjects, best)["group"].value_counts().rows())
    assert counts == {"CR": 42, "PR": 1, "SD": 10, "PD": 5, "Not assessed": 1}
    crs, hlh = truth["python"]["car22"]["crs"], truth["python"]["car22"]["carHLH"]
    assert truth["python"]["car22"]["carHLH_pct_of_crs"] == pytest.approx(100 * hlh / crs, abs=0.05)
