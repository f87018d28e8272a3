"""The tracks of the patient page, from scans to B cells, in the order of the page."""

from collections.abc import Callable

from figures.tracks.b_cells import b_cell_tracks
from figures.tracks.blasts import blast_tracks
from figures.tracks.burden import burden_tracks
from figures.tracks.cytokines import cytokine_tracks
from figures.tracks.interventions import intervention_tracks
from figures.tracks.kinetics import kinetics_tracks
from figures.tracks.patient_frames import Choices, PatientFrames
from figures.tracks.response import response_tracks
from figures.tracks.scans import scan_tracks
from figures.tracks.toxicity import toxicity_tracks
from figures.tracks.track import Track
from figures.tracks.uptake import uptake_tracks

Prepare = Callable[[PatientFrames, Choices, float | None], tuple[Track, ...]]

TRACKS: tuple[Prepare, ...] = (
    scan_tracks,
    uptake_tracks,
    kinetics_tracks,
    burden_tracks,
    blast_tracks,
    response_tracks,
    cytokine_tracks,
    toxicity_tracks,
    intervention_tracks,
    b_cell_tracks,
)
"""Each prepares the tracks of one domain; a domain without data gives none."""
