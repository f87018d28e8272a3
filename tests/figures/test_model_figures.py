"""Numbers of the model page's figures."""

import math

import pytest

from figures.effect_curve import FittedCurve, draw_effect_curve, prepare_effect_curve
from figures.influence_plot import (
    Influence,
    draw_influence_plot,
    log_range,
    prepare_influence_plot,
    ratio_ticks,
)
from figures.residual_plots import draw_residual_plots, prepare_residual_plots, quartile_line
from figures.theme import LIGHT


def test_a_curve_without_an_estimate_is_left_out() -> None:
    known = FittedCurve("CR", 5, (7.0, 14.0), (10.0, 20.0), (5.0, 9.0), (20.0, 40.0))
    unknown = FittedCurve("PD", 2, (7.0,), (math.nan,), (math.nan,), (math.nan,))
    numbers = prepare_effect_curve([known, unknown])
    assert numbers.curves == (known,)
    figure = draw_effect_curve(numbers, LIGHT)
    assert figure.layout.xaxis.title.text == "Days from infusion"
    assert "n = 5" in figure.layout.annotations[0].text


def test_normal_residuals_lie_on_the_line() -> None:
    scores = [-1.5, -0.5, 0.5, 1.5]
    assert quartile_line([1 + 2 * z for z in scores], scores) == pytest.approx((1.0, 2.0))
    assert quartile_line([1.0], [0.0]) == (0.0, 0.0)


def test_residuals_that_are_not_finite_are_left_out() -> None:
    numbers = prepare_residual_plots([("P1", 1.0, 0.2, 0.1), ("P2", math.nan, 0.1, 0.3)])
    assert numbers.usubjid == ("P1",)
    drawn = draw_residual_plots(numbers, LIGHT, narrow=True, scale="log10 cells/uL")
    assert drawn.layout.height == 600
    assert drawn.layout.xaxis.title.text == "Fitted value, log10 cells/uL"
    assert drawn.layout.yaxis.title.text == "Residual, log10 cells/uL"


def test_influence_shows_the_patients_who_move_the_ratio_most_either_way() -> None:
    rows = [
        Influence("down", 1.0, 0.5, 2.0),
        Influence("same", 4.1, 2.0, 8.0),
        Influence("up", 9.0, 4.0, 20.0),
        Influence("failed", math.nan, math.nan, math.nan),
    ]
    numbers = prepare_influence_plot(rows, 4.0)
    assert [row.usubjid for row in numbers.rows] == ["down", "up", "same"]
    assert 1.0 in ratio_ticks(numbers)
    assert draw_influence_plot(numbers, LIGHT).layout.xaxis.type == "log"


def test_a_curve_of_visits_starts_at_its_first_visit() -> None:
    late = FittedCurve("CR", 5, (7.0, 14.0, 28.0), (10.0, 900.0, 90.0), (5.0, 300.0, 2.0),
                       (20.0, 2_000.0, 200.0))  # fmt: skip
    layout = draw_effect_curve(prepare_effect_curve([late]), LIGHT).layout
    low, high = layout.xaxis.range
    assert 6.0 < low < 7.0 < 28.0 < high < 29.0
    bottom, top = layout.yaxis.range
    assert bottom < math.log10(2.0), "the band's lower end lies inside the panel"
    assert top > math.log10(2_000.0)


def test_influence_axis_leaves_room_and_counts_in_round_ratios() -> None:
    rows = [Influence("P1", 0.9, 0.6, 1.4), Influence("P2", 1.1, 0.7, 1.8)]
    numbers = prepare_influence_plot(rows, 0.95)
    assert ratio_ticks(numbers) == pytest.approx([0.7, 1.0, 1.5])
    low, high = log_range(numbers)
    assert low < math.log10(0.6) - 0.02
    assert high > math.log10(1.8) + 0.02
    wide = prepare_influence_plot([Influence("P1", 50.0, 2.0, 900.0)], 60.0)
    assert ratio_ticks(wide) == pytest.approx([1.0, 10.0, 100.0])


def test_the_ratio_without_a_patient_is_written_as_everywhere() -> None:
    rows = [Influence("P1", 115.2, 16.0, 826.0), Influence("P2", 0.954, 0.5, 1.2)]
    drawn = draw_influence_plot(prepare_influence_plot(rows, 60.0), LIGHT)
    texts = {text for trace in drawn.data for text in trace.hovertext or ()}
    assert texts == {"Without P1: 115", "Without P2: 0.95"}
