"""Within-subject SD and CV, repeatability coefficient; bands of no change from a citation."""

import numpy as np
import polars as pl
import pytest

from analysis import judge_change, within_subject_cv, within_subject_sd
from analysis.errors import UserError
from analysis.fits.agreement.noise_band import CitedRepeatability

# Mini meter of Bland and Altman, Lancet 1986: published repeatability 56.4, twice an SD of 28.2.
# fmt: off
MINI = ([512, 430, 520, 428, 500, 600, 364, 380, 658, 445, 432, 626, 260, 477, 259, 350, 451],
        [525, 415, 508, 444, 500, 625, 460, 390, 642, 432, 420, 605, 227, 467, 268, 370, 443])
# fmt: on


def repeats() -> pl.DataFrame:
    return pl.DataFrame({"p": [*range(17)] * 2, "flow": [*MINI[0], *MINI[1]]})


def test_the_published_repeatability():
    result = within_subject_sd(repeats(), "flow", "p")
    difference = np.subtract(*MINI)
    sd = np.sqrt((difference**2).mean() / 2)
    assert result.measure("within-subject SD").estimate == pytest.approx(sd)
    coefficient = result.measure("repeatability coefficient")
    assert round(coefficient.estimate / 1.959964, 1) == 28.2
    assert coefficient.df == 17
    # chi-square with 17 degrees of freedom: 7.564 and 30.191
    assert coefficient.conf_low == pytest.approx(
        coefficient.estimate * np.sqrt(17 / 30.191), rel=1e-4
    )
    assert coefficient.conf_high == pytest.approx(
        coefficient.estimate * np.sqrt(17 / 7.5642), rel=1e-4
    )
    assert "differ by less than" in result.sentence


def test_coefficient_of_variation_on_logarithms():
    result = within_subject_cv(repeats(), "flow", "p")
    ratio = np.log(np.divide(*MINI))
    sd = np.sqrt((ratio**2).mean() / 2)
    assert result.measure("within-subject CV").estimate == pytest.approx(
        100 * np.sqrt(np.exp(sd**2) - 1)
    )
    upper, lower = result.measure("upper ratio"), result.measure("lower ratio")
    assert upper.estimate == pytest.approx(np.exp(1.959964 * np.sqrt(2) * sd), rel=1e-6)
    assert lower.estimate * upper.estimate == pytest.approx(1)
    assert lower.conf_low < lower.estimate < lower.conf_high < 1


def test_root_mean_square_is_the_mean_of_squared_cvs():
    result = within_subject_cv(repeats(), "flow", "p", method="root_mean_square")
    pairs = np.array(MINI, dtype=float)
    cv = pairs.std(axis=0, ddof=1) / pairs.mean(axis=0)
    assert result.measure("within-subject CV").estimate == pytest.approx(
        100 * np.sqrt((cv**2).mean())
    )


def test_unequal_numbers_of_repeats_pool_variances():
    frame = pl.DataFrame({"p": list("aaabbccd"), "x": [1.0, 2, 3, 5, 7, 10, 10, 99]})
    result = within_subject_sd(frame, "x", "p")
    # sums of squares 2 + 2 + 0 over 2 + 1 + 1 degrees of freedom; d has one measurement
    assert result.measure("within-subject SD").estimate == pytest.approx(1.0)
    assert [tuple(item) for item in result.excluded] == [("a patient with one measurement", 1)]
    assert (result.n_subjects, result.n_observations) == (3, 7)


def test_intervals_cover():
    rng = np.random.default_rng(2)
    patient = np.repeat(np.arange(10), 2)
    covered = 0
    for _ in range(400):
        x = np.exp(rng.normal(0, 1, 10)[patient] + rng.normal(0, 0.2, 20))
        result = within_subject_cv(pl.DataFrame({"p": patient, "x": x}), "x", "p")
        found = result.measure("within-subject CV")
        covered += found.conf_low < 100 * np.sqrt(np.expm1(0.04)) < found.conf_high
    assert covered / 400 == pytest.approx(0.95, abs=0.035)


def test_a_spread_that_grows_is_a_warning():
    rng = np.random.default_rng(5)
    patient = np.repeat(np.arange(40), 2)
    x = np.exp(rng.normal(0, 1, 40)[patient] + rng.normal(0, 0.2, 80))
    result = within_subject_sd(pl.DataFrame({"p": patient, "x": x}), "x", "p")
    assert (result.status, result.reason) == ("warning", "proportional_spread")
    assert "within_subject_cv" in result.advice


def test_what_cannot_be_said():
    few = within_subject_cv(repeats().filter(pl.col("p") < 3), "flow", "p")
    assert (few.status, few.reason, few.measures) == ("not_estimable", "too_few_repeats", ())
    same = repeats().with_columns(flow=pl.col("p") + 1.0)
    for result in (within_subject_sd(same, "flow", "p"), within_subject_cv(same, "flow", "p")):
        assert (result.status, result.reason) == ("not_estimable", "no_variation")
        assert "copies" in result.advice
    with pytest.raises(UserError, match="method 'mean' does not exist"):
        within_subject_cv(repeats(), "flow", "p", method="mean")
    with pytest.raises(UserError, match="column 'p' holds text"):
        within_subject_sd(repeats().with_columns(pl.col("p").cast(pl.String)), "p", "flow")


def test_human_pet_test_retest(shared):
    """Late frontal uptake of [11C]PBR28, two scans a subject, per injected activity: the spread
    equals that of a mixed model's residual (Matheson 2017, doi:10.1186/s13550-017-0304-1)."""
    from analysis import fit_mixed

    folder = shared / "data" / "pbr28_pet_tac"
    if not folder.is_dir():
        pytest.skip("needs ../shared/data/pbr28_pet_tac")
    late = (
        pl.read_csv(folder / "pbr28_tacdata.csv", infer_schema_length=None)
        .filter(pl.col("StartTime") > 2400)
        .group_by("PET")
        .agg(pl.col("FC").mean())
        .with_columns(subject=pl.col("PET").str.split("_").list.first())
        .sort("PET")
    )
    result = within_subject_cv(late, "FC", "subject")
    assert result.n_observations == late.height == 2 * result.n_subjects
    fit = fit_mixed(late.with_columns(y=pl.col("FC").log()), "y ~ 1", "subject")
    residual = fit.variance_components[-1].variance
    assert result.measure("within-subject CV").estimate == pytest.approx(
        100 * np.sqrt(np.expm1(residual)), rel=1e-5
    )


BAND = CitedRepeatability(28.0, "percent", "f18_fdg", "suv_max", "EARL", "doi:10.0/example")
KEY = {"tracer_id": "f18_fdg", "metric": "suv_max", "method": "EARL"}


@pytest.mark.parametrize(("second", "verdict"), [
    (12.7, "within noise"), (7.3, "within noise"), (12.9, "beyond noise: higher"),
    (7.1, "beyond noise: lower"),
])  # fmt: skip
def test_change_against_a_cited_band(second, verdict):
    judged = judge_change(10.0, second, BAND, **KEY)
    assert judged.verdict == verdict
    assert (judged.low, judged.high) == pytest.approx((7.2, 12.8))
    assert judged.change == pytest.approx(10 * (second - 10))
    assert "doi:10.0/example" in judged.sentence


def test_bands_on_other_scales():
    log = CitedRepeatability(0.25, "log", "f18_fdg", "suv_max", "EARL", "x")
    judged = judge_change(4.0, 6.0, log, **KEY)
    assert judged.high == pytest.approx(4 * np.exp(0.25))
    assert judged.change == pytest.approx(np.log(1.5))
    absolute = CitedRepeatability(1.5, "absolute", "f18_fdg", "suv_max", "EARL", "x")
    assert judge_change(4.0, 2.6, absolute, **KEY).verdict == "within noise"


@pytest.mark.parametrize(("change", "reason"), [
    ({"band": None}, "no_cited_repeatability"),
    ({"tracer_id": "f18_fhbg"}, "other_measurement"),
    ({"metric": "suv_peak"}, "other_measurement"),
    ({"method": "local"}, "other_measurement"),
    ({"second": None}, "missing_value"),
    ({"second": float("nan")}, "missing_value"),
    ({"first": 0.0}, "not_positive"),
])  # fmt: skip
def test_a_band_is_never_borrowed(change, reason):
    judged = judge_change(**{"first": 10.0, "second": 12.0, "band": BAND, **KEY} | change)
    assert (judged.status, judged.reason, judged.verdict) == ("not_estimable", reason, None)
    assert judged.advice


def test_a_band_needs_a_source():
    with pytest.raises(UserError, match="'source' is empty; a band needs the publication"):
        CitedRepeatability(28.0, "percent", "f18_fdg", "suv_max", "EARL", " ")
    with pytest.raises(UserError, match="must be a number above 0"):
        CitedRepeatability(-1.0, "percent", "f18_fdg", "suv_max", "EARL", "x")
    with pytest.raises(UserError, match="scale 'dB' does not exist"):
        CitedRepeatability(1.0, "dB", "f18_fdg", "suv_max", "EARL", "x")
