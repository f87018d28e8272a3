"""The golden table of loader cases (tests/etl/cases): each small file with its verdicts.

The records go through the code of the load up to the database; nothing here is a mock.
"""

from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml

from analysis.tracers import TRACERS
from etl.accounting import account, finding_rows
from etl.delivery import Delivery, check_delivery
from etl.guard import ReadResult
from etl.known import Known
from etl.plan import make_plan
from etl.profiles import SavedProfile
from etl.profiles.house import house_profile
from etl.readers import read_source
from etl.refusals import refused_rows
from etl.source import source_from_bytes
from etl.verdicts import LOADED

CASES = Path(__file__).parent / "cases"
TABLE_OPTIONS = {"first_day", "stop", "replicate"}


def load_cases() -> list[dict[str, Any]]:
    cases = []
    for path in sorted(CASES.glob("*.yaml")):
        cases += yaml.safe_load(path.read_text(encoding="utf-8"))
    return cases


def files_of(case: dict[str, Any]) -> list[tuple[str, str]]:
    if "cells" in case:
        lloq = case.get("lloq", "50")
        rows = [
            f'S1,CARTG,qPCR,"{cell}",copies/ug,{lloq},{day}'
            for day, cell in enumerate(case["cells"])
        ]
        text = "\n".join(["usubjid,analyte,assay,value,unit,lloq,rel_day", *rows])
        return [("kinetics_sample.csv", text + "\n")]
    names = case.get("file", "kinetics_sample.csv")
    if isinstance(names, str):
        return [(names, case["text"])]
    return list(zip(names, case["text"], strict=True))


def check(case: dict[str, Any]) -> Delivery:
    results = []
    for name, text in files_of(case):
        lines = text.replace("\n", case.get("newline", "\n"))
        source = source_from_bytes(name, lines.encode(case.get("encoding", "utf-8")))
        reader, sheets = read_source(source)
        results.append(ReadResult(source, reader, sheets))
    saved = house_profile([sheet for result in results for sheet in result.sheets])
    assert saved is not None
    saved = with_options(saved, case.get("options", {}))
    return check_delivery(results, saved, Known(tracers=frozenset(TRACERS)), "ST")


def with_options(saved: SavedProfile, options: dict[str, Any]) -> SavedProfile:
    tree = saved.profile.model_dump(by_alias=True, exclude_unset=True)
    for name, value in options.items():
        if name in TABLE_OPTIONS:
            tree["tables"] = [{**table, name: value} for table in tree["tables"]]
        else:
            tree[name] = value
    return SavedProfile(type(saved.profile).model_validate(tree), saved.text, saved.hash)


def loaded_rows(delivery: Delivery) -> list[dict[str, Any]]:
    frame = list(delivery.records.values())[-1].filter(pl.col("_verdict") == LOADED)
    return list(frame.iter_rows(named=True))


@pytest.mark.parametrize("case", load_cases(), ids=lambda case: case["name"])
def test_case(case: dict[str, Any]) -> None:
    delivery = check(case)
    accounts = account(delivery, make_plan(delivery, None, None))
    names = ("loaded", "refused", "duplicates", "empty")
    assert [sum(getattr(one, name) for one in accounts) for name in names] == case["counts"]
    refused = refused_rows(delivery)
    assert refused.null_count().sum_horizontal().item() == 0, "a place, a text or a message lacks"
    assert refused.filter(pl.any_horizontal(pl.col("sheet", "column_name") == "")).is_empty()
    assert sorted(refused["rule"]) == case.get("rules", [])
    assert refused["message"].null_count() == 0
    codes = {one.code for _, one in delivery.findings}
    assert set(case.get("findings", [])) <= codes
    rows = loaded_rows(delivery)
    for expected, row in zip(case.get("rows", []), rows, strict=False):
        for name, value in expected.items():
            shown = str(row[name]) if isinstance(value, str) else row[name]
            assert shown == (pytest.approx(value) if isinstance(value, float) else value), name
    if "rows" in case:
        assert len(case["rows"]) == len(rows)
    shown = str(finding_rows(delivery).to_dicts()) + str(refused.to_dicts())
    assert not [text for text in case.get("never", []) if text in shown]


def test_there_are_enough_cases() -> None:
    names = [case["name"] for case in load_cases()]
    assert len(names) >= 60
    assert len(names) == len(set(names))
