"""Non-compartmental parameters against PKNCA and WinNonlin, and the rules of CAR-T kinetics."""

import json
import subprocess
import sys

import numpy as np
import polars as pl
import pytest

from analysis.compute.noncompartmental import NcaRules, nca
from analysis.compute.stein import stein_area, stein_curve
from analysis.errors import UserError

METHODS = {"lin_up_log_down": "linear_up_log_down", "linear": "linear"}


def plain(method):
    """Rules without the guards of a report, as the reference programs print raw values."""
    return NcaRules(method=method, peak_from=0.0, min_r_squared=0.0, min_span=0.0)


def pknca_names(found):
    slope = found.terminal
    values = {
        "auclast": found.auc_last, "cmax": found.cmax, "tmax": found.tmax, "tlast": found.tlast,
        "clast.obs": found.clast, "aucinf.obs": found.auc_infinity,
    }  # fmt: skip
    if slope is not None:
        values |= {
            "lambda.z": slope.rate, "half.life": slope.half_life, "r.squared": slope.r_squared,
            "adj.r.squared": slope.adjusted_r_squared, "lambda.z.n.points": slope.n_points,
            "lambda.z.time.first": slope.time_low, "lambda.z.time.last": slope.time_high,
            "span.ratio": slope.span_ratio, "clast.pred": slope.predict(found.tlast),
        }  # fmt: skip
    return values


@pytest.mark.parametrize("name", sorted(METHODS))
def test_equals_pknca(shared, name):
    golden = json.loads((shared / "golden" / "nca_pknca.json").read_text(encoding="utf-8"))[name]
    samples = pl.read_csv(shared / "golden" / "nca.csv")
    rules = plain(METHODS[name])
    compared = 0
    for (patient,), curve in samples.group_by("patient"):
        until = curve.filter(pl.col("day") <= 28)
        found = {
            28: pknca_names(nca(until["day"], until["copies"], rules=rules)),
            None: pknca_names(nca(curve["day"], curve["copies"], rules=rules)),
        }
        for row in golden:
            if row["patient"] == patient:
                expected = row["PPORRES"]
                value = found[row["end"]][row["PPTESTCD"]]
                assert value == pytest.approx(expected, rel=1e-10), row
                compared += 1
    assert compared == 200


@pytest.mark.parametrize("name", ["Linear", "Log"])
def test_equals_winnonlin_on_theophylline(shared, name):
    folder = shared / "data" / "nca"
    expected = pl.read_csv(folder / f"WNL_Final_Parameters_Pivoted_Theoph_{name}.csv")
    samples = pl.read_csv(folder / "Theoph.csv")
    rules = plain("linear" if name == "Linear" else "linear_up_log_down")
    for row in expected.iter_rows(named=True):
        curve = samples.filter(pl.col("Subject") == row["Subject"])
        found = nca(curve["Time"], curve["conc"], rules=rules)
        pairs = {
            "AUClast": found.auc_last, "AUCINF_obs": found.auc_infinity, "Cmax": found.cmax,
            "Tmax": found.tmax, "Lambda_z": found.terminal.rate,
            "No_points_lambda_z": found.terminal.n_points,
            "Rsq_adjusted": found.terminal.adjusted_r_squared,
            "AUC_%Extrap_obs": found.percent_extrapolated,
        }  # fmt: skip
        for column, value in pairs.items():
            assert value == pytest.approx(row[column], rel=1e-7), (row["Subject"], column)


def test_area_of_the_typical_curve_depends_on_the_schedule(shared):
    golden = json.loads((shared / "reference" / "golden_values.json").read_text(encoding="utf-8"))
    typical = golden["stein2019_typical"]
    days = np.array(typical["auc_schedule_days"])
    values = stein_curve(days)
    assert stein_area(28.0) == pytest.approx(typical["AUC0_28_analytic"], rel=1e-6)
    log_down = nca(days, values).auc_end
    linear = nca(days, values, rules=NcaRules(method="linear")).auc_end
    assert log_down == pytest.approx(typical["AUC0_28_linup_logdown_on_schedule"], rel=1e-6)
    assert linear == pytest.approx(typical["AUC0_28_linear_on_schedule"], rel=1e-6)


DAYS = np.array([0.0, 3.0, 7.0, 10.0, 14.0, 21.0, 28.0, 60.0, 90.0])
COPIES = np.array([np.nan, 100.0, 4000.0, 20000.0, 8000.0, 3000.0, 1000.0, 200.0, np.nan])


def test_a_plain_curve():
    found = nca(DAYS, COPIES)
    assert (found.cmax, found.tmax) == (20000.0, 10.0)
    assert (found.clast, found.tlast, found.first_below) == (200.0, 60.0, 90.0)
    assert found.fold == 200.0
    assert found.doubling_time == pytest.approx(
        np.log(2) / np.polyfit([3, 7, 10], np.log([100, 4000, 20000]), 1)[0]
    )
    assert (found.n_samples, found.n_below) == (9, 2)
    assert found.contraction.time_high == 28.0
    assert found.contraction.half_life == pytest.approx(np.log(2) * 14 / np.log(8), rel=0.05)


def test_the_first_hours_are_no_peak():
    found = nca([0.02, 1.0, 7.0, 14.0, 28.0], [9e5, 50.0, 800.0, 3000.0, 500.0])
    assert (found.cmax, found.tmax) == (3000.0, 14.0)
    early = nca([0.02, 0.5], [9e5, 5e4])
    assert np.isnan(early.cmax)
    assert "from day 1 on" in early.reasons["cmax"]


HALVING = 1300 / np.log(2) * (2 - 2 ** (-1 / 13))
"""Area under a curve that falls from 200 on day 14 to 100 on day 27 and on to day 28."""


@pytest.mark.parametrize(
    ("days", "values", "expected", "reason"),
    [
        ([7, 14], [100, 100], None, "last sample on day 14; needs one on or after day 21"),
        ([7, 14, 28], [100, 100, 100], 350 + 700 + 1400, ""),
        ([7, 14, 35], [100, 100, 100], 350 + 700 + 1400, ""),
        ([7, 14, 25], [100, 100, 100], 350 + 700 + 1400, "extrapolated by 3.0 days"),
        ([7, 14, 27], [100, 200, 100], 350 + 1050 + HALVING, "extrapolated by 1.0 days"),
        ([7, 14, 28], [100, 100, np.nan], 350 + 700 + 700, ""),
        ([7, 14, 24], [100, 100, np.nan], 350 + 700 + 500, "extrapolated by 4.0 days"),
    ],
)  # fmt: skip
def test_area_to_day_28(days, values, expected, reason):
    found = nca(days, values)
    if expected is None:
        assert np.isnan(found.auc_end)
    else:
        assert found.auc_end == pytest.approx(expected, rel=1e-12)
    assert found.reasons.get("auc_end", "").startswith(reason)
    assert bool(reason) == ("auc_end" in found.reasons)


def test_a_value_below_the_limit_between_two_values_is_left_out():
    with_gap = nca([0, 7, 10, 14, 28], [np.nan, 100, np.nan, 100, 100])
    without = nca([0, 7, 14, 28], [np.nan, 100, 100, 100])
    assert with_gap.auc_end == without.auc_end
    assert with_gap.n_below == 2


def test_only_the_first_zero_after_the_last_value_counts():
    one = nca([0, 7, 21, 28], [np.nan, 100, np.nan, np.nan])
    assert one.auc_end == pytest.approx(350 + 700)
    assert one.first_below == 21.0


def test_nothing_quantifiable():
    found = nca([0, 7, 28], [np.nan, np.nan, np.nan])
    assert np.isnan(found.cmax)
    assert found.reasons["cmax"] == "all samples below the limit"
    assert found.n_below == 3


def test_a_peak_at_the_last_sample_is_said():
    assert "later" in nca([3, 7, 14], [10, 100, 1000]).reasons["tmax"]


@pytest.mark.parametrize(
    ("days", "values", "parameter", "reason"),
    [
        ([7, 14, 28], [100, 50, 20], "doubling_time", "needs 3 values up to the peak"),
        ([1, 7, 14, 28], [np.nan, 100, 500, 20], "fold", "first sample after infusion is below"),
        ([7, 14, 28], [100, 50, 20], "fold", "the peak is the first sample"),
        ([7, 14, 28], [10, 100, 20], "terminal", "needs 3 values above the limit"),
        ([7, 14, 15, 16, 17], [10, 100, 90, 95, 92], "terminal", "do not fall"),
    ],
)
def test_what_cannot_be_calculated_says_why(days, values, parameter, reason):
    assert reason in nca(days, values).reasons[parameter]


def test_bad_vectors():
    with pytest.raises(UserError, match="lengths differ"):
        nca([1, 2], [1.0])
    with pytest.raises(UserError, match="one time"):
        nca([1, 1], [1.0, 2.0])


def test_order_of_samples_does_not_matter():
    order = np.array([4, 0, 8, 2, 6, 1, 3, 7, 5])
    assert nca(DAYS[order], COPIES[order]).auc_end == nca(DAYS, COPIES).auc_end


@pytest.mark.parametrize("scale", [1e-6, 1e6])
def test_scale_of_the_unit_does_not_matter(scale):
    one, other = nca(DAYS, COPIES), nca(DAYS, COPIES * scale)
    assert other.auc_end == pytest.approx(one.auc_end * scale, rel=1e-12)
    assert other.contraction.half_life == pytest.approx(one.contraction.half_life, rel=1e-9)


WINNONLIN_COLUMNS = {
    "AUClast": "auc_last",
    "AUCINF_obs": "auc_infinity",
    "AUC_%Extrap_obs": "percent_extrapolated",
    "Cmax": "cmax",
    "Tmax": "tmax",
    "Clast": "clast",
    "Tlast": "tlast",
}
WINNONLIN_SLOPE = {
    "Lambda_z": "rate",
    "HL_Lambda_z": "half_life",
    "Lambda_z_lower": "time_low",
    "Lambda_z_upper": "time_high",
    "No_points_lambda_z": "n_points",
    "Rsq": "r_squared",
    "Rsq_adjusted": "adjusted_r_squared",
}


@pytest.mark.parametrize(
    "name",
    [
        "Theoph_Linear", "Theoph_Log", "Indometh_Linear", "Indometh_Log",
        "Indometh_Linear_Infusion", "Indometh_Log_Infusion", "Indometh_Linear_NoDose",
        "Indometh_Linear_Wrong_Extravascular", "Indometh_Log_Wrong_Extravascular",
    ],
)  # fmt: skip
def test_equals_every_winnonlin_table(shared, name):
    folder = shared / "data" / "nca"
    drug = name.split("_")[0]
    expected = pl.read_csv(folder / f"WNL_Final_Parameters_Pivoted_{name}.csv")
    samples = pl.read_csv(folder / f"{drug}.csv").rename({"Time": "time"}, strict=False)
    rules = plain("linear" if "Linear" in name else "linear_up_log_down")
    for row in expected.iter_rows(named=True):
        curve = samples.filter(pl.col("Subject") == row["Subject"])
        time, value = curve["time"].to_list(), curve["conc"].to_list()
        skipped = set()
        if "C0" in row:
            # A bolus: the value carried back to the injection is the first point of the curve.
            time, value, skipped = [0.0, *time], [row["C0"], *value], {"Cmax", "Tmax"}
        found = nca(time, value, rules=rules)
        pairs = {c: getattr(found, a) for c, a in WINNONLIN_COLUMNS.items() if c not in skipped}
        pairs |= {c: getattr(found.terminal, a) for c, a in WINNONLIN_SLOPE.items()}
        for column, got in pairs.items():
            assert got == pytest.approx(row[column], rel=2e-8), (name, row["Subject"], column)


@pytest.mark.parametrize(
    ("time", "value", "words"),
    [
        ([1, 2], [1.0], "lengths differ"),
        ([1, np.nan], [1.0, 2.0], "time is missing"),
        ([1, 2], [1.0, np.inf], "infinite"),
        ([1, 1], [1.0, 2.0], "two samples at one time"),
    ],
)
def test_curves_that_make_no_sense_are_refused(time, value, words):
    with pytest.raises(UserError, match=words):
        nca(time, value)


def test_entry_point_of_the_package():
    code = (
        "import sys, analysis\n"
        "assert 'numpy' not in sys.modules\n"
        "assert analysis.compute.nca([1, 7, 14], [1.0, 10.0, 5.0]).cmax == 10.0\n"
        "from analysis.compute import nca\n"
        "assert nca is analysis.compute.nca\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_samples_of_whales_at_steady_state(shared):
    """PKNCA's data of doi:10.1638/03-078: the fourth dose at 72 hours, samples to the next one."""
    samples = pl.read_csv(shared / "data" / "nca" / "pknca_whale_conc.csv")
    compared = 0
    for _, curve in samples.group_by("Animal"):
        hours, value = curve["time"].to_numpy() - 72.0, curve["concentration"].to_numpy()
        found = nca(hours, value, rules=NcaRules(peak_from=0.0, end=24.0, last_sample_from=24.0))
        top = int(np.argmax(value))
        assert (found.cmax, found.tmax, found.tlast) == (value[top], hours[top], 24.0)
        up = np.trapezoid(value[: top + 1], hours[: top + 1])
        falls, widths = np.diff(value[top:]), np.diff(hours[top:])
        down = (widths * falls / np.diff(np.log(value[top:]))).sum()
        assert (falls < 0).all()
        assert found.auc_end == pytest.approx(up + down, rel=1e-12)
        assert found.auc_last == found.auc_end
        # The dosing interval is long against the decline: the trough has come back.
        assert value[-1] == pytest.approx(value[0], rel=0.1)
        assert "has 2" in found.reasons["terminal"]
        assert "has 2" in found.reasons["auc_infinity"]
        assert "up to the peak, has 2" in found.reasons["growth_rate"]
        compared += 1
    assert compared >= 2
