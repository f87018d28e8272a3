"""Likelihood-ratio and type III tests against lme4, lmerTest and pbkrtest."""

import json
from pathlib import Path

import polars as pl
import pytest

from analysis import Fit, fit_mixed, likelihood_ratio_test, term_tests

SHARED = Path(__file__).resolve().parents[4] / "shared"
pytestmark = pytest.mark.skipif(
    not (SHARED / "golden").is_dir(), reason="reference data ../shared is not on this machine"
)

# name: (formula, group, random, nested, null of the random test, null of the fixed test)
SMALL = "y ~ (s1 + s2 + s3) * response + organ"
GOLDENS = {
    "sleepstudy": ("Reaction ~ Days", "Subject", "1 + Days", (), ("1", ()), "Reaction ~ 1"),
    "orthodont_rs": ("distance ~ age * Sex", "Subject", "1 + age", (), ("1", ()),
                     "distance ~ age + Sex"),
    "pixel_nested": ("pixel ~ day + I(day**2)", "Dog", "1 + day", ("Side",), ("1 + day", ()),
                     "pixel ~ day"),
    "null_var": ("y ~ x", "g", "1 + x", (), ("1", ()), "y ~ 1"),
    "cart_small": (SMALL, "patient", "1 + time", ("organ",), ("1 + time", ()),
                   "y ~ s1 + s2 + s3 + response + organ"),
    "cart_b": (SMALL, "patient", "1 + time", ("organ",), ("1 + time", ()),
               "y ~ s1 + s2 + s3 + response + organ"),
}  # fmt: skip


def golden(name: str) -> dict:
    return json.loads((SHARED / "golden" / f"{name}.json").read_text())


def fitted(name: str, formula: str, random: str, nested: tuple[str, ...]) -> Fit:
    frame = pl.read_csv(SHARED / "golden" / golden(name)["csv"])
    return fit_mixed(frame, formula, GOLDENS[name][1], random, nested, verify=False)


@pytest.mark.parametrize("name", GOLDENS)
def test_random_part(name):
    formula, _, random, nested, null, _ = GOLDENS[name]
    found = likelihood_ratio_test(
        fitted(name, formula, random, nested), fitted(name, formula, *null)
    )
    expected = golden(name)["lrt_random"]
    assert found.criterion == expected["criterion"]
    assert found.statistic == pytest.approx(expected["stat"], abs=2e-5)
    assert found.df == expected["df"]
    assert found.p_value == pytest.approx(expected["p_boundary"], rel=1e-4)
    assert found.p_naive == pytest.approx(expected["p_naive"], rel=1e-4)
    assert found.reference.replace(" ", "") == expected["mixture"].replace("*", "")


@pytest.mark.parametrize("name", GOLDENS)
def test_fixed_effects(name):
    formula, _, random, nested, _, null = GOLDENS[name]
    found = likelihood_ratio_test(
        fitted(name, formula, random, nested), fitted(name, null, random, nested)
    )
    expected = golden(name)["lrt_fixed"]
    assert found.criterion == "ML"
    assert found.statistic == pytest.approx(expected["stat"], abs=2e-5)
    assert found.p_value == pytest.approx(expected["p"], rel=1e-4)


@pytest.mark.parametrize(
    ("inference", "recorded"),
    [("satterthwaite", "anova3_satterthwaite"), ("kenward_roger", "anova3_kr")],
)
@pytest.mark.parametrize("name", GOLDENS)
def test_type_three(name, inference, recorded):
    formula, _, random, nested, _, _ = GOLDENS[name]
    found = {
        words(row.term): row
        for row in term_tests(fitted(name, formula, random, nested), inference).tests
    }
    rows = golden(name)["reml"][recorded]
    assert len(rows) == len(found)
    for row in rows:
        test = found[words(row["term"])]
        assert test.df == row["num_df"]
        assert test.statistic == pytest.approx(row["F"], rel=1e-5)
        assert test.den_df == pytest.approx(row["den_df"], rel=1e-3)


def words(term: str) -> frozenset[str]:
    return frozenset(term.replace("^", "**").replace(" ", "").split(":"))
