"""Limits of agreement: published peak-flow example, exact coverage, replicates, refusals."""

import json

import numpy as np
import polars as pl
import pytest

from analysis import bland_altman
from analysis.errors import UserError
from analysis.fits.agreement.differences import limits, spread_of
from analysis.fits.agreement.result import AgreementResult

# Peak expiratory flow, l/min, two meters, each twice: Bland and Altman, Lancet 1986.
# fmt: off
WRIGHT = (
    [494, 395, 516, 434, 476, 557, 413, 442, 650, 433, 417, 656, 267, 478, 178, 423, 427],
    [490, 397, 512, 401, 470, 611, 415, 431, 638, 429, 420, 633, 275, 492, 165, 372, 421],
)
MINI = ([512, 430, 520, 428, 500, 600, 364, 380, 658, 445, 432, 626, 260, 477, 259, 350, 451],
        [525, 415, 508, 444, 500, 625, 460, 390, 642, 432, 420, 605, 227, 467, 268, 370, 443])
# fmt: on


def peak_flow(occasions: int = 1) -> pl.DataFrame:
    return pl.concat(
        pl.DataFrame({"p": range(17), "wright": WRIGHT[i], "mini": MINI[i]})
        for i in range(occasions)
    )


def value(result: AgreementResult, name: str) -> float:
    return result.measure(name).estimate


def test_the_published_example():
    """Published: mean -2.1, SD 38.8, limits -79.7 and 75.5 with 2 SD."""
    result = bland_altman(peak_flow(), "wright", "mini")
    assert round(value(result, "mean difference"), 1) == -2.1
    sd = value(result, "SD of differences")
    assert round(sd, 1) == 38.8
    low, high = result.measure("lower limit"), result.measure("upper limit")
    assert low.estimate == pytest.approx(-2.1176 - 1.959964 * sd, abs=1e-3)
    assert high.estimate == pytest.approx(-2.1176 + 1.959964 * sd, abs=1e-3)
    assert result.sentence == (
        "wright minus mini is -2.1 on average; 95 % of differences are expected between -78 and 74 "
        "(n = 17)."
    )
    assert (result.status, result.n_subjects) == ("ok", 17)


def test_approximate_intervals_of_the_limits_are_those_of_1999():
    result = bland_altman(peak_flow(), "wright", "mini", interval="approximate")
    sd, t = value(result, "SD of differences"), 2.119905
    error = sd * np.sqrt(1 / 17 + 1.959964**2 / 32)
    high = result.measure("upper limit")
    assert high.conf_high - high.estimate == pytest.approx(t * error, rel=1e-6)
    assert high.estimate - high.conf_low == pytest.approx(t * error, rel=1e-6)
    exact = bland_altman(peak_flow(), "wright", "mini").measure("upper limit")
    assert exact.conf_high - exact.estimate > 1.1 * (exact.estimate - exact.conf_low)


def test_exact_intervals_cover_the_true_limit():
    rng = np.random.default_rng(3)
    covered = 0
    for _ in range(2000):
        low, high = limits(spread_of(rng.normal(1, 2, 10), np.arange(10)), 0.95, "exact")
        covered += int(low.low < 1 - 3.919928 < low.high) + int(high.low < 4.919928 < high.high)
    assert covered / 4000 == pytest.approx(0.95, abs=0.012)


def test_replicates_cover_the_limit_of_a_single_pair():
    """Between SD 1.5, within SD 2 of the differences: a pair has SD 2.5."""
    rng = np.random.default_rng(4)
    patient = np.repeat(np.arange(20), 3)
    covered, totals = 0, []
    for _ in range(1500):
        difference = rng.normal(0, 1.5, 20)[patient] + rng.normal(0, 2, 60)
        spread = spread_of(difference, patient)
        low, high = limits(spread, 0.95, "exact")
        totals.append(spread.total)
        covered += int(low.low < -4.89991 < low.high) + int(high.low < 4.89991 < high.high)
    assert np.mean(totals) == pytest.approx(6.25, rel=0.03)
    assert 0.935 < covered / 3000 < 0.975


def test_replicates_are_not_patients():
    once = bland_altman(peak_flow(), "wright", "mini", "p")
    twice = bland_altman(peak_flow(2), "wright", "mini", "p")
    assert (twice.n_subjects, twice.n_observations) == (17, 34)
    assert value(twice, "mean difference") == pytest.approx(
        np.subtract(WRIGHT, MINI).mean(axis=0).mean()
    )
    copies = bland_altman(pl.concat([peak_flow()] * 4), "wright", "mini", "p")
    for name in ("lower limit", "upper limit"):
        assert value(copies, name) == pytest.approx(value(once, name), rel=1e-9)
    wide = copies.measure("upper limit")
    assert wide.conf_high - wide.conf_low > 30


def test_logarithms_give_ratios():
    frame = peak_flow()
    result = bland_altman(frame, "wright", "mini", log=True)
    ratio = np.log(np.array(WRIGHT[0]) / np.array(MINI[0]))
    assert value(result, "geometric mean ratio") == pytest.approx(np.exp(ratio.mean()))
    assert value(result, "upper limit") == pytest.approx(
        np.exp(ratio.mean() + 1.959964 * ratio.std(ddof=1)), rel=1e-6
    )
    scaled = bland_altman(frame.with_columns(pl.col("wright", "mini") * 1000), "wright", "mini",
                          log=True)  # fmt: skip
    assert value(scaled, "lower limit") == pytest.approx(value(result, "lower limit"))
    assert "times mini" in result.sentence


def test_proportional_bias_is_seen_and_cured_by_logarithms():
    rng = np.random.default_rng(1)
    true = np.exp(rng.normal(3, 1, 40))
    frame = pl.DataFrame({"a": true * 1.3 * np.exp(rng.normal(0, 0.1, 40)), "b": true})
    raw = bland_altman(frame, "a", "b")
    assert (raw.status, raw.reason) == ("warning", "proportional_bias")
    assert raw.measure("slope on the mean").p_value < 1e-6
    assert "log=True" in raw.advice
    assert bland_altman(frame, "a", "b", log=True).status == "ok"


def test_what_cannot_be_said():
    cases = {
        "too_few_subjects": peak_flow().head(4),
        "constant_difference": peak_flow().with_columns(mini=pl.col("wright") - 3),
    }
    for reason, frame in cases.items():
        result = bland_altman(frame, "wright", "mini")
        assert (result.status, result.reason, result.measures) == ("not_estimable", reason, ())
        assert result.sentence.startswith("Not estimable: ")
        assert result.advice
    frame = peak_flow().with_columns(
        mini=pl.when(pl.col("p") == 3).then(0).when(pl.col("p") == 4).then(None)
        .otherwise(pl.col("mini"))
    )  # fmt: skip
    result = bland_altman(frame, "wright", "mini", log=True)
    assert [tuple(item) for item in result.excluded] == [
        ("no value of mini", 1), ("a value that is not above 0 and has no logarithm", 1)
    ]  # fmt: skip
    with pytest.raises(UserError, match="no column 'tea'; the columns are p, wright, mini"):
        bland_altman(peak_flow(), "tea", "mini")
    with pytest.raises(UserError, match="interval 'guess' does not exist"):
        bland_altman(peak_flow(), "wright", "mini", interval="guess")


def test_json_round_trip_and_table():
    result = bland_altman(peak_flow(2), "wright", "mini", "p")
    assert AgreementResult.from_dict(json.loads(json.dumps(result.to_dict()))) == result
    assert result.table()["name"].to_list()[1:3] == ["lower limit", "upper limit"]
