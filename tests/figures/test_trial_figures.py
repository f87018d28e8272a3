"""Numbers of the overview's figures, without pixels; and that they draw."""

import re
from datetime import datetime
from itertools import pairwise

import polars as pl

from figures.accrual import draw_accrual, prepare_accrual
from figures.follow_up import FollowUpNumbers, draw_follow_up, prepare_follow_up
from figures.scan_completeness import draw_scan_completeness, prepare_scan_completeness
from figures.theme import DARK, LIGHT

_STATES = pl.DataFrame(
    [
        ("S-P1", "psma", 7.0, "evaluable", 7.2, None),
        ("S-P1", "fdg", 28.0, "missing", None, None),
        ("S-P2", "psma", 7.0, "not_evaluable", 8.0, "motion"),
        ("S-P2", "fdg", 28.0, "not_due", None, None),
        ("S-P3", "psma", 7.0, "evaluable", 7.0, None),
        ("S-P3", "fdg", 28.0, "evaluable", 28.0, None),
    ],
    schema=["usubjid", "series", "nominal_day", "state", "rel_day", "reason"],
    orient="row",
)
_BEST = pl.DataFrame({"usubjid": ["S-P1", "S-P2"], "best_category": ["PR", "CR"]})
_NAMES = {"psma": "PSMA", "fdg": "FDG"}


def _completeness():
    return prepare_scan_completeness(_STATES, _BEST, _NAMES, {"psma": "reporter_gene"})


def test_patients_stand_by_response_then_number_done():
    numbers = _completeness()
    assert numbers.patients == ("S-P2", "S-P1", "S-P3")
    assert numbers.responses == ("CR", "PR", None)
    assert numbers.visits == (("psma", 7.0), ("fdg", 28.0))
    assert numbers.states == (
        ("not_evaluable", "evaluable", "evaluable"),
        ("not_due", "missing", "evaluable"),
    )
    assert (numbers.n_evaluable, numbers.n_due) == ((2, 1), (3, 2))


def test_completeness_draws_every_state_once_and_links_its_patient():
    figure = draw_scan_completeness(_completeness(), DARK, {"S-P3": "/patients/S-P3"})
    filled = [trace for trace in figure.data if trace.type == "heatmap"]
    assert [[list(row) for row in trace.z] for trace in filled] == [
        [[None, 1, 1]],
        [[None, None, 1]],
    ]
    assert [row[2] for trace in filled for row in trace.customdata] == ["/patients/S-P3"] * 2
    marks = {trace.marker.symbol: len(trace.x) for trace in figure.data if trace.type == "scatter"}
    assert marks["x-thin"] == 1
    assert marks["circle-open"] == 1
    assert {a.text for a in figure.layout.annotations} >= {
        "<b>PSMA</b>",
        "<b>FDG</b>",
        "2",
        "1",
    }


def test_a_visit_says_how_many_were_due_where_its_series_has_another():
    """PSMA has a second visit, FDG none: of FDG nobody can be seen to miss the only one."""
    later = _STATES.filter(pl.col("series") == "psma").with_columns(nominal_day=pl.lit(14.0))
    states = pl.concat([_STATES, later])
    numbers = prepare_scan_completeness(states, _BEST, _NAMES, {})
    assert (numbers.uncounted, numbers.share) == (("fdg",), (4, 6))
    texts = [a.text for a in draw_scan_completeness(numbers, DARK).layout.annotations]
    assert [texts.count(text) for text in ("2/3", "1", "1/2")] == [2, 1, 0]


def test_accrual_counts_each_patient_once_at_the_first_infusion():
    infusions = pl.DataFrame(
        {
            "usubjid": ["P1", "P1", "P2", "P3"],
            "dtm_utc": [datetime(2026, 1, 5), datetime(2026, 2, 5), datetime(2026, 1, 2), None],
        }
    )
    subjects = pl.DataFrame({"usubjid": ["P1", "P2", "P3"], "cohort": ["A", "B", "B"]})
    numbers = prepare_accrual(infusions, subjects)
    assert numbers.dates == (datetime(2026, 1, 2), datetime(2026, 1, 5))
    assert numbers.total == (1, 2)
    assert [(name, counts) for name, _, counts in numbers.groups] == [("A", (1,)), ("B", (1,))]
    assert draw_accrual(numbers, LIGHT).layout.yaxis.title.text == "Patients infused"


def test_follow_up_lanes_by_response_then_length_with_calls_and_death():
    survival = pl.DataFrame(
        {
            "usubjid": ["P1", "P2", "P3"],
            "endpoint": ["OS"] * 3,
            "time_day": [100.0, 300.0, 40.0],
            "cnsr": [1, 1, 0],
        }
    )
    responses = pl.DataFrame(
        {
            "usubjid": ["P1", "P3"],
            "criterion": ["LUGANO 2014"] * 2,
            "reader": ["IRC"] * 2,
            "component": ["overall"] * 2,
            "response": ["CR", "PD"],
            "rel_day": [28.0, 30.0],
            "nominal_day": [28.0, 28.0],
            "visit": ["D28"] * 2,
        }
    )
    numbers = prepare_follow_up(survival, responses, {})
    assert numbers is not None
    assert numbers.patients == ("P1", "P3", "P2")
    assert numbers.last_day == (100.0, 40.0, 300.0)
    assert numbers.died == (False, True, False)
    assert numbers.calls == ((0, 28.0, "CR"), (1, 30.0, "PD"))
    figure = draw_follow_up(numbers, LIGHT, {"P1": "/patients/P1"})
    assert figure.layout.xaxis.title.text == "Days from infusion"
    words = [re.sub("<[^>]+>", "", one.text) for one in figure.layout.annotations]
    assert words == ["CR 1", "PD 1", "– 1"]
    places = [one.y for one in figure.layout.annotations]
    assert places == sorted(places)


def test_categories_of_one_patient_do_not_stand_on_each_other():
    lanes = 60
    responses = ("CR",) * (lanes - 3) + ("PR", "SD", "PD")
    numbers = FollowUpNumbers(
        tuple(f"P{i}" for i in range(lanes)), responses, (28.0,) * lanes, (False,) * lanes, ()
    )
    figure = draw_follow_up(numbers, LIGHT)
    inner = figure.layout.height - figure.layout.margin.t - figure.layout.margin.b
    places = [one.y * inner / lanes for one in figure.layout.annotations]
    assert all(b - a >= 16 for a, b in pairwise(places))


def test_no_day_is_no_figure():
    assert prepare_follow_up(pl.DataFrame(), pl.DataFrame(), {}) is None
