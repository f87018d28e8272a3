"""What a full delivery supersedes and retires is said in the text, the JSON and the exit code."""

import json
from pathlib import Path

import pytest
from sqlalchemy import Engine

from etl import jobs
from models.queries import read_trial

pytestmark = pytest.mark.usefixtures("reads_here")

FULL = """
name: whole
delivery: full
tables:
  - contract: kinetics_sample
    columns: {usubjid: usubjid, value: value, unit: unit, rel_day: rel_day}
    constants: {analyte: CARTG, assay: qPCR}
"""


def load(engine: Engine, folder: Path, rows: list[str], dry_run: bool = False) -> jobs.LoadResult:
    profile, path = folder / "whole.yaml", folder / "samples.csv"
    profile.write_text(FULL)
    path.write_text("usubjid,unit,rel_day,value\n" + "".join(f"{row}\n" for row in rows))
    return jobs.load(engine, [path], "ST", profile=str(profile), dry_run=dry_run)


def samples(count: int) -> list[str]:
    return [f"S{number},copies/ug,7,{100 + number}" for number in range(count)]


@pytest.mark.parametrize(
    ("left", "severity", "exit_code"), [(2, "info", 0), (3, "error", 1), (20, "error", 1)]
)
def test_what_vanished_is_counted_and_much_of_it_is_an_error(
    engine: Engine, tmp_path: Path, left: int, severity: str, exit_code: int
) -> None:
    """2 of 20 is ten percent, which passes; more takes the exit code of refused rows."""
    first = load(engine, tmp_path, samples(20))
    assert (first.superseded, first.retired, first.exit_code) == (0, 0, 0)
    assert "superseded" not in first.summary()
    changed = ["S0,copies/ug,7,999", *samples(20 - left)[1:]] if left < 20 else []
    for dry_run in (True, False):
        result = load(engine, tmp_path, changed, dry_run=dry_run)
        (found,) = [one for one in result.findings if one["code"] == "records_retired"]
        assert (found["severity"], found["count"]) == (severity, left)
        assert f"Cellular kinetics: {left} of 20 stored records" in found["message"]
        assert ("complete" in found["message"]) is (severity == "error")
        corrected = int(left < 20)
        words = f"{corrected} record{'s' * (not corrected)} superseded, {left} retired"
        assert words in result.summary().splitlines()
        told = json.loads(json.dumps(result.to_dict()))
        assert (told["superseded"], told["retired"]) == (corrected, left)
        assert [one["code"] for one in told["findings"]].count("records_retired") == 1
        assert result.exit_code == exit_code
    trial = read_trial(engine, "ST")
    assert trial.kinetics.height == 20 - left
    assert "records_retired" in trial.findings["code"].to_list()


def test_the_keys_of_the_command_contract_stay(engine: Engine, tmp_path: Path) -> None:
    told = load(engine, tmp_path, samples(2)).to_dict()
    assert list(told)[:3] == ["files", "refused", "cut"]
    more = {"exit_code", "superseded", "retired", "overtaken", "findings"}
    assert set(told) == {"files", "refused", "cut", *more}
    assert {tuple(one) for one in told["findings"]} <= {
        ("file", "severity", "code", "column", "count", "message")
    }
