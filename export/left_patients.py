"""A selection that leaves nobody is an error of the one who asked, never an empty summary."""

from collections.abc import Mapping

import polars as pl

from analysis.derive.columns import ensure
from analysis.errors import UserError
from analysis.selection import GROUP_COLUMN, Selection
from models.trial import Trial

ASSESSMENT_COLUMN: Mapping[str, str] = {"criterion": "criterion", "reader": "reader"}
"""Selection field -> column of the responses frame."""


def require_known_values(trial: Trial, selection: Selection) -> None:
    """Raises UserError for a value of a filter that no record of the study has."""
    asked = [
        (name, value, _values(trial.subjects, column))
        for name, column in GROUP_COLUMN.items()
        for value in getattr(selection, name)
    ]
    asked += [
        (name, getattr(selection, name), _values(trial.responses, column))
        for name, column in ASSESSMENT_COLUMN.items()
        if getattr(selection, name)
    ]
    for name, value, known in asked:
        if value not in known:
            nobody = "patient" if name in GROUP_COLUMN else "response assessment"
            there = f"values of {name}: {', '.join(known)}" if known else f"the study has no {name}"
            raise UserError(
                f"filter {name}={value}: no {nobody} of study {trial.study['studyid']!r} (data cut "
                f"{trial.cut.name!r}) has it; {there}; nothing was written"
            )


def require_patients(trial: Trial, selection: Selection, kept: tuple[str, ...]) -> None:
    """Raises UserError when the selection keeps none of the study's patients."""
    if kept:
        return
    asked = ", ".join(f"{label.lower()} {value}" for _, label, value in selection.chips())
    if trial.subjects.is_empty():
        todo = "load its subjects"
    else:
        todo = "widen --filter" if asked else "choose another set, as --filter analysis_set=safety"
    raise UserError(
        f"no patient of study {trial.study['studyid']!r} (data cut {trial.cut.name!r}) is left by "
        f"the selection ({asked or 'set all infused'}), of {trial.subjects.height} in the study; "
        f"{todo}; nothing was written"
    )


def _values(frame: pl.DataFrame, column: str) -> list[str]:
    """What the column holds, sorted."""
    held = ensure(frame, column)[column].drop_nulls().unique().sort()
    return [str(value) for value in held]
