"""Designs whose separation is plain to see, and near ones that have a maximum."""

import numpy as np
import pytest

from analysis.fits.response.separation import grades_separated, separated

N = 40
RNG = np.random.default_rng(3)
Z = RNG.normal(size=N)
NOISE = (RNG.random(N) < 0.5).astype(float)


def design(*columns):
    scaled = [(column - np.mean(column)) / np.std(column) for column in columns]
    return np.column_stack([np.ones(len(columns[0])), *scaled])


def rare(size: int) -> np.ndarray:
    return (np.arange(N) < size).astype(float)


def with_rare(size: int, answers) -> tuple[np.ndarray, np.ndarray]:
    y = NOISE.copy()
    y[:size] = answers
    return design(rare(size), Z), y


LINE = np.arange(8.0)
STEP = (LINE > 3).astype(float)
SEPARATED = {
    "complete": (design(LINE), STEP),
    "quasi-complete at a tie": (design(np.append(LINE, 4.0)), np.append(STEP, 0.0)),
    "one patient of a category": with_rare(1, [1.0]),
    "two patients of a category": with_rare(2, [1.0, 1.0]),
    "a category without response": with_rare(6, np.zeros(6)),
    "a plane of two covariates": (design(Z, Z**2), (Z + 0.5 * Z**2 > 0.3).astype(float)),
    "a gap of a thousandth": (design(np.append(LINE, 3.001)), np.append(STEP, 1.0)),
    "an empty cell of a product": (
        design(rare(20), Z > 0, rare(20) * (Z > 0)),
        np.where(rare(20) * (Z > 0) == 1, 1.0, NOISE),
    ),
    "nobody responded": (design(Z), np.zeros(N)),
}
OVERLAPPING = {
    "noise": (design(Z), NOISE),
    "a category with both answers": with_rare(2, [1.0, 0.0]),
    "one patient on the other side": (design(LINE), np.array([0, 0, 0, 1, 0, 1, 1, 1.0])),
    "an overlap of a hundredth": (
        design(np.append(LINE, [2.99, 3.0])), np.append(STEP, [1.0, 0.0]),
    ),
    "an overlap of a hundred-thousandth": (
        design(np.append(LINE, [2.99999, 3.0])), np.append(STEP, [1.0, 0.0]),
    ),
    "a category with one of fifteen": with_rare(15, np.append(1.0, np.zeros(14))),
}  # fmt: skip


@pytest.mark.parametrize("name", SEPARATED)
def test_separated(name):
    x, y = SEPARATED[name]
    assert separated(x, y > 0)
    assert separated(x, y < 1)


@pytest.mark.parametrize("name", OVERLAPPING)
def test_near_separation_has_a_maximum(name):
    x, y = OVERLAPPING[name]
    assert not separated(x, y > 0)
    assert not separated(x, y < 1)


@pytest.mark.parametrize("name", [*SEPARATED, *OVERLAPPING])
def test_two_grades_are_a_response(name):
    x, y = {**SEPARATED, **OVERLAPPING}[name]
    if 0 < y.sum() < len(y):
        assert grades_separated(x[:, 1:], y, 1) == separated(x, y > 0)


def test_the_answer_agrees_with_the_likelihood_on_small_random_designs():
    # Without a maximum the search ends far out, or where the information has gone.
    from analysis.engine.binary_likelihood import binary_likelihood
    from analysis.engine.maximum import maximize

    rng = np.random.default_rng(11)
    seen = set()
    for _ in range(150):
        n = int(rng.integers(6, 16))
        x = design(rng.integers(0, 3, n) + 1e-3 * (np.arange(n) == 0), rng.normal(size=n))
        y = (rng.random(n) < 0.5).astype(float)
        y[:2] = 0, 1
        found = maximize(binary_likelihood(x, y, firth=False), np.zeros(3))
        smallest = np.linalg.eigvalsh(found.information)[0]
        far = np.abs(found.beta).max() > 12 or smallest < 1e-6
        assert separated(x, y > 0) == bool(far)
        seen.add(bool(far))
    assert seen == {True, False}


def test_grades():
    low_to_high = np.array([0, 0, 1, 1, 2, 2.0])
    line = design(np.arange(6.0))[:, 1:]
    assert grades_separated(line, low_to_high, 2)
    assert not grades_separated(line, low_to_high[[0, 2, 1, 3, 5, 4]], 2)
    # Two patients of a category, both in the highest grade; and both in the middle one, which
    # bounds them from both sides.
    grade = np.where(NOISE > 0, 1.0, 2.0 * (Z > 0))
    x = design(rare(2), Z)[:, 1:]
    for answers, expected in (([2, 2], True), ([0, 0], True), ([1, 1], False), ([0, 2], False)):
        told = grade.copy()
        told[:2] = answers
        assert grades_separated(x, told, 2) is expected
