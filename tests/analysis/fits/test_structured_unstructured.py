"""Every variance and covariance of the visits free (MMRM)."""

import json
from pathlib import Path

import polars as pl
import pytest

from analysis import fit_mixed


def test_unstructured_holds_compound_symmetry(single):
    wide = fit_mixed(single, "y ~ day", "patient", residual="unstructured:day")
    narrow = fit_mixed(single, "y ~ day", "patient", verify=False)
    assert wide.log_likelihood > narrow.log_likelihood
    none = fit_mixed(single, "y ~ day", "patient", "0", residual="unstructured:day")
    assert none.criterion == pytest.approx(wide.criterion)


def test_unstructured_golden(shared: Path, component):
    golden = json.loads((shared / "golden" / "mmrm_fev.json").read_text())
    frame = pl.read_csv(shared / "golden" / "fev_data.csv", null_values="NA").with_columns(
        pl.col("SEX").cast(pl.Enum(["Male", "Female"]))
    )
    formula = "FEV1 ~ RACE + SEX + ARMCD * AVISIT"
    for method in ("satterthwaite", "kenward_roger"):
        fit = fit_mixed(frame, formula, "USUBJID", residual="unstructured:AVISIT", inference=method)
        # mmrm stops 2.6e-6 below this optimum, so its numbers are met to what that leaves.
        assert golden["logLik"] <= fit.log_likelihood <= golden["logLik"] + 5e-6
        for row, expected in zip(fit.estimates, golden[method], strict=True):
            assert row.estimate == pytest.approx(expected["Estimate"], rel=1e-4, abs=2e-4)
            assert row.std_error == pytest.approx(expected["Std. Error"], rel=1e-4)
            assert row.df == pytest.approx(expected["df"], rel=1e-3)
    for i, visit in enumerate(("VIS1", "VIS2", "VIS3", "VIS4")):
        variance = component(fit, "Residual", visit) ** 2
        assert variance == pytest.approx(golden["varcor"][i][i], rel=1e-4)


@pytest.mark.parametrize("kind", [pl.Float64, pl.Int64, pl.Enum(["28", "14", "7", "3", "1", "0"])])
def test_visits_stand_in_the_order_of_their_values(uneven, kind):
    """Not in that of their text, where day 14 would come before day 3."""
    days = pl.col("day").cast(pl.Int64)
    visit = days.cast(pl.String).cast(kind) if isinstance(kind, pl.Enum) else days.cast(kind)
    fit = fit_mixed(uneven.with_columns(visit=visit), "y ~ day", "p", residual="unstructured:visit")
    names = [row.term_1 for row in fit.variance_components if row.term_2 is None]
    shown = [f"{float(name):g}" for name in names]
    expected = ["0", "1", "3", "7", "14", "28"]
    assert shown == (expected[::-1] if isinstance(kind, pl.Enum) else expected)
