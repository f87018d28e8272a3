"""Numbers of the cohort figure: order, means, gaps between censored points, labels apart."""

import math
from itertools import pairwise

import polars as pl
import pytest

from figures.canvas import Canvas
from figures.cohort_trajectories import (
    draw_cohort_trajectories,
    prepare_cohort_trajectories,
    value_axis,
)
from figures.curves import GroupMean, PatientLine, draw_mean, gapped
from figures.day_scale import DayScale, scale_for
from figures.end_labels import end_labels
from figures.small_multiples import Panel, draw_small_multiples, prepare_small_multiples
from figures.theme import DARK, LIGHT

ROWS = [
    # patient, group, day, drawn, censored
    ("P2", "CR", 7.0, 40.0, False),
    ("P2", "CR", 0.0, 5.0, True),
    ("P1", "CR", 0.0, 5.0, True),
    ("P1", "CR", 3.0, 5.0, True),
    ("P1", "CR", 7.0, 50.0, False),
    ("P3", "PD", 7.0, 8.0, False),
    ("P3", "PD", 14.0, 0.0, False),  # no log axis holds a zero
]


def series() -> pl.DataFrame:
    return pl.DataFrame(
        ROWS, schema=["usubjid", "group", "rel_day", "drawn", "censored"], orient="row"
    ).with_columns(lloq=pl.lit(5.0), source=pl.lit("kinetics.csv, row 2"))


def summary(cr: float = 44.7, pd: float | None = None) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "group": ["CR", "CR", "PD"],
            "nominal_day": [7.0, 14.0, 7.0],
            "n": [2, 3, 1],
            "geometric_mean": [cr, 20.0, pd],
            "conf_low": [30.0, 10.0, None],
            "conf_high": [60.0, 40.0, None],
        }
    )


def numbers(**options: object):
    return prepare_cohort_trajectories(
        series(), summary(), ("CR", "PD"), "Transgene (copies/ug)", **options
    )


def test_lines_stand_in_group_then_patient_order_with_their_points_in_time_order() -> None:
    lines = numbers().lines
    assert [(line.usubjid, line.group) for line in lines] == [
        ("P1", "CR"),
        ("P2", "CR"),
        ("P3", "PD"),
    ]
    assert lines[1].days == (0.0, 7.0)
    assert lines[1].censored == (True, False)


def test_a_zero_is_on_no_log_axis_but_on_a_linear_one() -> None:
    assert numbers().lines[2].days == (7.0,)
    assert numbers(log=False).lines[2].days == (7.0, 14.0)


def test_a_group_without_a_mean_has_nan_not_zero() -> None:
    means = numbers().means
    assert [mean.group for mean in means] == ["CR", "PD"]
    assert means[0].means == (44.7, 20.0)
    assert math.isnan(means[1].means[0])
    assert means[1].counts == (1,)


def test_no_line_joins_two_censored_points() -> None:
    line = PatientLine(
        "P1", "CR", (0.0, 3.0, 7.0), (5.0, 5.0, 50.0), (True, True, False), ("",) * 3
    )
    x, y = gapped([line], DayScale(0.0, 14.0))
    assert x == [0.0, None, 3.0, 7.0, None]
    assert y == [5.0, None, 5.0, 50.0, None]


def test_a_small_panel_shows_values_below_the_limit_though_no_line_joins_them() -> None:
    line = PatientLine("P1", "CR", (0.0, 7.0, 14.0, 28.0), (1.0, 0.1, 0.2, 0.3),
                       (False, True, True, True), ("a", "b", "c", "d"))  # fmt: skip
    mean = GroupMean("CR", 1, (0.0,), (math.nan,), (math.nan,), (math.nan,), (1,))
    numbers = prepare_small_multiples([Panel("B cells", "", (line,), (mean,))])
    figure = draw_small_multiples(numbers, LIGHT)
    open_marks = [trace for trace in figure.data if trace.mode == "markers"]
    assert [list(trace.y) for trace in open_marks] == [[0.1, 0.2, 0.3]]
    assert open_marks[0].marker.line.width == 1


def test_one_limit_is_drawn_and_two_are_not() -> None:
    assert numbers().lloq == 5.0
    two = series().with_columns(lloq=pl.Series([5.0] * 5 + [10.0, 5.0]))
    assert prepare_cohort_trajectories(two, summary(), ("CR",), "x").lloq is None


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_end_labels_do_not_overlap(theme) -> None:
    close = numbers()._replace(
        means=tuple(
            mean._replace(group=name, days=(14.0,), means=(20.0,), counts=(3,))
            for mean, name in zip([numbers().means[0]] * 3, ("CR", "PR", "PD"), strict=True)
        )
    )
    labels = end_labels(
        close.means, value_axis(close), scale_for([0.0, 14.0]), log=close.log, gap=0.06
    )
    heights = sorted(label.height for label in labels)
    assert all(b - a >= 0.0599 for a, b in pairwise(heights))
    figure = draw_cohort_trajectories(numbers(), theme)
    assert figure.layout.yaxis.type == "log"
    assert "Days from infusion" in [a.text for a in figure.layout.annotations]


def test_open_symbols_mark_what_is_below_the_limit() -> None:
    figure = draw_cohort_trajectories(numbers(), LIGHT)
    open_points = [
        trace
        for trace in figure.data
        if trace.mode == "markers" and trace.marker.color == "rgba(31,79,176,0)"
    ]
    assert [len(trace.x) for trace in open_points] == [3]
    assert {facts[3] for facts in open_points[0].customdata} == {"< 5"}


def test_empty_input_draws_an_empty_panel() -> None:
    empty = prepare_cohort_trajectories(series().clear(), summary().clear(), (), "x")
    assert empty.lines == empty.means == ()
    assert draw_cohort_trajectories(empty, LIGHT).layout.height > 300


def test_the_same_numbers_make_the_same_figure() -> None:
    first, second = (draw_cohort_trajectories(numbers(), LIGHT).to_json() for _ in range(2))
    assert first == second


def test_no_mean_line_crosses_a_visit_that_most_were_below_the_limit_at() -> None:
    nan = float("nan")
    days, means = (0.0, 3.0, 5.0, 6.0, 7.0), (130.0, nan, 330.0, nan, 1500.0)
    mean = GroupMean("CR", 28, days, means, means, means, (27, 25, 25, 2, 26))
    canvas = Canvas()
    draw_mean(canvas, mean, 0, scale_for(days), "black", LIGHT)
    trace = canvas.figure({}, checked=True).data[0]
    # Day 3: 25 patients, most below the limit. Day 6: too few patients for a mean, a line may pass.
    assert list(trace.y) == [130.0, None, 330.0, 1500.0]
    assert trace.connectgaps is False
    assert len(trace.hovertext) == 4
