"""Times to an event that would be counted twice, or read beyond what was seen."""

import polars as pl
import pytest

from analysis import fit_cox, kaplan_meier, proportional_hazards, restricted_mean
from tests.analysis.fits.survival_trial import TRIAL


def rows(*values: tuple[str, float, float, int]) -> pl.DataFrame:
    """Patients with rows of their own beside a plain trial of others."""
    others = TRIAL.select(
        pl.format("o{}", pl.int_range(pl.len())).alias("p"), start=pl.lit(0.0), t="t", e="e", x="x"
    )
    own = pl.DataFrame(values, schema=["p", "start", "t", "e"], orient="row")
    return pl.concat([others, own.with_columns(x=pl.lit(0.5))], how="diagonal_relaxed")


def test_rows_of_a_patient_without_a_start_are_refused():
    thrice = pl.concat([TRIAL.with_row_index("p")] * 3)
    fit = fit_cox(thrice, "x", "t", "e", subject="p")
    assert (fit.status, fit.reason) == ("not_estimable", "repeated_patients")
    assert fit.sentence.startswith("Not estimable: 12 of the patients, as 0, have several rows")
    assert fit_cox(thrice, "x", "t", "e", subject="p", entry=None).estimates == ()


@pytest.mark.parametrize(
    ("own", "reason"),
    [
        ((("a", 0.0, 5.0, 0), ("a", 4.0, 9.0, 1)), "overlapping_rows"),
        ((("a", 0.0, 5.0, 1), ("a", 5.0, 9.0, 1)), "repeated_events"),
        ((("a", 0.0, 5.0, 1), ("a", 5.0, 9.0, 0)), "repeated_events"),
    ],
)
def test_rows_that_count_a_patient_twice_are_refused(own, reason):
    fit = fit_cox(rows(*own), "x", "t", "e", entry="start", subject="p")
    assert (fit.status, fit.reason) == ("not_estimable", reason)
    assert "1 of the patients, as a," in fit.sentence


def test_rows_that_follow_each_other_are_one_patient():
    whole = fit_cox(rows(("a", 0.0, 9.0, 1)), "x", "t", "e", entry="start", subject="p")
    parts = rows(("a", 5.0, 9.0, 1), ("a", 0.0, 5.0, 0))
    split = fit_cox(parts, "x", "t", "e", entry="start", subject="p")
    assert split.estimates[0].estimate == pytest.approx(whole.estimates[0].estimate, rel=1e-8)
    assert split.estimates[0].std_error == pytest.approx(whole.estimates[0].std_error, rel=1e-8)
    assert split.n_subjects == whole.n_subjects


@pytest.mark.parametrize("n", [10, 24])
def test_equal_times_of_all_patients_are_no_cox_model(n):
    """With ten events or more the test of proportional hazards once met a singular matrix."""
    frame = pl.DataFrame({"t": [5.0] * n, "e": [1] * (n - 3) + [0] * 3, "g": ["R", "N"] * (n // 2)})
    fit = fit_cox(frame, "g", "t", "e")
    assert (fit.status, fit.reason, fit.estimates) == ("not_estimable", "one_time", ())
    assert f"All {n} rows end at the same time (5)" in fit.sentence


def test_events_of_one_day_say_nothing_of_proportional_hazards():
    """Twelve events on day 5, and others who outlive them: a model, but not how it changes."""
    frame = pl.DataFrame({"t": [5.0] * 12 + [9.0] * 12, "e": [1] * 12 + [0] * 12,
                          "x": [1.0, 2, 3, 4, 5, 6] * 4})  # fmt: skip
    fit = fit_cox(frame.with_columns(x=pl.col("x") - 0.1 * pl.col("t")), "x", "t", "e")
    assert fit.status == "ok", fit.sentence
    assert fit.check("proportional_hazards").status == "note"
    found = proportional_hazards(fit)
    assert (found.status, found.reason, found.tests) == ("not_estimable", "no_change_seen", ())


def test_nobody_at_risk_after_the_landmark_is_said_with_the_numbers():
    early = fit_cox(TRIAL.with_columns(e=pl.lit(1)), "x", "t", "e", landmark_day=90.0)
    assert (early.status, early.reason) == ("not_estimable", "none_at_risk")
    assert early.sentence.startswith(
        "Not estimable: 0 of 12 rows are at risk after day 90, the landmark; 12 left out (event by "
        "day 90, the landmark)."
    )
    one = fit_cox(TRIAL.with_row_index("p"), "x", "t", "e", landmark_day=25.0, subject="p")
    assert one.sentence.startswith(
        "Not estimable: 1 of 12 patients is at risk after day 25, the landmark; 8 left out (event "
        "by day 25, the landmark), 3 left out (end of follow-up by day 25, the landmark)."
    )
    assert "earlier landmark" in one.advice


def test_a_restricted_mean_is_not_read_beyond_the_follow_up():
    """At day 10 one of three at risk has the event: the curve stays at a third, unknown after."""
    frame = pl.DataFrame({"t": [2.0, 10, 10, 10], "e": [1, 1, 0, 0]})
    beyond = restricted_mean(frame, "t", "e", 12)
    assert (beyond.status, beyond.reason, beyond.means) == (
        "not_estimable", "beyond_follow_up", (),
    )  # fmt: skip
    assert "10 days or less" in beyond.advice
    ended = restricted_mean(frame.with_columns(e=1), "t", "e", 12)
    assert ended.means[0].mean == pytest.approx((2 + 3 * 10) / 4)


def test_a_difference_without_variation_says_so():
    frame = pl.DataFrame({"t": [9.0] * 6, "e": [0] * 6, "g": ["a"] * 3 + ["b"] * 3})
    found = restricted_mean(frame, "t", "e", 5, "g")
    assert (found.difference, found.conf_low, found.p_value) == (0.0, None, None)
    assert "no interval" in found.sentence


def test_a_risk_table_says_nothing_behind_the_follow_up():
    table = kaplan_meier(TRIAL, "t", "e").risk_table([12, 30, 5000])
    assert table["n_at_risk"].to_list()[-1] == 0
    assert table["survival"].is_null().to_list() == [False, False, True]
    everyone = kaplan_meier(TRIAL.with_columns(e=1), "t", "e").risk_table([5000])
    assert everyone["survival"].to_list() == [0.0]


def test_a_penalty_that_was_asked_for_is_not_explained_by_an_estimate_without_end():
    asked = fit_cox(TRIAL, "x", "t", "e", penalty="firth")
    assert "no end" not in asked.inference_note
    assert asked.inference == "penalized_likelihood_ratio"
    grouped = fit_cox(TRIAL, "x", "t", "e", penalty="firth", cluster="id")
    assert grouped.inference == "wald"
    assert "likelihood ratio" not in grouped.method
