"""Rows of a frame as the samples of a cohort, with the covariates of every patient."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from analysis.engine.structure import Array
from analysis.errors import UserError
from analysis.fits.guards import MINIMUM_SUBJECTS, Problem
from analysis.fits.kinetics.curves import Form
from analysis.fits.kinetics.expectation import Cohort
from analysis.fits.kinetics.likelihood import Samples
from analysis.fits.kinetics.samples import samples_of
from analysis.number_words import count
from analysis.results import Excluded

if TYPE_CHECKING:
    import polars as pl

MIN_EXACT = 3
"""Values between the limits that make a patient count toward the fewest patients allowed."""


class Columns(NamedTuple):
    """Where the time, the value, its bounds and the patient are."""

    time: str
    value: str
    lower: str
    upper: str
    group: str


class Patients(NamedTuple):
    """Samples by patient, the coefficients' names (parameter, covariate), and what was left out."""

    names: tuple[str, ...]
    samples: tuple[Samples, ...]
    cohort: Cohort
    coefficients: tuple[tuple[str, str], ...]
    excluded: tuple[Excluded, ...]


def patients_of(
    frame: "pl.DataFrame",
    columns: Columns,
    form: Form,
    covariates: Mapping[str, Sequence[str]],
) -> Patients:
    """Every patient with a sample after infusion and all covariates.

    Raises UserError for a column or parameter that does not exist, or samples that make no sense.
    """
    import polars as pl
    import polars.selectors as cs

    for name, listed in covariates.items():
        if isinstance(listed, str):
            raise UserError(f"kinetics: covariates of {name!r} must be a list, as [{listed!r}]")
    wanted = list(dict.fromkeys(name for names in covariates.values() for name in names))
    _known(frame, columns, form, covariates, wanted)
    rows = frame.filter(pl.col(columns.time).is_not_null() & pl.col(columns.group).is_not_null())
    rows = rows.filter(pl.any_horizontal(pl.col(_bounds(frame, columns)).is_not_null()))
    complete = rows.height
    rows = rows.filter(pl.col(columns.time) > 0)
    after = rows
    if wanted:
        rows = rows.with_columns(cs.float().fill_nan(None)).drop_nulls(wanted)
    names, samples, firsts = [], [], []
    for (name,), part in rows.group_by(columns.group, maintain_order=True):
        try:
            samples.append(samples_of(*(_numbers(part, key) for key in columns[:4])))
        except UserError as error:
            raise UserError(f"patient {name}: {error}") from None
        names.append(str(name))
        for key in wanted:
            if part[key].n_unique() > 1:
                raise UserError(
                    f"kinetics: '{key}' changes within patient {name}; give one value per patient"
                )
        firsts.append(part.row(0, named=True))
    blocks = [_block(firsts, covariates.get(label, ())) for label in form.names]
    coefficients = tuple(
        (label, term)
        for label, (_, terms) in zip(form.names, blocks, strict=True)
        for term in ("", *terms)
    )
    without = after[columns.group].n_unique() - len(names)
    whose = f"sample without {', '.join(wanted)} ({count(without, 'patient')} left out)"
    lost = (
        Excluded("no day, value or bound", frame.height - complete),
        Excluded("sample at or before infusion", complete - after.height),
        Excluded(whose, after.height - rows.height),
    )
    return Patients(
        tuple(names),
        tuple(samples),
        _padded(samples, [block for block, _ in blocks]),
        coefficients,
        tuple(item for item in lost if item.n > 0),
    )


def problem_of(patients: Patients) -> Problem | None:
    """Why no population can be fitted, in plain words."""
    useful = sum(int(item.exact.sum()) >= MIN_EXACT for item in patients.samples)
    if not patients.samples:
        return Problem("no_observations", "There is no sample after infusion.", "Check the days.")
    if not any(item.exact.any() for item in patients.samples):
        return Problem(
            "all_censored",
            "All samples are below or above a limit.",
            "Report that the signal was never quantified.",
        )
    if useful < MINIMUM_SUBJECTS:
        return Problem(
            "too_few_subjects",
            f"A population needs {MINIMUM_SUBJECTS} patients with {MIN_EXACT} values between the "
            f"limits; there {'is' if useful == 1 else 'are'} {useful}.",
            "Fit each patient by fit_kinetics.",
        )
    exact = np.concatenate([item.low[item.exact] for item in patients.samples])
    if np.ptp(exact) < 1e-9:
        return Problem(
            "constant_outcome", "All values are the same.", "Check for copied or rounded values."
        )
    n = len(patients.samples)
    blocks = [block[:, block.any(axis=0)] for block in patients.cohort.design.transpose(1, 0, 2)]
    if any(min(np.linalg.matrix_rank(block), n - 1) < block.shape[1] for block in blocks):
        return Problem(
            "collinear",
            "The covariates cannot be told apart, or there are as many as patients.",
            "Remove one of them, or one that is the same for all patients.",
        )
    return None


def _known(
    frame: "pl.DataFrame",
    columns: Columns,
    form: Form,
    covariates: Mapping[str, Sequence[str]],
    wanted: Sequence[str],
) -> None:
    needed = (columns.time, columns.value, columns.group, *wanted)
    for name in needed:
        if name not in frame.columns:
            raise UserError(
                f"kinetics: there is no column '{name}'; the columns are {', '.join(frame.columns)}"
            )
    for name in covariates:
        if name not in form.names:
            raise UserError(
                f"kinetics: {name!r} is no parameter of this curve; use {', '.join(form.names)}"
            )


def _bounds(frame: "pl.DataFrame", columns: Columns) -> list[str]:
    return [name for name in columns[1:4] if name in frame.columns]


def _numbers(part: "pl.DataFrame", name: str) -> Array:
    import polars as pl

    if name not in part.columns:
        return np.full(part.height, np.nan)
    return np.asarray(part[name].cast(pl.Float64).fill_null(np.nan).to_numpy(), float)


def _block(firsts: Sequence[Mapping[str, object]], names: Sequence[str]) -> tuple[Array, list[str]]:
    """Intercept, numbers less their mean, and levels against the first in order."""
    columns, terms = [np.ones(len(firsts))], []
    for name in names if firsts else ():
        values = [row[name] for row in firsts]
        if all(isinstance(value, int | float) and not isinstance(value, bool) for value in values):
            numbers = np.array(values, float)
            columns.append(numbers - numbers.mean())
            terms.append(name)
            continue
        levels = sorted({str(value) for value in values})
        for level in levels[1:]:
            columns.append(np.array([str(value) == level for value in values], float))
            terms.append(f"{name}[{level}]")
    return np.column_stack(columns), terms


def _padded(samples: Sequence[Samples], blocks: Sequence[Array]) -> Cohort:
    longest = max((item.t.size for item in samples), default=0)
    shape = (len(samples), longest)
    t, low, high, present = np.ones(shape), np.zeros(shape), np.zeros(shape), np.zeros(shape)
    for row, item in enumerate(samples):
        n = item.t.size
        t[row, :n], low[row, :n], high[row, :n], present[row, :n] = (
            item.t, item.low, item.high, 1.0,
        )  # fmt: skip
    design = np.zeros((len(samples), len(blocks), sum(block.shape[1] for block in blocks)))
    at = 0
    for k, block in enumerate(blocks):
        design[:, k, at : at + block.shape[1]] = block
        at += block.shape[1]
    return Cohort(t, low, high, present, design)
