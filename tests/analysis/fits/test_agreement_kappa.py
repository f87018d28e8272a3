"""Kappa: published tables, statsmodels beside, lesions within patients, refusals."""

import numpy as np
import polars as pl
import pytest

from analysis import cohen_kappa, fleiss_kappa
from analysis.errors import UserError

# Fleiss, Statistical Methods for Rates and Proportions, 1981: 100 diagnoses by two raters.
DIAGNOSES = [[75, 1, 4], [5, 4, 1], [0, 0, 10]]
# Ten units rated into five categories by 14 raters: kappa 0.210 (a published worked example).
FOURTEEN = [
    [0, 0, 0, 0, 14], [0, 2, 6, 4, 2], [0, 0, 3, 5, 6], [0, 3, 9, 2, 0], [2, 2, 8, 1, 1],
    [7, 7, 0, 0, 0], [3, 2, 6, 3, 0], [2, 5, 3, 2, 2], [6, 5, 2, 1, 0], [0, 2, 2, 3, 7],
]  # fmt: skip

# Agresti, Categorical Data Analysis, 1990: 91 couples on four levels of an ordered scale.
COUPLES = [[7, 7, 2, 3], [2, 8, 3, 7], [1, 5, 4, 9], [2, 8, 9, 14]]
# Cohen, Psychol Bull 1968;70:213, doi:10.1037/h0026256: 200 diagnoses, kappa 0.492; with the
# disagreements weighted 0, 1, 3 / 1, 0, 6 / 3, 6, 0 it is 0.348.
COHEN_1968 = [[88, 14, 18], [10, 40, 10], [2, 6, 12]]


def from_table(table: list[list[int]]) -> pl.DataFrame:
    rows = [
        {"a": i, "b": j} for i, row in enumerate(table) for j, n in enumerate(row) for _ in range(n)
    ]
    return pl.DataFrame(rows)


def test_the_published_table():
    """Published: kappa 0.68, standard error 0.088."""
    result = cohen_kappa(from_table(DIAGNOSES), "a", "b")
    kappa = result.measure("Cohen's kappa")
    assert kappa.estimate == pytest.approx(0.676, abs=5e-4)
    assert kappa.std_error == pytest.approx(0.088, abs=5e-4)
    assert (kappa.conf_low, kappa.conf_high) == pytest.approx(
        (kappa.estimate - 1.959964 * kappa.std_error, kappa.estimate + 1.959964 * kappa.std_error)
    )
    assert result.measure("observed agreement").estimate == pytest.approx(0.89)
    assert "95 % CI 0.50 to 0.85: they agree on 89 % of 100 ratings" in result.sentence


def test_ordered_scale_as_r():
    # R package vcd: Kappa(SexualFun) prints value and ASE, weights "Equal-Spacing".
    for weights, value, error in (("none", 0.1293, 0.06860), ("linear", 0.2374, 0.07832)):
        kappa = cohen_kappa(from_table(COUPLES), "a", "b", weights=weights).measures[0]
        assert kappa.estimate == pytest.approx(value, abs=5e-5)
        assert kappa.std_error == pytest.approx(error, abs=5e-6)


def test_weights_as_cohen_published_them():
    from analysis.fits.agreement.kappa import _cohen

    frame = from_table(COHEN_1968)
    plain = cohen_kappa(frame, "a", "b")
    assert plain.measures[0].estimate == pytest.approx(0.492, abs=5e-4)
    assert plain.measure("chance agreement").estimate == pytest.approx(0.41)
    credit = 1 - np.array([[0, 1, 3], [1, 0, 6], [3, 6, 0]]) / 6
    one, two = frame["a"].to_numpy(), frame["b"].to_numpy()
    found = _cohen(one, two, credit)
    assert found.kappa == pytest.approx(0.348, abs=5e-4)
    # The contribution of a rating is what a little more of it moves the kappa by.
    again = np.append(np.tile(np.arange(200), 10), 0)
    moved = _cohen(one[again], two[again], credit).kappa - found.kappa
    assert moved * len(again) == pytest.approx(found.contribution[0], rel=2e-3)


@pytest.mark.parametrize("weights", ["none", "linear", "quadratic"])
def test_statsmodels_agrees(weights):
    from statsmodels.stats.inter_rater import cohens_kappa

    table = np.random.default_rng(1).integers(1, 12, (4, 4)) + 9 * np.eye(4, dtype=int)
    result = cohen_kappa(from_table(table.tolist()), "a", "b", weights=weights)
    peer = cohens_kappa(table, wt=None if weights == "none" else weights)
    ours = result.measures[0]
    assert ours.estimate == pytest.approx(peer.kappa, rel=1e-10)
    assert ours.std_error == pytest.approx(peer.std_kappa, rel=1e-9)


def test_fleiss_published():
    rows = [np.repeat(np.arange(5), counts) for counts in FOURTEEN]
    frame = pl.DataFrame({f"r{i}": [int(row[i]) for row in rows] for i in range(14)})
    result = fleiss_kappa(frame, frame.columns)
    kappa = result.measure("Fleiss' kappa")
    assert kappa.estimate == pytest.approx(0.210, abs=5e-4)
    # the linear contributions are what leaving one unit out shows
    from analysis.fits.agreement.kappa import _fleiss

    table = np.array(FOURTEEN)
    out = np.array([_fleiss(np.delete(table, i, 0)).kappa for i in range(10)])
    jackknife = np.sqrt(0.9 * ((out - out.mean()) ** 2).sum())
    assert kappa.std_error == pytest.approx(jackknife, rel=0.15)


def test_fleiss_covers_the_kappa_of_the_population():
    """Two classes, 30 % and 70 %; each of 3 readers is wrong 15 % of the time."""
    rng = np.random.default_rng(8)
    share = 0.3 * 0.85 + 0.7 * 0.15
    agree, chance = 0.85**2 + 0.15**2, share**2 + (1 - share) ** 2
    truth, covered = (agree - chance) / (1 - chance), 0
    for _ in range(300):
        true = rng.random(60) < 0.3
        ratings = np.where(rng.random((3, 60)) < 0.15, ~true, true).astype(int)
        frame = pl.DataFrame({f"r{i}": ratings[i] for i in range(3)})
        kappa = fleiss_kappa(frame, ["r0", "r1", "r2"]).measures[0]
        covered += kappa.conf_low < truth < kappa.conf_high
    assert 0.91 < covered / 300 < 0.985


def test_lesions_of_a_patient_are_not_independent():
    """Each patient's five lesions are copies: the error must be that of the patients."""
    rng = np.random.default_rng(2)
    a = rng.integers(0, 3, 60)
    b = np.where(rng.random(60) < 0.6, a, rng.integers(0, 3, 60))
    once = pl.DataFrame({"p": np.arange(60), "a": a, "b": b})
    copies = pl.concat([once] * 5)
    apart, together = cohen_kappa(copies, "a", "b"), cohen_kappa(copies, "a", "b", "p")
    assert together.measures[0].estimate == pytest.approx(cohen_kappa(once, "a", "b")
                                                          .measures[0].estimate)  # fmt: skip
    assert together.measures[0].std_error == pytest.approx(
        apart.measures[0].std_error * np.sqrt(5 * 60 / 59), rel=1e-9
    )
    assert (together.n_subjects, together.n_observations) == (60, 300)


def test_order_of_text_categories():
    frame = pl.DataFrame({"a": ["CR", "PR", "SD", "PD"] * 3, "b": ["CR", "SD", "SD", "PR"] * 3})
    with pytest.raises(UserError, match="weights need the order of the categories"):
        cohen_kappa(frame, "a", "b", weights="linear")
    order = ["CR", "PR", "SD", "PD"]
    near = cohen_kappa(frame, "a", "b", weights="quadratic", categories=order)
    number = frame.select(pl.col("a", "b").replace_strict(order, range(4)))
    assert near.measures[0].estimate == pytest.approx(
        cohen_kappa(number, "a", "b", weights="quadratic").measures[0].estimate
    )
    with pytest.raises(UserError, match="rating 'PD' is not one of the categories CR, PR, SD"):
        cohen_kappa(frame, "a", "b", categories=order[:3])


def test_what_cannot_be_said():
    one = pl.DataFrame({"a": ["CR"] * 9, "b": ["CR"] * 9})
    for result in (cohen_kappa(one, "a", "b"), fleiss_kappa(one, ["a", "b"])):
        assert (result.status, result.reason, result.measures) == (
            "not_estimable", "one_category", ())  # fmt: skip
    few = cohen_kappa(from_table([[2, 1], [0, 1]]), "a", "b")
    assert (few.status, few.reason) == ("not_estimable", "too_few_subjects")
    perfect = cohen_kappa(from_table([[5, 0], [0, 5]]), "a", "b")
    assert (perfect.status, perfect.reason) == ("warning", "no_variation")
    assert perfect.measures[0] == ("Cohen's kappa", 1.0, None, None, None, None, None, "")
    apart = cohen_kappa(from_table([[0, 9], [0, 0]]), "a", "b")
    assert (apart.reason, apart.measures[0].conf_low) == ("no_variation", None)
    with pytest.raises(UserError, match="at least two readers"):
        fleiss_kappa(one, ["a"])
    with pytest.raises(UserError, match="weights 'cubic' do not exist"):
        cohen_kappa(one, "a", "b", weights="cubic")
