"""The remaining values recorded with R for public data: ../shared/data/TRUTH.json."""

import json
from pathlib import Path

import polars as pl
import pytest

from analysis import (
    Fit,
    cumulative_incidence,
    fit_cox,
    fit_mixed,
    kaplan_meier,
    log_rank,
    patient_effects,
)
from analysis.checks.proportional_hazards import proportional_hazards_tests


@pytest.fixture
def truth(shared: Path) -> dict:
    return json.loads((shared / "data" / "TRUTH.json").read_text())["R"]


def read(shared: Path, name: str) -> pl.DataFrame:
    path = shared / "data" / name
    return pl.read_csv(path, null_values=["NA", ""], infer_schema_length=None)


def fixed(fit: Fit, name: str) -> list[float]:
    return fit.table()[name].to_list()


def test_uncorrelated_effects_of_sleepstudy(shared: Path, truth: dict) -> None:
    expected = truth["sleepstudy_uncorr"]
    frame = read(shared, "mixed_effects/lme4__sleepstudy.csv")
    fit = fit_mixed(frame, "Reaction ~ Days", "Subject", "1 + Days", covariance="diagonal")
    assert fixed(fit, "estimate") == pytest.approx(list(expected["fixef"].values()), rel=1e-6)
    assert fixed(fit, "std_error") == pytest.approx(list(expected["se"].values()), rel=1e-4)
    deviations = [row.sd_or_corr for row in fit.variance_components]
    assert deviations == pytest.approx([row["sdcor"] for row in expected["varcomp"]], rel=1e-4)


def test_predicted_effects_of_sleepstudy(shared: Path, truth: dict) -> None:
    frame = read(shared, "mixed_effects/lme4__sleepstudy.csv")
    fit = fit_mixed(frame, "Reaction ~ Days", "Subject", "1 + Days")
    found = patient_effects(fit).table().sort("usubjid", "term")
    for patient, expected in zip((308, 309, 310), truth["sleepstudy_ranef_first3"], strict=True):
        rows = found.filter(pl.col("usubjid") == str(patient))
        values = dict(zip(rows["term"], rows["estimate"], strict=True))
        assert values["Days"] == pytest.approx(expected["Days"], rel=1e-4)
        assert values["(Intercept)"] == pytest.approx(expected["(Intercept)"], rel=1e-4)


def test_tumor_size_of_colorectal_cancer(shared: Path, truth: dict) -> None:
    expected = truth["colorectalLongi_LMM"]
    frame = read(shared, "tumour_size/colorectalLongi.csv").rename({"tumor.size": "size"})
    fit = fit_mixed(frame, "size ~ year * treatment", "id", "1 + year")
    assert fit.n_observations == expected["n"]
    assert fit.criterion == pytest.approx(expected["crit"], rel=1e-6)
    assert fixed(fit, "estimate") == pytest.approx(list(expected["fixef"].values()), rel=1e-5)
    assert fixed(fit, "std_error") == pytest.approx(list(expected["se"].values()), rel=2e-4)


@pytest.mark.parametrize(
    ("name", "file", "formula", "time", "event"),
    [
        ("pbc2_cox_base", "joint/JM__pbc2.id.csv", "drug", "years", pl.col("status2")),
        ("colorectal_death_cox", "tumour_size/colorectal.csv", "treatment", "time1",
         pl.col("state")),
    ],
)  # fmt: skip
def test_deaths(shared: Path, truth: dict, name, file, formula, time, event) -> None:
    expected = truth[name]
    frame = read(shared, file).with_columns(e=event)
    if name.startswith("pbc2"):
        frame = frame.with_columns(pl.col("drug").cast(pl.Enum(["D-penicil", "placebo"])))
    if name.startswith("colorectal"):
        frame = frame.sort("id", "time1").group_by("id", maintain_order=True).last()
    fit = fit_cox(frame, formula, time, "e")
    assert (fit.n_subjects, fit.n_events) == (expected["n"], expected["nevent"])
    assert fixed(fit, "estimate") == pytest.approx(list(expected["coef"].values()), rel=1e-6)
    assert fixed(fit, "std_error") == pytest.approx(list(expected["se"].values()), rel=1e-6)
    assert fit.log_likelihood == pytest.approx(expected["loglik"][1], rel=1e-9)


def test_lung(shared: Path, truth: dict) -> None:
    frame = read(shared, "survival/survival__lung.csv").with_columns(e=pl.col("status") - 1)
    for name, group in (("lung_KM", None), ("lung_KM_sex", "sex")):
        curves = kaplan_meier(frame, "time", "e", group).curves
        for index, row in enumerate(truth[name]["S"]):
            curve = curves[index // 2] if group else curves[0]
            expected = (row["surv"], row["se"], row["lo"], row["hi"])
            assert curve.at(row["time"]) == pytest.approx(expected, rel=1e-8)
            assert curve.number_at_risk(row["time"]) == row["nrisk"]
    whole = kaplan_meier(frame, "time", "e").curves[0]
    assert (whole.median, whole.median_low, whole.median_high) == (310, 285, 363)
    test = log_rank(frame, "time", "e", "sex")
    assert test.statistic == pytest.approx(truth["lung_logrank"]["chisq"], rel=1e-9)
    fit = fit_cox(frame, "age + sex + `ph.ecog`", "time", "e")
    for found, row in zip(proportional_hazards_tests(fit.design), truth["lung_zph"], strict=True):
        assert (found.term, found.df) == (row["_row"], row["df"])
        assert found.statistic == pytest.approx(row["chisq"], rel=1e-7)


def test_progression_with_death_as_competitor(shared: Path, truth: dict) -> None:
    frame = read(shared, "survival/survival__mgus2.csv")
    first = pl.when(pl.col("pstat") == 1).then(pl.col("ptime")).otherwise(pl.col("futime"))
    cause = (
        pl.when(pl.col("pstat") == 1).then(pl.lit("pcm"))
        .when(pl.col("death") == 1).then(pl.lit("death"))
    )  # fmt: skip
    rows = frame.with_columns(t=first, cause=cause).with_columns(
        e=pl.col("cause").is_not_null().cast(pl.Int64)
    )
    found = cumulative_incidence(rows, "t", "e", "cause")
    for row in truth["mgus2_cuminc"]:
        for name in ("pcm", "death"):
            assert found.curve(name).at(row["time"])[0] == pytest.approx(row[name], rel=1e-8)
