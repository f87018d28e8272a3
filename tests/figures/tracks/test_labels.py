"""Where the word of a limit stands: in a gap, at the height where the limit is drawn."""

from figures.day_scale import scale_for
from figures.tracks.draw import DASH_PX
from figures.tracks.labels import free_stretch
from figures.tracks.track import Limit, Point, Series, Track
from figures.tracks.uptake import ORGANS

DAYS = (0.0, 6.0, 13.0, 28.0)


def zeros_track() -> Track:
    """Only values below a limit in the middle of the axis, as zeros delivered without one."""
    points = tuple(Point(day, 1.0, "left", "0", "cells/µL", "") for day in DAYS[1:])
    series = Series("cd19", "CD19+", points, "ink")
    return Track(
        key="b_cells", name="B cells", note="", scale="log", height=100, low=0.5, high=2.0,
        ticks=(0.5, 1, 2), series=(series,), limits=(Limit(1.0, "Limit not delivered", "ink"),),
    )  # fmt: skip


def test_the_word_of_a_limit_stands_between_the_points_on_it() -> None:
    scale = scale_for(DAYS)
    place = free_stretch(zeros_track(), scale, value=1.0)
    assert scale.position(13.0) < place < scale.position(28.0)
    middle = (scale.position(13.0) + scale.position(28.0)) / 2
    assert abs(place - middle) < 0.5


def test_every_organ_has_a_dash_of_its_own() -> None:
    dashes = [dash for _, _, dash in ORGANS]
    assert len(set(dashes)) == len(dashes)
    assert "solid" not in dashes  # the mean of the lesions
    assert len({DASH_PX[dash] for dash in dashes}) == len(dashes)
