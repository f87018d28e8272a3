"""fit_specification: ratios, tests, curves, sensitivity, influence, on trials of known truth."""

import json

import numpy as np
import polars as pl
import pytest

from analysis import Fit, ModelSpec, fit_specification
from analysis.results import Excluded

SPEC = ModelSpec(outcome="kinetics:CARTG:qPCR:BLOOD", question="expansion_by_group")
VISITS = SPEC.replace(time="visit", random="intercept")


def test_recovers_the_ratio_and_covers_it(simulate_trial):
    """Truth 10 ** 0.6 = 3.98; 30 trials of 24 patients: unbiased, 95 % interval covers about so."""
    truth, found, covered = 0.6, [], 0
    for seed in range(30):
        fit = fit_specification(simulate_trial(seed, log_ratio=truth), SPEC, influence=False)
        ratio = fit.key_ratio
        assert fit.status != "not_estimable"
        found.append(np.log10(ratio.ratio))
        covered += ratio.conf_low <= 10**truth <= ratio.conf_high
    error = np.std(found) / np.sqrt(len(found))
    assert abs(np.mean(found) - truth) < 3 * error
    assert covered >= 25


def test_everything_an_answer_carries(simulate_trial):
    frame = simulate_trial(7, log_ratio=0.8, lloq=60.0)
    fit = fit_specification(frame, SPEC, n_excluded=[("not infused", 2)])

    assert (fit.n_subjects, fit.n_observations) == (24, 192)
    assert fit.n_censored == frame.filter(pl.col("censored") == "left").height > 10
    assert fit.excluded[0] == Excluded("not infused", 2)
    assert [ratio.day for ratio in fit.ratios] == [7.0, 14.0, 28.0]
    assert fit.key_ratio.day == 14.0
    assert (fit.key_ratio.n, fit.key_ratio.n_reference) == (12, 12)
    assert fit.interaction.df == 3
    assert fit.group_test.df == 4
    assert 0 < fit.icc < 1
    assert {point.group for point in fit.curves} == {"responder", "non-responder"}
    assert len(fit.residuals) == 192
    assert len(fit.influence) == 24
    assert [row.rule for row in fit.sensitivity] == ["censored", "half_lloq", "drop"]
    assert fit.sensitivity[1].ratio == fit.key_ratio.ratio
    assert fit.sensitivity[2].n_observations == 192 - fit.n_censored
    assert fit.spec == SPEC.to_dict()
    assert fit.provenance.spec_hash == SPEC.spec_hash()
    assert "doi:10.18637/jss.v067.i01" in " ".join(fit.references)
    assert {check.name for check in fit.checks} >= {
        "group_sizes",
        "empty_cells",
        "random_part",
        "below_limit",
        "dropout",
        "influence",
        "multiplicity",
        "convergence",
        "verified",
        "boundary",
        "enough_subjects",
        "residual_shape",
        "outliers",
        "missing",
        "duplicates",
        "inference",
    }
    again = Fit.from_dict(json.loads(json.dumps(fit.to_dict(), allow_nan=False)))
    assert again == fit


def test_the_curve_is_the_ratio(simulate_trial):
    """On a visit the ratio of the fitted curves is the reported ratio."""
    fit = fit_specification(simulate_trial(2, log_ratio=0.5), VISITS)
    curve = {(point.group, point.day): point.estimate for point in fit.curves}
    for ratio in fit.ratios:
        expected = curve["responder", ratio.day] / curve["non-responder", ratio.day]
        assert ratio.ratio == pytest.approx(expected, rel=1e-9)


def test_complete_visits_give_the_ratio_of_geometric_means(simulate_trial):
    """With complete data and visits as a factor the estimate is the plain one: a literal check."""
    frame = simulate_trial(5, log_ratio=0.5)
    fit = fit_specification(frame, VISITS.replace(days=(14.0,)))
    means = (
        frame.filter(pl.col("nominal_day") == 14)
        .group_by("group")
        .agg(pl.col("value").log10().mean())
    )
    by_group = dict(means.iter_rows())
    expected = 10 ** (by_group["responder"] - by_group["non-responder"])
    assert fit.key_ratio.ratio == pytest.approx(expected, rel=1e-9)
    assert len(fit.ratios) == 1


def test_influence_is_a_refit_without_the_patient(simulate_trial):
    frame = simulate_trial(11, log_ratio=0.5)
    fit = fit_specification(frame, SPEC)
    for label in ("P03", "P10"):
        alone = fit_specification(frame.filter(pl.col("usubjid") != label), SPEC, influence=False)
        point = next(point for point in fit.influence if point.usubjid == label)
        # the knots of the spline move a little when a patient leaves
        assert point.ratio == pytest.approx(alone.key_ratio.ratio, rel=0.03)
    visits = fit_specification(frame, VISITS)
    alone = fit_specification(frame.filter(pl.col("usubjid") != "P03"), VISITS, influence=False)
    point = next(point for point in visits.influence if point.usubjid == "P03")
    assert point.ratio == pytest.approx(alone.key_ratio.ratio, rel=1e-6)
    assert point.conf_high == pytest.approx(alone.key_ratio.conf_high, rel=1e-5)


def test_unit_of_the_signal_does_not_matter(simulate_trial):
    frame = simulate_trial(3, log_ratio=0.4, lloq=50.0)
    scaled = frame.with_columns(pl.col("value", "upper", "lower", "lloq") * 6600.0)
    one, other = (fit_specification(f, SPEC, influence=False) for f in (frame, scaled))
    for first, second in zip(one.ratios, other.ratios, strict=True):
        assert second.ratio == pytest.approx(first.ratio, rel=1e-6)
        assert second.p_value == pytest.approx(first.p_value, rel=1e-5)
    assert other.curves[5].estimate == pytest.approx(one.curves[5].estimate * 6600, rel=1e-6)


def test_swapping_the_reference_inverts_the_ratio(simulate_trial):
    frame = simulate_trial(4, log_ratio=0.4)
    one = fit_specification(frame, SPEC, influence=False)
    other = fit_specification(frame, SPEC.replace(reference="responder"), influence=False)
    assert other.key_ratio.ratio == pytest.approx(1 / one.key_ratio.ratio, rel=1e-6)
    assert other.key_ratio.conf_low == pytest.approx(1 / one.key_ratio.conf_high, rel=1e-6)
    assert other.interaction.statistic == pytest.approx(one.interaction.statistic, rel=1e-6)


def test_patient_names_and_order_do_not_matter(simulate_trial):
    frame = simulate_trial(6, log_ratio=0.4)
    renamed = frame.with_columns(usubjid="Z" + pl.col("usubjid").str.reverse()).reverse()
    one, other = (fit_specification(f, SPEC, influence=False) for f in (frame, renamed))
    assert other.criterion == pytest.approx(one.criterion, rel=1e-9)
    assert other.key_ratio.ratio == pytest.approx(one.key_ratio.ratio, rel=1e-6)


def test_an_adjuster_that_explains_nothing_leaves_the_ratio(simulate_trial):
    frame = simulate_trial(8, log_ratio=0.4).with_columns(
        age_year=pl.col("usubjid").str.slice(1).cast(pl.Float64) // 2,
        sex=pl.when(pl.col("usubjid").str.slice(1).cast(pl.Int64) % 4 < 2)
        .then(pl.lit("F"))
        .otherwise(pl.lit("M")),
    )
    plain = fit_specification(frame, VISITS, influence=False)
    adjusted = fit_specification(frame, VISITS.replace(adjusters=("age_year", "sex")))
    assert {"age_year", "sex[T.M]"} <= {estimate.term for estimate in adjusted.estimates}
    # balanced against the groups by construction, so the comparison cannot move
    assert adjusted.key_ratio.ratio == pytest.approx(plain.key_ratio.ratio, rel=1e-6)


def test_missing_adjusters_are_named(simulate_trial):
    frame = simulate_trial(8).with_columns(
        age_year=pl.when(pl.col("usubjid") == "P03")
        .then(None)
        .otherwise(pl.col("usubjid").str.slice(1).cast(pl.Float64))
    )
    fit = fit_specification(frame, VISITS.replace(adjusters=("age_year",)), influence=False)
    assert Excluded("no age_year", 8) in fit.excluded
    assert fit.n_subjects == 23


def test_difference_when_no_logarithm_is_taken(simulate_trial):
    frame = simulate_trial(9, log_ratio=0.3).with_columns(pl.col("value").log10())
    fit = fit_specification(frame, VISITS.replace(transform="none"))
    plain = fit_specification(simulate_trial(9, log_ratio=0.3), VISITS)
    assert fit.key_ratio.kind == "difference"
    assert fit.key_ratio.ratio == pytest.approx(np.log10(plain.key_ratio.ratio), rel=1e-6)
    assert fit.sensitivity == ()
    assert all(point.change is not None for point in fit.influence)


def test_several_groups_are_each_compared_with_the_reference(simulate_trial):
    number = pl.col("usubjid").str.slice(1).cast(pl.Int64)
    frame = simulate_trial(10).with_columns(group="DL" + (number % 3 + 1).cast(pl.String))
    fit = fit_specification(frame, VISITS.replace(group="dose_level", days=(14, 28)))
    assert [(r.group, r.reference, r.day) for r in fit.ratios] == [
        ("DL2", "DL1", 14.0),
        ("DL2", "DL1", 28.0),
        ("DL3", "DL1", 14.0),
        ("DL3", "DL1", 28.0),
    ]
    p = sorted(r.p_value for r in fit.ratios)
    assert min(r.p_adjusted for r in fit.ratios) == pytest.approx(min(1.0, 4 * p[0]))


def test_the_smaller_random_part_is_a_warning(simulate_trial):
    bent = SPEC.replace(random="intercept", spline_df=4)
    fit = fit_specification(simulate_trial(1), bent, influence=False)
    assert fit.check("random_part").status == "warning"
    assert (fit.status, fit.reason) == ("warning", "random_part")
    assert (
        fit_specification(simulate_trial(1), SPEC, influence=False).check("random_part").status
        == "ok"
    )


def test_few_patients_get_independent_effects_and_are_told(simulate_trial):
    fit = fit_specification(simulate_trial(1, patients=10), SPEC, influence=False)
    assert fit.check("random_part").message.startswith("10 patients cannot carry all 10 variances")
    assert not [row for row in fit.variance_components if row.term_2]


def test_the_curve_of_an_adjusted_model_is_the_mean_over_the_patients(simulate_trial):
    """Literal: the average over patients of the fitted mean on day 14, computed by hand."""
    number = pl.col("usubjid").str.slice(1).cast(pl.Int64)
    frame = simulate_trial(12, log_ratio=0.4).with_columns(
        age_year=30.0 + number**2 / 10,
        sex=pl.when(number % 3 == 0).then(pl.lit("F")).otherwise(pl.lit("M")),
    )
    fit = fit_specification(frame, VISITS.replace(adjusters=("age_year", "sex")), influence=False)
    beta = {estimate.term: estimate.estimate for estimate in fit.estimates}
    patients = frame.unique("usubjid")
    level = beta["Intercept"] + beta["visit[T.14]"]
    level += beta["age_year"] * patients["age_year"].mean()
    level += beta["sex[T.M]"] * (patients["sex"] == "M").mean()
    point = next(p for p in fit.curves if (p.group, p.day) == ("non-responder", 14.0))
    assert point.estimate == pytest.approx(10**level, rel=1e-9)


def test_the_whole_course_is_tested_beside_relabelled_patients(simulate_trial):
    spline = fit_specification(simulate_trial(3), SPEC, influence=False)
    test = spline.interaction
    assert test.method == "Kenward-Roger"
    assert test.p_value == pytest.approx(test.permutation_p_value, abs=0.1)
    assert test.p_value != test.permutation_p_value
    visits = fit_specification(simulate_trial(3), SPEC.replace(time="visit"), influence=False)
    for test in (visits.interaction, visits.group_test):
        assert test.method == "permutation of patients"
        assert (test.p_value, test.den_df) == (test.permutation_p_value, None)
    assert "relabelled patients" in visits.inference_note
    assert "relabelled patients" not in spline.inference_note


def test_few_patients_per_effect_are_relabelled(simulate_trial):
    """Four effects of a patient's curve: F from 20 patients on, with independent effects always."""
    crowded, many, few = (
        fit_specification(simulate_trial(1, patients=n), SPEC, influence=False)
        for n in (14, 20, 10)
    )
    assert (crowded.covariance, crowded.interaction.method) == ("full", "permutation of patients")
    assert "fewer than five patients per random effect" in crowded.inference_note
    assert (many.covariance, many.interaction.method) == ("full", "Kenward-Roger")
    assert (few.covariance, few.interaction.method) == ("diagonal", "Kenward-Roger")
    asked = fit_specification(
        simulate_trial(1, patients=14), SPEC.replace(inference="satterthwaite"), influence=False
    )
    assert asked.interaction.method == "Satterthwaite"
    bent = fit_specification(simulate_trial(1, patients=10), SPEC.replace(spline_df=4),
                             influence=False)  # fmt: skip
    assert (bent.covariance, bent.interaction.method) == ("diagonal", "permutation of patients")
    assert "curve with 4 degrees of freedom" in bent.inference_note
    assert bent.check("random_part").status == "warning"
    assert few.check("random_part").status == "note"
