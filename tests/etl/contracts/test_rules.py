"""Every rule of every contract has a row that breaks it, and a sound row that breaks none."""

from typing import Any

import polars as pl
import pytest

from analysis.tracers import TRACERS
from etl.contracts import CONTRACTS
from etl.contracts.contract import RECORD
from etl.contracts.rules import RULES, named_rule
from etl.delivery import check_delivery
from etl.guard import ReadResult
from etl.known import Known
from etl.profiles.house import house_profile
from etl.refusals import refused_rows
from etl.sheets.sheet import Sheet
from etl.source import source_from_bytes
from models.tables import TABLES

DAY = {"rel_day": "7"}
LESION = {
    "usubjid": "S1",
    "region_code": "L1",
    "metric": "LDIAM",
    "value": "12",
    "unit": "mm",
    **DAY,
}
SOUND: dict[str, dict[str, str]] = {
    "subject": {"usubjid": "S1", "sex": "F", "age_year": "60"},
    "subject_characteristic": {"usubjid": "S1", "paramcd": "P", "label": "L", "value": "1"},
    "infusion": {"usubjid": "S1", "infusion_no": "1", "dose_cells": "1e8", **DAY},
    "tracer_administration": {
        "usubjid": "S1", "tracer_id": "f18_fhbg", "injected_activity_mbq": "300", **DAY,
    },
    "scan": {"usubjid": "S1", "scan_code": "A", **DAY},
    "region": {"usubjid": "S1", "region_code": "L1", "kind": "lesion"},
    "quantification": {
        "usubjid": "S1", "scan_code": "A", "region_code": "LIVER", "metric": "suv_mean",
        "value": "3", "unit": "g/mL",
    },
    "kinetics_sample": {
        "usubjid": "S1", "analyte": "CARTG", "assay": "qPCR", "value": "5", "unit": "copies/ug",
        **DAY,
    },
    "laboratory_result": {"usubjid": "S1", "testcd": "CRP", "value": "5", "unit": "mg/L", **DAY},
    "lesion_measurement": LESION,
    "response_assessment": {"usubjid": "S1", "criterion": "LUGANO", "response": "CR", **DAY},
    "adverse_event": {"usubjid": "S1", "term": "CRS", "grade": "1", "scale": "ASTCT", **DAY},
    "intervention": {"usubjid": "S1", "term": "Tocilizumab", **DAY},
    "survival_event": {"usubjid": "S1", "endpoint": "OS", "time_day": "10", "cnsr": "0"},
}  # fmt: skip

BROKEN: tuple[tuple[str, dict[str, str], str, str], ...] = (
    ("subject", {"sex": "W"}, "sex", "not_allowed"),
    ("subject", {"age_year": "-1"}, "age_year", "too_low"),
    ("subject", {"age_year": "131"}, "age_year", "too_high"),
    ("subject", {"age_year": "old"}, "age_year", "not_a_number"),
    ("subject", {"infused": "perhaps"}, "infused", "not_a_flag"),
    ("subject_characteristic", {"paramcd": "", "label": "x"}, "paramcd", "required"),
    ("infusion", {"infusion_no": "0"}, "infusion_no", "too_low"),
    ("infusion", {"infusion_no": "1001"}, "infusion_no", "too_high"),
    ("infusion", {"infusion_no": "1.5"}, "infusion_no", "not_a_whole_number"),
    ("infusion", {"dose_cells": "0"}, "dose_cells", "dose_too_low"),
    ("infusion", {"dose_cells_per_kg": "0"}, "dose_cells_per_kg", "dose_too_low"),
    ("infusion", {"viability_percent": "-1"}, "viability_percent", "too_low"),
    ("infusion", {"viability_percent": "101"}, "viability_percent", "too_high"),
    ("infusion", {"transduced_percent": "-1"}, "transduced_percent", "too_low"),
    ("infusion", {"transduced_percent": "101"}, "transduced_percent", "too_high"),
    ("infusion", {"vector_copy_number": "-1"}, "vector_copy_number", "too_low"),
    (
        "infusion",
        {"labelled": "yes", "label_activity_mbq": "0", "label_dtm": "2024-01-01"},
        "label_activity_mbq",
        "too_low",
    ),
    ("infusion", {"labelled": "yes"}, "label_activity_mbq", "labelled_has_activity_and_time"),
    ("infusion", {"label_activity_mbq": "5"}, "tracer_id", "label_only_when_labelled"),
    ("infusion", {"rel_day": "40000"}, "rel_day", "too_high"),
    ("infusion", {"rel_day": "-40000"}, "rel_day", "too_low"),
    ("infusion", {"nominal_day": "40000"}, "nominal_day", "too_high"),
    ("infusion", {"nominal_day": "-40000"}, "nominal_day", "too_low"),
    ("tracer_administration", {"tracer_id": ""}, "tracer_id", "required"),
    ("tracer_administration", {"tracer_id": "x"}, "tracer_id", "tracer_unknown"),
    ("tracer_administration", {"administration_no": "0"}, "administration_no", "too_low"),
    ("tracer_administration", {"injected_activity_mbq": "0"}, "injected_activity_mbq", "too_low"),
    (
        "tracer_administration",
        {"injected_activity_mbq": "4e8"},
        "injected_activity_mbq",
        "too_high",
    ),
    ("tracer_administration", {"residual_activity_mbq": "-1"}, "residual_activity_mbq", "too_low"),
    ("tracer_administration", {"mass_dose_mg": "-1"}, "mass_dose_mg", "too_low"),
    ("tracer_administration", {"infusion_no": "4"}, "infusion_no", "infusion_unknown"),
    ("scan", {"decay_state": "HALF"}, "decay_state", "not_allowed"),
    ("scan", {"weight_kg": "0"}, "weight_kg", "too_low"),
    ("scan", {"weight_kg": "70000"}, "weight_kg", "too_high"),
    ("scan", {"half_life_h": "0"}, "half_life_h", "too_low"),
    ("scan", {"evaluable": "no"}, "not_evaluable_reason", "given_when_not_evaluable"),
    ("scan", {"administration_no": "3"}, "administration_no", "administration_unknown"),
    ("region", {"kind": ""}, "kind", "required"),
    ("region", {"kind": "place"}, "kind", "not_allowed"),
    ("region", {"lesion_role": "main"}, "lesion_role", "not_allowed"),
    ("region", {"kind": "organ", "lesion_role": "target"}, "lesion_role", "only_for_lesions"),
    ("quantification", {"metric": ""}, "metric", "required"),
    ("quantification", {"value": "-3"}, "value", "not_negative"),
    ("quantification", {"decay_state": "HALF"}, "decay_state", "not_allowed"),
    ("quantification", {"region_code": "odd"}, "region_code", "region_unknown"),
    ("kinetics_sample", {"analyte": ""}, "analyte", "required"),
    ("kinetics_sample", {"assay": ""}, "assay", "required"),
    ("kinetics_sample", {"assay": "guess"}, "assay", "not_allowed"),
    ("kinetics_sample", {"matrix": "HAIR"}, "matrix", "not_allowed"),
    ("kinetics_sample", {"lloq": "-1"}, "lloq", "too_low"),
    ("kinetics_sample", {"uloq": "-1"}, "uloq", "too_low"),
    ("kinetics_sample", {"lod": "-1"}, "lod", "too_low"),
    ("kinetics_sample", {"replicate": "0"}, "replicate", "too_low"),
    ("kinetics_sample", {"value": "-5"}, "value", "not_negative"),
    ("kinetics_sample", {"value": "<-5"}, "value", "limit_negative"),
    ("laboratory_result", {"testcd": ""}, "testcd", "required"),
    ("laboratory_result", {"category": "magic"}, "category", "not_allowed"),
    ("laboratory_result", {"lloq": "-1"}, "lloq", "too_low"),
    ("laboratory_result", {"replicate": "0"}, "replicate", "too_low"),
    ("lesion_measurement", {"metric": ""}, "metric", "required"),
    ("lesion_measurement", {"value": "-2"}, "value", "not_negative"),
    ("response_assessment", {"criterion": ""}, "criterion", "required"),
    ("response_assessment", {"component": "best guess"}, "component", "not_allowed"),
    ("response_assessment", {"response": "", "deauville": "2"}, "response", "required"),
    ("response_assessment", {"deauville": "0"}, "deauville", "too_low"),
    ("response_assessment", {"deauville": "6"}, "deauville", "too_high"),
    ("adverse_event", {"aeseq": "0"}, "aeseq", "too_low"),
    ("adverse_event", {"category": "BAD"}, "category", "not_allowed"),
    ("adverse_event", {"grade": "-1"}, "grade", "too_low"),
    ("adverse_event", {"grade": "6"}, "grade", "too_high"),
    ("adverse_event", {"scale": ""}, "scale", "given_with_grade"),
    ("adverse_event", {"end_rel_day": "3"}, "end_rel_day", "not_before_start"),
    ("adverse_event", {"end_rel_day": "9", "ongoing": "yes"}, "ongoing", "has_no_end"),
    ("intervention", {"intervention_no": "0"}, "intervention_no", "too_low"),
    ("intervention", {"intervention_class": "magic"}, "intervention_class", "not_allowed"),
    ("intervention", {"dose": "-1"}, "dose", "too_low"),
    ("intervention", {"end_rel_day": "3"}, "end_rel_day", "not_before_start"),
    ("survival_event", {"endpoint": ""}, "endpoint", "required"),
    ("survival_event", {"endpoint": "EFS"}, "endpoint", "not_allowed"),
    ("survival_event", {"time_day": ""}, "time_day", "required"),
    ("survival_event", {"time_day": "-1"}, "time_day", "too_low"),
    ("survival_event", {"cnsr": "", "time_day": "5"}, "cnsr", "required"),
    ("survival_event", {"cnsr": "-1"}, "cnsr", "too_low"),
    ("survival_event", {"cnsr": "10"}, "cnsr", "too_high"),
)


def refusals(contract: str, row: dict[str, str]) -> list[tuple[str, str]]:
    columns = {f"c{index}": [name, text] for index, (name, text) in enumerate(row.items())}
    sheet = Sheet(f"{contract}.csv", "", pl.DataFrame(columns))
    result = ReadResult(source_from_bytes(f"{contract}.csv", b""), "csv", (sheet,))
    saved = house_profile([sheet])
    assert saved is not None
    known = Known(tracers=frozenset(TRACERS))
    scan = {"usubjid": ["S1"], "scan_code": ["A"], "scan_decay_state": ["none"]}
    known.learn("scans", pl.DataFrame(scan), ("usubjid", "scan_code"))
    refused = refused_rows(check_delivery([result], saved, known, "ST"))
    return list(refused.select("column_name", "rule").iter_rows())


@pytest.mark.parametrize("contract", CONTRACTS)
def test_a_sound_row_is_accepted(contract: str) -> None:
    assert refusals(contract, SOUND[contract]) == []


@pytest.mark.parametrize(("contract", "change", "column", "rule"), BROKEN)
def test_a_broken_row_is_refused_by_its_rule(
    contract: str, change: dict[str, str], column: str, rule: str
) -> None:
    assert refusals(contract, {**SOUND[contract], **change}) == [(column, rule)]


NEVER_FIRST: dict[str, str] = {
    "nan": "a text that is no finite number is refused before",
    "inf": "a text that is no finite number is refused before",
    "not_a_number": "a text that is no finite number is refused before",
}
BY_CONSTRUCTION = {
    ("quantification", "scan_code", "required"): "an empty scan code is an unknown scan",
    ("quantification", "region_code", "required"): "an absent region code is refused as required",
}


def schema_rules(contract: str) -> set[tuple[str, str]]:
    """Every rule of the schema that a row can break, in the words of a refusal."""
    schema = CONTRACTS[contract].schema
    frame = pl.DataFrame({RECORD: [0]}, schema={RECORD: pl.UInt32})
    empty = schema.create_empty()
    row = pl.concat([empty, frame.select(RECORD)], how="diagonal_relaxed")
    details = schema.filter(schema.cast(row.select(empty.columns))).failure.details()
    names = [name for name in details.columns if name not in empty.columns]
    return {(column, rule) for rule, column in map(named_rule, names) if column != RECORD}


@pytest.mark.parametrize("contract", CONTRACTS)
def test_every_rule_has_a_failing_example(contract: str) -> None:
    shown = {(column, rule) for name, _, column, rule in BROKEN if name == contract}
    shown |= {("end_dtm", rule) for column, rule in shown if column == "end_rel_day"}
    missing = {one for one in schema_rules(contract) if one[1] not in NEVER_FIRST} - shown
    internal = {"lower", "upper", "labelled", "evaluable", "usubjid"}
    defaulted = {("label", "required"), ("scan_code", "required"), ("region_code", "required"),
                 ("replicate", "required"), ("component", "required"), ("matrix", "required"),
                 ("category", "required"), ("decay_state", "required"), ("term", "required"),
                 ("infusion_no", "required"), ("aeseq", "required"), ("value", "bounds_in_order"),
                 ("intervention_no", "required"), ("administration_no", "required"),
                 ("intervention_class", "required")}  # fmt: skip
    days = {one for one in missing if one[0] in {"rel_day", "nominal_day"}}
    assert not {one for one in missing - defaulted - days if one[0] not in internal}


def test_every_refusal_has_words() -> None:
    used = {rule for _, _, _, rule in BROKEN}
    for contract in CONTRACTS:
        used |= {rule for _, rule in schema_rules(contract)}
    assert used <= set(RULES)


@pytest.mark.parametrize("contract", CONTRACTS)
def test_a_contract_fills_a_table_of_its_name(contract: str) -> None:
    assert contract in TABLES
    assert set(SOUND[contract]) <= set(CONTRACTS[contract].field_names)


def test_examples_are_not_repeated() -> None:
    seen: list[Any] = [(c, tuple(change.items())) for c, change, _, _ in BROKEN]
    assert len(seen) == len(set(seen))
