"""The roster and the patient page: words, numbers, links, and what is left out."""

import json
from typing import Any

import plotly.utils
import polars as pl
import pytest

from analysis.tracers import TRACER_CLASSES, check_words
from dashboard.address import Request
from dashboard.pages import patient as patient_page
from dashboard.pages import patients as roster_page
from dashboard.patient.facts import BloodPeak, ImagePeak, PatientFacts, patient_facts
from dashboard.patient.header import criterion_text, power, short_criterion
from dashboard.patient.kinetics_table import kinetics_groups
from dashboard.patient.lesion_table import lesion_table, lesion_title
from dashboard.patient.page_data import natural_key, page_data, patient_path
from dashboard.patient.records import CutRecords, patient_frames
from dashboard.patient.tracks_card import drawn_points, legend_mark
from dashboard.patient.words import image_sentence, live_sentence, plain_text, tracks_title
from dashboard.selecting import build_view
from dashboard.view import Services, View
from figures.patient_tracks import prepare_patient_tracks
from figures.theme import DARK, LIGHT, Theme
from figures.tracks.patient_frames import Choices, rows
from figures.tracks.track import Series
from figures.tracks.uptake import ORGANS
from tests.dashboard.app_fixture import MemoryReader, no_job
from tests.figures import patient_example as example

SERVICES = Services(MemoryReader(synthetic_only=True), no_job, no_job, no_job, "demo", "0.1.0")


def view_of(path: str, rest: str = "", query: str = "", theme: Theme = LIGHT) -> View:
    return build_view(Request(path, query, theme, False), rest, SERVICES)


def text_of(component: Any) -> str:
    return json.dumps(component, cls=plotly.utils.PlotlyJSONEncoder)


@pytest.fixture(scope="module")
def facts() -> PatientFacts:
    records = CutRecords(example.trial())  # type: ignore[arg-type]
    one = patient_frames(records, example.USUBJID, "Patient 014")
    return patient_facts(records, one, prepare_patient_tracks(one, Choices(), 14))


def test_live_sentence_says_what_happened(facts: PatientFacts) -> None:
    plain = plain_text(live_sentence(facts)).replace("\u2060", "").replace("\xa0", " ")
    assert plain == (
        "Complete response at day 90. Blood transgene peaked on day 10 at 31,400 copies/µg DNA, "
        "and reporter signal in the lesions peaked on day 14 at SUVmean 11.2, 5.8 times baseline "
        "(geometric mean of 4 lesions). Grade 2 CRS (days 2–6) and grade 2 ICANS (days 6–9)."
    )


def test_title_names_both_peaks_only_when_they_are_peaks(facts: PatientFacts) -> None:
    assert tracks_title(facts) == "Cells peaked in blood on day 10, in the lesions on day 14"
    assert facts.image is not None
    at_edge = facts._replace(image=facts.image._replace(at_edge=True))
    assert tracks_title(at_edge) == (
        "Blood peak on day 10; reporter signal in the lesions highest on day 14"
    )


@pytest.mark.parametrize("tracer_class", TRACER_CLASSES)
@pytest.mark.parametrize("at_edge", [True, False])
def test_every_signal_keeps_to_its_words(
    facts: PatientFacts, tracer_class: str, at_edge: bool
) -> None:
    image = ImagePeak("x", tracer_class, False, "4 lesions", True, "SUVmean", "4.2", 3.0, "2.1",
                      at_edge)  # fmt: skip
    assert check_words(image_sentence(image), tracer_class) == ()  # type: ignore[arg-type]
    alone = facts._replace(image=image, blood=None)
    assert check_words(plain_text(live_sentence(alone)), tracer_class) == ()  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("where", "place"),
    [("L2", "lesion L2"), ("Lesion A", "lesion A"), ("4 lesions", "the lesions")],
)
def test_the_title_says_which_lesion_peaked(facts: PatientFacts, where: str, place: str) -> None:
    """The kinetics are of the mean of the lesions; the highest of two is named as one."""
    assert facts.image is not None
    one = facts._replace(image=facts.image._replace(where=where))
    assert tracks_title(one) == f"Cells peaked in blood on day 10, in {place} on day 14"
    assert f"reporter signal in {place} peaked" in plain_text(live_sentence(one))


def test_organs_named_in_small_letters_are_drawn_too() -> None:
    """The body map draws "Liver" and "Spleen"; their curves and their day must not be missing."""
    trial = example.trial()
    names = pl.col("region_code").str.to_titlecase()
    organ = pl.col("region_kind") == "organ"
    trial.quantifications = trial.quantifications.with_columns(
        region_code=pl.when(organ).then(names).otherwise("region_code")
    )
    assert "Spleen" in trial.quantifications.get_column("region_code").to_list()
    one = patient_frames(CutRecords(trial), example.USUBJID, "Patient 014")  # type: ignore[arg-type]
    tracks = prepare_patient_tracks(one, Choices(), 14).tracks
    track = next(track for track in tracks if track.key.startswith("uptake-"))
    keys = {series.key for series in track.series}
    assert {"organ-SPLEEN", "organ-MARROW", "organ-LIVER"} <= keys


def test_a_direct_label_never_peaks_nor_expands() -> None:
    image = ImagePeak("zr89_oxine_cells", "direct_label", False, "4 lesions", True, "SUVmean",
                      "4.2", 3.0, "", False)  # fmt: skip
    assert image_sentence(image) == (
        "Label of the infused cells in the lesions was highest on day 3."
    )


def test_sentence_of_a_patient_who_was_never_above_the_limit(facts: PatientFacts) -> None:
    below = BloodPeak("transgene", "", "copies/µg DNA", None, False)
    bare = facts._replace(blood=below, image=None, best=None, toxicities=())
    assert plain_text(live_sentence(bare)) == (
        "No response assessment in this cut. Blood transgene was not quantifiable in any "
        "sample. No CRS or ICANS was recorded."
    )
    unknown = bare._replace(recorded=frozenset())
    assert "CRS" not in plain_text(live_sentence(unknown))


def test_lesion_table_literally() -> None:
    records = CutRecords(example.trial())  # type: ignore[arg-type]
    one = patient_frames(records, example.USUBJID, "Patient 014")
    table = lesion_table(one, example.regions().to_dicts(), rows(example.lesions()))
    assert table is not None
    row = table.rows[2]
    assert (row.code, row.site) == ("L3", "Para-aortic mass")
    assert (row.size, row.change) == ("48 → 20", "−58")
    assert (row.peak, row.fold, row.to_liver) == ("18.9 (day 14)", "6.5", "3.3")
    assert row.volume == "112 → 4"
    assert table.rows[0].volume == "31 → < 1"
    assert lesion_title(table) == "Lesion uptake rose 3.6 to 7 times"


def test_a_lesion_first_measured_after_infusion_has_no_baseline() -> None:
    trial = example.trial()
    trial.lesions = trial.lesions.filter(pl.col("rel_day") > 0)
    records = CutRecords(trial)
    one = patient_frames(records, example.USUBJID, "Patient 014")
    table = lesion_table(one, example.regions().to_dicts(), rows(trial.lesions))
    assert table is not None
    assert (table.rows[2].size, table.rows[2].change) == ("– → 20", "–")


def test_a_volume_of_tracked_cells_is_no_volume_of_the_tumor() -> None:
    """The column MTV takes volumes of a tumor tracer; those of a reporter are of cells."""
    trial = example.trial()
    shown = {}
    for tracer in ("f18_fdg", "f18_dcfpyl_psma"):
        rows_ = trial.quantifications.filter(pl.col("region_kind") == "lesion")
        volumes = rows_.with_columns(metric=pl.lit("mtv_ml"), unit=pl.lit("mL"),
                                     tracer_id=pl.lit(tracer))  # fmt: skip
        other = example.trial()
        other.quantifications = pl.concat([
            trial.quantifications.filter(~pl.col("metric").str.starts_with("mtv")), volumes,
        ])  # fmt: skip
        one = patient_frames(CutRecords(other), example.USUBJID, "Patient 014")  # type: ignore[arg-type]
        table = lesion_table(one, example.regions().to_dicts(), rows(example.lesions()))
        shown[tracer] = [row.volume for row in table.rows]
    assert any(text.strip("– →") for text in shown["f18_fdg"])
    assert not any(text.strip("– →") for text in shown["f18_dcfpyl_psma"])


def test_kinetics_of_one_patient() -> None:
    records = CutRecords(example.trial())  # type: ignore[arg-type]
    one = patient_frames(records, example.USUBJID, "Patient 014")
    blood, flow, lesions = kinetics_groups(records, one, [example.USUBJID])
    assert [group.title for group in (blood, flow, lesions)] == [
        "Blood transgene", "Blood CAR+ flow", "Reporter uptake, lesions",
    ]  # fmt: skip
    values = {row.name: row.text for row in blood.rows}
    assert (values["Peak"], values["Day of peak"], values["Last quantified day"]) == (
        "31,400", "10", "75",
    )  # fmt: skip
    assert {"Highest, mean of lesions", "Day of highest, mean"} <= {
        row.name for row in lesions.rows
    }
    assert {row.name: row.text for row in lesions.rows}["Lag behind blood, mean"] == "4"
    assert all(row.strip is None for row in blood.rows), "one patient is no cohort"


def test_the_same_cells_in_two_units_are_told_apart() -> None:
    trial = example.trial()
    flow = trial.kinetics.filter(pl.col("analyte") == "CARFLOW")
    share = flow.with_columns(unit=pl.lit("%"))
    trial.kinetics = pl.concat([trial.kinetics, share])
    records = CutRecords(trial)  # type: ignore[arg-type]
    one = patient_frames(records, example.USUBJID, "Patient 014")
    titles = [group.title for group in kinetics_groups(records, one, [example.USUBJID])]
    assert titles[1:3] == ["Blood CAR+ flow, cells/µL", "Blood CAR+ flow, %"]


def test_no_kinetics_of_cells_from_a_direct_label() -> None:
    trial = example.trial()
    trial.quantifications = trial.quantifications.with_columns(
        tracer_id=pl.lit("zr89_oxine_cells"), tracer_class=pl.lit("direct_label")
    ).filter(pl.col("rel_day") <= 7)
    records = CutRecords(trial)  # type: ignore[arg-type]
    one = patient_frames(records, example.USUBJID, "Patient 014")
    groups = kinetics_groups(records, one, [example.USUBJID])
    names = [row.name for group in groups if "Label" in group.title for row in group.rows]
    assert "AUC, days 0–28" not in names
    assert "Lag behind blood, mean" not in names


def test_every_drawn_sample_is_in_the_csv() -> None:
    one = patient_frames(CutRecords(example.trial()), example.USUBJID, "Patient 014")  # type: ignore[arg-type]
    frame = drawn_points(prepare_patient_tracks(one, Choices(), 14))
    blood = frame.filter(pl.col("series") == "qPCR")
    assert blood.height == len(example.TRANSGENE)
    assert blood.filter(pl.col("censored") == "left")["as_reported"].unique().to_list() == [
        "< 50 copies/µg DNA"
    ]
    assert set(frame["track"]) >= {"Scans", "Reporter uptake", "Response"}


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_page_of_every_patient_is_drawn(theme: Theme) -> None:
    for usubjid in SERVICES.reader.trial("TINY-01").subjects["usubjid"].to_list():
        view = view_of(f"/patients/{usubjid}", usubjid, "", theme)
        drawn = text_of(patient_page.layout(view))
        assert "cg-patient" in drawn
        assert "NaN" not in drawn


def test_unknown_patient_gets_a_way_back() -> None:
    drawn = text_of(patient_page.layout(view_of("/patients/NOBODY", "NOBODY")))
    assert "Patient not found" in drawn
    assert "All patients" in drawn


@pytest.mark.parametrize("day", ["abc", "1e99", "", "-7", "14", "13.6", "nan"])
def test_any_day_in_the_address_is_survived(day: str) -> None:
    view = view_of("/patients/TINY-01-01-001", "TINY-01-01-001", f"day={day}")
    assert page_data(view, "TINY-01-01-001") is not None
    patient_page.layout(view)


def test_neighbors_follow_the_selection() -> None:
    view = view_of("/patients/TINY-01-01-001", "TINY-01-01-001", "cohort=A")
    data = page_data(view, "TINY-01-01-001")
    assert data is not None
    assert set(data.order) == set(view.selected.subjects["usubjid"])
    assert "outside the current filters" in text_of(
        patient_page.layout(view_of("/patients/TINY-01-01-001", "TINY-01-01-001", "cohort=B"))
    )


def test_roster_rows_and_orders() -> None:
    plain = roster_page.DOWNLOADS["roster"](view_of("/patients"))
    assert plain.height == 22
    by_blood = roster_page.DOWNLOADS["roster"](view_of("/patients", query="sort=blood"))
    peaks = [peak for peak in by_blood["blood_peak"].to_list() if peak is not None]
    assert peaks == sorted(peaks, reverse=True)
    assert set(by_blood["usubjid"]) == set(plain["usubjid"])


def test_roster_links_to_every_patient() -> None:
    view = view_of("/patients")
    drawn = text_of(roster_page.layout(view))
    for usubjid in view.selected.subjects["usubjid"]:
        assert patient_path(usubjid) in drawn


def test_roster_without_patients_says_why() -> None:
    view = view_of("/patients", query="site=01&cohort=A&dose_level=DL1&site=99")
    empty = View(**{**{f: getattr(view, f) for f in view.__dataclass_fields__},
                    "selected": view.trial.only([])})  # fmt: skip
    assert "No patient is left" in text_of(roster_page.layout(empty))


def test_small_words() -> None:
    assert power(1.5e6) == "1.5 × 10⁶"
    assert power(1e8) == "1 × 10⁸"
    assert short_criterion("LUGANO 2014") == "Lugano"
    assert short_criterion("NCI MRD") == "NCI MRD"
    assert criterion_text("B-ALL MARROW AND MRD") == "B-ALL marrow and MRD"
    assert sorted(["P-10", "P-9", "P-1"], key=natural_key) == ["P-1", "P-9", "P-10"]
    assert sorted(["S²-1", "S-9"], key=natural_key) == ["S-9", "S²-1"], "a superscript is no number"


def test_the_legend_shows_the_dash_of_every_organ() -> None:
    strokes = {
        legend_mark(Series(f"organ-{name}", name, (), "ink", dash), LIGHT)
        for _, name, dash in ORGANS
    }
    assert len(strokes) == len(ORGANS)
    assert all("stroke-dasharray" in stroke for stroke in strokes)
