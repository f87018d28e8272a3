"""Fit: equality, tables, exact JSON round trip without nan."""

import dataclasses
import json
import math

import polars as pl
import pytest

from analysis import Estimate, Fit
from analysis.results import (
    Check,
    CurvePoint,
    Excluded,
    GeometricMeanRatio,
    InfluencePoint,
    Provenance,
    ResidualPoint,
    SensitivityRow,
    VarianceComponent,
    WaldTest,
    finite,
)

FIT = Fit(
    kind="linear mixed model", status="warning", reason="boundary", sentence="One.", advice="Two.",
    formula="y ~ day", group="usubjid", random="1 + day", nested=("region_code",), reml=False,
    estimates=(Estimate("day", 1.5, 0.1, None, 15.0, 1e-50, 1.3, 1.7), Estimate("x", 0.1)),
    variance_components=(VarianceComponent("usubjid", "(Intercept)", None, 0.5, 0.7),
                         VarianceComponent("Residual", None, None, 0.1, 0.3)),
    log_likelihood=-10.25, criterion=20.5, n_subjects=12, n_observations=48, n_censored=3,
    excluded=(Excluded("no value of y", 2), Excluded("no day", 1)),
    checks=(Check("boundary", "warning", "Singular.", 1.0),),
    ratios=(GeometricMeanRatio(14.0, "CR", "no CR", 83.0, 20.0, 300.0, 1e-9, 42, 16, 2e-9, 37, 9),),
    interaction=WaldTest("group by time", 3.0, 2, 0.2), icc=0.6,
    curves=(CurvePoint("CR", 14.0, 100.0, 50.0, None),),
    residuals=(ResidualPoint("P1", None, 1.0, 0.1, 0.2),),
    influence=(InfluencePoint("P1", 80.0, 20.0, 300.0, 0.96),),
    sensitivity=(SensitivityRow("drop", 14.0, 70.0, 20.0, 200.0, 0.01, 45, "ok"),),
    method="REML.", references=("doi:1",), code="fit()", spec={"outcome": "kinetics:CARTG"},
    provenance=Provenance("cartograph", "0.1.0", (("numpy", "2.4"),), "abc"),
)  # fmt: skip


def test_round_trip_is_exact():
    text = json.dumps(FIT.to_dict(), allow_nan=False)
    again = Fit.from_dict(json.loads(text))
    assert again == FIT
    assert json.dumps(again.to_dict()) == text
    assert isinstance(again.estimates[0], Estimate)
    assert isinstance(again.curves[0], CurvePoint)


def test_every_field_but_the_design_is_in_the_json():
    names = {item.name for item in dataclasses.fields(Fit)}
    assert set(FIT.to_dict()) == names - {"design"}


def test_the_design_is_outside_equality_and_json():
    assert FIT.replace(design=object()) == FIT
    assert "design" not in FIT.to_dict()


def test_nan_and_infinity_become_null():
    fit = FIT.replace(estimates=(Estimate("day", 1.0, math.inf, None, math.nan),))
    row = json.loads(json.dumps(fit.to_dict(), allow_nan=False))["estimates"][0]
    assert (row["std_error"], row["statistic"]) == (None, None)
    assert [finite(value) for value in (math.nan, math.inf, None, 2)] == [None, None, None, 2.0]


def test_a_fit_of_another_version_is_named():
    with pytest.raises(ValueError, match="unknown field 'wisdom'"):
        Fit.from_dict(FIT.to_dict() | {"wisdom": 1})


def test_tables():
    table = FIT.table()
    assert table.columns == [
        "term",
        "estimate",
        "std_error",
        "df",
        "statistic",
        "p_value",
        "conf_low",
        "conf_high",
    ]
    assert table.row(0) == ("day", 1.5, 0.1, None, 15.0, 1e-50, 1.3, 1.7)
    assert Fit("k", "not_estimable", "r", "s").table().schema == table.schema
    assert FIT.variance_table().row(0) == ("usubjid", "(Intercept)", None, 0.5, 0.7)
    assert FIT.variance_table().schema["variance"] == pl.Float64


def test_frozen_and_small_questions():
    with pytest.raises(dataclasses.FrozenInstanceError):
        FIT.status = "ok"
    assert FIT.n_excluded == 3
    assert FIT.key_ratio.ratio == 83.0
    assert FIT.check("boundary").status == "warning"
    assert FIT.check("nothing") is None


def test_importing_analysis_loads_no_numerical_library(tmp_path):
    import subprocess
    import sys

    code = (
        "import sys, analysis, analysis.specs, analysis.results; "
        "print(sorted({'pandas', 'statsmodels', 'scipy', 'formulaic', 'polars', 'numpy'} "
        "& set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
    code = (
        "import sys; from analysis import fit_mixed, fit_specification; "
        "print(sorted({'pandas', 'statsmodels', 'formulaic'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_unknown_name_of_the_package():
    import analysis

    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        getattr(analysis, "nothing")  # noqa: B009
    assert "fit_mixed" in dir(analysis)
