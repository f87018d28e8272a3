"""What a plan accepts as its numbers of patients."""

import json

import numpy as np
import pytest

from analysis import TrialPlan
from analysis.errors import UserError

REST = {"days": (0, 7, 14), "ratio": 1, "between_sd": 0.3, "within_sd": 0.3}


@pytest.mark.parametrize(
    ("size", "pair"),
    [
        (12, (12, 12)),
        (np.int64(12), (12, 12)),
        ((np.int32(12), np.uint8(13)), (12, 13)),
        (np.array([5, 6]), (5, 6)),
        ([5, 6], (5, 6)),
    ],
)
def test_whole_numbers_of_numpy_are_whole_numbers(size, pair):
    plan = TrialPlan(n_per_group=size, lesions=np.int64(2), **REST)
    assert plan.n_per_group == pair
    assert all(type(value) is int for value in (*plan.n_per_group, plan.lesions))
    assert TrialPlan.from_dict(json.loads(json.dumps(plan.to_dict()))) == plan


@pytest.mark.parametrize(
    ("size", "said"),
    [(12.5, "it is 12.5"), ("ab", "it is 'ab'"), (None, "it is None"), ((1, 2, 3), r"\(1, 2, 3\)")],
)
def test_other_sizes_are_refused_with_what_was_given(size, said):
    with pytest.raises(UserError, match=f"n_per_group must be two whole numbers .*{said}"):
        TrialPlan(n_per_group=size, **REST)


def test_part_of_a_lesion_is_refused():
    with pytest.raises(UserError, match="a whole number of at least 1"):
        TrialPlan(n_per_group=10, lesions=1.5, **REST)
