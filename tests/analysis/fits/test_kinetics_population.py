"""All patients together: truth returns, limits count, covariates are found, silence is kept."""

import json

import numpy as np
import polars as pl
import pytest

import analysis
from analysis.compute.stein import TYPICAL, SteinParameters, stein_curve
from analysis.errors import UserError
from analysis.fits.kinetics.cohort import Columns, patients_of
from analysis.fits.kinetics.curves import FORMS, log_curve
from analysis.fits.kinetics.expectation import Population, expectation, normal_points
from analysis.fits.kinetics.population import fit_kinetics_population
from analysis.results import Fit
from analysis.tracers.context import SignalContext
from benchmarks.kinetics import trial as hard_trial

DAYS = np.array([1, 3, 7, 10, 14, 21, 28, 60, 90, 180, 365.0])
SD = {
    "fold": 0.8, "tmax_day": 0.15, "cmax": 0.5, "contraction_per_day": 0.3,
    "memory_fraction": 0.5, "memory_per_day": 0.4,
}  # fmt: skip


def trial(seed, n=24, limit=80.0, ratio=2.0, days=DAYS, sigma=0.3, slow=None):
    rng = np.random.default_rng(seed)
    rows = []
    for patient in range(n):
        own = {k: getattr(TYPICAL, k) * np.exp(sd * rng.standard_normal()) for k, sd in SD.items()}
        own["memory_per_day"] = slow or own["memory_per_day"]
        own["cmax"] *= ratio if patient % 2 else 1.0
        values = stein_curve(days, SteinParameters(**own))
        values = values * np.exp(sigma * rng.standard_normal(days.size))
        rows += [
            (
                f"P{patient:02d}", d, None if v < limit else v, 0.0 if v < limit else None,
                limit if v < limit else None, bool(patient % 2),
            )
            for d, v in zip(days.tolist(), values.tolist(), strict=True)
        ]  # fmt: skip
    names = ["usubjid", "rel_day", "value", "lower", "upper", "responder"]
    return pl.DataFrame(rows, schema=names, orient="row", infer_schema_length=None)


@pytest.fixture(scope="module")
def fit():
    return fit_kinetics_population(trial(3), covariates={"cmax": ["responder"]})


def rows_of(fit, part):
    return {row.term: row for row in fit.estimates if row.part == part}


def test_known_truth_returns(fit):
    unseen = [c.name for c in fit.checks if c.status == "warning"]
    assert unseen == ["shrinkage:memory_per_day"]
    assert (fit.status, fit.reason) == ("warning", unseen[0])
    assert (fit.n_subjects, fit.n_observations) == (24, 24 * DAYS.size)
    assert 0.2 < fit.n_censored / fit.n_observations < 0.4
    rows = rows_of(fit, "population")
    truth = {f"log({name})": np.log(getattr(TYPICAL, name)) for name in SD}
    del truth["log(memory_fraction)"]
    share = TYPICAL.memory_fraction
    truth |= {
        "logit(memory_fraction)": np.log(share / (1 - share)),
        "log(cmax):responder[True]": np.log(2.0),
    }
    assert set(rows) == set(truth)
    for term, value in truth.items():
        assert abs(rows[term].estimate - value) < 3 * rows[term].std_error, term
        assert rows[term].std_error < 0.5
    typical = rows_of(fit, "typical value")
    assert typical["doubling_time_day"].estimate == pytest.approx(
        TYPICAL.doubling_time_day, rel=0.15
    )
    assert typical["initial_half_life_day"].estimate == pytest.approx(np.log(2) / 0.16, rel=0.25)


def test_spread_and_residual_return(fit):
    found = {row.term_1: row.sd_or_corr for row in fit.variance_components}
    assert found[None] == pytest.approx(0.3, rel=0.15)
    for name in ("fold", "cmax", "contraction_per_day", "tmax_day"):
        assert found[name] == pytest.approx(SD[name], rel=0.5), name


def test_the_same_seed_gives_the_same_fit_and_another_nearly_so(fit):
    arguments = {"covariates": {"cmax": ["responder"]}}
    assert fit_kinetics_population(trial(3), **arguments) == fit
    other = fit_kinetics_population(trial(3), seed=9, **arguments)
    assert other.criterion == pytest.approx(fit.criterion, abs=0.5)
    for term, row in rows_of(fit, "population").items():
        twin = rows_of(other, "population")[term]
        assert abs(twin.estimate - row.estimate) < 0.2 * row.std_error, term


def test_the_search_ends_where_the_likelihood_is_highest_and_does_not_drift():
    """One set of points for all patients drew this trial's slow decline to zero, and the likelihood
    down with it, for 400 rounds."""
    frame = hard_trial(20)
    fit = fit_kinetics_population(frame, covariates={"cmax": ["responder"]})
    assert fit.status != "not_estimable"
    slow = rows_of(fit, "population")["log(memory_per_day)"]
    assert slow.estimate == pytest.approx(-6.3, abs=0.1)
    form = FORMS["stein"]
    columns = Columns("rel_day", "value", "lower", "upper", "usubjid")
    cohort = patients_of(frame, columns, form, {"cmax": ["responder"]}).cohort
    points = normal_points(24, 2048, 6, 5)

    def log_likelihood(slower):
        beta = np.array([row.estimate for row in rows_of(fit, "population").values()])
        beta[-1] -= slower
        sd = [row.sd_or_corr for row in fit.variance_components]
        at = Population(beta, np.diag(np.square(sd[:-1])), float(np.log(sd[-1])))
        center, spread = cohort.design @ beta, np.repeat(0.5 * at.omega[None], 24, axis=0)
        for _ in range(12):
            found = expectation(cohort, form, at, center, spread, points)
            center, spread = found.mean, found.covariance + 0.02 * at.omega
        return found.log_likelihood

    best = log_likelihood(0.0)
    assert log_likelihood(0.6) < best - 0.2
    assert log_likelihood(-0.6) < best - 0.2


def test_a_slow_decline_that_nobody_shows_is_not_identifiable_and_spoils_nothing_else():
    fit = fit_kinetics_population(trial(5, ratio=1.0, limit=1.0, slow=1e-7))
    assert (fit.status, fit.reason) == ("warning", "identifiable")
    assert "memory_per_day" in fit.check("identifiable").message
    rows = rows_of(fit, "population")
    assert "log(memory_per_day)" not in rows
    assert "terminal_half_life_day" not in rows_of(fit, "typical value")
    assert rows["log(tmax_day)"].estimate == pytest.approx(np.log(TYPICAL.tmax_day), abs=0.15)
    assert "Not identifiable: memory_per_day" in fit.sentence


def test_sentence_curve_and_json(fit):
    assert "24 patients" in fit.sentence
    assert "responder[True]: cmax x" in fit.sentence
    assert "cells" not in fit.sentence
    peak = max(fit.curves, key=lambda point: point.estimate)
    assert peak.estimate == pytest.approx(rows_of(fit, "typical value")["cmax"].estimate, rel=1e-6)
    assert all(point.conf_low < point.estimate < point.conf_high for point in fit.curves)
    assert len(fit.residuals) == fit.n_observations - fit.n_censored
    assert 0 < fit.check("shrinkage:fold").value < 0.3
    assert Fit.from_dict(json.loads(json.dumps(fit.to_dict()))) == fit
    assert analysis.fit_kinetics_population is fit_kinetics_population


def test_leaving_the_limited_samples_out_biases_the_slow_decline(fit):
    dropped = fit_kinetics_population(
        trial(3).drop_nulls("value"), covariates={"cmax": ["responder"]}
    )
    kept = rows_of(fit, "population")["log(memory_per_day)"].estimate
    lost = rows_of(dropped, "population").get("log(memory_per_day)")
    assert lost is None or lost.estimate < kept


def test_likelihood_of_one_patient_equals_quadrature_without_limits():
    """With all spread but that of Cmax gone, the integral is a normal one with a closed form."""
    frame = trial(1, n=1, limit=0.0)
    form = FORMS["stein"]
    patients = patients_of(
        frame, Columns("rel_day", "value", "lower", "upper", "usubjid"), form, {}
    )
    beta = np.log(
        [TYPICAL.fold, TYPICAL.tmax_day, TYPICAL.cmax, TYPICAL.contraction_per_day, 0.008, 0.0032]
    )
    omega = np.diag([1e-8, 1e-8, 0.25, 1e-8, 1e-8, 1e-8])
    center, spread = beta[None], omega[None]
    at = Population(beta, omega, float(np.log(0.3)))
    points = normal_points(1, 4096, 6, 1)
    for _ in range(4):
        found = expectation(patients.cohort, form, at, center, spread, points)
        center, spread = found.mean, found.covariance + 1e-12 * np.eye(6)
    y = patients.cohort.low[0] - log_curve(beta, DAYS, form)
    covariance = 0.09 * np.eye(y.size) + 0.25
    exact = -0.5 * (
        y @ np.linalg.solve(covariance, y)
        + np.linalg.slogdet(covariance)[1]
        + y.size * np.log(2 * np.pi)
    )
    assert found.log_likelihood == pytest.approx(exact, abs=0.02)


def test_early_samples_alone_do_not_give_a_slow_decline():
    early = trial(3, days=DAYS[DAYS <= 14])
    fit = fit_kinetics_population(early)
    assert fit.status in ("warning", "not_estimable")
    assert "log(memory_per_day)" not in rows_of(fit, "population")
    assert "terminal_half_life_day" not in rows_of(fit, "typical value")
    simple = fit_kinetics_population(early, form="single_decline")
    assert simple.status != "not_estimable"
    assert "terminal_half_life_day" not in rows_of(simple, "typical value")


def test_full_covariance():
    fit = fit_kinetics_population(
        trial(3), form="single_decline", covariance="full", context="transgene copies in blood"
    )
    assert fit.sentence.startswith("Typical kinetics (transgene copies in blood) of 24 patients")
    pairs = [row for row in fit.variance_components if row.term_2 is not None]
    assert len(pairs) == 6
    assert all(-1 <= row.sd_or_corr <= 1 for row in pairs)


def one(frame):
    return frame.filter(pl.col("usubjid") == "P00")


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        (trial(1).head(0), "no_observations"),
        (one(trial(1)), "too_few_subjects"),
        (trial(1, n=3), "too_few_subjects"),
        (trial(1, limit=1e9), "all_censored"),
        (trial(1, limit=0.0).with_columns(value=pl.lit(5.0)), "constant_outcome"),
        (trial(1).with_columns(rel_day=-pl.col("rel_day")), "no_observations"),
    ],
)
def test_cohorts_that_cannot_be_fitted(frame, reason):
    fit = fit_kinetics_population(frame)
    assert (fit.status, fit.reason) == ("not_estimable", reason)
    assert fit.sentence.startswith("Not estimable: ")
    assert fit.advice
    assert not fit.estimates


def test_a_covariate_that_is_the_same_for_all_is_refused():
    frame = trial(1).with_columns(arm=pl.lit(3.0))
    fit = fit_kinetics_population(frame, covariates={"cmax": ["arm"]})
    assert fit.status == "not_estimable"


@pytest.mark.parametrize(
    ("change", "arguments", "words"),
    [
        ({}, {"form": "cubic"}, "does not exist"),
        ({}, {"covariance": "banded"}, "does not exist"),
        ({}, {"level": 95}, "between 0 and 1"),
        ({}, {"value": "copies"}, "no column 'copies'"),
        ({}, {"covariates": {"cmaxx": ["responder"]}}, "no parameter"),
        ({}, {"covariates": {"cmax": "responder"}}, "must be a list"),
        ({"value": -pl.col("value")}, {}, "zero or negative"),
        ({"rel_day": pl.lit(3.0)}, {}, "two samples at one time"),
        ({"mixed": pl.col("rel_day") > 7}, {"covariates": {"cmax": ["mixed"]}}, "changes within"),
    ],
)
def test_requests_that_make_no_sense(change, arguments, words):
    with pytest.raises(UserError, match=words):
        fit_kinetics_population(trial(1).with_columns(**change), **arguments)


@pytest.mark.parametrize("missing", [None, float("nan")])
def test_a_missing_covariate_leaves_its_patient_out_and_is_counted(missing):
    frame = trial(3, n=8).with_columns(age=pl.col("usubjid").rank("dense").cast(pl.Float64))
    first = frame["usubjid"][0]
    gap = frame.with_columns(age=pl.when(pl.col("usubjid") == first).then(missing).otherwise("age"))
    samples = frame.filter((pl.col("usubjid") == first) & (pl.col("rel_day") > 0)).height
    columns = Columns("rel_day", "value", "lower", "upper", "usubjid")
    patients = patients_of(gap, columns, FORMS["stein"], {"cmax": ["age"]})
    assert first not in patients.names
    assert len(patients.names) == 7
    assert [(row.reason, row.n) for row in patients.excluded] == [
        ("sample without age (1 patient left out)", samples)
    ]


def test_a_direct_label_has_no_kinetics_of_growth():
    with pytest.raises(UserError, match="Choose a blood assay or a reporter gene"):
        fit_kinetics_population(trial(1), context=SignalContext(tracer="direct_label"))
