"""The exposure of each patient beside the outcome: who is drawn, where, and under which words."""

import plotly.graph_objects as go
import pytest

from figures.exposure_outcome import Exposed, draw_exposure_outcome, prepare_exposure_outcome
from figures.theme import LIGHT

RESPONSE = [
    Exposed("P4", 800.0, True), Exposed("P1", 10.0, True), Exposed("P2", 90.0, True),
    Exposed("P3", 100.0, True), Exposed("P5", 3.0, False), Exposed("P6", 0.0, False),
]  # fmt: skip
FOLLOWED = [
    Exposed("P1", 10.0, True, 90.0), Exposed("P2", 90.0, False, 200.0),
    Exposed("P3", 100.0, False, 365.0),
]  # fmt: skip


def drawn(patients: list[Exposed], words: tuple[str, str], *, log: bool = True) -> go.Figure:
    numbers = prepare_exposure_outcome(patients, words, log=log)
    figure = draw_exposure_outcome(numbers, LIGHT, unit="copies/\N{MICRO SIGN}g DNA")
    return go.Figure(figure.to_plotly_json(), skip_invalid=False)


def test_a_log_axis_leaves_out_what_it_cannot_hold_and_a_linear_one_keeps_it() -> None:
    words = ("Response", "No response")
    on_log = prepare_exposure_outcome(RESPONSE, words)
    assert [one.usubjid for one in on_log.patients] == ["P5", "P1", "P2", "P3", "P4"]
    assert prepare_exposure_outcome(RESPONSE, words, log=False).patients[0].usubjid == "P6"


def test_neighbors_of_a_lane_take_turns() -> None:
    numbers = prepare_exposure_outcome(RESPONSE, ("Response", "No response"))
    assert numbers.offsets == (-1.0, -1.0, 0.0, 1.0, -1.0)


def test_lanes_have_their_patients_median_and_count() -> None:
    figure = drawn(RESPONSE, ("Response", "No response"))
    medians = [trace for trace in figure.data if trace.mode == "lines"]
    marks = [trace for trace in figure.data if trace.mode == "markers"]
    assert [tuple(trace.x) for trace in medians] == [(95.0, 95.0), (3.0, 3.0)]
    assert [tuple(trace.x) for trace in marks] == [(10.0, 90.0, 100.0, 800.0), (3.0,)]
    assert all(-0.5 < y < 0.5 for y in marks[0].y)
    assert all(0.5 < y < 1.5 for y in marks[1].y)
    assert figure.layout.yaxis.ticktext == ("Response<br>n = 4", "No response<br>n = 1")
    assert figure.layout.xaxis.type == "log"
    assert figure.layout.xaxis.title.text == "copies/\N{MICRO SIGN}g DNA"
    assert marks[0].hovertext[0].startswith("P1: 10 ")


def test_an_event_is_filled_and_the_end_of_follow_up_open() -> None:
    figure = drawn(FOLLOWED, ("PFS: event", "followed without"))
    event, followed = figure.data
    assert (event.marker.symbol, followed.marker.symbol) == ("circle", "circle-open")
    assert (tuple(event.y), tuple(followed.y)) == ((90.0,), (200.0, 365.0))
    assert event.name == "PFS: event (n = 1)"
    assert followed.name == "followed without (n = 2)"
    assert figure.layout.yaxis.range[1] > 365


@pytest.mark.parametrize("patients", [RESPONSE[4:5], FOLLOWED[:1]])
def test_one_patient_is_drawn_too(patients: list[Exposed]) -> None:
    assert drawn(patients, ("yes", "no")).data
