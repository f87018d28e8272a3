"""Sheets on disk between the child that parsed a file and the program: one IPC file per sheet."""

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import polars as pl

from etl.sheets.sheet import CellRange, Column, Sheet
from etl.source import Finding

ROW_NUMBERS, FIELD_COUNTS = "row_numbers", "field_counts"


def write_sheets(folder: Path, stem: str, reader: str, sheets: tuple[Sheet, ...]) -> None:
    """Cells as `stem-N.arrow`, the rest as `stem.json`, which is written last and whole."""
    facts = []
    for number, sheet in enumerate(sheets):
        extra = {ROW_NUMBERS: sheet.row_numbers, FIELD_COUNTS: sheet.field_counts}
        present = {name: series for name, series in extra.items() if series is not None}
        frame = sheet.cells.with_columns(**present)
        if frame.width:
            frame.write_ipc(folder / f"{stem}-{number}.arrow")
        bare = replace(sheet, cells=pl.DataFrame(), row_numbers=None, field_counts=None)
        facts.append({**asdict(bare), "cells": list(sheet.cells.columns)})
    write_json(folder / f"{stem}.json", {"reader": reader, "sheets": facts})


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Written beside and renamed, so that a killed child leaves nothing half written."""
    partial = path.with_suffix(".part")
    partial.write_text(json.dumps(content), encoding="utf-8")
    partial.replace(path)


def read_sheets(folder: Path, stem: str) -> tuple[str, tuple[Sheet, ...]]:
    """The reader's name and the sheets that `write_sheets` left."""
    content = json.loads((folder / f"{stem}.json").read_text(encoding="utf-8"))
    sheets = tuple(
        _sheet(folder / f"{stem}-{number}.arrow", facts)
        for number, facts in enumerate(content["sheets"])
    )
    return content["reader"], sheets


def _sheet(path: Path, facts: dict[str, Any]) -> Sheet:
    frame = pl.read_ipc(path) if path.exists() else pl.DataFrame()
    return Sheet(
        source_name=facts["source_name"],
        name=facts["name"],
        cells=frame.select(facts["cells"]),
        first_row=facts["first_row"],
        header=facts["header"],
        columns=tuple(Column(*column) for column in facts["columns"]),
        label=facts["label"],
        hidden=facts["hidden"],
        merged=tuple(CellRange(*merged) for merged in facts["merged"]),
        findings=tuple(Finding(**finding) for finding in facts["findings"]),
        delimiter=facts["delimiter"],
        row_numbers=frame[ROW_NUMBERS] if ROW_NUMBERS in frame.columns else None,
        field_counts=frame[FIELD_COUNTS] if FIELD_COUNTS in frame.columns else None,
    )
