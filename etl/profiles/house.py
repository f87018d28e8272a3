"""The house layout: a sheet or CSV named like an incoming table with its fields as headers."""

import hashlib
from collections.abc import Iterable
from glob import escape
from pathlib import PurePosixPath

from etl.contracts import CONTRACTS
from etl.profiles import SavedProfile
from etl.profiles.headers import squash
from etl.profiles.schema import ColumnRule, Profile, Table
from etl.sheets.sheet import Sheet

NAME = "house"
TEXT = "house layout: sheets named like incoming tables, headers named like their fields\n"
HASH = hashlib.sha256(TEXT.encode()).hexdigest()


def file_name(source_name: str) -> str:
    """The bare name of a file or archive member."""
    return PurePosixPath(source_name.replace("\\", "/").rpartition("!")[2]).name


def house_contract(sheet: Sheet) -> str | None:
    """The incoming table a sheet is named for; the longest name wins."""
    stem = file_name(sheet.source_name).split(".")[0]
    for name in sorted(CONTRACTS, key=len, reverse=True):
        for given in (sheet.name, stem):
            if squash(given).lower().replace(" ", "_").replace("-", "_").startswith(name):
                return name
    return None


def house_profile(sheets: Iterable[Sheet]) -> SavedProfile | None:
    """A profile for the sheets that are in the house layout; None when there is none."""
    tables = []
    for sheet in sheets:
        contract = house_contract(sheet)
        table = _table(sheet, contract) if contract else None
        if table is not None:
            tables.append(table)
    if not tables:
        return None
    return SavedProfile(Profile(name=NAME, tables=tuple(tables)), TEXT, HASH)


def _table(sheet: Sheet, contract: str) -> Table | None:
    if sheet.header:
        headers: list[str] = [column.name for column in sheet.columns]
    elif sheet.cells.height:
        headers = [squash(cell or "") for cell in sheet.cells.row(0)]
    else:
        return None
    folded = {header.casefold() for header in headers}
    columns = {
        field: ColumnRule.model_validate({"from": field})
        for field in CONTRACTS[contract].field_names
        if field in folded
    }
    if not columns:
        return None
    return Table(
        contract=contract,
        file=escape(file_name(sheet.source_name)),
        sheet=escape(sheet.name),
        columns=columns,
        header=(sheet.first_row,) if not sheet.header else (1,),
        optional=True,
    )
