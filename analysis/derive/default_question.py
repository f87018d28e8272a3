"""The first question of a study: what the model page and `cartograph fit` ask unless told more."""

import polars as pl

from analysis.derive.response import response_criteria
from analysis.derive.signal import Signal, signal_catalog, signal_series
from analysis.specs import ModelSpec, default_spec


def default_question(
    *,
    subjects: pl.DataFrame,
    kinetics: pl.DataFrame | None = None,
    quantifications: pl.DataFrame | None = None,
    labs: pl.DataFrame | None = None,
    lesions: pl.DataFrame | None = None,
    responses: pl.DataFrame | None = None,
) -> ModelSpec:
    """Does blood expansion differ by response? In one cohort where cohorts differ in criterion:
    a marrow response and a Lugano response are not one outcome and are never pooled.

    Raises UserError when the study has no signal.
    """
    catalog = signal_catalog(kinetics, quantifications, labs, lesions)
    cohort, criterion = most_assessed(subjects, responses)
    criteria = [criterion] if criterion else []
    first = default_spec(catalog, criteria, cohort=cohort)
    signal = Signal.parse(first.outcome)
    series = signal_series(
        signal, kinetics=kinetics, quantifications=quantifications, labs=labs, lesions=lesions
    )
    days = series.get_column("nominal_day").drop_nulls().unique().to_list()
    return default_spec(catalog, criteria, nominal_days=days, cohort=cohort)


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
