"""The command contract: verbs, exit codes, one line per error, JSON alone on stdout."""

import json
import re
import sys
from pathlib import Path

import pytest

import cli
from export import fit_text


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of one command."""
    given = sys.argv
    sys.argv = ["cartograph", *arguments]
    try:
        cli.main()
        code = 0
    except SystemExit as end:
        code = int(end.code or 0)
    finally:
        sys.argv = given
    captured = capsys.readouterr()
    return code, captured.out, captured.err


@pytest.fixture
def database(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> str:
    url = f"sqlite:///{tmp_path / 'trial.db'}"
    assert run(capsys, "db", "upgrade", "--database", url)[0] == 0
    return url


@pytest.fixture
def kinetics(tmp_path: Path) -> Path:
    """A folder in the house layout: two patients, one impossible value."""
    folder = tmp_path / "exports"
    folder.mkdir()
    (folder / "subject.csv").write_text("usubjid,sex,age_year\nS-1,F,41\nS-2,M,63\n")
    (folder / "kinetics_sample.csv").write_text(
        "usubjid,analyte,assay,matrix,rel_day,nominal_day,value,unit,lloq\n"
        "S-1,CARTG,qPCR,BLOOD,7.0,7,31400,copies/ug,50\n"
        "S-1,CARTG,qPCR,BLOOD,14.0,14,<50,copies/ug,50\n"
        "S-2,CARTG,qPCR,BLOOD,7.2,7,banana,copies/ug,50\n"
    )
    return folder


def load(capsys: pytest.CaptureFixture[str], folder: Path, url: str, *more: str):
    return run(capsys, "load", str(folder), "--study", "T-1", "--database", url, *more)


def test_load_prints_one_object_and_ends_with_1_when_a_row_is_refused(
    capsys: pytest.CaptureFixture[str], kinetics: Path, database: str
) -> None:
    code, out, _ = load(capsys, kinetics, database, "--json")
    assert code == 1
    result = json.loads(out)
    assert {"files", "refused", "cut"} <= set(result)
    by_name = {Path(file["path"]).name: file for file in result["files"]}
    samples = by_name["kinetics_sample.csv"]
    counts = ("rows_in", "loaded", "refused", "duplicates", "empty")
    assert {key: samples[key] for key in counts} == {
        "rows_in": 3, "loaded": 2, "refused": 1, "duplicates": 0, "empty": 0,
    }  # fmt: skip
    assert len(samples["sha256"]) == 64
    assert samples["file_rows"] == 3
    (refused,) = result["refused"]
    assert (refused["row"], refused["column"], refused["raw"]) == (4, "value", "banana")
    assert result["cut"]


def test_loading_the_same_again_changes_nothing(
    capsys: pytest.CaptureFixture[str], kinetics: Path, database: str
) -> None:
    first = json.loads(load(capsys, kinetics, database, "--json")[1])
    code, out, _ = load(capsys, kinetics, database, "--json")
    again = json.loads(out)
    assert code in (0, 1)
    assert again["cut"] == first["cut"]
    assert sum(file["loaded"] for file in again["files"]) == 0


def test_check_says_the_same_as_load_and_writes_nothing(
    capsys: pytest.CaptureFixture[str], kinetics: Path, database: str
) -> None:
    code, out, _ = run(capsys, "check", str(kinetics), "--json")
    checked = json.loads(out)
    loaded = json.loads(load(capsys, kinetics, database, "--json")[1])
    assert code == 1
    assert checked["refused"] == loaded["refused"]
    assert [file["loaded"] for file in checked["files"]] == [
        file["loaded"] for file in loaded["files"]
    ]


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["load", "nowhere.csv", "--study", "T-1"], 2, "nowhere.csv"),
        (["load", "EXPORTS", "--study", "T-1", "--profile", "no_such"], 2, "no_such"),
        (["fit", "--study", "NONE"], 2, "NONE"),
        (["export", "OUT", "--study", "NONE"], 2, "NONE"),
        (["export", "OUT", "--study", "NONE", "--format", "docx"], 2, "docx"),
        (["fit", "--study", "T-1", "--spec", "nowhere.yaml"], 2, "nowhere.yaml"),
    ],
)
def test_a_user_error_is_one_line_with_exit_2(
    capsys: pytest.CaptureFixture[str],
    kinetics: Path,
    database: str,
    tmp_path: Path,
    arguments: list[str],
    code: int,
    words: str,
) -> None:
    places = {"EXPORTS": str(kinetics), "OUT": str(tmp_path / "out")}
    given = [places.get(argument, argument) for argument in arguments]
    ended, out, err = run(capsys, *given, "--database", database)
    assert ended == code
    assert out == ""
    lines = err.strip().splitlines()
    assert len(lines) == 1, err
    assert lines[0].startswith("error: ")
    assert words in lines[0]


@pytest.mark.parametrize(
    "url",
    ["postgresql://nobody@127.0.0.1:1/none", "sqlite:////no/such/folder/x.db", "mysql://x/y", "x"],
)
def test_an_unreachable_database_is_one_line_with_exit_3(
    capsys: pytest.CaptureFixture[str], kinetics: Path, url: str
) -> None:
    code, out, err = load(capsys, kinetics, url)
    assert code == 3
    assert out == ""
    assert len(err.strip().splitlines()) == 1


def test_a_database_that_was_never_made_names_the_command_to_run(
    capsys: pytest.CaptureFixture[str], kinetics: Path, tmp_path: Path
) -> None:
    url = f"sqlite:///{tmp_path / 'new.db'}"
    code, _, err = load(capsys, kinetics, url)
    assert code == 3
    assert "cartograph db upgrade" in err
    assert not (tmp_path / "new.db").exists()


def test_a_setting_that_does_not_fit_is_a_user_error(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CARTOGRAPH_PORT", "high")
    code, _, err = run(capsys, "db", "check")
    assert code == 2
    assert "CARTOGRAPH_PORT" in err


def test_a_misspelt_setting_is_not_silently_ignored(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CARTOGRAPH_DATABSE", "sqlite:///other.db")
    code, _, err = run(capsys, "db", "check")
    assert code == 2
    assert "CARTOGRAPH_DATABSE is no setting" in err


@pytest.mark.parametrize("port", ["0", "99999", "high"])
def test_a_port_that_cannot_be_is_a_user_error(
    capsys: pytest.CaptureFixture[str], port: str
) -> None:
    assert run(capsys, "serve", "--port", port)[0] == 2


def test_a_log_level_that_cannot_be_is_a_user_error(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CARTOGRAPH_LOG_LEVEL", "LOUD")
    code, _, err = run(capsys, "db", "check")
    assert code == 2
    assert "CARTOGRAPH_LOG_LEVEL" in err


def test_a_bug_shows_its_place_and_no_text_that_could_hold_a_value(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, kinetics: Path
) -> None:
    def stumble(given: str | None) -> str:
        raise ValueError("patient 014 has 31400")

    monkeypatch.setattr(cli, "database_url", stumble)
    code, out, err = load(capsys, kinetics, "sqlite://")
    assert (code, out, err.count("\n")) == (70, "", 1)
    assert err.startswith("error: ")
    assert "ValueError at" in err
    assert re.search(r"cli\.py:\d+:load > .*test_cli\.py:\d+:stumble", err)
    assert "31400" not in err


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.20", "example.org", "::"])
def test_serving_to_other_machines_is_refused_with_the_reason(
    capsys: pytest.CaptureFixture[str], database: str, host: str
) -> None:
    code, _, err = run(capsys, "serve", "--database", database, "--host", host)
    assert code == 2
    assert "accounts and roles" in err


def test_every_verb_has_help(capsys: pytest.CaptureFixture[str]) -> None:
    for verb in ("demo", "serve", "load", "check", "fit", "export", "bench", "db", "version"):
        code, out, _ = run(capsys, verb, "--help")
        assert code == 0
        assert "Usage" in out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("load", "--study", "A"), "missing argument 'PATH...'"),
        (("load", "exports"), "missing option '--study'"),
        (("bogus",), "no such command 'bogus'"),
        (("serve", "--port", "99999999"), "invalid value for '--port'"),
    ],
)
def test_a_command_that_is_not_understood_is_one_line(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], said: str
) -> None:
    code, out, err = run(capsys, *arguments)
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    assert said in err
    assert "--help`" in err


@pytest.mark.parametrize("study", ["", "  ", " A", "../../x", "a..b", "A\nB", "x" * 65])
def test_a_study_needs_a_name(
    capsys: pytest.CaptureFixture[str], database: str, kinetics: Path, study: str
) -> None:
    code, out, err = run(capsys, "load", str(kinetics), "--study", study, "--database", database)
    assert (code, out) == (2, "")
    assert "a study id of 1 to 64" in err
    assert run(capsys, "export", str(kinetics), "--study", "A", "--database", database)[0] == 2


def test_a_backup_file_that_does_not_fit_is_a_user_error(
    capsys: pytest.CaptureFixture[str], database: str, tmp_path: Path
) -> None:
    text = tmp_path / "text.csv"
    text.write_text("a,b\n1,2\n")
    fresh = f"sqlite:///{tmp_path / 'fresh.db'}"
    for arguments in (
        ("backup", str(text), "--database", database),
        ("backup", str(tmp_path / "no" / "file"), "--database", database),
        ("restore", str(tmp_path / "none"), "--database", fresh),
        ("restore", str(text), "--database", fresh),
    ):
        code, _, err = run(capsys, "db", *arguments)
        assert (code, err.count("\n")) == (2, 1), arguments


def test_a_ratio_without_an_interval_says_so() -> None:
    from analysis.results import GeometricMeanRatio

    ratio = GeometricMeanRatio(7.0, "CR", "no CR", 1.0, None, None, None, 6, 5)
    assert fit_text.ratio_line(ratio).endswith("CR / no CR: 1.0 (interval and p not estimable)")


def test_the_test_of_the_whole_course_comes_with_its_method() -> None:
    from analysis.results import WaldTest

    test = WaldTest("group at any time", 2.3, 4, 0.1234, 20.0, "F", "Kenward-Roger", 0.0561)
    assert fit_text.test_line(test).strip() == (
        "group at any time: p 0.12 (Kenward-Roger; relabelled patients p 0.056)"
    )
