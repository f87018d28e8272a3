"""Incidence, Fine-Gray and Gray's test against R and against their formulas written out."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from analysis import cumulative_incidence, fit_fine_gray
from tests.analysis.fits.survival_trial import TRIAL

CAUSES = ["crs", "crs", None, "death", "crs", "death", None, "crs", "death", None, "crs", None]
# No two patients share a day, where programs follow different conventions for ties.
UNTIED = TRIAL.with_columns(
    t=TRIAL["t"] + pl.Series(np.arange(1, 13) / 100), cause=pl.Series(CAUSES)
).with_columns(e=pl.col("cause").is_not_null().cast(pl.Int64))


def test_incidence_as_r():
    # R 4.2.2, survival 3.5-3: summary(survfit(Surv(t, cause) ~ g))$pstate, cause a factor with
    # censoring as its first level
    found = cumulative_incidence(UNTIED, "t", "e", "cause", "g")
    zero, one = (found.curve("crs", group) for group in ("0", "1"))
    assert [zero.at(day)[0] for day in (5, 10, 30)] == pytest.approx(
        [0, 0.1428571429, 0.3142857143]
    )
    assert [one.at(day)[0] for day in (5, 20, 30)] == pytest.approx([0.2, 0.4, 0.6])
    assert found.curve("death", "0").incidence[-1] == pytest.approx(0.2285714286)
    assert found.curve("death", "1").incidence[-1] == pytest.approx(0.4)


def test_fine_gray_as_r():
    # fg <- finegray(Surv(t, cause) ~ ., data = d, id = id, etype = "crs")
    # coxph(Surv(fgstart, fgstop, fgstatus) ~ x + g, weights = fgwt, data = fg, ties = "breslow")
    fit = fit_fine_gray(UNTIED, "x + g", "t", "e", "cause", "crs")
    values = [row.estimate for row in fit.estimates]
    assert values == pytest.approx([0.48817243967, -0.03871539486], rel=1e-7)
    assert fit.log_likelihood == pytest.approx(-9.867000754, rel=1e-9)


def test_robust_errors_as_r_where_nobody_is_censored():
    # The same with cluster = id and every censored patient dead: no weight is estimated, so that
    # R's robust errors, which take the weights for known, are those of Fine and Gray.
    dead = UNTIED.with_columns(cause=pl.col("cause").fill_null("death"), e=pl.lit(1))
    fit = fit_fine_gray(dead, "x + g", "t", "e", "cause", "crs")
    values, errors = ([getattr(row, name) for row in fit.estimates] for name in
                      ("estimate", "std_error"))  # fmt: skip
    assert values == pytest.approx([0.3738584234, 0.3761136815], rel=1e-7)
    assert errors == pytest.approx([0.6336379584, 1.2273742070], rel=1e-7)
    assert fit.log_likelihood == pytest.approx(-10.91179129, rel=1e-9)


def test_fine_gray_of_mgus2_as_r(shared: Path) -> None:
    # The same calls on Surv(et + id / 1e4, ev) ~ age + sex of mgus2
    frame = pl.read_csv(shared / "golden" / "mgus2.csv").with_columns(
        time=pl.col("et") + pl.col("id") / 1e4, e=(pl.col("ev") > 0), cause=pl.format("{}", "ev")
    )
    fit = fit_fine_gray(frame, "age + sex", "time", "e", "cause", "1")
    values, errors = ([getattr(row, name) for row in fit.estimates] for name in
                      ("estimate", "std_error"))  # fmt: skip
    assert values == pytest.approx([-0.01729483209, -0.25977279023], rel=1e-7)
    assert fit.log_likelihood == pytest.approx(-789.8523379, rel=1e-9)
    # R leaves out what estimating the weights adds.
    assert errors == pytest.approx([0.005701742828, 0.185624294536], rel=1e-2)


def gray_by_hand(t: np.ndarray, cause: np.ndarray, group: np.ndarray) -> float:
    """Gray 1988 (doi:10.1214/aos/1176350951) for two groups, weight 1 and no shared times.

    The score of the first group is the sum of N - R / (R + R') over the events of cause 1, with R
    = Y (1 - F(t-)) / S(t-). Its variance is summed over the events: a unit more of a martingale at
    u moves the incidence F_k by g(t) = S(u-) / Y(u) (own - (F(t) - F(u)) / S(u)) from u on, and
    the score by the sum of W times the steps of g / (1 - F).
    """
    times = np.sort(t[cause > 0])
    kept: dict[int, list[tuple[float, float, float, float]]] = {}
    for k in (0, 1):
        survival, incidence, kept[k] = 1.0, 0.0, []
        for u in times:
            at_risk = float(((t >= u) & (group == k)).sum())
            before, open_ = survival, 1 - incidence
            seen = cause[(t == u) & (group == k)]
            if len(seen):
                survival -= before / at_risk
                incidence += before / at_risk * (seen[0] == 1)
            kept[k].append((at_risk, before, open_, survival))
    size = np.array([[y / s if y else 0.0 for y, s, _, _ in kept[k]] for k in (0, 1)])
    risk = size * np.array([[open_ for _, _, open_, _ in kept[k]] for k in (0, 1)])
    of_one = np.array([cause[t == u][0] == 1 for u in times])
    own = np.array([group[t == u][0] == 0 for u in times])
    score = (own - risk[0] / risk.sum(axis=0))[of_one].sum()
    step = of_one / size.sum(axis=0)
    f = np.cumsum(step)
    weight = (1 - f) * size[0] * size[1] / size.sum(axis=0)
    variance = 0.0
    for i, u in enumerate(times):
        for k in (0, 1):
            at_risk, before, _, after = kept[k][i]
            mine = bool((group[t == u] == k)[0])
            # Events of cause 1 are those expected of a common incidence, others those seen.
            expected = size[k, i] / size[:, i].sum() if of_one[i] else float(mine)
            if not at_risk or not expected or (not of_one[i] and after == 0):
                continue
            lost = (f[i:] - f[i]) / after if after > 0 else np.zeros(len(times) - i)
            g = before / at_risk * (float(of_one[i]) - lost) / (1 - f[i:])
            moved = float(weight[i:] @ np.diff(np.append(0.0, g)))
            variance += moved**2 * expected
    return score**2 / variance


def drawn(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Two groups alike in cause 1 and not in cause 2; a third of the patients are censored."""
    group = np.repeat([0, 1], n // 2)
    first = rng.random(n) < 0.5
    t = np.where(first, rng.exponential(10, n), rng.exponential(np.where(group, 4.0, 10.0)))
    end = rng.uniform(0, 25, n)
    return np.minimum(t, end), np.where(end < t, 0, np.where(first, 1, 2)), group


def gray(t: np.ndarray, cause: np.ndarray, group: np.ndarray) -> tuple[float, float]:
    frame = pl.DataFrame({"t": t, "e": (cause > 0).astype(int), "cause": cause, "g": group})
    test = cumulative_incidence(frame, "t", "e", "cause", "g").tests[0]
    assert test.cause == "1"
    return test.statistic, test.p_value


@pytest.mark.parametrize("seed", range(8))
def test_gray_by_its_formula(seed: int) -> None:
    t, cause, group = drawn(np.random.default_rng(seed), 30)
    assert gray(t, cause, group)[0] == pytest.approx(gray_by_hand(t, cause, group), rel=1e-9)


def test_gray_keeps_its_level_where_only_the_competitor_differs() -> None:
    rng = np.random.default_rng(21)
    p_values = np.array([gray(*drawn(rng, 80))[1] for _ in range(400)])
    assert 0.025 < (p_values < 0.05).mean() < 0.08
    assert np.median(p_values) == pytest.approx(0.5, abs=0.08)
