"""The URL is the state: every selection survives its own query."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.errors import UserError
from analysis.selection import Selection, in_day_window

words = st.text(st.characters(codec="utf-8", exclude_categories=("Cs",)), min_size=1, max_size=20)
many = st.lists(words, max_size=3, unique=True).map(tuple)
days = st.none() | st.floats(-1e6, 1e6, allow_nan=False) | st.integers(-100, 1000).map(float)
one = st.just("") | words

selections = st.builds(
    Selection,
    study=one, cut=one,
    analysis_set=st.sampled_from(["infused", "imaging", "efficacy", "safety"]),
    cohort=many, dose_level=many, site=many, arm=many,
    tracer=one, metric=one, assay=one, criterion=one, reader=one,
    day_low=days, day_high=days,
    color_by=st.sampled_from(["response", "cohort", "dose_level", "arm", "site"]),
    scale=st.sampled_from(["log", "linear"]),
    blq=st.sampled_from(["censored", "half_lloq", "drop"]),
)  # fmt: skip


@given(selections)
def test_query_round_trip(selection):
    query = selection.to_query()
    assert Selection.from_query(query) == selection
    assert Selection.from_query(f"?{query}") == selection
    assert query.isascii()


def test_a_plain_view_has_a_short_link():
    assert Selection().to_query() == ""
    assert Selection(study="CG-01").to_query() == "study=CG-01"
    assert Selection(day_low=0.0, day_high=28.0).to_query() == "day_low=0&day_high=28"


def test_parameters_of_the_page_are_left_alone():
    assert Selection.from_query("study=A&patient=P1&day=14&signal=burden%3ASUMDIAM") == Selection(
        study="A"
    )


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("scale=cubic", "scale='cubic' is not one of log, linear"),
        ("analysis_set=all", "is not one of infused"),
        ("blq=zero", "is not one of censored"),
        ("day_low=two", "is not a day"),
        ("day_high=nan", "is not a day"),
        ("day_high=inf", "is not a day"),
    ],
)
def test_a_bad_link_says_what_is_wrong(query, message):
    with pytest.raises(UserError, match=message):
        Selection.from_query(query)


def test_chips_show_what_restricts():
    selection = Selection(
        study="A", cut="c1", analysis_set="imaging", cohort=("ALL", "NHL"), day_low=0.0, blq="drop"
    )
    assert selection.chips() == (
        ("analysis_set", "Set", "Imaging-evaluable"),
        ("cohort", "Cohort", "ALL, NHL"),
        ("blq", "Below limit", "below limit left out"),
        ("day_low", "Days", "0 to end"),
    )
    assert Selection(study="A").chips() == ()


def test_replace_takes_lists_from_controls():
    assert Selection().replace(cohort=["A"], day_low=3) == Selection(cohort=("A",), day_low=3)


def test_day_window_includes_both_ends():
    frame = pl.DataFrame({"rel_day": [-1.0, 0.0, 14.0, 28.0, 28.1, None]})
    assert in_day_window(Selection(), frame).height == 6
    kept = in_day_window(Selection(day_low=0.0, day_high=28.0), frame)
    assert kept["rel_day"].to_list() == [0.0, 14.0, 28.0]
