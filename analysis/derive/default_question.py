"""The first question of a study: what the model page and `cartograph fit` ask unless told more."""

from collections.abc import Sequence
from typing import Any

import polars as pl

from analysis.derive.response import response_criteria
from analysis.derive.signal import Signal, signal_catalog, signal_series
from analysis.derive.signal_unknown import require_signal
from analysis.first_spec import bends, default_spec
from analysis.selection import Selection
from analysis.specs import ModelSpec


def default_question(
    *,
    subjects: pl.DataFrame,
    kinetics: pl.DataFrame | None = None,
    quantifications: pl.DataFrame | None = None,
    labs: pl.DataFrame | None = None,
    lesions: pl.DataFrame | None = None,
    responses: pl.DataFrame | None = None,
    outcome: str = "",
) -> ModelSpec:
    """Does blood expansion, or `outcome` (a signal's key), differ by response?

    Asked in one cohort where cohorts differ in criterion, that of most patients with the signal:
    a marrow response and a Lugano response are not one outcome and are never pooled.

    Raises UserError when the study has no signal, or `outcome` is no key of one.
    """
    catalog: Sequence[Signal] = (
        [Signal.parse(outcome)]
        if outcome
        else signal_catalog(kinetics, quantifications, labs, lesions)
    )
    if outcome:
        require_signal(
            catalog[0], kinetics=kinetics, quantifications=quantifications, labs=labs,
            lesions=lesions,
        )  # fmt: skip
    first = default_spec(catalog)
    series = signal_series(
        Signal.parse(first.outcome),
        kinetics=kinetics, quantifications=quantifications, labs=labs, lesions=lesions,
    )  # fmt: skip
    days = series.get_column("nominal_day").drop_nulls().unique().to_list()
    if outcome and responses is not None:
        measured = series.get_column("usubjid").unique()
        responses = responses.filter(pl.col("usubjid").is_in(measured.implode()))
    cohort, criterion = most_assessed(subjects, responses)
    spec = default_spec(catalog, [criterion] if criterion else [], nominal_days=days, cohort=cohort)
    own = series if not cohort else series.join(
        subjects.filter(pl.col("cohort").is_in(cohort)), on="usubjid", how="semi"
    )  # fmt: skip
    patients = own.get_column("usubjid").n_unique()
    if bends(days, patients) and _carry_curves(series, 4):
        return spec.replace(spline_df=4)
    if spec.random == "matching" and not _carry_curves(series, spec.spline_df):
        return spec.replace(random="intercept")
    return spec


def selection_changes(
    selection: Selection, subjects: pl.DataFrame, responses: pl.DataFrame | None
) -> dict[str, Any]:
    """Fields of a specification that follow the filters it has too. A criterion that is not
    chosen is that of the chosen cohorts."""
    changes: dict[str, Any] = {
        "analysis_set": selection.analysis_set, "cohort": selection.cohort,
        "reader": selection.reader,
    }  # fmt: skip
    if selection.criterion or selection.cohort:
        usual = usual_criterion(subjects, responses, selection.cohort)
        changes["criterion"] = selection.criterion or usual or ""
    return changes


def usual_criterion(
    subjects: pl.DataFrame, responses: pl.DataFrame | None, cohorts: Sequence[str]
) -> str | None:
    """The criterion most often used in these cohorts (in all of them when none is named)."""
    if responses is None:
        return None
    members = subjects.filter(pl.col("cohort").is_in(cohorts)) if cohorts else subjects
    own = responses.filter(pl.col("usubjid").is_in(members["usubjid"].implode()))
    return most_assessed(members, own)[1]


def _carry_curves(series: pl.DataFrame, spline_df: int) -> bool:
    """Whether the patients have values enough for a curve each (`fits.guards` refuses fewer)."""
    after = series.filter(pl.col("rel_day") >= 0)
    return after.height > (spline_df + 1) * after.get_column("usubjid").n_unique()


def most_assessed(
    subjects: pl.DataFrame, responses: pl.DataFrame | None
) -> tuple[tuple[str, ...], str | None]:
    """The cohort to ask in (none when one criterion serves all) and the response criterion."""
    criteria = response_criteria(responses)
    if responses is None or criteria.is_empty():
        return (), None
    if criteria.get_column("criterion").n_unique() == 1:
        return (), criteria.item(0, "criterion")
    counts = (
        responses.join(subjects.select("usubjid", "cohort"), on="usubjid")
        .filter(pl.col("cohort").is_not_null())
        .group_by("cohort", "criterion")
        .agg(n=pl.col("usubjid").n_unique().cast(pl.Int64))
        .sort(-pl.col("n"), "cohort", "criterion")
    )
    if counts.is_empty() or counts.get_column("cohort").n_unique() == 1:
        return (), criteria.item(0, "criterion")
    return (counts.item(0, "cohort"),), counts.item(0, "criterion")
