"""Leukemic blasts in marrow: the tumor burden of a disease without measurable lesions."""

from figures.tracks.patient_frames import Choices, PatientFrames
from figures.tracks.reading import points, read_row, unit_text
from figures.tracks.track import Series, Track
from figures.tracks.value_axis import linear_axis

TESTS = ("BLAST", "BLASTLE", "BLASTS")


def blast_tracks(patient: PatientFrames, choices: Choices, day: float | None) -> tuple[Track, ...]:
    """At most one track; a linear axis from zero, because a share in percent ends at both ends."""
    tests = [one for one in patient.of_domain("laboratory") if one.signal.code in TESTS]
    found = next((one for one in tests if one.signal.matrix == "MARROW"), None)
    if found is None:
        return ()
    drawn = points(patient, found.rows, "Marrow blasts", False)
    if not drawn:
        return ()
    axis = linear_axis([point.value for point in drawn])
    series = Series("blasts", "Blasts", drawn, "tumor_tracer")
    return (
        Track(
            key="blasts",
            name="Marrow blasts",
            note=unit_text(found.signal.unit),
            scale="linear",
            height=92,
            low=axis.low,
            high=axis.high,
            ticks=axis.ticks,
            series=(series,),
            rows=(read_row(series, day, with_unit=True),),
        ),
    )
