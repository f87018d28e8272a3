"""Two studies in one database whose every text and number says which of them it belongs to.

ALPHA is synthetic, so demo mode may show it; OMEGA is real. Codes, free text, refused text, file
names, data cuts, job messages and stored fits hold the study's word, and numbers hold its digits.
"""

import csv
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import Engine

from analysis.specs import ModelSpec
from etl import jobs as etl_jobs
from jobs.demo import upgrade_database
from jobs.fitting import fit_study
from models import jobs as job_table
from models.engine import create_engine_for
from models.loads import ensure_study

PATIENTS = 8
DAYS = (0, 7, 14, 28)

Rows = list[dict[str, Any]]


class Canary(NamedTuple):
    """One study. `word` stands in its texts, `digits` in its numbers; `title` and the id itself
    are what the list of studies may show."""

    studyid: str
    word: str
    digits: str
    title: str
    is_synthetic: bool

    def patient(self, number: int) -> str:
        return f"{self.word}-PT-{number}"

    def number(self, seed: int) -> str:
        """A value that holds the digits however it is rounded to seven of them."""
        return f"{self.digits}.{seed % 90 + 10}"

    def hits(self, text: str) -> list[str]:
        """Where a text gives this study away: its word, or its digits, whole or rounded to three
        or more (separators of thousands do not hide them)."""
        plain = re.sub(r"(?<=\d)[,\u2009\u202f\u00a0](?=\d{3})", "", text)
        first = f"{self.digits[0]}\\.{round(int(self.digits) / 10_000) % 100:02d}"
        rounded = "|".join(str(round(int(self.digits), -cut)) for cut in range(1, 5))
        pattern = re.compile(
            rf"{self.word}|(?<![\d.])(?:{self.digits}|{rounded}|{first}\s*(?:e\+?0?6|M\b|×\s*10))",
            re.IGNORECASE,
        )
        return [plain[max(hit.start() - 60, 0) : hit.end() + 60] for hit in pattern.finditer(plain)]

    def holds(self, number: float) -> bool:
        """Whether a number of a figure is one of this study's."""
        return int(self.digits) <= number <= int(self.digits) + 100


ALPHA = Canary("OPEN-1", "ALPHACANARY", "4242424", "The open trial", is_synthetic=True)
OMEGA = Canary("SEALED-9", "OMEGACANARY", "8675309", "The sealed trial", is_synthetic=False)
BOTH = (ALPHA, OMEGA)


def build_both(folder: Path) -> Engine:
    """A database with both studies: two cuts each, a stored fit and a job each."""
    url = f"sqlite:///{folder / 'both.db'}"
    upgrade_database(url)
    engine = create_engine_for(url)
    for canary in BOTH:
        _load(engine, folder, canary)
    return engine


def _load(engine: Engine, folder: Path, canary: Canary) -> None:
    facts = {
        "title": canary.title,
        "disease": f"{canary.word} lymphoma",
        "phase": f"{canary.word} phase",
        "response_criterion": f"{canary.word} criterion",
    }
    with engine.begin() as connection:
        study_id = ensure_study(connection, canary.studyid, facts, synthetic=canary.is_synthetic)
    for cut, patients in (("first", PATIENTS - 1), ("second", PATIENTS)):
        files = list(write_delivery(folder / f"{canary.word}-{cut}", canary, patients))
        etl_jobs.load(
            engine, files, canary.studyid, actor=f"{canary.word} loader",
            name=f"{canary.word}-{cut}", synthetic=canary.is_synthetic,
        )  # fmt: skip
    fit_study(engine, canary.studyid, actor=f"{canary.word} fitter")
    payload = {
        "study": canary.studyid,
        "spec": ModelSpec(outcome="kinetics:CARTG:qPCR:BLOOD").to_dict(),
    }
    with engine.begin() as connection:
        job = job_table.insert_job(
            connection, "fit", payload, study_id=study_id, actor=f"{canary.word} clerk"
        )
        failure = f"{canary.word} could not be fitted at {canary.digits}"
        job_table.finish_job(connection, job, "failed", None, failure)


def job_of(engine: Engine, canary: Canary) -> int:
    """The number of the job of a study."""
    with engine.connect() as connection:
        number = 1
        while True:
            row = job_table.read_job(connection, number)
            if row["payload"]["study"] == canary.studyid:
                return number
            number += 1


def write_delivery(folder: Path, canary: Canary, patients: int) -> Iterator[Path]:
    """The study's export in the house layout, one file per table."""
    folder.mkdir()
    for table, rows_of in TABLES.items():
        rows = [row for n in range(1, patients + 1) for row in rows_of(canary, n)]
        rows += REFUSED.get(table, lambda _: [])(canary)
        path = folder / f"{table}_{canary.word}.csv"
        with path.open("w", newline="", encoding="utf-8") as file:
            names = list(dict.fromkeys(name for row in rows for name in row))
            writer = csv.DictWriter(file, names)
            writer.writeheader()
            writer.writerows(rows)
        yield path


def _subject(canary: Canary, n: int) -> Rows:
    word = canary.word
    return [
        {
            "usubjid": canary.patient(n), "subjid": f"{word}-S{n}",
            "siteid": f"{word}-SITE{n % 2}", "sex": "FM"[n % 2], "age_year": 30 + n,
            "arm": f"{word}-ARM{n % 2}", "cohort": f"{word}-COHORT{n % 2}",
            "dose_level": f"{word}-DL{n % 2}", "disease": f"{word} disease", "infused": "Y",
        }
    ]  # fmt: skip


def _characteristic(canary: Canary, n: int) -> Rows:
    base = {"usubjid": canary.patient(n), "paramcd": f"{canary.word}BURDEN"}
    return [{**base, "label": f"{canary.word} burden", "value": canary.number(n), "unit": "mL"}]


def _infusion(canary: Canary, n: int) -> Rows:
    word = canary.word
    return [
        {
            "usubjid": canary.patient(n), "dtm": "2025-03-04T10:00", "infusion_no": 1,
            "product": f"{word} product", "dose_cells": canary.number(n), "dose_unit": "cells",
            "lot": f"{word} lot", "route": f"{word} route",
        }
    ]  # fmt: skip


def _scan(canary: Canary, n: int) -> Rows:
    return [
        {
            "usubjid": canary.patient(n), "scan_code": f"{canary.word}-SCAN{day}",
            "tracer_id": "f18_fdg", "rel_day": day, "nominal_day": day,
            "modality": "PET/CT", "scanner": f"{canary.word} scanner", "uptake_time_h": 1,
            "evaluable": "N" if day == 28 else "Y",
            "not_evaluable_reason": f"{canary.word} moved" if day == 28 else "",
        }
        for day in DAYS
    ]  # fmt: skip


def _region(canary: Canary, n: int) -> Rows:
    word = canary.word
    return [
        {
            "usubjid": canary.patient(n), "region_code": f"{word}-L1", "kind": "lesion",
            "label": f"{word} node", "location": f"{word} neck", "lesion_role": "target",
        }
    ]  # fmt: skip


def _quantification(canary: Canary, n: int) -> Rows:
    return [
        {
            "usubjid": canary.patient(n), "scan_code": f"{canary.word}-SCAN{day}",
            "region_code": f"{canary.word}-L1", "metric": metric,
            "value": canary.number(n + day), "unit": unit, "reader": f"{canary.word} reader",
            "method": f"{canary.word} threshold",
        }
        for day in DAYS
        for metric, unit in (("suv_max", "g/mL"), ("mtv_ml", "mL"))
    ]  # fmt: skip


def _kinetics(canary: Canary, n: int) -> Rows:
    return [
        {
            "usubjid": canary.patient(n), "analyte": "CARTG", "assay": "qPCR", "matrix": "BLOOD",
            "rel_day": day, "nominal_day": day, "visit": f"{canary.word} DAY {day}",
            "value": "BLQ" if day == 0 else canary.number(n * 7 + day), "unit": "copies/ug",
            "lloq": 50,
        }
        for day in DAYS
    ]  # fmt: skip


def _laboratory(canary: Canary, n: int) -> Rows:
    tests = (("INTLK6", "pg/mL", "cytokine"), (f"{canary.word[:5]}LAB", "U/L", "chemistry"))
    return [
        {
            "usubjid": canary.patient(n), "testcd": code, "test": f"{canary.word} test {code}",
            "category": category, "matrix": "SERUM", "rel_day": day, "nominal_day": day,
            "value": canary.number(n + 3 * day), "unit": unit,
        }
        for day in DAYS
        for code, unit, category in tests
    ]  # fmt: skip


def _lesion(canary: Canary, n: int) -> Rows:
    return [
        {
            "usubjid": canary.patient(n), "region_code": f"{canary.word}-L1", "metric": "LDIAM",
            "rel_day": day, "value": canary.number(n + day), "unit": "mm",
            "reader": f"{canary.word} reader", "method": f"{canary.word} CT",
        }
        for day in (0, 28)
    ]  # fmt: skip


def _response(canary: Canary, n: int) -> Rows:
    return [
        {
            "usubjid": canary.patient(n), "criterion": f"{canary.word} 2014", "rel_day": 28,
            "component": "overall", "response": ("CR", "PD")[n % 2],
            "reader": f"{canary.word} committee", "detail": f"{canary.word} remark",
        }
    ]  # fmt: skip


def _event(canary: Canary, n: int) -> Rows:
    return [
        {
            "usubjid": canary.patient(n), "aeseq": 1, "term": f"{canary.word} fever",
            "decod": f"{canary.word} decoded", "category": "CRS",
            "scale": f"{canary.word} scale", "grade": 1 + n % 3, "rel_day": 3, "end_rel_day": 6,
        }
    ]  # fmt: skip


def _intervention(canary: Canary, n: int) -> Rows:
    return [
        {
            "usubjid": canary.patient(n), "intervention_no": 1, "rel_day": 4, "end_rel_day": 5,
            "term": f"{canary.word} drug", "intervention_class": "tocilizumab",
            "dose": canary.number(n), "dose_unit": f"{canary.word} mg",
            "indication": f"{canary.word} indication",
        }
    ]  # fmt: skip


def _survival(canary: Canary, n: int) -> Rows:
    return [
        {
            "usubjid": canary.patient(n), "endpoint": "OS", "time_day": 300 + n, "cnsr": n % 2,
            "event_description": f"{canary.word} event", "start_from": f"{canary.word} start",
        }
    ]  # fmt: skip


def _refused_kinetics(canary: Canary) -> Rows:
    first = _kinetics(canary, 1)[0]
    return [
        {**first, "rel_day": 60, "value": f"{canary.word} hemolyzed"},
        {**first, "rel_day": f"{canary.word} Tuesday", "value": canary.number(1)},
    ]


TABLES: dict[str, Callable[[Canary, int], Rows]] = {
    "subject": _subject,
    "subject_characteristic": _characteristic,
    "infusion": _infusion,
    "scan": _scan,
    "region": _region,
    "quantification": _quantification,
    "kinetics_sample": _kinetics,
    "laboratory_result": _laboratory,
    "lesion_measurement": _lesion,
    "response_assessment": _response,
    "adverse_event": _event,
    "intervention": _intervention,
    "survival_event": _survival,
}
REFUSED: dict[str, Callable[[Canary], Rows]] = {"kinetics_sample": _refused_kinetics}
