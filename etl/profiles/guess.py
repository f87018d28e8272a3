"""The profile of files that come without one."""

from collections.abc import Sequence

from analysis.errors import UserError
from etl.guard import ReadResult
from etl.profiles import SavedProfile, load_profile
from etl.profiles.house import house_profile


def guess_profile(results: Sequence[ReadResult]) -> SavedProfile:
    """The profile of files that come without one: SDTM datasets or the house layout.

    Raises:
        UserError: The files are in neither layout.
    """
    sheets = [sheet for result in results for sheet in result.sheets]
    for sheet in sheets:
        if sheet.header:
            headers = {column.name.upper() for column in sheet.columns}
        else:
            first = sheet.cells.row(0) if sheet.cells.height else ()
            headers = {(cell or "").strip().upper() for cell in first}
        if {"STUDYID", "DOMAIN", "USUBJID"} <= headers:
            return load_profile("sdtm")
    house = house_profile(sheets)
    if house is None:
        shown = "; ".join(sheet.title for sheet in sheets[:6]) or "none"
        raise UserError(
            "no profile was given and no file or sheet is named like an incoming table "
            f"({shown}); give --profile FILE or rename it, see docs/profiles.md"
        )
    return house
