"""Small words of the pages that once said something untrue or shouted down an abbreviation."""

import pytest

from dashboard.components.text import lower_first
from dashboard.notices import unreadable
from tests.dashboard.test_model import text_of


def test_a_link_with_an_impossible_value_may_just_be_mistyped() -> None:
    said = text_of(unreadable("link: color_by='zzz' is not one of response, cohort"))
    assert "color_by='zzz'" in said
    assert "mistyped" in said


@pytest.mark.parametrize(
    ("label", "inside"),
    [("Maximum CRS", "maximum CRS"), ("Blood peak", "blood peak"), ("IL-6", "IL-6")],
)
def test_abbreviations_keep_their_capitals_inside_a_title(label: str, inside: str) -> None:
    assert lower_first(label) == inside
