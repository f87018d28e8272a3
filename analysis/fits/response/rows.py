"""Patients with a response that is known and covariates that are complete."""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.engine.structure import Array
from analysis.errors import UserError
from analysis.fits.column_values import as_booleans, without_missing
from analysis.fits.guards import Problem
from analysis.fits.survival.design import Covariates, covariate_names, covariates_of
from analysis.number_words import count
from analysis.results import Excluded

if TYPE_CHECKING:
    import polars as pl


class ResponseRows(NamedTuple):
    """One row per patient."""

    frame: "pl.DataFrame"
    design: Covariates
    response: NDArray[np.bool_]
    excluded: tuple[Excluded, ...]


def response_rows(
    frame: "pl.DataFrame", formula: str, subject: str | None, *, repeated: bool = False
) -> ResponseRows | Problem:
    """Complete rows of "response ~ covariates", the others counted by column.

    Raises UserError for a formula or column that does not exist, or a response that is not 0 or 1.
    """
    outcome, right = sides(formula)
    complete = complete_rows(frame, outcome, right, subject)
    kept, excluded = complete
    response = binary(kept, outcome)
    problem = None if repeated else repeated_problem(kept, subject)
    problem = problem or one_answer(response, outcome)
    if problem is not None:
        return problem
    design = covariates_of(kept, right, outcome)
    if isinstance(design, Problem):
        return design
    return ResponseRows(kept, design, response, excluded)


def repeated_problem(frame: "pl.DataFrame", subject: str | None) -> Problem | None:
    """More than one row of a patient, where rows are taken as independent."""
    if subject is None or frame[subject].n_unique() == frame.height:
        return None
    twice = frame.height - frame[subject].n_unique()
    return Problem(
        "repeated_patients",
        f"{count(twice, 'row')} belong to a patient who has another row; rows of one patient, "
        "as lesions are, are not independent.",
        "Use the regression for repeated measurements (fit_gee), or one row per patient.",
    )


def sides(formula: str) -> tuple[str, str]:
    """Outcome column and right side. Raises UserError for a formula without both."""
    left, tilde, right = formula.partition("~")
    outcome = left.strip().strip("`")
    if not tilde or not outcome or not right.strip():
        raise UserError(f"formula {formula!r} needs an outcome: write 'responder ~ terms'")
    return outcome, right.strip()


def complete_rows(
    frame: "pl.DataFrame", outcome: str, right: str, subject: str | None
) -> tuple["pl.DataFrame", tuple[Excluded, ...]]:
    """Rows with every value, and the others counted by column."""
    if outcome not in frame.columns:
        shown = ", ".join(frame.columns)
        raise UserError(f"formula: there is no column '{outcome}'; the columns are {shown}")
    names = covariate_names(right, frame.columns, outcome)
    if subject is not None and subject not in frame.columns:
        shown = ", ".join(frame.columns)
        raise UserError(f"subject: there is no column '{subject}'; the columns are {shown}")
    return without_missing(frame, [outcome, *names, *([subject] if subject else [])])


def binary(frame: "pl.DataFrame", outcome: str) -> NDArray[np.bool_]:
    """The response as booleans. Raises UserError when it is not 0 or 1."""
    return as_booleans("response", frame[outcome], "1 for a response and 0 for none")


def exposures(frame: "pl.DataFrame", exposure: str) -> Array:
    """The exposure as numbers. Raises UserError for text and for values that are not finite."""
    if not (frame.schema[exposure].is_numeric() or not frame.height):
        raise UserError(f"exposure: column '{exposure}' must be a number, not text or date")
    values: Array = frame[exposure].cast(float).to_numpy()
    if not np.isfinite(values).all():
        raise UserError(
            f"exposure: {int((~np.isfinite(values)).sum())} values of {exposure} are not finite; "
            "correct them or leave them out"
        )
    return values


def one_answer(response: NDArray[np.bool_], outcome: str) -> Problem | None:
    """Nobody, or everybody, responded; or hardly anybody is there."""
    if len(response) < 3:
        return Problem(
            "too_few_subjects",
            f"{count(len(response), 'patient')} cannot carry a regression.",
            "Show the patients themselves.",
        )
    if response.all() or not response.any():
        found = "Every one" if response.all() else "None"
        return Problem(
            "one_response",
            f"{found} of {count(len(response), 'patient')} has {outcome}.",
            "Give the rate with its exact interval instead.",
        )
    return None
