"""Write the statistical summary of a study: read, fit what is not yet fitted, write."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Engine

from analysis.errors import UserError
from analysis.results import Fit
from analysis.selection import Selection
from export.left_patients import require_known_values, require_patients
from export.summary import selected_patients, statistical_summary
from export.writers import write_document, writer_of
from jobs.fitting import fit_study
from models import fits as fit_table
from models.connect import reading
from models.queries import read_trial
from models.trial import Trial


def export_study(
    engine: Engine,
    studyid: str,
    directory: Path,
    *,
    formats: Sequence[str],
    query: str = "",
    cut: str | None = None,
    actor: str,
    version: str,
) -> list[Path]:
    """Write the summary into `directory`; returns the files.

    The model table holds every stored fit of the cut; when there is none, the study's default
    question is fitted first.

    Raises:
        UserError: unknown study, cut, format, filter or value of a filter, a selection that
            leaves no patient, or a folder that cannot be written. Nothing was written.
        DatabaseError: the database is not reachable.
    """
    for name in formats:
        writer_of(name)
    selection = Selection.from_filters(query)
    _require_one_study(selection, studyid, cut)
    trial = read_trial(engine, studyid, cut or selection.cut or None)
    require_known_values(trial, selection)
    require_patients(trial, selection, selected_patients(trial, selection))
    fits = fits_of(engine, trial)
    if not fits and trial.kinetics.height + trial.quantifications.height:
        fits = [fit_study(engine, studyid, cut=trial.cut.name, actor=actor)]
    document = statistical_summary(
        trial, selection, fits, version=version, written_at=datetime.now(UTC)
    )
    return write_document(document, directory, formats)


def _require_one_study(selection: Selection, studyid: str, cut: str | None) -> None:
    """A filter copied from an address names its study and cut too: they must be those asked for."""
    for option, name, asked in (("--study", "study", studyid), ("--cut", "cut", cut)):
        said = getattr(selection, name)
        if said and asked and said != asked:
            raise UserError(
                f"filter {name}={said}: the command asks for {option} {asked}; give one of them"
            )


def fits_of(engine: Engine, trial: Trial) -> list[Fit]:
    """The stored fits of the trial's cut, oldest first, one per question (the newest)."""
    with reading(engine) as connection:
        rows = [
            row
            for row in fit_table.list_fits(connection, int(trial.study["id"])).to_dicts()
            if row["cut_id"] == trial.cut.id
        ]
        newest = {row["spec_hash"]: row["id"] for row in reversed(rows)}
        texts = [fit_table.read_fit(connection, fit_id)["fit"] for fit_id in newest.values()]
    return [Fit.from_dict(json.loads(text)) for text in texts]
