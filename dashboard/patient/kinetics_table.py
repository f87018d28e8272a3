"""This patient's kinetics among the cohort: parameters, values and strips, signal by signal."""

from collections.abc import Sequence
from typing import NamedTuple

import polars as pl

from analysis.derive.peak import peaks
from dashboard.patient.records import CutRecords
from figures.cohort_strip import CohortStrip, prepare_cohort_strip
from figures.number_text import significant
from figures.tracks.kinetics import kinetics_rank
from figures.tracks.patient_frames import PatientFrames, SignalRows
from figures.tracks.reading import unit_text
from figures.tracks.tracer_text import SIGNAL_COLOR, TRACK_NAME, metric_name, tracer_of
from figures.tracks.uptake import choose_metric, lesion_signal


class Parameter(NamedTuple):
    """One row: value of this patient and where it stands; `reason` when there is no value."""

    name: str
    unit: str
    text: str
    reason: str
    strip: CohortStrip | None


class Group(NamedTuple):
    """The rows of one signal; `color` names its meaning."""

    title: str
    color: str
    rows: tuple[Parameter, ...]


class _Wanted(NamedTuple):
    column: str
    name: str
    unit: str
    log: bool


def kinetics_groups(
    records: CutRecords, patient: PatientFrames, cohort: Sequence[str], metric: str = ""
) -> tuple[Group, ...]:
    """Blood signals first, then uptake in the lesions. `cohort` are the patients to compare with;
    the patient is always one of them. A row without any value in the cohort is left out."""
    members = sorted({*cohort, patient.usubjid})
    blood = sorted(
        (one for one in patient.of_domain("kinetics") if one.signal.matrix in ("BLOOD", None)),
        key=lambda one: kinetics_rank(one.signal.code, one.signal.unit),
    )
    codes = [one.signal.code for one in blood]
    groups = [
        _blood_group(records, one, patient.usubjid, members, alone=codes.count(code) == 1)
        for one, code in zip(blood, codes, strict=True)
    ]
    lesion = _lesion_choice(patient, metric)
    if lesion is not None:
        first = blood[0] if blood else None
        groups.append(_lesion_group(records, lesion, first, patient.usubjid, members))
    return tuple(group for group in groups if group.rows)


def _lesion_choice(patient: PatientFrames, metric: str) -> SignalRows | None:
    """The lesion signal of the most specific cell tracer of this patient."""
    by_tracer: dict[str, list[SignalRows]] = {}
    for one in patient.of_domain("uptake"):
        by_tracer.setdefault(one.signal.tracer_id or "", []).append(one)
    for wanted in ("reporter_gene", "direct_label", "pretargeting", "immune_target"):
        for tracer_id, found in sorted(by_tracer.items()):
            tracer = tracer_of(tracer_id)
            if tracer is not None and tracer.tracer_class == wanted:
                chosen = lesion_signal(choose_metric(found, wanted, metric))
                if chosen is not None:
                    return chosen
    return None


def _blood_group(
    records: CutRecords,
    found: SignalRows,
    usubjid: str,
    members: Sequence[str],
    *,
    alone: bool,
) -> Group:
    """A signal that was measured in two units, as counts and as a share, is told apart by it."""
    unit = unit_text(found.signal.unit)
    wanted = [
        _Wanted("cmax", "Peak", unit, True),
        _Wanted("tmax_day", "Day of peak", "", False),
        _Wanted("auc_0_28", "AUC, days 0\N{EN DASH}28", f"{unit}·d", True),
        _Wanted("doubling_time_day", "Doubling time", "d", True),
        _Wanted("contraction_half_life_day", "Contraction half-life", "d", True),
        _Wanted("tlast_day", "Last quantified day", "", False),
    ]
    table = _of(records.parameters(found.signal), members)
    title = f"Blood {'CAR+ flow' if found.signal.code == 'CARFLOW' else 'transgene'}"
    if found.signal.code not in ("CARFLOW", "CARTG"):
        title = found.signal.label
    title = title if alone else f"{title}, {unit}"
    return Group(title, "blood", _rows(table, usubjid, wanted))


def _lesion_group(
    records: CutRecords,
    lesion: SignalRows,
    blood: SignalRows | None,
    usubjid: str,
    members: Sequence[str],
) -> Group:
    signal = lesion.signal
    tracer = tracer_of(signal.tracer_id)
    kind = tracer.tracer_class if tracer else "reporter_gene"
    unit = metric_name(signal.code)
    series = _of(records.series(signal), members)
    after = series.filter(pl.col("rel_day") >= 0)
    found = peaks(after, 0.0, 10_000.0).filter(~pl.col("at_limit") & ~pl.col("above_limit"))
    table = found.rename({"peak": "cmax", "peak_day": "tmax_day"})
    wanted = [
        _Wanted("cmax", "Highest, mean of lesions", unit, True),
        _Wanted("tmax_day", "Day of highest, mean", "", False),
    ]
    if kind in ("reporter_gene", "immune_target"):
        area = _of(records.parameters(signal), members)
        if "auc_0_28" in area.columns:
            table = table.join(area.select("usubjid", "auc_0_28", "auc_0_28_reason"), on="usubjid",
                               how="left")  # fmt: skip
            wanted.append(_Wanted("auc_0_28", "AUC, days 0\N{EN DASH}28", f"{unit}·d", True))
    if kind == "reporter_gene" and blood is not None:
        peak = _of(records.parameters(blood.signal), members)
        lag = peak.select("usubjid", blood_day="tmax_day")
        table = table.join(lag, on="usubjid", how="left").with_columns(
            lag_day=pl.col("tmax_day") - pl.col("blood_day")
        )
        wanted.append(_Wanted("lag_day", "Lag behind blood, mean", "d", False))
    title = f"{TRACK_NAME[kind]}, lesions"
    return Group(title, SIGNAL_COLOR[kind], _rows(table, usubjid, wanted))


def _of(frame: pl.DataFrame, members: Sequence[str]) -> pl.DataFrame:
    return frame.filter(pl.col("usubjid").is_in(list(members)))


def _rows(table: pl.DataFrame, usubjid: str, wanted: Sequence[_Wanted]) -> tuple[Parameter, ...]:
    own = next(iter(table.filter(pl.col("usubjid") == usubjid).to_dicts()), {})
    made = []
    for one in wanted:
        if one.column not in table.columns:
            continue
        values = [float(v) for v in table[one.column].drop_nulls().to_list()]
        if not values:
            continue
        mine = own.get(one.column)
        made.append(
            Parameter(
                name=one.name,
                unit=one.unit,
                text=significant(mine),
                reason=str(own.get(f"{one.column}_reason") or ""),
                strip=prepare_cohort_strip(values, mine, one.log),
            )
        )
    return tuple(made)
