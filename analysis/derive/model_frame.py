"""The frame of a specification: its outcome series with group and adjusters of each patient."""

import re
from dataclasses import dataclass
from typing import Any

import polars as pl

from analysis.adjuster_columns import adjuster_column, is_logarithm, measured_adjuster
from analysis.derive.columns import ensure
from analysis.derive.groups import (
    CHARACTERISTIC,
    RESPONSE_LEVELS,
    characteristic,
    patient_groups,
)
from analysis.derive.labels import ACTIVITY_METRIC
from analysis.derive.response import best_response
from analysis.derive.sets import analysis_sets
from analysis.derive.signal import Signal, signal_excluded, signal_series
from analysis.derive.signal_unknown import require_signal
from analysis.errors import UserError
from analysis.exposure_rules import RESPONSE_QUESTIONS
from analysis.joint_rules import EVENT_OF_A_PATIENT
from analysis.load_words import DECAY_UNKNOWN
from analysis.number_words import count
from analysis.results import Excluded
from analysis.selection import SET_COLUMN
from analysis.specs import OUTCOME_QUESTIONS, ModelSpec

SOURCES = (
    "subjects", "characteristics", "kinetics", "quantifications", "labs", "lesions", "responses",
    "adverse_events", "infusions", "scans", "survival",
)  # fmt: skip
"""Record frames of a study that `model_frame` takes."""
_REGION_KIND = {"lesion": "lesion", "organ": "organ"}
_NAMED = 5
"""So many patients are named in an error; the others are counted."""
_SUBJECT_ADJUSTERS = ("age_year", "sex", "cohort", "arm", "dose_level", "disease", "siteid")


@dataclass(frozen=True, eq=False)
class ModelFrame:
    """`frame` as `analysis.specs` describes it; `excluded` counts rows left out, by reason."""

    frame: pl.DataFrame
    excluded: tuple[Excluded, ...]
    signal: Signal


def study_frame(study: Any, spec: ModelSpec) -> ModelFrame:
    """`model_frame` of a study that has the frames of `SOURCES` as attributes."""
    return model_frame(spec, **{name: getattr(study, name) for name in SOURCES})


def model_frame(
    spec: ModelSpec,
    *,
    subjects: pl.DataFrame,
    characteristics: pl.DataFrame | None = None,
    kinetics: pl.DataFrame | None = None,
    quantifications: pl.DataFrame | None = None,
    labs: pl.DataFrame | None = None,
    lesions: pl.DataFrame | None = None,
    responses: pl.DataFrame | None = None,
    adverse_events: pl.DataFrame | None = None,
    infusions: pl.DataFrame | None = None,
    scans: pl.DataFrame | None = None,
    survival: pl.DataFrame | None = None,
) -> ModelFrame:
    """One row per patient and time, or per patient, region and time, for `fit_specification`.

    Rows leave for these reasons, counted: the scan cannot be evaluated, the decay correction is
    unknown, the patient is outside the analysis set or the chosen cohorts. Window, missing groups
    and values below the limit are left to the fit, which counts them too. Zeros delivered without
    a limit are censored for a logarithm and stand as delivered for `log10_shift` and `none`.
    A question by exposure also gets the columns of its outcome (`survival`: times to events).
    Raises UserError for an unknown signal, group, adjuster or characteristic, and for responses by
    two criteria where the specification names none.
    """
    signal = _signal(spec)
    sources = {
        "kinetics": kinetics,
        "quantifications": quantifications,
        "labs": labs,
        "lesions": lesions,
    }
    require_signal(signal, **sources)
    per_region = spec.unit != "patient"
    series = signal_series(signal, **sources, per="region" if per_region else "subject")
    excluded = _counts(signal_excluded(signal, **sources))
    series, unknown = _known_decay(series, signal)
    sets = analysis_sets(subjects, infusions, scans, responses)
    in_set = sets.filter(pl.col(SET_COLUMN[spec.analysis_set]).fill_null(False))["usubjid"]
    rows = series.filter(pl.col("usubjid").is_in(in_set.implode()))
    outside = series.height - rows.height
    rows, other_cohort = _in_cohorts(rows, subjects, spec.cohort)
    excluded += [
        Excluded(reason, n)
        for reason, n in (
            (DECAY_UNKNOWN, unknown),
            (f"patient not in the {spec.analysis_set} set", outside),
            ("patient of another cohort", other_cohort),
        )
        if n
    ]
    _require_one_criterion(spec, rows, responses)
    groups = patient_groups(
        _grouping(spec),
        subjects,
        characteristics=characteristics,
        responses=responses,
        adverse_events=adverse_events,
        criterion=spec.criterion or None,
        reader=spec.reader or None,
    )
    frame = _value_for(rows, spec.transform).join(groups, on="usubjid", how="left")
    if spec.question in OUTCOME_QUESTIONS:
        outcome = _outcome(spec, responses, survival)
        frame = frame.join(outcome, on="usubjid", how="left")
        if spec.question == "joint":
            excluded += _events_without_row(spec, outcome, subjects, in_set, frame)
    for adjuster in (*spec.adjusters, *spec.crossed):
        column = _adjuster(measured_adjuster(adjuster), adjuster_column(adjuster), subjects,
                           characteristics)  # fmt: skip
        frame = frame.join(column, on="usubjid", how="left")
        if is_logarithm(adjuster):
            frame = _with_logarithms(frame, adjuster)
    return ModelFrame(
        frame.with_columns(pl.lit(signal.tracer_id, dtype=pl.String).alias("tracer_id")),
        tuple(excluded),
        signal,
    )


def _grouping(spec: ModelSpec) -> str:
    """Groups of the question; of a question by exposure the response that is its outcome."""
    if spec.question in RESPONSE_QUESTIONS:
        return spec.outcome.partition(":")[2]
    return "cohort" if spec.question in OUTCOME_QUESTIONS else spec.group


def _require_one_criterion(
    spec: ModelSpec, rows: pl.DataFrame, responses: pl.DataFrame | None
) -> None:
    """Raises UserError where patients of the rows would be grouped by calls of two criteria."""
    if spec.criterion or _grouping(spec) not in RESPONSE_LEVELS:
        return
    best = best_response(responses, None, spec.reader or None)
    own = best.filter(pl.col("usubjid").is_in(rows["usubjid"].unique().implode()))
    evaluable = own.filter(pl.col("responder").is_not_null())
    criteria = evaluable["criterion"].fill_null("not named").unique().sort().to_list()
    if len(criteria) > 1:
        raise UserError(
            f"specification: the patients' responses are by {len(criteria)} criteria "
            f"({', '.join(criteria)}), which are not one outcome; give "
            "criterion, or the cohort that is read by one of them"
        )


def _outcome(
    spec: ModelSpec, responses: pl.DataFrame | None, survival: pl.DataFrame | None
) -> pl.DataFrame:
    """Day of the best response, or end of follow-up and whether the event was seen (1, 0)."""
    if spec.question in RESPONSE_QUESTIONS:
        best = best_response(responses, spec.criterion or None, spec.reader or None)
        return best.select("usubjid", pl.col("best_response_day").alias("response_day"))
    endpoint = spec.outcome.partition(":")[2]
    rows = ensure(survival, "usubjid", "endpoint", "time_day", "cnsr")
    own = rows.filter(pl.col("endpoint") == endpoint)
    if own.is_empty():
        known = ", ".join(rows["endpoint"].drop_nulls().unique().sort().to_list()) or "none"
        raise UserError(f"event: no patient has '{endpoint}'; the study has {known}")
    return own.unique("usubjid", keep="first", maintain_order=True).select(
        "usubjid",
        pl.col("time_day").cast(pl.Float64).alias("event_day"),
        (pl.col("cnsr") == 0).cast(pl.Int64).alias("event"),
    )


def _events_without_row(
    spec: ModelSpec,
    outcome: pl.DataFrame,
    subjects: pl.DataFrame,
    in_set: pl.Series,
    frame: pl.DataFrame,
) -> list[Excluded]:
    """Events of the study's patients who have no row in the frame, by reason."""
    members = ensure(subjects, "usubjid", "cohort")
    if spec.cohort:
        members = members.filter(pl.col("cohort").is_in(spec.cohort))
    left, found = outcome.filter(pl.col("event") == 1)["usubjid"], []
    for why, patients in (
        (f"not in the {spec.analysis_set} set", in_set),
        ("of another cohort", members["usubjid"]),
        ("without a value of the signal", frame["usubjid"]),
    ):
        kept = left.filter(left.is_in(patients.implode()))
        if kept.len() < left.len():
            found.append(Excluded(f"{EVENT_OF_A_PATIENT} {why}", left.len() - kept.len()))
        left = kept
    return found


def _signal(spec: ModelSpec) -> Signal:
    signal = Signal.parse(spec.signal_key)
    kind = _REGION_KIND.get(spec.unit)
    if kind is None:
        return signal
    if signal.domain != "uptake":
        raise UserError(
            f"specification: unit {spec.unit!r} needs an imaging signal; '{spec.outcome}' has one "
            "value per patient, so use unit 'patient'"
        )
    return signal.replace(region_kind=kind, region_code=None)


def _counts(excluded: pl.DataFrame) -> list[Excluded]:
    counted = excluded.group_by("reason").len().sort("reason")
    return [Excluded(str(reason), int(n)) for reason, n in counted.iter_rows()]


def _known_decay(series: pl.DataFrame, signal: Signal) -> tuple[pl.DataFrame, int]:
    if not re.search(ACTIVITY_METRIC, signal.code):
        return series, 0
    unknown = pl.col("decay_state").fill_null("").str.contains("unknown")
    kept = series.filter(~unknown)
    return kept, series.height - kept.height


def _in_cohorts(
    rows: pl.DataFrame, subjects: pl.DataFrame, cohorts: tuple[str, ...]
) -> tuple[pl.DataFrame, int]:
    if not cohorts:
        return rows, 0
    known = ensure(subjects, "usubjid", "cohort")
    there = sorted(str(name) for name in known["cohort"].drop_nulls().unique())
    unknown = [name for name in cohorts if name not in there]
    if unknown:
        raise UserError(
            f"specification: no cohort {unknown[0]!r} in this study; "
            f"it has {', '.join(there) or 'none'}"
        )
    members = known.filter(pl.col("cohort").is_in(cohorts))
    kept = rows.filter(pl.col("usubjid").is_in(members["usubjid"].implode()))
    return kept, rows.height - kept.height


def _value_for(rows: pl.DataFrame, transform: str) -> pl.DataFrame:
    """Zeros with an assumed limit stand as delivered unless a logarithm is taken of them."""
    if transform == "log10":
        return rows
    zero = (pl.col("limit_source") == "assumed") & (pl.col("delivered") == 0)
    return rows.with_columns(
        pl.when(zero).then("delivered").otherwise("value").alias("value"),
        pl.when(zero).then(None).otherwise("lower").alias("lower"),
        pl.when(zero).then(None).otherwise("upper").alias("upper"),
        pl.when(zero).then(pl.lit("none")).otherwise("censored").alias("censored"),
    )


def _adjuster(
    adjuster: str, column: str, subjects: pl.DataFrame, characteristics: pl.DataFrame | None
) -> pl.DataFrame:
    if adjuster.startswith(CHARACTERISTIC):
        rows = characteristic(adjuster.removeprefix(CHARACTERISTIC), characteristics)
        numeric = rows["value"].count() > 0
        return rows.select("usubjid", pl.col("value" if numeric else "value_text").alias(column))
    if adjuster not in _SUBJECT_ADJUSTERS:
        raise UserError(
            f"adjuster: '{adjuster}' is not known; use {', '.join(_SUBJECT_ADJUSTERS)} or "
            f"{CHARACTERISTIC}<PARAMCD>"
        )
    return ensure(subjects, "usubjid", adjuster).select("usubjid", pl.col(adjuster).alias(column))


def _with_logarithms(frame: pl.DataFrame, adjuster: str) -> pl.DataFrame:
    """Raises UserError for text, and for values of patients of the frame that are not above 0."""
    column, plain = adjuster_column(adjuster), measured_adjuster(adjuster)
    if not frame.schema[column].is_numeric():
        raise UserError(f"adjuster: '{plain}' is text and has no logarithm; take it as it is")
    none = frame.filter(pl.col(column) <= 0)["usubjid"].unique().sort().to_list()
    if none:
        more = f" and {len(none) - _NAMED:,} more" if len(none) > _NAMED else ""
        raise UserError(
            f"adjuster: {adjuster}: {count(len(none), 'patient')} "
            f"({', '.join(none[:_NAMED])}{more}) "
            f"{'has' if len(none) == 1 else 'have'} a value that is not above 0, which has no "
            f"logarithm; correct the values, or take '{plain}' as it is"
        )
    return frame.with_columns(pl.col(column).cast(pl.Float64).log10())
