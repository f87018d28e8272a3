"""Ticks of value axes: few enough for a track, enough for a figure of its own."""

import pytest

from figures.tracks.value_axis import log_axis


@pytest.mark.parametrize(
    ("values", "tall", "ticks"),
    [
        ((12.0, 400_000.0), False, (100.0, 10_000.0)),
        ((12.0, 400_000.0), True, (10.0, 100.0, 1_000.0, 10_000.0, 100_000.0)),
        ((2.0, 300.0), False, (10.0, 100.0)),
        ((0.95, 4.1), False, (1.0, 2.0, 3.0, 4.0)),
        ((2.0, 300.0), True, (3.0, 10.0, 30.0, 100.0, 300.0)),
    ],
)
def test_a_tall_figure_names_every_decade(values, tall, ticks):
    found = log_axis(values, tall=tall).ticks
    assert found == pytest.approx(ticks)
