"""fit_mixed against lme4 1.1-31 and the published fits of the reference data sets."""

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from analysis import Fit, fit_mixed
from analysis.fits.inference import joint_test

SHARED = Path(__file__).resolve().parents[4] / "shared"
pytestmark = pytest.mark.skipif(
    not (SHARED / "golden").is_dir(), reason="reference data ../shared is not on this machine"
)

CRITERION = 1e-6
ESTIMATE = 1e-5
STD_ERROR = 1e-4
VARIANCE = 5e-3
DF = 1e-3

AVERAGED = ("orthodont_rs", "age")
GOLDENS = {
    # name: (csv, formula, group, random, nested)
    "sleepstudy": ("sleepstudy.csv", "Reaction ~ Days", "Subject", "1 + Days", ()),
    "sleepstudy_log10": ("sleepstudy.csv", "log10(Reaction) ~ Days", "Subject", "1 + Days", ()),
    "orthodont_rs": ("orthodont.csv", "distance ~ age * Sex", "Subject", "1 + age", ()),
    "pixel_nested": ("pixel.csv", "pixel ~ day + I(day**2)", "Dog", "1 + day", ("Side",)),
    "null_var": ("null_var.csv", "y ~ x", "g", "1 + x", ()),
    "cart_small": ("cart_small.csv", "y ~ (s1 + s2 + s3) * response + organ", "patient",
                   "1 + time", ("organ",)),
    "cart_b": ("cart_b.csv", "y ~ (s1 + s2 + s3) * response + organ", "patient", "1 + time",
               ("organ",)),
}  # fmt: skip


def golden(name: str) -> dict:
    return json.loads((SHARED / "golden" / f"{name}.json").read_text())


def fitted(name: str, reml: bool, **options) -> Fit:
    csv, formula, group, random, nested = GOLDENS[name]
    frame = pl.read_csv(SHARED / "golden" / csv)
    return fit_mixed(frame, formula, group, random, nested, reml=reml, **options)


@pytest.mark.parametrize("reml", [True, False], ids=["REML", "ML"])
@pytest.mark.parametrize("name", GOLDENS)
def test_equals_lme4(name, reml):
    fit = fitted(name, reml)
    expected = golden(name)["reml" if reml else "ml"]
    criterion = expected["criterion"] if reml else expected["deviance"]

    assert fit.criterion == pytest.approx(criterion, rel=CRITERION)
    assert fit.log_likelihood == pytest.approx(expected["logLik"], rel=CRITERION)
    assert fit.check("verified").status == "ok"
    fixed = {frozenset(lme4_name(row["name"])): row for row in expected["fixed"]}
    assert len(fixed) == len(fit.estimates)
    for estimate in fit.estimates:
        row = fixed[frozenset(our_name(estimate.term))]
        assert estimate.estimate == pytest.approx(row["estimate"], rel=ESTIMATE, abs=1e-9)
        assert estimate.std_error == pytest.approx(row["se"], rel=STD_ERROR)
        if reml:
            assert estimate.df == pytest.approx(row["df_satterthwaite"], rel=DF)
            assert estimate.p_value == pytest.approx(row["p_satterthwaite"], rel=0.01, abs=1e-12)


@pytest.mark.parametrize("name", GOLDENS)
def test_kenward_roger_equals_pbkrtest(name):
    fit = fitted(name, True, inference="kenward_roger", verify=False)
    fixed = {frozenset(lme4_name(row["name"])): row for row in golden(name)["reml"]["fixed"]}
    for estimate in fit.estimates:
        row = fixed[frozenset(our_name(estimate.term))]
        assert estimate.std_error == pytest.approx(row["se_kr"], rel=STD_ERROR)
        assert estimate.df == pytest.approx(row["df_kr"], rel=DF)
        assert estimate.p_value == pytest.approx(row["p_kr"], rel=0.01, abs=1e-12)


@pytest.mark.parametrize("name", GOLDENS)
def test_wald_on_demand_is_the_normal_reference(name):
    fit = fitted(name, True, inference="wald", verify=False)
    fixed = {frozenset(lme4_name(row["name"])): row for row in golden(name)["reml"]["fixed"]}
    for estimate in fit.estimates:
        row = fixed[frozenset(our_name(estimate.term))]
        assert estimate.df is None
        assert estimate.p_value == pytest.approx(row["wald_z_p"], rel=0.02, abs=1e-12)


@pytest.mark.parametrize(
    ("inference", "recorded"),
    [("satterthwaite", "anova3_satterthwaite"), ("kenward_roger", "anova3_kr")],
)
@pytest.mark.parametrize("name", GOLDENS)
def test_joint_tests_of_terms_equal_r(name, inference, recorded):
    """lmerTest's contest and pbkrtest's KRmodcomp, term by term. A main effect beside an
    interaction with a factor means something else in R (the factor's levels averaged)."""
    fit = fitted(name, True, inference=inference, verify=False)
    places = {
        frozenset(our_name(term)): where for term, _, where in fit.design.design.matrices.x_terms
    }
    rows = [row for row in golden(name)["reml"][recorded] if (name, row["term"]) != AVERAGED]
    assert rows
    for row in rows:
        where = places[frozenset(lme4_name(row["term"]))]
        test = joint_test(fit.design, row["term"], np.eye(len(fit.estimates))[where])
        assert (test.df, test.kind) == (row["num_df"], "F")
        assert test.statistic == pytest.approx(row["F"], rel=1e-5)
        assert test.den_df == pytest.approx(row["den_df"], rel=DF)


@pytest.mark.parametrize("name", ["cart_small", "cart_b"])
def test_kenward_roger_of_several_effects_at_once(name):
    """The F test of all three interactions: here the scaling differs from one."""
    fit = fitted(name, True, inference="kenward_roger", verify=False)
    terms = [estimate.term for estimate in fit.estimates]
    chosen = [index for index, term in enumerate(terms) if ":" in term]
    test = joint_test(fit.design, "interaction", np.eye(len(terms))[chosen])
    expected = golden(name)["kr_f"]
    assert expected["F_scaling"] < 0.995
    assert test.den_df == pytest.approx(expected["ddf"], rel=DF)
    assert test.statistic == pytest.approx(expected["F"], rel=1e-5)


@pytest.mark.parametrize("name", GOLDENS)
def test_variance_components_equal_lme4(name):
    fit = fitted(name, reml=True)
    ours = {
        (
            component.term_1,
            component.term_2,
            ":" in component.group,
            component.group == "Residual",
        ): component
        for component in fit.variance_components
    }
    rows = golden(name)["reml"]["varcomp"]
    assert len(ours) == len(rows)
    for row in rows:
        is_nested = row["grp"] in ("Dog:Side", "po")
        component = ours[row["var1"], row["var2"], is_nested, row["grp"] == "Residual"]
        assert component.variance == pytest.approx(row["vcov"], rel=VARIANCE)
        assert component.sd_or_corr == pytest.approx(row["sdcor"], rel=VARIANCE)


def test_singular_optimum_is_said_and_not_hidden():
    fit = fitted("null_var", reml=True)
    assert fit.status == "warning"
    assert fit.reason == "boundary"
    assert fit.estimates
    correlation = next(row for row in fit.variance_components if row.term_2)
    assert correlation.sd_or_corr == pytest.approx(-1.0, abs=1e-6)


def lme4_name(name: str) -> list[str]:
    """Words of a term, so that 'age:SexMale' and 'age:Sex[T.Male]' are the same."""
    return sorted(name.replace("(Intercept)", "Intercept").replace("^", "**").split(":"))


def our_name(term: str) -> list[str]:
    return sorted(
        part.replace("[T.", "").replace("]", "").replace(" ", "") for part in term.split(":")
    )


# Fits of published data, recorded with R in TRUTH.json: file, formula, group, random, nested
PUBLISHED = {
    "sleepstudy_REML": ("mixed_effects/lme4__sleepstudy.csv", "Reaction ~ Days", "Subject",
                        "1 + Days", (), True),
    "sleepstudy_ML": ("mixed_effects/lme4__sleepstudy.csv", "Reaction ~ Days", "Subject",
                      "1 + Days", (), False),
    "Dyestuff_REML": ("mixed_effects/lme4__Dyestuff.csv", "Yield ~ 1", "Batch", "1", (), True),
    "Dyestuff_ML": ("mixed_effects/lme4__Dyestuff.csv", "Yield ~ 1", "Batch", "1", (), False),
    "Pastes_nested_REML": ("mixed_effects/lme4__Pastes.csv", "strength ~ 1", "batch", "1",
                           ("cask",), True),
    "Orthodont_REML": ("mixed_effects/nlme__Orthodont.csv", "distance ~ age", "Subject",
                       "1 + age", (), True),
    "Orthodont_sex_REML": ("mixed_effects/nlme__Orthodont.csv",
                           "distance ~ age * C(Sex, contr.treatment('Female'))", "Subject", "1",
                           (), True),
    "Oxboys_REML": ("mixed_effects/nlme__Oxboys.csv", "height ~ age", "Subject", "1 + age", (),
                    True),
    "Machines_REML": ("mixed_effects/nlme__Machines.csv", "score ~ Machine", "Worker", "1",
                      ("Machine",), True),
    "Pixel_REML": ("mixed_effects/nlme__Pixel.csv", "pixel ~ day + I(day**2)", "Dog", "1 + day",
                   ("Side",), True),
    "pbc2_logbili_REML": ("joint/JM__pbc2.csv", "log(serBilir) ~ year", "id", "1 + year", (),
                          True),
    "aids_CD4_REML": ("joint/JM__aids.csv", "CD4 ~ obstime + obstime:ddi", "patient",
                      "1 + obstime", (), True),
}  # fmt: skip


@pytest.mark.parametrize("name", PUBLISHED)
def test_equals_the_recorded_fit(name):
    path, formula, group, random, nested, reml = PUBLISHED[name]
    frame = pl.read_csv(SHARED / "data" / path, null_values=["NA", ""])
    if name.startswith("aids"):
        frame = frame.with_columns(ddi=pl.col("drug") == "ddI")
    expected = json.loads((SHARED / "data" / "TRUTH.json").read_text())["R"][name]

    fit = fit_mixed(frame, formula, group, random, nested, reml=reml)

    assert fit.criterion == pytest.approx(expected["crit"], rel=CRITERION)
    assert fit.n_observations == expected["n"]
    ours = [estimate.estimate for estimate in fit.estimates]
    assert ours == pytest.approx(list(expected["fixef"].values()), rel=ESTIMATE)
    # lme4's default optimizer leaves variances at about 1e-4 of the optimum
    errors = [estimate.std_error for estimate in fit.estimates]
    assert errors == pytest.approx(list(expected["se"].values()), rel=2e-4)
    residual = fit.variance_components[-1]
    assert residual.group == "Residual"
    assert residual.variance == pytest.approx(expected["varcomp"][-1]["vcov"], rel=1e-3)
