"""Residual structures, slopes, weights and sites of a question: the numbers are `fit_mixed`'s."""

import json

import numpy as np
import polars as pl
import pytest

from analysis import Fit, ModelSpec, fit_mixed, fit_specification, predict_patients
from analysis.errors import UserError
from analysis.fits.inference import joint_test
from benchmarks.curve_tests import SPLINE
from benchmarks.null_curves import curves, design

BLOOD = "kinetics:CARTG:qPCR:BLOOD"
LESION = "uptake:f18_fhbg:suv_mean:lesion"
VISITS = {"time": "visit", "random": "intercept"}
DAYS = (7.0, 14.0, 21.0, 28.0)


def trial(patients: int = 24, lesions: int = 0, rho: float = 0.6) -> pl.DataFrame:
    """log10 value = level of the patient + effect of responders + AR(1) noise over the visits;
    lesions have a level and a slope in log(1 + day) of their own."""
    rng = np.random.default_rng(11)
    rows = []
    for patient in range(patients):
        level, responder = rng.normal(2, 0.4), patient % 2 == 0
        for lesion in range(max(lesions, 1)):
            own, slope, noise = rng.normal(0, 0.3), rng.normal(0, 0.25), rng.normal(0, 0.3)
            for day in DAYS:
                noise = rho * noise + rng.normal(0, 0.24)
                log = level + 0.4 * responder + noise
                if lesions:
                    log += own + slope * np.log1p(day)
                rows.append({
                    "usubjid": f"P{patient:02d}", "region_code": f"T{lesion + 1:02d}",
                    "rel_day": day + rng.uniform(-0.4, 0.4), "nominal_day": day,
                    "value": 10.0**log, "group": "responder" if responder else "non-responder",
                    "siteid": f"S{patient % 6}", "n_regions": 1 + (patient + int(day)) % 3,
                })  # fmt: skip
    return pl.DataFrame(rows)


def rows_of(frame: pl.DataFrame) -> pl.DataFrame:
    """What `fit_mixed` needs to repeat a question of visits by hand."""
    names = [f"{day:g}" for day in DAYS]
    return frame.with_columns(
        y=pl.col("value").log10(),
        visit=pl.col("nominal_day").cast(pl.Int64).cast(pl.String).cast(pl.Enum(names)),
        number=(pl.col("nominal_day") / 7).cast(pl.Int64),
        group=pl.col("group").cast(pl.Enum(["non-responder", "responder"])),
    )


@pytest.mark.parametrize(("changes", "asked"), [
    ({"residual": "by:group"}, {"residual": "by:group"}),
    ({"residual": "by:visit"}, {"residual": "by:visit"}),
    ({"residual": "ar1:visit"}, {"residual": "ar1:number"}),
    ({"residual": "car1:day"}, {"residual": "car1:nominal_day"}),
    ({"residual": "unstructured:visit"}, {"residual": "unstructured:visit", "random": "0"}),
    ({"crossed": ("siteid",)}, {"crossed": "siteid"}),
    ({"weights": "n_regions"}, {"weights": "n_regions"}),
])  # fmt: skip
def test_the_numbers_are_those_of_fit_mixed(changes, asked):
    frame = trial()
    outcome = LESION if "weights" in changes else BLOOD  # only an image has regions to count
    fit = fit_specification(frame, ModelSpec(outcome=outcome, **VISITS, **changes))
    hand = fit_mixed(rows_of(frame), "y ~ visit * group", "usubjid", **asked)
    assert fit.status in ("ok", "warning")
    assert fit.criterion == pytest.approx(hand.criterion, rel=1e-9)
    first = next(item for item in hand.estimates if item.term == "group[T.responder]")
    ratio = next(item for item in fit.ratios if item.day == 7)
    assert ratio.ratio == pytest.approx(10**first.estimate, rel=1e-7)
    assert ratio.conf_low == pytest.approx(10**first.conf_low, rel=1e-6)
    assert ratio.df == pytest.approx(first.df, rel=1e-5)
    assert fit.interaction is not None
    assert 0 <= fit.interaction.p_value <= 1
    assert fit.inference == "satterthwaite"


def test_the_default_is_what_it_was():
    """Literal fields: a question without the new ones asks for nothing else."""
    frame = trial()
    plain = fit_specification(frame, ModelSpec(outcome=BLOOD, **VISITS), influence=False)
    hand = fit_mixed(rows_of(frame), "y ~ visit * group", "usubjid", inference="robust")
    assert plain.criterion == pytest.approx(hand.criterion, rel=1e-10)
    assert (plain.residual, plain.crossed, plain.weights) == ("independent", (), "")
    assert plain.inference == "robust"


def test_lesions_with_slopes_of_their_own():
    frame = trial(16, lesions=4, rho=0.0)
    spec = ModelSpec(
        outcome=LESION, unit="lesion", time="spline", spline_df=3, nested="slope",
        covariance="diagonal", days=(14.0,),
    )  # fmt: skip
    fit = fit_specification(frame, spec)
    assert fit.nested == ("region_code: 1 + time",)
    slopes = [row for row in fit.variance_components if row.term_1 == "time"]
    assert slopes[0].sd_or_corr == pytest.approx(0.25, abs=0.06)
    level = fit_specification(frame, spec.replace(nested="intercept"))
    assert fit.criterion < level.criterion - 30
    assert "a random intercept and slope in log(1 + day) per lesion" in fit.method


def test_the_correlation_over_days_is_found():
    frame = trial(60)
    spec = ModelSpec(outcome=BLOOD, **VISITS, residual="ar1:visit")
    fit = fit_specification(frame, spec, influence=False)
    found = [row.sd_or_corr for row in fit.variance_components if "correlation" in str(row.term_1)]
    assert found == [pytest.approx(0.6, abs=0.2)]


def test_the_level_widens_and_is_said():
    frame, spec = trial(), ModelSpec(outcome=BLOOD, **VISITS, days=(14.0,))
    usual = fit_specification(frame, spec, influence=False)
    wide = fit_specification(frame, spec.replace(level=0.99), influence=False)
    assert wide.key_ratio.ratio == usual.key_ratio.ratio
    assert wide.key_ratio.conf_low < usual.key_ratio.conf_low
    assert wide.key_ratio.p_value == usual.key_ratio.p_value
    assert "99 % CI" in wide.sentence
    assert "95 % CI" in usual.sentence


def test_the_seed_of_the_bootstrap_is_the_questions():
    frame = trial(12)
    spec = ModelSpec(outcome=BLOOD, **VISITS, inference="bootstrap", days=(14.0,))
    once, again, other = (
        fit_specification(frame, spec.replace(seed=seed), influence=False).key_ratio.conf_low
        for seed in (1, 1, 2)
    )
    assert once == again
    assert once != other


def test_the_fit_survives_json_and_its_data_give_it_again():
    frame = trial()
    fit = fit_specification(frame, ModelSpec(outcome=BLOOD, **VISITS, residual="by:group"))
    text = json.dumps(fit.to_dict(), allow_nan=False)
    restored = Fit.from_dict(json.loads(text))
    assert restored.spec == fit.spec
    at = {"visit": "14", "group": "responder"}
    mean, again = fit.contrast(at), restored.contrast(at, frame=frame)
    assert again.estimate == pytest.approx(mean.estimate, rel=1e-7)


def test_values_below_the_limit_have_two_rules_beside_a_structure():
    frame = trial().with_columns(lloq=pl.lit(60.0))
    below = pl.col("value") < 60
    frame = frame.with_columns(
        censored=pl.when(below).then(pl.lit("left")).otherwise(pl.lit("none")),
        lower=pl.when(below).then(0.0), upper=pl.when(below).then(60.0),
        value=pl.when(~below).then("value"),
    )  # fmt: skip
    fit = fit_specification(frame, ModelSpec(outcome=BLOOD, **VISITS, residual="by:group"))
    assert [row.rule for row in fit.sensitivity] == ["half_lloq", "drop"]


@pytest.mark.parametrize(
    ("changes", "status", "method"),
    [
        ({"residual": "ar1:visit"}, "note", "permutation of patients"),
        ({"residual": "unstructured:visit"}, "ok", "Kenward-Roger"),
        ({"residual": "by:group"}, "warning", "Kenward-Roger"),
        ({"residual": "ar1:visit", "inference": "satterthwaite"}, "warning", "Satterthwaite"),
    ],
)
def test_the_whole_course_of_visits_is_tested_by_relabelled_patients_where_they_exist(
    changes, status, method
):
    """With a variance for each group labels cannot be exchanged; who names an inference gets it."""
    fit = fit_specification(trial(), ModelSpec(outcome=BLOOD, **VISITS, **changes))
    assert next(item for item in fit.checks if item.name == "random_part").status == status
    assert fit.group_test.method == method
    relabelled = fit.group_test.permutation_p_value
    assert (relabelled is None) == (changes["residual"] == "by:group")
    if method.startswith("permutation"):
        assert fit.group_test.p_value == relabelled


def test_too_few_patients_for_free_visits_are_refused_with_the_way():
    spec = ModelSpec(outcome=BLOOD, **VISITS, residual="unstructured:visit")
    two_late = (pl.col("nominal_day") <= 14) | (pl.col("usubjid") <= "P01")
    fit = fit_specification(trial(8).filter(two_late), spec)
    assert fit.status == "not_estimable"
    assert fit.estimates == ()
    assert "car1" in fit.advice


@pytest.mark.parametrize("changes", [{"crossed": ("siteid",)}, {"weights": "n_regions"}])
def test_a_missing_column_is_named(changes):
    name = changes.get("weights") or changes["crossed"][0]
    with pytest.raises(UserError, match=f"there is no column '{name}'"):
        fit_specification(trial().drop(name), ModelSpec(outcome=LESION, **VISITS, **changes))


@pytest.mark.parametrize(
    ("site", "words"),
    [
        (pl.col("usubjid"), "Each of the 24 sites has one patient"),
        (pl.when(pl.col("usubjid") < "P12").then(pl.lit("A")).otherwise(pl.lit("B")),
         "2 sites hardly determine the variance between sites; make siteid an adjuster"),
    ],
)  # fmt: skip
def test_sites_that_cannot_carry_a_variance_are_a_warning(site, words):
    spec = ModelSpec(outcome=BLOOD, **VISITS, crossed=("siteid",))
    fit = fit_specification(trial().with_columns(siteid=site), spec)
    check = next(item for item in fit.checks if item.name == "random_part")
    assert check.status == "warning"
    assert words in check.message
    assert fit.status == "warning"
    usual = fit_specification(trial(), spec)
    assert "site" not in next(c.message for c in usual.checks if c.name == "random_part")[:40]


@pytest.mark.parametrize(
    "changes", [{"residual": "ar1:visit"}, {"residual": "by:group"}, {"crossed": ("siteid",)}]
)
def test_each_patient_is_left_out_of_a_structure_too(changes):
    """The key ratio without a patient is that of the question to the other patients."""
    frame, spec = trial(), ModelSpec(outcome=BLOOD, **VISITS, **changes)
    fit = fit_specification(frame, spec)
    point = {item.usubjid: item for item in fit.influence}["P04"]
    others = fit_specification(frame.filter(pl.col("usubjid") != "P04"), spec, influence=False)
    assert point.ratio == pytest.approx(others.key_ratio.ratio, rel=1e-4)
    assert point.conf_low == pytest.approx(others.key_ratio.conf_low, rel=1e-3)
    assert point.change == pytest.approx(point.ratio / fit.key_ratio.ratio, rel=1e-6)
    level, *_ = (row.variance for row in fit.variance_components)
    assert fit.icc is not None
    if "crossed" not in changes:
        rest = np.mean([row.variance for row in fit.variance_components[1:] if row.variance])
        assert fit.icc == pytest.approx(level / (level + rest), rel=0.02)


def test_free_visits_have_no_share_between_patients():
    fit = fit_specification(
        trial(), ModelSpec(outcome=BLOOD, **VISITS, residual="unstructured:visit")
    )
    assert fit.icc is None
    assert len(fit.influence) == fit.n_subjects


@pytest.mark.parametrize(
    ("residual", "by_hand", "at"),
    [
        ("ar1:visit", "ar1:number", {"visit": "14", "number": 2}),
        ("car1:day", "car1:nominal_day", {"visit": "14", "nominal_day": 14.0}),
    ],
)
def test_a_day_of_the_question_says_the_time_of_the_residual(residual, by_hand, at):
    fit = fit_specification(trial(), ModelSpec(outcome=BLOOD, **VISITS, residual=residual))
    hand = fit_mixed(rows_of(trial()), "y ~ visit * group", "usubjid", residual=by_hand)
    for who, more in (("P03", {}), ("new patient", {"group": "responder"})):
        row = predict_patients(fit, [{"rel_day": 14.0, **more}], [who]).predictions[0]
        other = predict_patients(hand, [{**at, **more}], [who]).predictions[0]
        assert row[2:9] == pytest.approx(other[2:9], rel=1e-4)


@pytest.mark.parametrize(
    ("changes", "status", "said", "unsaid"),
    [
        ({"residual": "by:group"}, "warning",
         ("residual variance for each group gives them no curve", "8 to 11 %", "'robust'"),
         "relabelled"),
        ({"residual": "by:group", "inference": "robust"}, "warning", ("8 to 11 %",), "'robust'"),
        ({"residual": "car1:day"}, "note",
         ("residuals correlated over days do not stand", "relabelled", "'robust' 4 to 6 %"),
         "Read the ratio"),
        ({}, "note", ("course parallel to the group's. In null", "relabelled"), "one day"),
        ({"inference": "satterthwaite"}, "warning", ("8 to 11 %", "'robust'"), "relabelled"),
        ({"time": "spline", "random": "intercept", "residual": "by:group"}, "warning",
         ("beside residual 'by:group' too", "15 to 21 %"), "relabelled"),
    ],
)  # fmt: skip
def test_no_residual_structure_stands_for_the_patients_curves(changes, status, said, unsaid):
    fit = fit_specification(
        trial(), ModelSpec(outcome=BLOOD, **{**VISITS, **changes}), influence=False
    )
    check = next(item for item in fit.checks if item.name == "random_part")
    assert check.status == status
    assert all(words in check.message for words in said), check.message
    assert unsaid not in check.message


@pytest.mark.slow
@pytest.mark.parametrize(("time", "low", "high"), [("visit", 0.07, 0.14), (SPLINE, 0.13, 0.25)])
def test_a_variance_by_group_leaves_the_false_alarms_of_a_level_per_patient(time, low, high):
    """200 null trials of expansion curves: as often as with independent residuals."""
    frame = design(24, 1, 5).with_columns(
        time=pl.col("rel_day").log1p(), visit=pl.col("nominal_day").cast(pl.String)
    )
    found = {"independent": [], "by:group": []}
    for outcome in curves(frame, 200, 77):
        for residual, rejected in found.items():
            fit = fit_mixed(
                frame.with_columns(y=outcome), f"y ~ {time} * group", "usubjid",
                residual=residual, verify=False,
            )  # fmt: skip
            terms = [t for t in fit.design.design.matrices.x_terms if "group" in t[1]]
            rows = np.vstack([np.eye(len(fit.design.beta))[where] for _, _, where in terms])
            rejected.append(joint_test(fit.design, "any", rows).p_value <= 0.05)
    shares = {residual: np.mean(rejected) for residual, rejected in found.items()}
    assert low < shares["by:group"] < high, shares
    assert abs(shares["by:group"] - shares["independent"]) < 0.02, shares
