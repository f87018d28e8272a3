"""Write the statistical summary of a study: read, fit what is not yet fitted, write."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Engine

from analysis.errors import UserError
from analysis.results import Fit, Provenance
from analysis.selection import Selection
from analysis.specs import ModelSpec
from export.left_patients import require_known_values, require_patients
from export.questions import AskedFit
from export.summary import selected_patients, statistical_summary
from export.writers import write_document, writer_of
from jobs.fitting import default_spec_of, fit_trial, store
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

    The model tables hold the study's default question, fitted where it is not stored, and every
    stored fit of the cut that asks about the patients of the selection.

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
    asked = asked_fits(engine, trial, selection, actor)
    document = statistical_summary(
        trial, selection, asked, version=version, written_at=datetime.now(UTC)
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


def asked_fits(engine: Engine, trial: Trial, selection: Selection, actor: str) -> list[AskedFit]:
    """The default question of the selection, then every other stored one of the cut, oldest
    first."""
    stored = stored_fits(engine, trial)
    if not trial.kinetics.height + trial.quantifications.height:
        return stored
    spec = None
    try:
        spec = default_spec_of(trial, selection)
        if all(one.question != spec.spec_hash() for one in stored):
            store(engine, trial, spec, fit_trial(trial, spec), actor=actor)
            stored = stored_fits(engine, trial)
    except UserError as error:  # it must not be asked so: the summary says why
        return [AskedFit(_refused(spec, error), default=True, asked_by=actor), *stored]
    first = [replace(one, default=True) for one in stored if one.question == spec.spec_hash()]
    return first + [one for one in stored if one.question != spec.spec_hash()]


def _refused(spec: ModelSpec | None, error: UserError) -> Fit:
    fit = Fit("linear mixed model", "not_estimable", "question_refused", str(error))
    if spec is None:
        return fit
    return fit.replace(spec=spec.to_dict(), provenance=Provenance(spec_hash=spec.spec_hash()))


def stored_fits(engine: Engine, trial: Trial) -> list[AskedFit]:
    """The stored fits of the trial's cut, oldest first, one per question (the newest)."""
    with reading(engine) as connection:
        listed = fit_table.list_fits(connection, int(trial.study["id"])).to_dicts()
        newest = {
            row["spec_hash"]: row["id"] for row in reversed(listed) if row["cut_id"] == trial.cut.id
        }
        rows = [fit_table.read_fit(connection, fit_id) for fit_id in newest.values()]
    return [
        AskedFit(
            Fit.from_dict(json.loads(row["fit"])),
            asked_by=row["actor"],
            asked_at=row["created_at"].strftime("%Y-%m-%d %H:%M:%S"),
        )
        for row in rows
    ]
