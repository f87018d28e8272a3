"""Settings: literal defaults, the environment, and a plain refusal of what does not fit."""

import re
from pathlib import Path

import pytest
from pydantic import ValidationError

from settings import VERSION, Settings
from tests.project_files import CHECKOUT, python_files, text_of

PREFIX = "CARTOGRAPH_"


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(f"{PREFIX}{name.upper()}", raising=False)


def test_defaults_are_safe() -> None:
    """Loopback, one user with a token, no copies on disk: what a bare start gives."""
    settings = Settings()
    assert settings.model_dump() == {
        "database": "sqlite:///data/cartograph.db",
        "demo_database": "sqlite:///data/demo.db",
        "host": "127.0.0.1",
        "port": 8050,
        "web_workers": 2,
        "web_threads": 4,
        "token": None,
        "mode": "local",
        "actor": "",
        "cache_dir": None,
        "job_poll_s": 0.5,
        "scheduler": "",
        "log_level": "WARNING",
    }


def test_the_environment_sets_a_value(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CARTOGRAPH_PORT", "9000")
    monkeypatch.setenv("CARTOGRAPH_DATABASE", "postgresql://reader@db/trial")
    settings = Settings()
    assert settings.port == 9000
    assert settings.database == "postgresql://reader@db/trial"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "0"), ("PORT", "65536"), ("PORT", "http"), ("MODE", "server"), ("MODE", "demo "),
        ("WEB_WORKERS", "0"), ("WEB_THREADS", "-1"), ("JOB_POLL_S", "0"), ("JOB_POLL_S", "soon"),
    ],
)  # fmt: skip
def test_a_value_that_does_not_fit_is_refused(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(f"{PREFIX}{name}", value)
    with pytest.raises(ValidationError) as refusal:
        Settings()
    assert refusal.value.errors()[0]["loc"] == (name.lower(),)


def test_settings_cannot_be_changed_later() -> None:
    with pytest.raises(ValidationError):
        Settings().port = 1  # type: ignore[misc]


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(ValidationError):
        Settings(databse="sqlite:///x.db")  # type: ignore[call-arg]


def test_the_token_is_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CARTOGRAPH_TOKEN", "a-secret-that-must-not-leak")
    assert "must-not-leak" not in f"{Settings()!r} {Settings()} {Settings().model_dump_json()}"


def test_the_version_is_written_once_in_agreement() -> None:
    (declared,) = re.findall(r'^version = "(.+)"$', text_of(Path("pyproject.toml")), re.MULTILINE)
    assert declared == VERSION


def test_every_variable_that_the_program_reads_is_a_setting() -> None:
    """No hidden knob: a CARTOGRAPH_ name in the code is a field of Settings."""
    known = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields}
    program = [n for n in python_files() if n.parts[0] not in ("tests", "benchmarks", "docs")]
    found = {
        name for file in program for name in re.findall(rf"{PREFIX}[A-Z_]*[A-Z]", text_of(file))
    }
    assert found <= known
    assert (CHECKOUT / "settings.py").is_file()


def test_who_acts_is_the_setting_else_the_login_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("getpass.getuser", lambda: "login")
    assert Settings().who_acts() == "login"
    monkeypatch.setenv("CARTOGRAPH_ACTOR", "R. Student")
    assert Settings().who_acts() == "R. Student"


def test_a_system_without_a_login_name_has_an_unknown_actor(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def nobody() -> str:
        raise OSError("no login")

    monkeypatch.setattr("getpass.getuser", nobody)
    assert Settings().who_acts() == "unknown"
