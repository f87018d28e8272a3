"""Lines the size of a word: one scale per column, no stroke between limits."""

from figures.day_scale import DayScale
from figures.sparkline import SparkPoint, draw_sparkline, prepare_sparkline, spark_scale
from figures.theme import LIGHT

DAYS = DayScale(-1.0, 28.0)
LINE = [
    SparkPoint(0.0, 10.0, True),
    SparkPoint(7.0, 1000.0, False),
    SparkPoint(14.0, 100.0, False),
    SparkPoint(21.0, 10.0, True),
    SparkPoint(28.0, 10.0, True),
]


def test_positions_on_the_shared_scale() -> None:
    scale = spark_scale([LINE, [SparkPoint(7.0, 10000.0, False)]], DAYS, log=True)
    line = prepare_sparkline(LINE, scale)
    assert line is not None
    assert [round(y, 3) for y in line.ys] == [0.0, 0.667, 0.333, 0.0, 0.0]
    assert line.open == (True, False, False, True, True)
    assert line.peak == 1


def test_nothing_to_draw() -> None:
    scale = spark_scale([LINE], DAYS, log=True)
    assert prepare_sparkline([], scale) is None
    assert prepare_sparkline([SparkPoint(5.0, 0.0, False)], scale) is None


def test_no_stroke_between_two_limits() -> None:
    scale = spark_scale([LINE], DAYS, log=True)
    line = prepare_sparkline(LINE, scale)
    assert line is not None
    svg = draw_sparkline(line, LIGHT, "blood")
    faint, solid = [part for part in svg.split("<path") if LIGHT.signal["blood"] in part
                    and "M" in part][:2]  # fmt: skip
    assert faint.count("L") == 2
    assert solid.count("L") == 1
    assert svg.count("<circle") == 4


def test_linear_scale_holds_zero() -> None:
    scale = spark_scale([[SparkPoint(28.0, -80.0, False)]], DAYS, log=False)
    assert (scale.low, scale.high) == (-80.0, 0.0)
