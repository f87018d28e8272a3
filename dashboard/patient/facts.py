"""What can be said about one patient in numbers: the source of the sentence and of the tiles."""

from typing import NamedTuple

from analysis.number_words import count
from dashboard.patient.blood import blood_signals, odd_samples
from dashboard.patient.records import CutRecords
from figures.number_text import day_range, significant
from figures.patient_tracks import PatientTracks
from figures.tracks.b_cells import below_limit
from figures.tracks.patient_frames import PatientFrames, Row
from figures.tracks.reading import unit_text
from figures.tracks.toxicity import (
    CATEGORIES,
    graded_events,
    highest_grade,
    of_category,
    runs,
    scales_note,
)
from figures.tracks.tracer_text import tracer_of
from figures.tracks.track import Point, Series, Track


class BloodPeak(NamedTuple):
    """Highest value in blood from day 1 on; `text` holds the value, "" when never above a limit."""

    name: str
    text: str
    unit: str
    day: float | None
    at_edge: bool
    """The peak is the first or the last sample: the true peak may lie outside."""
    odd: str = ""
    """Samples in another unit than the study's, which are not in the peak."""

    @property
    def only_odd(self) -> bool:
        """Whether nothing was measured in the study's unit."""
        return bool(self.odd) and not self.text and self.day is None


class ImagePeak(NamedTuple):
    """Highest uptake of one tracer after infusion, in the lesions or in an organ."""

    tracer_id: str
    tracer_class: str
    car_specific: bool
    where: str
    """"4 lesions", "L1", "bone marrow"."""
    in_lesions: bool
    metric: str
    text: str
    day: float
    fold: str
    """Value over the last scan before infusion; empty when there was none."""
    at_edge: bool


class Change(NamedTuple):
    """Change of tumor burden from baseline at the last assessment."""

    name: str
    percent: float
    at_limit: bool
    day: float


class Toxicity(NamedTuple):
    """Highest grade of a category and the days on which any grade held, "" where none is known."""

    category: str
    grade: int | None
    days: str
    last_day: int | None
    open_end: bool
    note: str = ""
    """What was graded on another scale, "" where there is one."""


class PatientFacts(NamedTuple):
    """All of it; None or empty where the trial has nothing."""

    best: Row | None
    blood: BloodPeak | None
    image: ImagePeak | None
    burden: Change | None
    toxicities: tuple[Toxicity, ...]
    recorded: frozenset[str]
    """Categories of toxicity that the trial recorded for any patient."""
    b_cells: str | None
    last_day: float | None


def patient_facts(
    records: CutRecords,
    patient: PatientFrames,
    numbers: PatientTracks,
    criterion: str = "",
    reader: str = "",
) -> PatientFacts:
    """Facts of one patient, from the same series that the tracks draw."""
    events, aside = graded_events(patient), patient.grades_set_aside.to_dicts()
    found = [
        _toxicity(name, own, scales_note(own, of_category(aside, name)))
        for name in CATEGORIES
        for own in [of_category(events, name)]
    ]
    return PatientFacts(
        best=records.best(criterion, reader).get(patient.usubjid),
        blood=_blood(records, patient),
        image=_image(numbers.tracks),
        burden=_burden(numbers.tracks),
        toxicities=tuple(one for one in found if one is not None),
        recorded=patient.recorded_toxicity,
        b_cells=_b_cells(numbers.tracks),
        last_day=max((day for track in numbers.tracks for day in track.days), default=None),
    )


def _blood(records: CutRecords, patient: PatientFrames) -> BloodPeak | None:
    """The first quantity that the patient has in the study's unit; a quantity that the patient has
    in an odd unit only is said, without a peak."""
    own = {one.signal.key: one for one in patient.of_domain("kinetics")}
    said: BloodPeak | None = None
    for signal in blood_signals(records):
        name = {"CARTG": "transgene", "CARFLOW": "CAR+ cells"}.get(signal.code, "signal")
        unit = unit_text(signal.unit)
        odd = odd_samples(records, signal, patient.usubjid)
        table = records.parameters(signal)
        row = next(iter(table.filter(table["usubjid"] == patient.usubjid).to_dicts()), None)
        if row is None or signal.key not in own:
            said = said or (BloodPeak(name, "", unit, None, False, odd) if odd else None)
            continue
        days = [one["rel_day"] for one in own[signal.key].rows if one["rel_day"] >= 0]
        day = row.get("tmax_day")
        return BloodPeak(
            name=name,
            text=significant(row["cmax"]) if row.get("cmax") is not None else "",
            unit=unit,
            day=day,
            at_edge=bool(days) and day in (min(days), max(days)),
            odd=odd,
        )
    return said


def _image(tracks: tuple[Track, ...]) -> ImagePeak | None:
    for track in tracks:
        if not track.key.startswith("uptake-"):
            continue
        tracer = tracer_of(track.key.removeprefix("uptake-"))
        if tracer is None or tracer.tracer_class == "tumor_tracer":
            continue
        found = _peak_of(track)
        if found is None:
            continue
        series, point, where = found
        after = [one.day for one in series.points if one.day >= 0]
        return ImagePeak(
            tracer_id=tracer.id,
            tracer_class=tracer.tracer_class,
            car_specific=tracer.car_specific,
            where=where,
            in_lesions=series.key.startswith("lesion"),
            metric=track.note.split(", ")[1] if ", " in track.note else "",
            text=point.text,
            day=point.day,
            fold=_fold(series, point),
            at_edge=point.day in (min(after), max(after)),
        )
    return None


def _peak_of(track: Track) -> tuple[Series, Point, str] | None:
    mean = [one for one in track.series if one.key == "lesion-mean"]
    lesions = [one for one in track.series if one.key.startswith("lesion-") and one not in mean]
    organs = [one for one in track.series if one.key in ("organ-MARROW", "organ-SPLEEN")]
    for group in (mean, lesions, organs):
        spots = [
            (point.value, point, series)
            for series in group
            for point in series.points
            if point.day >= 0 and point.censored == "none"
        ]
        if spots:
            _, point, series = max(spots, key=lambda spot: spot[0])
            if group is mean:
                where = count(len(lesions), "lesion")
            else:
                where = series.label if group is lesions else series.label.lower()
            return series, point, where
    return None


def _fold(series: Series, point: Point) -> str:
    before = [one for one in series.points if one.day < 0 and one.censored == "none"]
    return significant(point.value / before[-1].value, 2) if before and before[-1].value else ""


def _burden(tracks: tuple[Track, ...]) -> Change | None:
    for track in tracks:
        if track.key != "burden":
            continue
        for series in track.series:
            after = [point for point in series.points if point.day > 0]
            if after:
                last = after[-1]
                name = series.label.split(",")[0]
                return Change(name, last.value, last.censored == "left", last.day)
    return None


def _toxicity(category: str, events: list[Row], note: str = "") -> Toxicity | None:
    if not events:
        return None
    grade, found = highest_grade(events), runs(events)
    if not found:
        return Toxicity(category, grade, "", None, open_end=False, note=note)
    is_open = any(run.open_end for run in found)
    days = day_range(found[0].start, found[-1].end)
    return Toxicity(category, grade, days, found[-1].end, is_open, note)


def _b_cells(tracks: tuple[Track, ...]) -> str | None:
    for track in tracks:
        if track.key == "b-cells" and track.series:
            return below_limit(track.series[0].points)
    return None
