"""fit_cox against R's coxph, cox.zph and concordance; refusals and limits."""

import json
import math
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from analysis import fit_cox, hazard_ratios
from analysis.checks.proportional_hazards import proportional_hazards_tests
from analysis.errors import UserError
from analysis.fits.survival.concordance import concordance
from analysis.results import Fit
from tests.analysis.fits.survival_trial import TRIAL


def column(fit: Fit, name: str) -> list[float]:
    return fit.table()[name].to_list()


def test_small_trial_as_r():
    # coxph(Surv(t, e) ~ x + g), cox.zph, concordance
    fit = fit_cox(TRIAL, "x + g", "t", "e")
    assert column(fit, "estimate") == pytest.approx([1.358267037209, -0.173355135889], rel=1e-8)
    assert column(fit, "std_error") == pytest.approx([0.651997883144, 0.949124287954], rel=1e-8)
    assert fit.log_likelihood == pytest.approx(-11.3815272999, rel=1e-10)
    tests = proportional_hazards_tests(fit.design)
    assert [test.statistic for test in tests] == pytest.approx(
        [0.0890827505702, 0.2488561150682, 0.8333606977296], rel=1e-8
    )
    sets = fit.design.sets
    found = concordance(sets.x @ fit.design.found.beta, sets.exit, sets.event)
    assert found.estimate == pytest.approx(0.836734693878, rel=1e-10)
    assert found.std_error == pytest.approx(0.0642021150765, rel=1e-8)


def test_one_covariate_is_said_in_one_sentence():
    # summary(coxph(Surv(t, e) ~ x))
    fit = fit_cox(TRIAL.with_columns(pl.col("e").cast(pl.Boolean)), "x", "t", "e")
    ratio = hazard_ratios(fit).row(0)
    assert fit.sentence.startswith("The hazard ratio of x was 3.6 (95 % CI 1.3 to 10; 12 patients")
    assert ratio[1:4] == pytest.approx((3.64193034747, 1.26657925974, 10.4720305135), rel=1e-8)


def test_robust_stratified_and_late_entry_as_r():
    robust = fit_cox(TRIAL, "x + g", "t", "e", cluster="id")
    assert column(robust, "std_error") == pytest.approx([0.584533406472, 0.891763158120], rel=1e-7)
    strata = fit_cox(TRIAL, "x", "t", "e", strata="g", ties="breslow")
    assert column(strata, "estimate") == pytest.approx([1.42203669994], rel=1e-8)
    assert column(strata, "std_error") == pytest.approx([0.79567122256], rel=1e-8)
    assert strata.log_likelihood == pytest.approx(-7.28865649535, rel=1e-9)
    late = fit_cox(TRIAL, "x", "t", "e", entry="start")
    assert column(late, "estimate") == pytest.approx([1.25352165431], rel=1e-8)
    assert column(late, "std_error") == pytest.approx([0.53736191849], rel=1e-8)


def test_equals_statsmodels_on_a_larger_sample():
    from statsmodels.duration.hazard_regression import PHReg

    rng = np.random.default_rng(3)
    x = rng.normal(size=(300, 2))
    time = np.ceil(rng.exponential(20 * np.exp(-x @ [0.5, -0.3])))
    event = (rng.random(300) < 0.7).astype(int)
    frame = pl.DataFrame({"a": x[:, 0], "b": x[:, 1], "time": time, "event": event})
    fit = fit_cox(frame, "a + b", "time", "event")
    peer = PHReg(time, x, status=event, ties="efron").fit()
    assert column(fit, "estimate") == pytest.approx(list(peer.params), rel=1e-6)
    assert column(fit, "std_error") == pytest.approx(list(peer.bse), rel=1e-6)


def test_monotone_likelihood_takes_firths_penalty_and_says_so():
    frame = pl.DataFrame({"t": range(1, 11), "e": [1] * 10, "g": [1] * 5 + [0] * 5})
    fit = fit_cox(frame, "g", "t", "e")
    assert fit.check("separation") is not None
    row = fit.estimates[0]
    assert row.conf_low > 0
    assert row.p_value < 0.05
    assert math.isfinite(row.estimate)
    assert "Firth" in fit.method
    refused = fit_cox(frame, "g", "t", "e", penalty="none")
    assert (refused.status, refused.reason) == ("not_estimable", "monotone_likelihood")
    assert refused.estimates == ()


def test_firth_score_is_the_slope_of_its_likelihood():
    from analysis.fits.survival.cox_fit import penalized

    fit = fit_cox(TRIAL, "x + g", "t", "e", penalty="firth")
    likelihood = penalized(fit.design.sets)
    at, step = np.array([0.3, -0.2]), 1e-6
    slope = [
        (likelihood(at + move)[0] - likelihood(at - move)[0]) / (2 * step)
        for move in step * np.eye(2)
    ]
    assert likelihood(at)[1] == pytest.approx(slope, rel=1e-6)


def test_hazard_ratios_do_not_depend_on_scale_or_order():
    one = fit_cox(TRIAL, "x + g", "t", "e")
    other = fit_cox(
        TRIAL.with_columns(x=pl.col("x") * 10 + 3, t=pl.col("t") * 7).sample(
            fraction=1, shuffle=True, seed=1
        ),
        "x + g", "t", "e",
    )  # fmt: skip
    assert other.estimates[0].estimate == pytest.approx(one.estimates[0].estimate / 10)
    assert other.estimates[1].p_value == pytest.approx(one.estimates[1].p_value)
    ratios = hazard_ratios(one)
    assert ratios["hazard_ratio"][0] == pytest.approx(math.exp(1.358267037209))


def test_an_exposure_from_the_future_is_refused_with_the_right_way():
    for way in ({}, {"landmark_day": 7.0}):
        with pytest.raises(UserError, match=r"immortal-time bias.*landmark_day=14"):
            fit_cox(TRIAL, "x", "t", "e", known_on_day={"x": 14.0}, **way)
    kept = fit_cox(TRIAL, "x", "t", "e", known_on_day={"x": 14.0}, landmark_day=14.0)
    assert kept.n_subjects == 6
    assert {row.reason: row.n for row in kept.excluded} == {
        "event by day 14, the landmark": 5,
        "end of follow-up by day 14, the landmark": 1,
    }
    assert fit_cox(TRIAL, "x", "t", "e", known_on_day={"x": 14.0}, entry="start").estimates


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"e": pl.lit(0)}, "no_events"),
        ({"x": pl.lit(1.0)}, "constant_covariate"),
        ({"x": pl.lit(None, pl.Float64)}, "no_observations"),
        ({"t": pl.lit(-1.0)}, "negative_time"),
        ({"t": pl.lit(float("inf"))}, "infinite_values"),
        ({"x": pl.col("g") * 2}, "rank_deficient"),
    ],
)
def test_what_the_data_cannot_say(change, reason):
    fit = fit_cox(TRIAL.with_columns(**change), "x + g", "t", "e")
    assert (fit.status, fit.reason) == ("not_estimable", reason)
    assert fit.estimates == ()
    assert fit.log_likelihood is None
    assert fit.sentence.startswith("Not estimable: ")
    assert fit.advice


def test_mistakes_of_the_caller_name_what_is_there():
    with pytest.raises(UserError, match="no column 'agee'; the columns are t, e, x"):
        fit_cox(TRIAL, "agee", "t", "e")
    with pytest.raises(UserError, match="holds 1, 2; expected 1 for an event and 0"):
        fit_cox(TRIAL.with_columns(e=pl.col("e") + 1), "x", "t", "e")
    with pytest.raises(UserError, match="right side only"):
        fit_cox(TRIAL, "t ~ x", "t", "e")
    with pytest.raises(UserError, match="ties 'exact' does not exist"):
        fit_cox(TRIAL, "x", "t", "e", ties="exact")
    backward = fit_cox(TRIAL.with_columns(start=pl.col("t")), "x", "t", "e", entry="start")
    assert backward.reason == "entry_after_exit"


def test_round_trip():
    fit = fit_cox(TRIAL, "x + g", "t", "e")
    assert Fit.from_dict(json.loads(json.dumps(fit.to_dict()))) == fit


TRUTH = {
    # name: file of data/survival, formula, time, event, entry, R's ties
    "lung_cox": ("lung", "age + sex + `ph.ecog`", "time", pl.col("status") - 1, None, "efron"),
    "lung_cox_breslow": ("lung", "age + sex + `ph.ecog`", "time", pl.col("status") - 1, None,
                         "breslow"),
    "ovarian_cox": ("ovarian", "rx + age", "futime", pl.col("fustat"), None, "efron"),
    "veteran_cox": ("veteran", "trt + karno + age", "time", pl.col("status"), None, "efron"),
    "pbc_cox": ("pbc", "age + edema + log(bili) + log(protime) + log(albumin)", "time",
                (pl.col("status") == 2).cast(pl.Int64), None, "efron"),
    "heart_tvc_cox": ("heart", "age + surgery + transplant", "stop", pl.col("event"), "start",
                      "efron"),
}  # fmt: skip


@pytest.mark.parametrize("name", TRUTH)
def test_published_data_as_r(shared: Path, name: str) -> None:
    expected = json.loads((shared / "data" / "TRUTH.json").read_text())["R"][name]
    file, formula, time, event, entry, ties = TRUTH[name]
    frame = pl.read_csv(
        shared / "data" / "survival" / f"survival__{file}.csv",
        null_values="NA", infer_schema_length=None,
    ).with_columns(outcome=event)  # fmt: skip
    fit = fit_cox(frame, formula, time, "outcome", entry=entry, ties=ties, penalty="none")
    assert fit.n_observations == expected["n"]
    assert fit.n_events == expected["nevent"]
    assert column(fit, "estimate") == pytest.approx(list(expected["coef"].values()), rel=1e-6)
    assert column(fit, "std_error") == pytest.approx(list(expected["se"].values()), rel=1e-6)
    assert fit.log_likelihood == pytest.approx(expected["loglik"][1], rel=1e-9)
    sets = fit.design.sets
    found = concordance(
        sets.x @ fit.design.found.beta, sets.exit, sets.event, sets.entry, sets.stratum
    )
    assert found.estimate == pytest.approx(expected["concordance"], rel=1e-8)


def test_proportional_hazards_and_concordance_of_the_golden(shared: Path) -> None:
    golden = json.loads((shared / "golden" / "survival_lung.json").read_text())
    frame = pl.read_csv(shared / "golden" / "lung.csv", null_values="NA")
    fit = fit_cox(frame.with_columns(e=pl.col("status") - 1), "age + sex + `ph.ecog`", "time", "e")
    tests = {test.term: test for test in proportional_hazards_tests(fit.design)}
    for row in golden["zph"]:
        assert tests[row["_row"]].statistic == pytest.approx(row["chisq"], rel=1e-6)
        assert tests[row["_row"]].p_value == pytest.approx(row["p"], rel=1e-6)
    sets = fit.design.sets
    found = concordance(sets.x @ fit.design.found.beta, sets.exit, sets.event)
    assert [found.estimate, found.std_error] == pytest.approx(
        golden["cox_efron"]["concordance"], rel=1e-6
    )
    assert column(fit, "p_value") == pytest.approx(golden["cox_efron"]["p"], rel=1e-6)


def test_a_right_side_may_begin_with_its_tilde():
    """`fit_mixed` takes "y ~ x", so "~ x" is what people write here."""
    plain, tilde = (fit_cox(TRIAL, text, "t", "e") for text in ("x + g", "~ x + g"))
    assert tilde.estimates == plain.estimates
    for text in ("t ~ x", "~ x ~ g"):
        with pytest.raises(UserError, match=r"or '~ age [+] sex'"):
            fit_cox(TRIAL, text, "t", "e")
