"""Derived frames of one data cut, computed when first asked for and kept while the cut is kept.

A cut never changes, so a series that was derived once serves every patient and every request.
"""

import threading
import weakref
from collections.abc import Callable
from functools import cached_property
from typing import Any

import polars as pl

from analysis.derive.burden import burden_series
from analysis.derive.kinetics import parameters
from analysis.derive.response import best_response
from analysis.derive.signal import Signal, signal_catalog, signal_series
from analysis.derive.toxicity import OneScale, on_one_scale
from analysis.errors import UserError
from figures.tracks import b_cells, blasts
from figures.tracks.cytokines import ACUTE_PHASE
from figures.tracks.patient_frames import PatientFrames, Row, SignalRows
from figures.tracks.tracer_text import CELL_METRICS, TUMOR_METRICS
from models.trial import Trial


class CutRecords:
    """Derived frames of the whole study at one cut; one row grain per method."""

    def __init__(self, trial: Trial) -> None:
        self._frames: dict[str, pl.DataFrame] = {
            name: getattr(trial, name)
            for name in (
                "subjects", "characteristics", "infusions", "scans", "regions", "quantifications",
                "kinetics", "labs", "lesions", "responses", "adverse_events", "interventions",
                "survival",
            )
        }  # fmt: skip
        self._kept: dict[Any, Any] = {}
        self._lock = threading.RLock()

    def frame(self, name: str) -> pl.DataFrame:
        """A stored frame of the trial."""
        return self._frames[name]

    def kept(self, key: Any, make: Callable[[], Any]) -> Any:
        """The value of `key`, made once."""
        with self._lock:
            if key not in self._kept:
                self._kept[key] = make()
            return self._kept[key]

    @cached_property
    def catalog(self) -> tuple[Signal, ...]:
        """Every signal of the study."""
        return signal_catalog(
            self.frame("kinetics"),
            self.frame("quantifications"),
            self.frame("labs"),
            self.frame("lesions"),
        )

    def series(self, signal: Signal) -> pl.DataFrame:
        """One row per patient and time of a signal; no rows when it mixes what must not mix."""
        return self.kept(("series", signal.key), lambda: self._series(signal, "subject"))

    def regions(self, signal: Signal) -> pl.DataFrame:
        """One row per patient, region and time of a signal."""
        return self.kept(("regions", signal.key), lambda: self._series(signal, "region"))

    def _series(self, signal: Signal, per: Any) -> pl.DataFrame:
        try:
            return signal_series(
                signal,
                kinetics=self.frame("kinetics"),
                quantifications=self.frame("quantifications"),
                labs=self.frame("labs"),
                lesions=self.frame("lesions"),
                per=per,
            )
        except UserError:
            return pl.DataFrame(schema={"usubjid": pl.String, "rel_day": pl.Float64})

    @cached_property
    def burden(self) -> pl.DataFrame:
        """`derive.burden.burden_series` of the study."""
        return burden_series(self.frame("lesions"), self.frame("quantifications"))

    def parameters(self, signal: Signal) -> pl.DataFrame:
        """`derive.kinetics.parameters` of a signal; no rows for a label put on the cells, which
        has no kinetics of cells."""

        def make() -> pl.DataFrame:
            try:
                return parameters(self.series(signal), signal=signal)
            except UserError:
                return pl.DataFrame(schema={"usubjid": pl.String})

        return self.kept(("parameters", signal.key), make)

    def best(self, criterion: str | None, reader: str | None) -> dict[str, Row]:
        """Best response by patient under one criterion and reader."""

        def make() -> dict[str, Row]:
            frame = best_response(self.frame("responses"), criterion or None, reader or None)
            return {row["usubjid"]: row for row in frame.to_dicts()}

        return self.kept(("best", criterion, reader), make)

    @cached_property
    def one_scale(self) -> OneScale:
        """Adverse events, and the grades set aside where two scales grade the same days."""
        return on_one_scale(self.frame("adverse_events"))

    @property
    def toxicity(self) -> pl.DataFrame:
        """Adverse events without the grades set aside."""
        return self.one_scale.kept

    @cached_property
    def recorded_toxicity(self) -> frozenset[str]:
        """Categories of adverse events that the trial recorded for any patient."""
        events = self.frame("adverse_events")
        if "category" not in events.columns:
            return frozenset()
        return frozenset(events["category"].drop_nulls().to_list())

    def patient(self, name: str, usubjid: str) -> pl.DataFrame:
        """The rows of one patient in a stored frame."""
        return of_patient(self.frame(name), usubjid)

    def patient_signals(self, usubjid: str) -> tuple[SignalRows, ...]:
        """The signals of one patient, in the order of the catalog; burden has its own frame."""
        made = []
        for signal in self.catalog:
            if not self._is_drawn(signal):
                continue
            found = self._rows("series", signal).get(usubjid, ())
            if not found:
                continue
            regions = (
                self._rows("regions", signal).get(usubjid, ())
                if signal.region_kind == "lesion"
                else ()
            )
            made.append(SignalRows(signal, found, regions))
        return tuple(made)

    def _is_drawn(self, signal: Signal) -> bool:
        """Whether a patient's page shows this signal: the others are not derived for it."""
        if signal.domain == "uptake":
            return signal.code in {*CELL_METRICS, *TUMOR_METRICS} or signal.code.startswith("mtv")
        if signal.domain == "laboratory":
            named = {*ACUTE_PHASE, *b_cells.TESTS, *blasts.TESTS}
            return signal.code in named or signal.code in self._cytokines
        return signal.domain == "kinetics"

    @cached_property
    def _cytokines(self) -> frozenset[str]:
        labs = self.frame("labs")
        if not {"testcd", "category"} <= set(labs.columns):
            return frozenset()
        return frozenset(labs.filter(pl.col("category") == "cytokine")["testcd"].to_list())

    def patient_rows(self, signal: Signal) -> dict[str, tuple[Row, ...]]:
        """The series of a signal as rows by patient, in order of day."""
        return self._rows("series", signal)

    def _rows(self, kind: str, signal: Signal) -> dict[str, tuple[Row, ...]]:
        def make() -> dict[str, tuple[Row, ...]]:
            frame = self.series(signal) if kind == "series" else self.regions(signal)
            grouped: dict[str, list[Row]] = {}
            known = frame.filter(pl.col("rel_day").is_not_null()).sort("rel_day")
            for row in known.to_dicts():
                grouped.setdefault(row["usubjid"], []).append(row)
            return {usubjid: tuple(rows) for usubjid, rows in grouped.items()}

        return self.kept(("rows", kind, signal.key), make)


def of_patient(frame: pl.DataFrame, usubjid: str) -> pl.DataFrame:
    """Rows of one patient; the frame itself when it has no patients."""
    if "usubjid" not in frame.columns:
        return frame
    return frame.filter(pl.col("usubjid") == usubjid)


def patient_frames(records: CutRecords, usubjid: str, label: str) -> PatientFrames:
    """Everything the tracks of one patient are drawn from."""
    regions = records.patient("regions", usubjid)
    labs = records.patient("labs", usubjid)
    infusions = records.patient("infusions", usubjid)
    return PatientFrames(
        usubjid=usubjid,
        label=label,
        signals=records.patient_signals(usubjid),
        region_labels=_region_labels(regions),
        upper_limits=_last_by(labs, "testcd", "ref_high"),
        lab_categories=_last_by(labs, "testcd", "category"),
        recorded_toxicity=frozenset() if infusions.is_empty() else records.recorded_toxicity,
        scans=records.patient("scans", usubjid),
        burden=of_patient(records.burden, usubjid),
        responses=records.patient("responses", usubjid),
        adverse_events=of_patient(records.toxicity, usubjid),
        grades_set_aside=of_patient(records.one_scale.set_aside, usubjid),
        interventions=records.patient("interventions", usubjid),
        infusions=infusions,
    )


def _region_labels(regions: pl.DataFrame) -> dict[str, str]:
    return {
        str(row["region_code"]): str(row.get("label") or row.get("location") or row["region_code"])
        for row in regions.to_dicts()
    }


def _last_by(frame: pl.DataFrame, key: str, value: str) -> dict[str, Any]:
    if frame.is_empty() or key not in frame.columns or value not in frame.columns:
        return {}
    known = frame.filter(pl.col(value).is_not_null()).select(key, value)
    return dict(known.iter_rows())


class RecordsCache:
    """Records of the trials that are alive: a reader keeps one object per study and cut, so two
    databases or cuts never share an entry, and a cut that was dropped takes its records along."""

    def __init__(self) -> None:
        self._kept: weakref.WeakKeyDictionary[Trial, CutRecords] = weakref.WeakKeyDictionary()
        self._lock = threading.Lock()

    def of(self, trial: Trial) -> CutRecords:
        """The records of `trial`, made on first use."""
        with self._lock:
            found = self._kept.get(trial)
            if found is None:
                found = self._kept[trial] = CutRecords(trial)
            return found


_CACHE = RecordsCache()


def records_of(trial: Trial) -> CutRecords:
    """The derived frames of a trial, shared by every page and request."""
    return _CACHE.of(trial)
