"""The prepared numbers of the tracks, literally: what is drawn where, and what is not joined."""

import json

import plotly.graph_objects as go
import polars as pl
import pytest

from dashboard.patient.records import CutRecords, patient_frames
from figures.patient_tracks import (
    LEFT_PX,
    RIGHT_PX,
    draw_patient_sheet,
    draw_track,
    prepare_patient_tracks,
    screen_height,
)
from figures.theme import DARK, LIGHT
from figures.tracks.patient_frames import Choices, PatientFrames
from figures.tracks.track import Segments, Track, leading_segments, solid_segments
from tests.figures import patient_example as example


@pytest.fixture(scope="module")
def patient() -> PatientFrames:
    return patient_frames(CutRecords(example.trial()), example.USUBJID, "Patient 014")


def track(patient: PatientFrames, key: str, day: float = 14, **choices: object) -> Track:
    numbers = prepare_patient_tracks(patient, Choices(**choices), day)  # type: ignore[arg-type]
    return next(one for one in numbers.tracks if one.key.startswith(key))


def rows(one: Track) -> dict[str, str]:
    return {row.label: row.value for row in one.rows}


def test_every_domain_has_its_track_in_order(patient: PatientFrames) -> None:
    numbers = prepare_patient_tracks(patient, Choices())
    assert [one.name for one in numbers.tracks] == [
        "Scans", "Reporter uptake", "Transgene", "CAR+ T cells", "Tumor burden", "Response",
        "Cytokines", "Toxicity", "Interventions", "B cells",
    ]  # fmt: skip


def test_axis_titles_carry_units(patient: PatientFrames) -> None:
    notes = {one.name: one.note for one in prepare_patient_tracks(patient, Choices()).tracks}
    assert notes["Reporter uptake"] == "FHBG, SUVmean, g/mL"
    assert notes["Transgene"] == "blood qPCR, copies/µg DNA"
    assert notes["CAR+ T cells"] == "blood flow, cells/µL"
    assert notes["Tumor burden"] == "% change from baseline"
    assert notes["Cytokines"] == "× upper limit of normal"
    assert notes["B cells"] == "CD19+, cells/µL"


def test_default_day_is_the_lesion_peak(patient: PatientFrames) -> None:
    assert prepare_patient_tracks(patient, Choices()).day == 14


def test_censored_points_lie_on_their_limit_and_say_so(patient: PatientFrames) -> None:
    series = track(patient, "kinetics-CARTG").series[0]
    below = [(point.day, point.value, point.text) for point in series.points
             if point.censored == "left"]  # fmt: skip
    assert below == [(day, 50.0, "< 50") for day in (-7.0, 0.0, 1.0, 2.0, 90.0)]


def test_no_line_joins_two_censored_points(patient: PatientFrames) -> None:
    series = track(patient, "kinetics-CARTG").series[0]
    solid = solid_segments(series.points)
    assert solid.days == (3, 5, 7, 8, 10, 12, 14, 17, 21, 28, 35, 42, 60, 75)
    lead = leading_segments(series.points)
    assert lead == Segments((2.0, 3.0, None, 75.0, 90.0), (50.0, 99.0, None, 80.0, 50.0))


def test_limit_line_has_its_value(patient: PatientFrames) -> None:
    (limit,) = track(patient, "kinetics-CARTG").limits
    assert (limit.value, limit.text) == (50.0, "LLOQ 50")


def test_lesion_mean_is_geometric(patient: PatientFrames) -> None:
    mean = next(one for one in track(patient, "uptake").series if one.key == "lesion-mean")
    at_14 = next(point for point in mean.points if point.day == 14)
    assert at_14.value == pytest.approx((14.8 * 11.1 * 18.9 * 5.1) ** 0.25)
    assert at_14.text == "11.2"
    assert mean.weight == "bold"


def test_read_out_at_the_chosen_day(patient: PatientFrames) -> None:
    assert rows(track(patient, "uptake")) == {
        "Lesions, mean": "11.2", "Highest, L3": "18.9", "Lowest, L4": "5.1", "Spleen": "9.6",
        "Bone marrow": "2.9", "Liver": "5.8", "Lesion to liver": "1.9",
    }  # fmt: skip
    assert rows(track(patient, "kinetics-CARTG"))["Change from peak"] == "−48 %"
    assert rows(track(patient, "burden")) == {"MTV, FDG": "218 mL", "Change": "+17 %", "SLD": "–"}
    assert rows(track(patient, "response")) == {"SD": "Deauville 4"}
    assert rows(track(patient, "toxicity")) == {"CRS": "none, max 2", "ICANS": "none, max 2"}
    assert rows(track(patient, "b-cells")) == {"CD19+": "< 1", "Below limit": "days 7–60"}


def test_a_neighboring_sample_is_read_with_its_day(patient: PatientFrames) -> None:
    row = track(patient, "kinetics-CARTG", day=16).rows[0]
    assert (row.value, row.at) == ("9,100", "d 17")
    far = track(patient, "kinetics-CARTG", day=50).rows[0]
    assert (far.value, far.at) == ("–", "")


def test_a_scan_that_cannot_be_read_is_a_cross_and_in_no_line(patient: PatientFrames) -> None:
    uptake = track(patient, "uptake")
    assert all(point.day != 21 for series in uptake.series for point in series.points)
    (mark,) = uptake.marks
    assert (mark.day, mark.symbol, mark.text) == (21.0, "x-thin", "day 21 not evaluable")


def test_cytokines_are_folds_and_read_in_their_units(patient: PatientFrames) -> None:
    cytokines = track(patient, "cytokines")
    il6 = cytokines.series[0]
    assert il6.label == "IL-6"
    assert max(point.value for point in il6.points) == pytest.approx(1290 / 7)
    assert rows(cytokines) == {"IL-6": "12 pg/mL", "Ferritin": "2,300 µg/L", "CRP": "6 mg/L"}


def test_grades_run_over_whole_days(patient: PatientFrames) -> None:
    spans = [(span.lane, span.start, span.end, span.inside, span.color)
             for span in track(patient, "toxicity").spans]  # fmt: skip
    assert spans == [
        (0, 1.5, 3.5, "1", "crs:1"), (0, 3.5, 5.5, "2", "crs:2"), (0, 5.5, 6.5, "1", "crs:1"),
        (1, 5.5, 6.5, "1", "icans:1"), (1, 6.5, 8.5, "2", "icans:2"), (1, 8.5, 9.5, "1", "icans:1"),
    ]  # fmt: skip


def test_response_symbols_and_drugs(patient: PatientFrames) -> None:
    calls = [(mark.day, mark.symbol, mark.color) for mark in track(patient, "response").marks]
    assert calls[0] == (14.0, "SD", "response:SD")
    assert calls[-1] == (90.0, "CR", "response:CR")
    words = [mark.text for mark in track(patient, "interventions").marks if mark.text]
    assert words == ["Tocilizumab 8 mg/kg, 2 doses"]
    bars = [span.beside for span in track(patient, "interventions").spans]
    assert bars == ["Cyclophosphamide 500 mg/m²", "Fludarabine 30 mg/m²", "Dexamethasone 10 mg"]


def test_undated_drugs_are_said(patient: PatientFrames) -> None:
    drugs = patient.interventions.with_columns(rel_day=None, nominal_day=None)
    changed = PatientFrames("X", "Patient X", interventions=drugs.cast({"rel_day": pl.Float64,
                            "nominal_day": pl.Float64}))  # fmt: skip
    (one,) = prepare_patient_tracks(changed, Choices()).tracks
    assert rows(one) == dict.fromkeys(
        ("Fludarabine", "Cyclophosphamide", "Tocilizumab", "Dexamethasone"), "undated"
    )


def test_unrecorded_toxicity_is_not_called_none() -> None:
    assert prepare_patient_tracks(PatientFrames("X", "Patient X"), Choices()).tracks == ()


def test_two_lesions_have_no_mean() -> None:
    trial = example.trial()
    trial.quantifications = trial.quantifications.filter(~pl.col("region_code").is_in(["L3", "L4"]))
    two = patient_frames(CutRecords(trial), example.USUBJID, "Patient 014")
    uptake = track(two, "uptake")
    assert {one.key for one in uptake.series if one.key.startswith("lesion")} == {
        "lesion-L1",
        "lesion-L2",
    }
    assert all(one.weight == "normal" for one in uptake.series)


@pytest.mark.parametrize(
    ("dropped", "gone"),
    [
        (("quantifications", "scans"), {"Scans", "Reporter uptake"}),
        (("kinetics",), {"Transgene", "CAR+ T cells"}),
        (("labs",), {"Cytokines", "B cells"}),
        (("responses",), {"Response"}),
        (("adverse_events",), {"Toxicity"}),
        (("interventions",), {"Interventions"}),
    ],
)
def test_a_domain_without_data_leaves_no_empty_part(
    dropped: tuple[str, ...], gone: set[str]
) -> None:
    trial = example.trial()
    for name in dropped:
        setattr(trial, name, getattr(trial, name).clear())
    bare = patient_frames(CutRecords(trial), example.USUBJID, "Patient 014")
    names = {one.name for one in prepare_patient_tracks(bare, Choices()).tracks}
    assert not names & gone


def test_linear_axis_when_chosen(patient: PatientFrames) -> None:
    assert track(patient, "kinetics-CARTG", log=False).scale == "linear"


def test_day_window_cuts_axis_and_points(patient: PatientFrames) -> None:
    numbers = prepare_patient_tracks(patient, Choices(day_low=0, day_high=28), 14)
    assert (numbers.scale.low, numbers.scale.high) == (-1.0, 28.0)
    assert max(day for one in numbers.tracks for series in one.series
               for day in [point.day for point in series.points]) <= 28.5  # fmt: skip


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_figures_pass_the_checks_of_plotly(patient: PatientFrames, theme: object) -> None:
    numbers = prepare_patient_tracks(patient, Choices(), 14)
    figures = [draw_track(numbers, one, theme) for one in numbers.tracks]  # type: ignore[arg-type]
    figures.append(draw_patient_sheet(numbers, theme))  # type: ignore[arg-type]
    for figure in figures:
        go.Figure(json.loads(figure.to_json()))


def test_same_input_same_figure(patient: PatientFrames) -> None:
    numbers = prepare_patient_tracks(patient, Choices(), 14)
    again = prepare_patient_tracks(patient, Choices(), 14)
    assert numbers == again
    one, two = (draw_track(n, n.tracks[1], LIGHT).to_json() for n in (numbers, again))
    assert one == two


def test_all_tracks_share_margins_and_range(patient: PatientFrames) -> None:
    numbers = prepare_patient_tracks(patient, Choices(), 14)
    for one in numbers.tracks:
        layout = draw_track(numbers, one, LIGHT).layout
        assert (layout.margin.l, layout.margin.r) == (LEFT_PX, RIGHT_PX)
        assert tuple(layout.xaxis.range) == numbers.scale.extent
        assert layout.height == screen_height(one)


def test_hover_names_patient_day_value_unit_and_source(patient: PatientFrames) -> None:
    point = next(p for p in track(patient, "kinetics-CARTG").series[0].points if p.day == 10)
    assert point.hover == (
        "<b>Day 10</b>, Patient 014<br>Blood transgene, qPCR 31,400 copies/µg DNA"
        "<br>export.csv, row 10"
    )
