"""Residual structures, weights, slopes of lesions and crossed effects against nlme, mmrm, lme4."""

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from analysis import Fit, bootstrap, fit_mixed
from analysis.engine.covariance_parts import (
    AutoregressiveResidual,
    IndependentResidual,
    RandomTerm,
    UnstructuredResidual,
)
from analysis.engine.dense_likelihood import DenseLikelihood
from analysis.errors import UserError


def lesions() -> pl.DataFrame:
    """Eight patients with three lesions on four days; R had the same file."""
    rng = np.random.default_rng(7)
    rows = []
    for p in range(8):
        level, slope = rng.normal(0, 1), rng.normal(0, 0.2)
        for lesion in range(3):
            own, steeper = rng.normal(0, 0.7), rng.normal(0, 0.15)
            for day in (0, 1, 2, 4):
                mean = 2 + level + own + (0.3 + slope + steeper) * day + 0.4 * (p % 2)
                rows.append(
                    (f"P{p}", f"L{lesion}", day, p % 2, round(mean + rng.normal(0, 0.3), 2))
                )
    return pl.DataFrame(rows, schema=["patient", "lesion", "day", "arm", "y"], orient="row")


TRIAL = lesions()
ONE = TRIAL.filter(pl.col("lesion") == "L0")


def column(fit: Fit, name: str) -> list[float]:
    return fit.table()[name].to_list()


def component(fit: Fit, group: str, term: str | None, other: str | None = None) -> float | None:
    return next(
        row.sd_or_corr
        for row in fit.variance_components
        if (row.group, row.term_1, row.term_2) == (group, term, other)
    )


def test_slopes_of_lesions_as_lmer():
    # lmer(y ~ day + arm + (day | patient) + (day | patient:lesion)), lmerTest 3.1-3
    fit = fit_mixed(TRIAL, "y ~ day + arm", "patient", "1 + day", ("lesion: 1 + day",))
    assert fit.criterion == pytest.approx(146.064680388, rel=1e-9)
    assert column(fit, "estimate") == pytest.approx(
        [1.774540248394, 0.256988095238, 0.293752836546], rel=1e-5
    )
    assert column(fit, "std_error") == pytest.approx(
        [0.451777461755, 0.034924314260, 0.638836267362], rel=1e-4
    )
    assert component(fit, "patient:lesion", "(Intercept)") == pytest.approx(0.61206582, rel=1e-3)
    assert component(fit, "patient:lesion", "day") == pytest.approx(0.14046662, rel=1e-3)
    assert component(fit, "Residual", None) == pytest.approx(0.28365850, rel=1e-4)
    assert fit.check("boundary") is not None, "lme4 finds the patient's correlation at -1 as well"


def test_continuous_autoregression_as_lme():
    # lme(y ~ day + arm, random = ~1 | patient, correlation = corCAR1(form = ~day | patient))
    fit = fit_mixed(ONE, "y ~ day + arm", "patient", residual="car1:day")
    assert fit.log_likelihood == pytest.approx(-28.7089295324, rel=1e-7)
    assert column(fit, "estimate") == pytest.approx(
        [1.546498809288, 0.242980969948, 0.358082362046], rel=1e-5
    )
    assert column(fit, "std_error") == pytest.approx(
        [0.5820099754886, 0.0544966141784, 0.8091478934616], rel=1e-4
    )
    assert component(fit, "Residual", "correlation at distance 1") == pytest.approx(
        0.4346181338, rel=1e-3
    )
    assert component(fit, "patient", "(Intercept)") == pytest.approx(1.108458239, rel=1e-3)


def test_one_level_and_equal_weights_are_the_plain_model():
    plain = fit_mixed(ONE, "y ~ day + arm", "patient", verify=False)
    same = ONE.with_columns(kind=pl.lit("a"), weight=pl.lit(3.0))
    for fit in (
        fit_mixed(same, "y ~ day + arm", "patient", residual="by:kind"),
        fit_mixed(same, "y ~ day + arm", "patient", weights="weight"),
    ):
        assert fit.criterion == pytest.approx(plain.criterion, rel=1e-9)
        assert column(fit, "estimate") == pytest.approx(column(plain, "estimate"), rel=1e-6)
        assert column(fit, "std_error") == pytest.approx(column(plain, "std_error"), rel=1e-6)
        assert column(fit, "df") == pytest.approx(column(plain, "df"), rel=1e-4)


def test_kenward_roger_of_a_plain_model_is_that_of_the_cross_products():
    plain = fit_mixed(ONE, "y ~ day + arm", "patient", inference="kenward_roger", verify=False)
    same = ONE.with_columns(weight=pl.lit(1.0))
    fit = fit_mixed(same, "y ~ day + arm", "patient", inference="kenward_roger", weights="weight")
    assert column(fit, "std_error") == pytest.approx(column(plain, "std_error"), rel=1e-6)
    assert column(fit, "df") == pytest.approx(column(plain, "df"), rel=1e-5)


def test_a_weight_of_two_counts_as_the_mean_of_two_values():
    # Two values of one visit, or their mean with weight 2, differ by a constant of the likelihood
    # only where the residual variance is known; estimates agree where it is the same for both.
    rng = np.random.default_rng(1)
    twice = pl.concat([ONE.with_columns(y=pl.col("y") + s * 0.1) for s in (1, -1)])
    mean = ONE.with_columns(weight=pl.lit(2.0))
    mixed = pl.concat([mean, ONE.head(0).with_columns(weight=pl.lit(1.0))])
    fit = fit_mixed(mixed, "y ~ day", "patient", weights="weight")
    other = fit_mixed(twice, "y ~ day", "patient", verify=False)
    assert column(fit, "estimate") == pytest.approx(column(other, "estimate"), rel=1e-6)
    varied = ONE.with_columns(weight=pl.Series(rng.uniform(0.5, 2, ONE.height)))
    one = fit_mixed(varied, "y ~ day", "patient", weights="weight")
    scaled = varied.with_columns(weight=pl.col("weight") * 40)
    again = fit_mixed(scaled, "y ~ day", "patient", weights="weight")
    assert column(again, "estimate") == pytest.approx(column(one, "estimate"), rel=1e-7)
    assert column(again, "df") == pytest.approx(column(one, "df"), rel=1e-5)


def test_autoregression_over_whole_visits_is_the_same_in_both_spellings():
    one = fit_mixed(ONE, "y ~ day", "patient", residual="ar1:day")
    two = fit_mixed(ONE, "y ~ day", "patient", residual="car1:day")
    assert component(one, "Residual", "correlation at distance 1") > 0
    assert one.criterion == pytest.approx(two.criterion, rel=1e-8)
    assert column(one, "std_error") == pytest.approx(column(two, "std_error"), rel=1e-5)


def test_days_and_hours_give_one_model():
    one = fit_mixed(ONE, "y ~ day", "patient", residual="car1:day")
    hours = ONE.with_columns(hour=pl.col("day") * 24)
    two = fit_mixed(hours, "y ~ day", "patient", residual="car1:hour")
    assert one.criterion == pytest.approx(two.criterion, rel=1e-9)
    rho = [component(fit, "Residual", "correlation at distance 1") for fit in (one, two)]
    assert rho[1] ** 24 == pytest.approx(rho[0], rel=1e-4)


def test_unstructured_holds_compound_symmetry():
    wide = fit_mixed(ONE, "y ~ day", "patient", residual="unstructured:day")
    narrow = fit_mixed(ONE, "y ~ day", "patient", verify=False)
    assert wide.log_likelihood > narrow.log_likelihood
    none = fit_mixed(ONE, "y ~ day", "patient", "0", residual="unstructured:day")
    assert none.criterion == pytest.approx(wide.criterion)


PARTS = {
    "random": lambda z, code, time: RandomTerm("p", ("a", "b"), z, code),
    "diagonal": lambda z, code, time: RandomTerm("p", ("a", "b"), z, code, True),
    "groups": lambda z, code, time: IndependentResidual((code % 2).astype(np.intp), ("0", "1")),
    "weights": lambda z, code, time: IndependentResidual(
        np.zeros(len(code), dtype=np.intp), ("",), np.sqrt(1 + time)
    ),
    "ar1": lambda z, code, time: AutoregressiveResidual(time, False, code),
    "car1": lambda z, code, time: AutoregressiveResidual(time * 0.7, True, code),
    "unstructured": lambda z, code, time: UnstructuredResidual(
        time.astype(np.intp), ("0", "1", "2"), np.full(6, 0.2)
    ),
}


@pytest.mark.parametrize("name", PARTS)
@pytest.mark.parametrize("reml", [True, False])
def test_scores_are_the_slope_of_the_likelihood(name, reml):
    rng = np.random.default_rng(2)
    code = np.repeat(np.arange(6), 3)[:-1]
    time = np.tile([0.0, 1.0, 2.0], 6)[:-1]
    z = np.column_stack([np.ones(17), time])
    part = PARTS[name](z, code, time)
    noise = IndependentResidual(np.zeros(17, dtype=np.intp), ("",))
    parts = (part, noise) if name in ("random", "diagonal") else (part,)
    x = np.column_stack([np.ones(17), rng.normal(size=17)])
    dense = DenseLikelihood(x, rng.normal(size=17), code, parts, reml)
    at = dense.start + rng.normal(0, 0.2, len(dense.start))
    step = 1e-6
    slope = [
        (dense.point(at + move).value - dense.point(at - move).value) / (2 * step)
        for move in step * np.eye(len(at))
    ]
    assert dense.point(at).score == pytest.approx(slope, abs=1e-6)


def test_a_restored_fit_keeps_its_contrasts_and_refuses_what_it_has_not():
    fit = fit_mixed(ONE, "y ~ day + arm", "patient", residual="car1:day")
    stored = Fit.from_dict(json.loads(json.dumps(fit.to_dict())))
    assert stored == fit
    one = fit.contrast({"arm": 1}, {"arm": 0})
    assert one.estimate == pytest.approx(column(fit, "estimate")[2])
    assert one.df == pytest.approx(column(fit, "df")[2])
    again = stored.contrast({"arm": 1}, {"arm": 0}, frame=ONE)
    assert again.p_value == pytest.approx(one.p_value, rel=1e-6)
    with pytest.raises(UserError, match="not there for residual structures"):
        bootstrap(fit, 199, 1)
    with pytest.raises(UserError, match="'bootstrap' is there for independent residuals"):
        fit_mixed(ONE, "y ~ day", "patient", inference="bootstrap", residual="car1:day")


def test_transform_and_context_reach_the_words():
    frame = ONE.with_columns(y=10 ** pl.col("y"))
    fit = fit_mixed(
        frame, "y ~ day", "patient", transform="log10", context="blood transgene", verify=False
    )
    same = fit_mixed(ONE, "y ~ day", "patient", verify=False)
    assert column(fit, "estimate") == pytest.approx(column(same, "estimate"), rel=1e-9)
    assert fit.formula == "log10(y) ~ day"
    assert fit.sentence.startswith("The model for blood transgene was fitted")
    with pytest.raises(UserError, match="transform 'sqrt' does not exist"):
        fit_mixed(ONE, "y ~ day", "patient", transform="sqrt")


@pytest.mark.parametrize(
    ("residual", "message"),
    [
        ("toeplitz:day", "'unstructured:COLUMN'"),
        ("car1", "name the column"),
        ("independent:day", "takes no column"),
        ("car1:dya", "no column 'dya'"),
        ("car1:lesion", "must be a number"),
        ("ar1:half", "use 'car1' for time"),
    ],
)
def test_a_residual_that_does_not_exist(residual, message):
    with pytest.raises(UserError, match=message):
        fit_mixed(ONE.with_columns(half=pl.col("day") / 2), "y ~ day", "patient", residual=residual)


def test_weights_as_lmer():
    # lmer(y ~ day + (1 | patient), weights = weight), lme4 1.1-31
    weight = (1 + pl.int_range(pl.len()) % 5) * 10.0
    fit = fit_mixed(ONE.with_columns(weight=weight), "y ~ day", "patient", weights="weight")
    assert fit.criterion == pytest.approx(61.4944527272, rel=1e-8)
    assert column(fit, "estimate") == pytest.approx([1.747357854717, 0.239715502371], rel=1e-5)
    assert column(fit, "std_error") == pytest.approx([0.3931489262655, 0.0443100452644], rel=1e-4)
    assert component(fit, "patient", "(Intercept)") == pytest.approx(1.07497710237, rel=1e-4)
    assert component(fit, "Residual", None) == pytest.approx(1.94537855783, rel=1e-4)


def test_the_variance_of_a_value_is_the_residual_variance_over_its_weight():
    """var(e_i) = sigma^2 / w_i, whatever the mean weight; only sigma answers to its unit."""
    one = ONE.with_columns(weight=(1 + pl.int_range(pl.len()) % 5).cast(float))
    for factor in (1.0, 40.0):
        frame = one.with_columns(pl.col("weight") * factor)
        fit = fit_mixed(frame, "y ~ day", "patient", weights="weight", verify=False)
        design, dense = fit.design.design, fit.design.dense
        sigma = component(fit, "Residual", None)
        residual, own = dense.parts[-1], dense.split.of(fit.design.theta)[-1]
        found = np.empty(ONE.height)
        for rows in dense.batches:
            value, _ = residual.covariance(own, rows)
            found[rows] = np.diagonal(value, axis1=1, axis2=2)
        weight = design.frame["weight"].to_numpy()
        assert design.y_scale**2 * found == pytest.approx(sigma**2 / weight, rel=1e-10)
        if factor == 1.0:
            first = sigma
    assert sigma == pytest.approx(first * np.sqrt(40), rel=1e-5)


def test_weights_of_a_published_trial_as_lmer(shared: Path) -> None:
    # R 4.2.2, lme4 1.1-31: lmer(Reaction ~ Days + (1 | Subject), weights = w), w 1 and 3 in turn
    frame = pl.read_csv(shared / "data" / "mixed_effects" / "lme4__sleepstudy.csv").with_columns(
        w=pl.when(pl.col("Days") % 2 == 0).then(1.0).otherwise(3.0)
    )
    fit = fit_mixed(frame, "Reaction ~ Days", "Subject", weights="w", verify=False)
    assert fit.criterion == pytest.approx(1805.08668660, rel=1e-9)
    assert column(fit, "estimate") == pytest.approx([252.0967264, 10.4669521], rel=1e-6)
    assert column(fit, "std_error") == pytest.approx([10.053214499, 0.786720439], rel=1e-5)
    assert component(fit, "Residual", None) == pytest.approx(42.71174749, rel=1e-6)
    assert component(fit, "Subject", "(Intercept)") == pytest.approx(38.42695620, rel=1e-6)


def test_more_values_under_crossed_effects_than_can_be_held_are_refused():
    many = pl.concat([ONE.with_columns(patient=pl.col("patient") + f"/{k}") for k in range(32)])
    reader = pl.Series([("A", "B", "C")[k % 3] for k in range(many.height)])
    with pytest.raises(UserError, match="crossed effects of 1,024 values: at most 1,000"):
        fit_mixed(many.with_columns(reader=reader), "y ~ day", "patient", crossed="reader")


def test_correlation_over_days_within_lesions_as_nlme():
    # lme(y ~ day, random = ~ 1 | patient/lesion, correlation = corCAR1(form = ~ day |
    # patient/lesion)), nlme 3.1-162
    fit = fit_mixed(TRIAL, "y ~ day", "patient", nested="lesion", residual="car1:day")
    assert fit.log_likelihood == pytest.approx(-79.364875077, abs=1e-6)
    assert column(fit, "estimate") == pytest.approx([1.9268892753, 0.2554868561], rel=1e-5)
    assert column(fit, "std_error") == pytest.approx([0.30388078691, 0.03180933875], rel=1e-4)
    assert component(fit, "Residual", None) == pytest.approx(0.4726715, rel=1e-3)
    assert component(fit, "Residual", "correlation at distance 1") == pytest.approx(
        0.59773374, rel=1e-3
    )


@pytest.mark.parametrize("residual", ["ar1:day", "car1:day"])
def test_a_crossed_effect_leaves_patients_uncorrelated(residual):
    """More parameters never make the best likelihood worse, and patients stay apart."""
    reader = pl.Series([("A", "B", "C")[k % 3] for k in range(ONE.height)])
    frame = ONE.with_columns(reader=reader)
    plain = fit_mixed(frame, "y ~ day", "patient", residual=residual)
    crossed = fit_mixed(frame, "y ~ day", "patient", residual=residual, crossed="reader")
    assert crossed.criterion <= plain.criterion + 1e-6
    dense = crossed.design.dense
    theta = np.append(crossed.design.theta[:1], crossed.design.theta[-3:])
    theta[1] = 0.0  # no variance between readers
    patient = crossed.design.design.patient
    v, _ = dense.covariance(theta, dense.batches[0])
    order = dense.batches[0][0]
    apart = patient[order][:, None] != patient[order][None, :]
    assert np.abs(v[0][apart]).max() == 0.0
    without = plain.design.dense.point(np.delete(theta, 1))
    assert dense.point(theta).value == pytest.approx(without.value, rel=1e-10)


def test_a_level_with_hardly_a_value_has_no_variance_of_its_own():
    rare = ONE.with_columns(kind=pl.Series(["b"] + ["a"] * (ONE.height - 1)))
    fit = fit_mixed(rare, "y ~ day", "patient", residual="by:kind")
    assert (fit.status, fit.reason, fit.estimates) == ("not_estimable", "too_few_in_level", ())
    assert "kind = b has 1 values for 1 effects" in fit.sentence


def test_slopes_of_lesions_on_a_spline_and_on_any_scale_are_one_model():
    hours = TRIAL.with_columns(hour=pl.col("day") * 1000.0)
    one = fit_mixed(TRIAL, "y ~ day", "patient", nested="lesion: 1 + day")
    two = fit_mixed(hours, "y ~ day", "patient", nested="lesion: 1 + hour")
    assert two.criterion == pytest.approx(one.criterion, abs=1e-6)
    assert component(two, "patient:lesion", "hour") == pytest.approx(
        component(one, "patient:lesion", "day") / 1000, rel=1e-4
    )
    curve = fit_mixed(
        TRIAL, "y ~ day", "patient", nested="lesion: 1 + cr(day, df=2, constraints='center')"
    )
    assert curve.status != "not_estimable"


def test_another_frame_does_not_give_a_stored_structure_again():
    fit = fit_mixed(ONE, "y ~ day + arm", "patient", residual="car1:day")
    stored = Fit.from_dict(json.loads(json.dumps(fit.to_dict())))
    other = ONE.with_columns(y=pl.col("y") + pl.col("day") ** 2)
    with pytest.raises(UserError, match="does not give the stored fit again"):
        stored.contrast({"arm": 1}, {"arm": 0}, frame=other)


def test_an_outcome_is_transformed_once():
    with pytest.raises(UserError, match=r"'log10\(y\)' is transformed already"):
        fit_mixed(ONE, "log10(y) ~ day", "patient", transform="log10")


def test_what_the_data_cannot_carry():
    tied = fit_mixed(TRIAL, "y ~ day", "patient", residual="car1:day")
    assert (tied.status, tied.reason) == ("not_estimable", "tied_times")
    twice = fit_mixed(TRIAL, "y ~ day", "patient", residual="unstructured:day")
    assert (twice.status, twice.reason) == ("not_estimable", "duplicate_visits")
    few = ONE.filter(pl.col("patient").is_in(["P0", "P1", "P2", "P3", "P4"]) & (pl.col("day") < 4))
    sparse = few.with_columns(day=pl.col("day") + pl.Series(np.arange(few.height) // 3))
    rare = fit_mixed(sparse, "y ~ day", "patient", residual="unstructured:day")
    assert (rare.status, rare.reason) == ("not_estimable", "too_few_subjects")
    with pytest.raises(UserError, match="not positive numbers"):
        fit_mixed(ONE, "y ~ day", "patient", weights="arm")
    with pytest.raises(UserError, match="leave out slopes"):
        fit_mixed(ONE, "y ~ day", "patient", "1 + day", residual="unstructured:day")
    for found in (tied, twice, rare):
        assert found.estimates == ()
        assert found.advice


def test_missing_values_of_the_structure_are_counted():
    gaps = ONE.with_columns(weight=pl.when(pl.col("patient") == "P1").then(None).otherwise(1.0))
    fit = fit_mixed(gaps, "y ~ day", "patient", weights="weight")
    assert [(row.reason, row.n) for row in fit.excluded] == [("no value of weight", 4)]
    assert fit.n_subjects == 7


@pytest.fixture
def extended(shared: Path) -> dict:
    return json.loads((shared / "golden" / "nlme_extended.json").read_text())


def by_name(fit: Fit) -> dict[str, tuple[float, float]]:
    return {row.term: (row.estimate, row.std_error) for row in fit.estimates}


def test_variance_by_sex_golden(shared: Path, extended: dict) -> None:
    golden = extended["orthodont_varIdent_sex"]
    frame = pl.read_csv(shared / "golden" / "orthodont.csv").with_columns(
        pl.col("Sex").cast(pl.Enum(["Male", "Female"]))
    )
    fit = fit_mixed(frame, "distance ~ age * Sex", "Subject", "1 + age", residual="by:Sex")
    # nlme stops 1.5e-5 below this optimum of the log-likelihood.
    assert golden["logLik"] <= fit.log_likelihood <= golden["logLik"] + 5e-5
    found = list(by_name(fit).values())
    for (estimate, error), row in zip(found, golden["fixed"], strict=True):
        assert estimate == pytest.approx(row["estimate"], rel=1e-5)
        assert error == pytest.approx(row["se"], rel=1e-3)
    ratio = component(fit, "Residual", "Male") / component(fit, "Residual", "Female")
    assert ratio == pytest.approx(golden["varstruct"][1], rel=2e-3)
    # The stored search of nlme stopped early. R 4.2.2, nlme 3.1-162 with tolerance = 1e-12,
    # msTol = 1e-14 and optim's BFGS ends here.
    assert fit.log_likelihood == pytest.approx(-205.7612399256197, abs=1e-9)
    errors = [error for _, error in found]
    assert errors == pytest.approx(
        [1.1352678058872, 0.0991447528897, 1.3772520926130, 0.1186356545533], rel=1e-6
    )
    assert ratio == pytest.approx(2.445905034, rel=1e-5)


def test_unstructured_golden(shared: Path) -> None:
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


def test_crossed_golden(shared: Path) -> None:
    truth = json.loads((shared / "data" / "TRUTH.json").read_text())["R"]["Penicillin_crossed_REML"]
    frame = pl.read_csv(shared / "data" / "mixed_effects" / "lme4__Penicillin.csv")
    fit = fit_mixed(frame, "diameter ~ 1", "plate", crossed="sample")
    assert fit.criterion == pytest.approx(truth["crit"], rel=1e-9)
    assert fit.estimates[0].estimate == pytest.approx(truth["fixef"]["(Intercept)"], rel=1e-9)
    assert fit.estimates[0].std_error == pytest.approx(truth["se"]["(Intercept)"], rel=1e-4)
    for row in truth["varcomp"]:
        term = None if row["grp"] == "Residual" else "(Intercept)"
        assert component(fit, row["grp"], term) == pytest.approx(row["sdcor"], rel=1e-4)
    check = fit.check("verified")
    assert check.status == "ok", "statsmodels has the same likelihood there"
