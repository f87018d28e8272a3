"""fit_specification and fit_mixed: mixed variables, unknown days, columns, terms, options."""

import polars as pl
import pytest

from analysis import fit_mixed, fit_specification
from analysis.errors import UserError
from tests.analysis.fits.test_specification import SPEC


@pytest.mark.parametrize(
    ("column", "values", "said"),
    [
        ("tracer_id", ["f18_fhbg", "zr89_oxine_cells"], "mix 2 values of tracer_id"),
        ("unit", ["copies/ug", "copies/mL"], "mix 2 values of unit"),
        ("metric", ["suv_mean", "suv_max"], "mix 2 values of metric"),
    ],
)
def test_mixed_variables_are_refused(simulate_trial, column, values, said):
    frame = simulate_trial(1)
    frame = frame.with_columns(pl.Series(column, (values * frame.height)[: frame.height]))
    with pytest.raises(UserError, match=said):
        fit_specification(frame, SPEC)


def test_refusals_of_days_references_and_columns(simulate_trial):
    frame = simulate_trial(1)
    with pytest.raises(UserError, match="day 90 was not observed in every group"):
        fit_specification(frame, SPEC.replace(days=(90.0,)))
    with pytest.raises(UserError, match="reference 'maybe' is not a level of responder"):
        fit_specification(frame, SPEC.replace(reference="maybe"))
    with pytest.raises(UserError, match=r"no column 'group'.*the columns are usubjid"):
        fit_specification(frame.drop("group"), SPEC)
    with pytest.raises(UserError, match="inference 'bayes' does not exist"):
        fit_specification(frame, SPEC.replace(inference="bayes"))


@pytest.mark.parametrize(
    ("formula", "group", "random", "said"),
    [
        ("y ~ dose * x", "usubjid", "1", "there is no column 'dose'; the columns are"),
        ("y ~ x", "patient", "1", "there is no column 'patient'"),
        ("y ~ x", "usubjid", "1 + weeks", "there is no column 'weeks'"),
        ("y ~ fold(x)", "usubjid", "1", "there is no function 'fold'.*the columns are"),
        ("y ~ x +", "usubjid", "1", "cannot be read"),
        ("y ~ x | usubjid", "usubjid", "1", "name the patient column in 'group'"),
        ("y ~ x", "usubjid", "0", "holds no effect; write '1'"),
        ("y ~ log(group)", "usubjid", "1", r"the term 'log\(group\)' cannot be evaluated"),
        ("x", "usubjid", "1", "needs an outcome"),
        ("y ~ x", "usubjid", "y ~ x", "is a right side only"),
        ("group ~ x", "usubjid", "1", "the outcome must be one number per row"),
    ],
)
def test_formula_errors_name_the_term_and_the_columns(simulate_trial, formula, group, random, said):
    frame = simulate_trial(1).with_columns(y=pl.col("value").log10(), x=pl.col("rel_day"))
    with pytest.raises(UserError, match=said) as raised:
        fit_mixed(frame, formula, group, random)
    assert "\n" not in str(raised.value)


def test_unknown_options_of_fit_mixed(simulate_trial):
    frame = simulate_trial(1).with_columns(y=pl.col("value").log10())
    with pytest.raises(UserError, match="does not exist under maximum likelihood"):
        fit_mixed(frame, "y ~ rel_day", "usubjid", reml=False, inference="kenward_roger")
    with pytest.raises(UserError, match="inference 'magic' does not exist"):
        fit_mixed(frame, "y ~ rel_day", "usubjid", inference="magic")
    with pytest.raises(UserError, match="covariance 'round' does not exist"):
        fit_mixed(frame, "y ~ rel_day", "usubjid", covariance="round")
