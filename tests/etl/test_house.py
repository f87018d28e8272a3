"""The house layout: headers named like fields, each of them once."""

from pathlib import Path

import pytest

from analysis.errors import UserError
from etl import jobs

pytestmark = pytest.mark.usefixtures("reads_here")


@pytest.mark.parametrize("second", ["value", " Value "])
def test_two_columns_of_one_field_are_one_clear_line_and_none_is_chosen(
    tmp_path: Path, second: str
) -> None:
    path = tmp_path / "kinetics_sample.csv"
    path.write_text(
        f"usubjid,analyte,assay,rel_day,unit,value,{second}\nP1,CARTG,qPCR,7,copies/ug,12,400\n"
    )
    with pytest.raises(UserError) as caught:
        jobs.load(None, [path], "ST", dry_run=True)
    message = str(caught.value)
    assert "\n" not in message
    for words in (
        "'house'",
        "kinetics_sample",
        "'value' fits 2 columns (positions 6, 7)",
        "rename",
    ):
        assert words in message, message


def test_two_columns_that_fill_no_field_may_have_one_name(tmp_path: Path) -> None:
    path = tmp_path / "kinetics_sample.csv"
    path.write_text(
        "usubjid,analyte,assay,rel_day,unit,VALUE,note,note\nP1,CARTG,qPCR,7,copies/ug,12,a,b\n"
    )
    assert jobs.load(None, [path], "ST", dry_run=True).files[0].loaded == 1
