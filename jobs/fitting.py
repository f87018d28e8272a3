"""Fit a model specification to a study at one data cut, and keep the fit."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from analysis import fit_specification
from analysis.derive.default_question import default_question, selection_changes
from analysis.derive.model_frame import study_frame
from analysis.errors import UserError
from analysis.exposure_rules import SIGNAL_DOMAINS
from analysis.fits.recipe import with_source
from analysis.left_out_fields import completed, is_complete
from analysis.results import Fit
from analysis.selection import Selection
from analysis.spec_content import read_yaml
from analysis.specs import ModelSpec
from models import fits as fit_table
from models.audit import insert_audit
from models.queries import read_trial
from models.trial import Trial


def fit_study(
    engine: Engine,
    studyid: str,
    spec: ModelSpec | Mapping[str, Any] | None = None,
    *,
    cut: str | None = None,
    actor: str,
) -> Fit:
    """Fit `spec` (the study's default question when None) and store the result with its cut.

    spec: a question, or the fields of a file (`read_fields`), those left out as in `question_of`.
    The same answer to the same question at the same cut is stored once.

    Raises:
        UserError: unknown study, cut, signal or group, or a question that must not be asked so.
        DatabaseError: the database is not reachable.
    """
    trial = read_trial(engine, studyid, cut)
    question = spec if isinstance(spec, ModelSpec) else question_of(trial, spec)
    fit = fit_trial(trial, question)
    store(engine, trial, question, fit, actor=actor)
    return fit


def store(engine: Engine, trial: Trial, spec: ModelSpec, fit: Fit, *, actor: str) -> None:
    """Keep the fit with its cut, unless the newest one kept for this question is the same."""
    text = json.dumps(fit.to_dict(), allow_nan=False)
    with engine.begin() as connection:
        kept = fit_table.find_fit(connection, trial.cut.id, spec.spec_hash())
        if kept is None or kept["fit"] != text:
            fit_table.insert_fit(
                connection,
                study_id=int(trial.study["id"]),
                cut_id=trial.cut.id,
                spec_hash=spec.spec_hash(),
                spec=json.dumps(spec.to_dict()),
                fit=text,
                actor=actor,
            )
            insert_audit(
                connection,
                actor,
                "fit",
                table_name="stored_fit",
                key=spec.spec_hash(),
                after={"study": trial.study["studyid"], "cut": trial.cut.name},
            )


def default_spec_of(trial: Trial, selection: Selection | None = None) -> ModelSpec:
    """The study's first question, of the patients of a selection as the model page asks it."""
    spec = _first_question(trial)
    if selection is None:
        return spec
    if not (selection.cohort or selection.criterion):
        selection = selection.replace(cohort=spec.cohort)
    return spec.replace(**selection_changes(selection, trial.subjects, trial.responses))


def question_of(trial: Trial, content: Mapping[str, Any] | None) -> ModelSpec:
    """The question of a file's fields; what it leaves out is the study's first question about the
    signal, which without a file is the whole question."""
    if not content:
        return default_spec_of(trial)
    asked = ModelSpec.from_dict(content)
    key = asked.signal_key
    if is_complete(content) or (key and key.split(":")[0] not in SIGNAL_DOMAINS):
        return asked  # what is no signal is refused as such
    return completed(content, _first_question(trial, key))


def _first_question(trial: Trial, signal: str = "") -> ModelSpec:
    return default_question(
        subjects=trial.subjects,
        kinetics=trial.kinetics,
        quantifications=trial.quantifications,
        labs=trial.labs,
        lesions=trial.lesions,
        responses=trial.responses,
        outcome=signal,
    )


def fit_trial(trial: Trial, spec: ModelSpec) -> Fit:
    """Gather the rows of the question and fit it; nothing is stored."""
    spec.validate()
    rows = study_frame(trial, spec)
    fit = fit_specification(rows.frame, spec, rows.excluded)
    source = replace(fit.provenance, study=str(trial.study["studyid"]), cut=trial.cut.name)
    return fit.replace(provenance=source, code=with_source(fit.code, source.study, source.cut))


def read_fields(path: Path) -> Mapping[str, Any]:
    """The fields of a specification that a file names, from YAML or JSON (which is YAML).

    Raises:
        UserError: the file is missing, cannot be read, or is no specification.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(
            f"--spec {path}: cannot be read ({getattr(error, 'strerror', 'not UTF-8 text')}); give "
            "a YAML or JSON file with a model specification."
        ) from error
    try:
        content = read_yaml(text)
        ModelSpec.from_dict(content)
    except UserError as error:
        raise UserError(f"--spec {path}: {error}") from error
    return content
