"""B cells in blood: the target cells that disappear while the engineered cells work."""

from collections.abc import Sequence

from figures.number_text import day_range, day_text
from figures.tracks.patient_frames import Choices, PatientFrames
from figures.tracks.reading import limits, points, read_row, unit_text
from figures.tracks.track import Point, ReadRow, Series, Track
from figures.tracks.value_axis import linear_axis, log_axis

TESTS = ("CD19", "CD20", "BCELL", "CD19LY")


def b_cell_tracks(patient: PatientFrames, choices: Choices, day: float | None) -> tuple[Track, ...]:
    """At most one track; the first B-cell test that this patient has."""
    tests = [one for one in patient.of_domain("laboratory") if one.signal.code in TESTS]
    found = min(tests, key=lambda one: TESTS.index(one.signal.code), default=None)
    if found is None:
        return ()
    drawn = points(patient, found.rows, "CD19+ B cells", choices.log)
    if not drawn:
        return ()
    heights = [point.value for point in drawn]
    lines = limits(list(found.rows), "muted")
    axis = log_axis([*heights, *(line.value for line in lines)]) if choices.log else (
        linear_axis(heights)
    )  # fmt: skip
    series = Series("b-cells", "CD19+", drawn, "ink")
    rows = [read_row(series, day)]
    if (below := below_limit(drawn)) is not None:
        rows.append(ReadRow("Below limit", below))
    return (
        Track(
            key="b-cells",
            name="B cells",
            note=f"CD19+, {unit_text(found.signal.unit)}".rstrip(", "),
            scale="log" if choices.log else "linear",
            height=96,
            low=axis.low,
            high=axis.high,
            ticks=axis.ticks,
            minor_ticks=axis.minor_ticks,
            series=(series,),
            limits=lines,
            rows=tuple(rows),
        ),
    )


def below_limit(drawn: Sequence[Point]) -> str | None:
    """Days from the first to the last sample of the first run below the limit that lasts beyond
    the infusion, with the samples before it: no B cells to begin with are not the product's doing.

    "days 7 to 60" when a later sample was above it, "from day 7" while none was.
    """
    low = [point.censored == "left" for point in drawn]
    first = next((i for i, point in enumerate(drawn) if low[i] and point.day >= 0), None)
    if first is None:
        return None
    last = first
    while first and low[first - 1]:
        first -= 1
    while last + 1 < len(drawn) and low[last + 1]:
        last += 1
    if last + 1 == len(drawn):
        return f"from day {day_text(drawn[first].day)}"
    return day_range(drawn[first].day, drawn[last].day)
