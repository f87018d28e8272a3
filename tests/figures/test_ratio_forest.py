"""The forest's words and its axis."""

import math

from figures.ratio_forest import (
    ForestRow,
    axis_ticks,
    draw_ratio_forest,
    prepare_ratio_forest,
    ratio_text,
    row_height,
    wrapped,
)
from figures.theme import LIGHT

NAN = math.nan


def test_rows_are_sorted_by_ratio_and_those_without_one_come_last() -> None:
    rows = [
        ForestRow("Lung", "2 patients", NAN, NAN, NAN, NAN),
        ForestRow("Liver", "", 1.0, 0.9, 1.2, 0.6),
        ForestRow("Lesions", "", 2.6, 1.7, 3.8, 0.0001),
    ]
    numbers = prepare_ratio_forest(rows)
    assert [row.label for row in numbers.rows] == ["Lesions", "Liver", "Lung"]
    assert numbers.low < 0.9 < 3.8 < numbers.high
    assert ratio_text(numbers.rows[2]) == "\N{EN DASH}"
    assert [row.label for row in prepare_ratio_forest(rows, sort=False).rows] == [
        "Lung", "Liver", "Lesions",
    ]  # fmt: skip


def test_a_huge_interval_does_not_flatten_the_rest() -> None:
    numbers = prepare_ratio_forest([ForestRow("x", "", 2.0, 1e-9, 1e9, 0.5)])
    assert numbers.high < 1000
    assert numbers.low > 0.001


def test_only_an_interval_that_excludes_one_is_bold() -> None:
    numbers = prepare_ratio_forest(
        [ForestRow("a", "", 2.0, 1.2, 3.0, 0.01), ForestRow("b", "", 1.1, 0.8, 1.5, 0.5)]
    )
    texts = [annotation.text for annotation in draw_ratio_forest(numbers, LIGHT).layout.annotations]
    assert "<b>a</b>" in texts
    assert "b" in texts


def test_a_row_that_does_not_hold_after_correction_is_not_bold() -> None:
    row = ForestRow("a", "", 2.0, 1.2, 3.0, 0.03, clear=False)
    figure = draw_ratio_forest(prepare_ratio_forest([row]), LIGHT)
    assert "a" in [annotation.text for annotation in figure.layout.annotations]


def test_ticks_keep_one_and_are_few() -> None:
    assert axis_ticks(0.4, 2.6) == [0.5, 1, 2]
    ticks = axis_ticks(0.001, 20_000)
    assert 1 in ticks
    assert len(ticks) <= 5


def test_long_labels_break_near_their_middle() -> None:
    assert wrapped("Blood CAR+ cells, flow cytometry", 24) == "Blood CAR+ cells,<br>flow cytometry"
    assert wrapped("Liver", 24) == "Liver"


def test_rows_grow_with_their_longest_label() -> None:
    note = "peak to day 28"
    long = ForestRow("Marrow CAR+ cells, flow", note, 2.0, 1.2, 3.0, 0.01)
    rows = prepare_ratio_forest([long, ForestRow("Day 7", "", 1.1, 0.8, 1.5, 0.5)])
    assert row_height(rows, 24) == 44
    assert row_height(rows, 15) == 60, "two lines of label and one of note need 54 px and a gap"


def test_a_wide_axis_is_labelled_at_powers_of_ten() -> None:
    assert axis_ticks(0.9, 2_500) == [1, 10, 100, 1000]
    assert axis_ticks(0.025, 10.01) == [0.1, 1, 10]


def test_a_long_note_takes_two_lines_on_a_phone() -> None:
    row = ForestRow("Day 21", "34 against 11, Holm < 0.0001", 73, 16, 320, 1e-6)
    numbers = prepare_ratio_forest([row])
    texts = {
        narrow: draw_ratio_forest(numbers, LIGHT, narrow=narrow).layout.annotations[0].text
        for narrow in (True, False)
    }
    assert "34 against 11,<br>Holm < 0.0001" in texts[True]
    assert "34 against 11, Holm < 0.0001" in texts[False]
    assert row_height(numbers, 15) > row_height(numbers, 24)


def test_ticks_stand_upright_and_short_on_a_phone() -> None:
    numbers = prepare_ratio_forest([ForestRow("Day 28", "", 210, 26, 1800, 1e-6)])
    axis = draw_ratio_forest(numbers, LIGHT, narrow=True).layout.xaxis
    assert axis.tickangle == 0
    assert list(axis.ticktext) == ["1", "10", "100", "1k"]
