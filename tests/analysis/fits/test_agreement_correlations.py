"""ICC(2,1) and the correlation within patients against published examples."""

import json

import numpy as np
import polars as pl
import pytest

from analysis import icc_agreement, repeated_measures_correlation
from analysis.errors import UserError
from analysis.fits.agreement.result import AgreementResult

# Six targets, four judges: Shrout and Fleiss 1979, table 2.
JUDGES = [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]]

# pH and PaCO2 of eight people: Bland and Altman, BMJ 1995.
GAS = {
    1: [(6.68, 3.97), (6.53, 4.12), (6.43, 4.09), (6.33, 3.97)],
    2: [(6.85, 5.27), (7.06, 5.37), (7.13, 5.41), (7.17, 5.44)],
    3: [(7.40, 5.67), (7.42, 3.64), (7.41, 4.32), (7.37, 4.73), (7.34, 4.96), (7.35, 5.04),
        (7.28, 5.22), (7.30, 4.82), (7.34, 5.07)],
    4: [(7.36, 5.67), (7.33, 5.10), (7.29, 5.53), (7.30, 4.75), (7.35, 5.51)],
    5: [(7.35, 4.28), (7.30, 4.44), (7.30, 4.32), (7.37, 3.23), (7.27, 4.46), (7.28, 4.72),
        (7.32, 4.75), (7.32, 4.99)],
    6: [(7.38, 4.78), (7.30, 4.73), (7.29, 5.12), (7.33, 4.93), (7.31, 5.03), (7.33, 4.93)],
    7: [(6.86, 6.85), (6.94, 6.44), (6.92, 6.52)],
    8: [(7.19, 5.28), (7.29, 4.56), (7.21, 4.34), (7.25, 4.32), (7.20, 4.41), (7.19, 3.69),
        (6.77, 6.09), (6.82, 5.58)],
}  # fmt: skip


def judges() -> pl.DataFrame:
    return pl.DataFrame(
        [
            {"target": i, "judge": f"J{j}", "score": float(value)}
            for i, row in enumerate(JUDGES)
            for j, value in enumerate(row)
        ]
    )


def gas() -> pl.DataFrame:
    return pl.DataFrame(
        [{"p": p, "ph": ph, "paco2": co2} for p, rows in GAS.items() for ph, co2 in rows]
    )


def test_shrout_and_fleiss():
    """Published: ICC(2,1) 0.29; its interval by the published formula 0.019 to 0.761."""
    result = icc_agreement(judges(), "score", "target", "judge")
    icc = result.measure("ICC(2,1)")
    assert icc.estimate == pytest.approx(0.2898, abs=5e-5)
    assert (icc.conf_low, icc.conf_high) == pytest.approx((0.0188, 0.7611), abs=5e-4)
    assert (result.n_subjects, result.n_observations) == (6, 24)
    assert "Agreement of 4 raters on score: ICC(2,1) 0.29 (95 % CI 0.02 to 0.76)" in result.sentence


def test_icc_is_the_share_of_the_random_effects_model():
    from analysis import fit_mixed

    rng = np.random.default_rng(4)
    y = 5 + rng.normal(0, 1, (30, 1)) + np.array([-0.4, 0.1, 0.5]) + rng.normal(0, 0.5, (30, 3))
    frame = pl.DataFrame({"s": np.repeat(range(30), 3), "r": [*range(3)] * 30, "y": y.ravel()})
    result = icc_agreement(frame, "y", "s", "r")
    # with raters fixed, patient and residual variance are those of the mixed model
    fit = fit_mixed(frame.with_columns(pl.col("r").cast(pl.String)), "y ~ r", "s")
    patient, residual = (part.variance for part in fit.variance_components)
    rater = result.measure("rater SD").estimate ** 2
    assert result.measure("residual SD").estimate == pytest.approx(np.sqrt(residual), rel=1e-5)
    assert result.measure("ICC(2,1)").estimate == pytest.approx(
        patient / (patient + rater + residual), rel=1e-5
    )


def test_icc_covers():
    rng = np.random.default_rng(6)
    truth, covered = 1 / (1 + 0.1 + 0.4), 0
    for _ in range(300):
        y = (
            rng.normal(0, 1, (25, 1))
            + rng.normal(0, 0.1**0.5, 6)
            + rng.normal(0, 0.4**0.5, (25, 6))
        )
        frame = pl.DataFrame({"s": np.repeat(range(25), 6), "r": [*range(6)] * 25, "y": y.ravel()})
        icc = icc_agreement(frame, "y", "s", "r").measure("ICC(2,1)")
        covered += icc.conf_low < truth < icc.conf_high
    assert 0.91 < covered / 300 < 0.985


def test_incomplete_subjects_are_counted():
    result = icc_agreement(
        judges().filter((pl.col("target") > 0) | (pl.col("judge") != "J1")),
        "score", "target", "judge",
    )  # fmt: skip
    assert [tuple(item) for item in result.excluded] == [("a subject not rated by every rater", 3)]
    assert result.n_subjects == 5


def test_icc_that_cannot_be_said():
    cases = {
        "too_few_subjects": judges().filter(pl.col("target") < 4),
        "one_rater": judges().filter(pl.col("judge") == "J1"),
        "constant_outcome": judges().with_columns(score=pl.lit(3.0)),
    }
    for reason, frame in cases.items():
        result = icc_agreement(frame, "score", "target", "judge")
        assert (result.status, result.reason, result.measures) == ("not_estimable", reason, ())
    shifted = judges().with_columns(score=pl.col("target") + pl.col("judge").str.slice(1)
                                    .cast(pl.Float64))  # fmt: skip
    result = icc_agreement(shifted, "score", "target", "judge")
    assert (result.status, result.reason) == ("warning", "no_rest")
    assert result.measure("ICC(2,1)").conf_low is None
    with pytest.raises(UserError, match="two values of the same judge"):
        icc_agreement(pl.concat([judges(), judges().head(1)]), "score", "target", "judge")


def test_bland_and_altman_1995():
    """Published with rmcorr: r -0.5067697, df 38, p 0.0008471081; the interval -0.7112297 to
    -0.223255 of that time took two degrees of freedom too few, which its authors have corrected."""
    result = repeated_measures_correlation(gas(), "paco2", "ph", "p")
    r = result.measure("correlation")
    assert r.estimate == pytest.approx(-0.5067697, abs=5e-8)
    assert r.p_value == pytest.approx(0.0008471081, rel=1e-6)
    assert r.df == 38
    bounds, old = np.arctanh([r.conf_low, r.conf_high]), np.arctanh([-0.7112297, -0.223255])
    assert bounds.mean() == pytest.approx(old.mean(), rel=1e-5)
    assert np.ptp(bounds) * np.sqrt(37) == pytest.approx(np.ptp(old) * np.sqrt(35), rel=1e-5)
    assert result.measure("slope").estimate == pytest.approx(-0.108, abs=1e-3)
    assert "Within patients ph falls with paco2: r = -0.51" in result.sentence
    assert AgreementResult.from_dict(json.loads(json.dumps(result.to_dict()))) == result


def test_levels_of_the_patients_do_not_matter():
    plain = repeated_measures_correlation(gas(), "paco2", "ph", "p")
    moved = gas().with_columns(pl.col("ph") + 10 * pl.col("p"), pl.col("paco2") - pl.col("p"))
    again = repeated_measures_correlation(moved, "paco2", "ph", "p")
    assert again.measures[0].estimate == pytest.approx(plain.measures[0].estimate, rel=1e-8)
    swapped = repeated_measures_correlation(gas(), "ph", "paco2", "p")
    assert swapped.measures[0].estimate == pytest.approx(plain.measures[0].estimate)


def test_correlation_that_cannot_be_said():
    alone = gas().unique("p")
    result = repeated_measures_correlation(alone, "ph", "paco2", "p")
    assert (result.status, result.reason) == ("not_estimable", "too_few_repeats")
    assert [tuple(item) for item in result.excluded] == [("a patient with one observation", 8)]
    flat = gas().with_columns(ph=pl.col("p") * 0.1 + 7)
    result = repeated_measures_correlation(flat, "ph", "paco2", "p")
    assert (result.status, result.reason) == ("not_estimable", "no_variation")
    line = gas().with_columns(ph=2 * pl.col("paco2"))
    result = repeated_measures_correlation(line, "ph", "paco2", "p")
    assert result.measures[0].estimate == pytest.approx(1)
    assert result.measures[0].p_value is None
    empty = repeated_measures_correlation(gas().head(0), "ph", "paco2", "p")
    assert empty.status == "not_estimable"
