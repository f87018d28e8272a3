"""The body map: which scan, which color, where a lesion lies, labels that keep apart."""

import json
from itertools import pairwise

import plotly.graph_objects as go
import pytest

from dashboard.patient.records import CutRecords, patient_frames
from figures.body.label_columns import Wanted, place_labels
from figures.body.physiologic import physiologic_organs
from figures.body.places import lesion_place, spread
from figures.body.region import BodyMap
from figures.body.shapes import HEIGHT, MIDDLE, WIDTH, drawn_code, organs, outline
from figures.body.strokes import ramp_color
from figures.body_map import draw_body_map, prepare_body_map
from figures.theme import DARK, LIGHT
from figures.tracks.patient_frames import Choices, PatientFrames
from tests.figures import patient_example as example


@pytest.fixture(scope="module")
def patient() -> PatientFrames:
    return patient_frames(CutRecords(example.trial()), example.USUBJID, "Patient 014")


def body(patient: PatientFrames, day: float | None) -> BodyMap:
    made = prepare_body_map(patient, Choices(), day, example.regions().to_dicts())
    assert made is not None
    return made


@pytest.mark.parametrize(("day", "scan"), [(14, 14), (20, 14), (13, 7), (-6, -5), (90, 90)])
def test_the_scan_of_the_day_else_the_last_before(
    patient: PatientFrames, day: float, scan: int
) -> None:
    assert body(patient, day).day == scan


def test_regions_values_and_places(patient: PatientFrames) -> None:
    numbers = body(patient, 14)
    assert {one.code: one.text for one in numbers.lesions} == {
        "L1": "14.8", "L2": "11.1", "L3": "18.9", "L4": "5.1",
    }  # fmt: skip
    places = {one.code: one.place for one in numbers.lesions}
    assert places["L2"] is not None
    assert places["L4"] is not None
    assert places["L2"][0] > MIDDLE > places["L4"][0], "patient's left is at the right"
    physiologic = {one.code for one in numbers.organs if one.physiologic}
    assert physiologic == {"LIVER", "KIDNEY", "BLADDER"}
    bladder = next(one for one in numbers.organs if one.code == "BLADDER")
    assert (bladder.value, bladder.text) == (None, "not scored")
    assert numbers.unit == "SUVmean, g/mL"


def test_ramp_spans_all_scans_of_the_patient(patient: PatientFrames) -> None:
    numbers = body(patient, 14)
    assert (numbers.low, numbers.high) == pytest.approx((0.3, 30.0))
    assert (numbers.low, numbers.high) == (body(patient, 90).low, body(patient, 90).high)
    assert ramp_color(0.3, numbers, LIGHT) == LIGHT.ramp[0]
    assert ramp_color(30.0, numbers, LIGHT) == LIGHT.ramp[-1]
    assert ramp_color(3.0, numbers, DARK) == DARK.ramp[3]


def test_no_images_no_map() -> None:
    trial = example.trial()
    trial.quantifications = trial.quantifications.clear()
    bare = patient_frames(CutRecords(trial), example.USUBJID, "Patient 014")
    assert prepare_body_map(bare, Choices(), 14) is None


def test_a_lesion_without_a_place_is_listed(patient: PatientFrames) -> None:
    unknown = [{**row, "location": None, "label": "Lesion"} for row in example.regions().to_dicts()]
    numbers = prepare_body_map(patient, Choices(), 14, unknown)
    assert numbers is not None
    assert [one.code for one in numbers.unplaced] == ["L1", "L2", "L3", "L4"]
    assert numbers.lesions == ()


def test_labels_of_one_side_keep_a_line_apart_and_their_order() -> None:
    wanted = [Wanted(f"k{n}", (150.0 + n, 100.0 + n), n % 2 == 0) for n in range(16)]
    slots = place_labels(wanted, 20, 370, 37)
    for left in (True, False):
        heights = [slot.y for slot in slots if slot.left is left]
        assert heights == sorted(heights)
        assert min(b - a for a, b in pairwise(heights)) >= 36.9
        assert min(heights) >= 20
        assert max(heights) <= 370


def test_a_full_side_hands_labels_over() -> None:
    wanted = [Wanted(f"k{n}", (100.0 + n, 30.0 * n), True) for n in range(12)]
    slots = place_labels(wanted, 20, 370, 37)
    assert len(slots) == 12
    assert sum(slot.left for slot in slots) <= 10


@pytest.mark.parametrize(
    ("text", "side", "left_of_middle"),
    [("LYMPH NODE, AXILLARY", "LEFT", False), ("LYMPH NODE, INGUINAL", "RIGHT", True),
     ("left supraclavicular node", None, False)],
)  # fmt: skip
def test_sides(text: str, side: str | None, left_of_middle: bool) -> None:
    spot = lesion_place(text, side)
    assert spot is not None
    assert (spot[0] < MIDDLE) is left_of_middle


def test_unknown_place_and_coinciding_rings() -> None:
    assert lesion_place("target one", None) is None
    spots = spread([(100.0, 100.0)] * 5)
    assert len(set(spots)) == 5


def test_direct_label_uptake_is_never_hatched() -> None:
    assert physiologic_organs("zr89_oxine_cells") == frozenset()


def test_shapes_lie_in_the_card() -> None:
    points = [*outline(), *(p for one in organs().values() for o in one.outlines for p in o)]
    assert all(0 <= x <= WIDTH and 0 <= y <= HEIGHT for x, y in points)
    assert drawn_code("Bone marrow") == "MARROW"
    assert drawn_code("PANCREAS") is None


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_figure_passes_the_checks_and_is_repeatable(patient: PatientFrames, theme: object) -> None:
    numbers = body(patient, 14)
    figure = draw_body_map(numbers, theme)  # type: ignore[arg-type]
    go.Figure(json.loads(figure.to_json()))
    assert figure.to_json() == draw_body_map(numbers, theme).to_json()  # type: ignore[arg-type]
