"""fit_joint against JM 1.5-2 on its own data sets, aids and pbc2."""

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from analysis import Fit, fit_joint

SHARED = Path(__file__).resolve().parents[4] / "shared"
golden_data = pytest.mark.skipif(
    not (SHARED / "golden").is_dir(), reason="reference data ../shared is not on this machine"
)


def row(fit: Fit, term: str, part: str):
    return next(item for item in fit.estimates if item.term == term and item.part == part)


def fit_aids(baseline: str) -> Fit:
    return fit_joint(
        pl.read_csv(SHARED / "golden" / "aids.csv"), pl.read_csv(SHARED / "golden" / "aids_id.csv"),
        "CD4 ~ obstime + obstime:drug", "patient", "1 + obstime", "obstime", "Time", "death",
        "drug",
        baseline=baseline,
    )  # fmt: skip


@golden_data
@pytest.mark.parametrize("baseline", ["piecewise", "weibull", "spline"])
def test_aids_equals_jm(baseline):
    expected = json.loads((SHARED / "golden" / "jm_aids.json").read_text())[f"{baseline}-PH-aGH"]
    fit = fit_aids(baseline)

    assert fit.n_events == 188
    assert fit.status == "ok"
    event = {item["_row"]: item for item in expected["event"]}
    ours = {
        "Assoct": row(fit, "value", "association"), "drugddI": row(fit, "drug[T.ddI]", "event")
    }  # fmt: skip
    for name, found in ours.items():
        assert found.estimate == pytest.approx(event[name]["Value"], rel=0.01), name
        assert found.std_error == pytest.approx(event[name]["Std.Err"], rel=0.01), name
    course = [item for item in fit.estimates if item.part == "longitudinal"]
    for found, item in zip(course, expected["long"], strict=True):
        assert found.estimate == pytest.approx(item["Value"], abs=0.1 * item["Std.Err"])
        assert found.std_error == pytest.approx(item["Std.Err"], rel=0.01)
    assert fit.variance_components[-1].sd_or_corr == pytest.approx(expected["sigma"], rel=1e-3)
    assert fit.variance_components[0].variance == pytest.approx(expected["D"][0][0], rel=2e-3)
    assert fit.variance_components[1].variance == pytest.approx(expected["D"][1][1], rel=5e-3)
    if baseline != "spline":  # the spline's knots are ours
        # JM's EM stops a little below the maximum that this likelihood has.
        assert expected["logLik"] - 0.01 < fit.log_likelihood < expected["logLik"] + 0.05


@golden_data
def test_aids_has_the_knots_and_hazards_of_jm():
    expected = json.loads((SHARED / "golden" / "jm_aids.json").read_text())["piecewise-PH-aGH"]
    fit = fit_aids("piecewise")
    cuts = fit.design.problem.baselines[0].cuts
    np.testing.assert_allclose(cuts, expected["knots"], atol=2e-6)
    hazards = [item for item in fit.estimates if item.term.startswith("log(hazard")]
    wanted = [item for item in expected["event"] if item["_row"].startswith("log(xi")]
    for found, item in zip(hazards, wanted, strict=True):
        assert found.estimate == pytest.approx(item["Value"], abs=0.05 * item["Std.Err"])
        assert found.std_error == pytest.approx(item["Std.Err"], rel=0.01)
    assert fit.sentence == (
        "Each unit more of CD4 goes with a hazard ratio of 0.75 (95 % CI 0.70 to 0.80) "
        "(467 patients, 188 events; joint model, normal intervals). An association is not a cause."
    )


@golden_data
def test_pbc2_equals_jm():
    truth = json.loads((SHARED / "data" / "TRUTH.json").read_text())["R"]["JM_pbc2"]
    fit = fit_joint(
        pl.read_csv(SHARED / "data" / "joint" / "JM__pbc2.csv"),
        pl.read_csv(SHARED / "data" / "joint" / "JM__pbc2.id.csv"),
        "log(serBilir) ~ year", "id", "1 + year", "year", "years", "status2", "drug",
    )  # fmt: skip
    expected = next(item for item in truth["event"] if item["_row"] == "Assoct")
    found = row(fit, "value", "association")
    assert found.estimate == pytest.approx(expected["Value"], rel=0.01)
    assert found.std_error == pytest.approx(expected["Std.Err"], rel=0.01)
    drug = next(item for item in truth["event"] if item["_row"] == "drugplacebo")
    assert row(fit, "drug[T.placebo]", "event").estimate == pytest.approx(
        drug["Value"], abs=0.05 * drug["Std.Err"]
    )
    assert fit.variance_components[-1].sd_or_corr == pytest.approx(truth["sigma"], rel=1e-3)
    assert truth["logLik"] < fit.log_likelihood < truth["logLik"] + 0.1
    assert fit.sentence.startswith("Each doubling of serBilir goes with a hazard ratio of 2.4")
