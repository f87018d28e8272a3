"""The first guess of a covariance, and that no start hides the better of two tops."""

import numpy as np
import polars as pl
import pytest

from analysis import fit_mixed
from analysis.engine.moment_start import moment_covariance
from analysis.engine.structure import RandomStructure
from analysis.fits.search import START_SCALES, optimize


def balanced(seed: int, patients: int = 9, visits: int = 4) -> pl.DataFrame:
    draw = np.random.default_rng(seed)
    level = np.repeat(draw.normal(0, 2, patients), visits)
    return pl.DataFrame(
        {
            "patient": np.repeat(np.arange(patients), visits),
            "y": level + draw.normal(size=patients * visits),
        }
    )


def test_random_intercepts_of_balanced_data_are_those_of_the_analysis_of_variance():
    frame = balanced(1)
    fit = fit_mixed(frame, "y ~ 1", "patient", verify=False)
    y = frame["y"].to_numpy().reshape(9, 4)
    within = ((y - y.mean(axis=1, keepdims=True)) ** 2).sum() / (9 * 3)
    between = ((y.mean(axis=1) - y.mean()) ** 2).sum() / 9
    design = fit.design.design
    found = moment_covariance(design.pooled, design.structure)
    # The random design is scaled to a root mean square of one, as an intercept is already.
    assert found[0] == pytest.approx([between / within - 1 / 4], rel=1e-10)


def test_visits_without_degrees_of_freedom_for_the_residual_give_no_guess():
    days = np.tile([0.0, 7.0], 8)
    frame = pl.DataFrame(
        {
            "patient": np.repeat(np.arange(8), 2),
            "day": days,
            "y": np.random.default_rng(3).normal(size=16),
        }
    )
    fit = fit_mixed(frame, "y ~ day", "patient", verify=False)
    assert moment_covariance(fit.design.design.pooled, RandomStructure(1)) is not None
    pooled = fit_mixed(
        frame.vstack(frame.with_columns(day=pl.col("day") + 0.5)), "y ~ day", "patient", "1 + day"
    ).design.design.pooled
    assert moment_covariance(pooled, RandomStructure(2)) is not None
    short = pl.concat([frame, frame.head(2).with_columns(day=pl.col("day") + 1)])
    thin = fit_mixed(short, "y ~ day", "patient", "1 + day", verify=False).design.design.pooled
    assert moment_covariance(thin, RandomStructure(2)) is None


@pytest.mark.parametrize(
    ("psi", "inside"),
    [((1.0, 0.5, 1.0), True), ((1.0, 1.0, 1.0), False), ((1.0, 0.0, -0.1), False)],
)
def test_what_counts_as_a_covariance(psi, inside):
    assert bool(RandomStructure(2).is_covariance(np.array(psi), 0.05)) is inside


def test_of_two_tops_the_higher_is_found():
    """Eight patients and three random effects: one top inside, the higher at a singular one."""
    fit = fit_mixed(
        two_tops(), "y ~ (day + I(day**2)) * grp", "patient", "1 + day + I(day**2)", verify=False
    )
    design = fit.design.design
    ends = [
        optimize(design, True, [design.structure.start(scale)]).criterion for scale in START_SCALES
    ]
    assert max(ends) - min(ends) > 0.4
    assert fit.design.optimum.criterion == pytest.approx(min(ends), abs=1e-8)


def two_tops() -> pl.DataFrame:
    draw, rows = np.random.default_rng(254), []
    patients = int(draw.integers(6, 16))
    spread = 10 ** draw.uniform(-1.5, 1, 3)
    for patient in range(patients):
        days = np.sort(draw.uniform(0, 28, int(draw.integers(3, 7))))
        effect = draw.normal(0, spread)
        for day in days:
            curve = effect[0] + effect[1] * day / 10 + effect[2] * (day / 10) ** 2 * 0.3
            rows.append((f"p{patient}", day, patient % 2, curve + 0 + draw.normal()))
    return pl.DataFrame(rows, schema=["patient", "day", "grp", "y"], orient="row")
