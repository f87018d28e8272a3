"""The web program as one worker builds it, and `python app.py` as a person starts it."""

import subprocess
import sys

import pytest

from analysis.errors import UserError
from app import create_server
from dashboard.data import TrialReader
from models.errors import DatabaseError
from tests.conftest import CHECKOUT

TOKEN = "t0ken-of-the-tests-0123456789"


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch, sqlite_url: str) -> pytest.MonkeyPatch:
    """An empty database in demo mode; the tests change what they ask about."""
    monkeypatch.setenv("CARTOGRAPH_DATABASE", sqlite_url)
    monkeypatch.setenv("CARTOGRAPH_MODE", "demo")
    monkeypatch.delenv("CARTOGRAPH_TOKEN", raising=False)
    return monkeypatch


@pytest.mark.parametrize(
    ("host", "asked", "status"),
    [
        ("127.0.0.2", "127.0.0.2:8050", 200),
        ("127.0.0.2", "localhost:8050", 200),
        ("127.0.0.2", "127.0.0.3:8050", 421),
        ("127.0.0.1", "127.0.0.2:8050", 421),
        ("::1", "[::1]:8050", 200),
    ],
)
def test_the_server_answers_to_the_host_it_was_given(
    settings: pytest.MonkeyPatch, host: str, asked: str, status: int
) -> None:
    settings.setenv("CARTOGRAPH_HOST", host)
    client = create_server().test_client()
    assert client.get("/", headers={"Host": asked}).status_code == status


@pytest.mark.parametrize("mode", ["demo", "local"])
def test_the_first_study_is_read_before_the_first_person_comes(
    settings: pytest.MonkeyPatch, mode: str
) -> None:
    warmed: list[TrialReader] = []
    settings.setattr(TrialReader, "warm", lambda reader: warmed.append(reader))  # noqa: PLW0108 - a method binds
    settings.setenv("CARTOGRAPH_MODE", mode)
    settings.setenv("CARTOGRAPH_TOKEN", TOKEN)
    create_server()
    assert [reader.synthetic_only for reader in warmed] == [mode == "demo"]


def test_a_study_that_cannot_be_read_is_said_on_its_pages_not_at_the_start(
    settings: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def stumble(reader: TrialReader) -> None:
        raise ValueError("patient 014 has 31400")

    settings.setattr(TrialReader, "warm", stumble)
    assert create_server().test_client().get("/", base_url="http://127.0.0.1").status_code == 200
    assert "ValueError at" in caplog.text
    assert "31400" not in caplog.text


@pytest.mark.parametrize(("token", "words"), [("", "needs the token"), ("guess", "22 or more")])
def test_local_mode_needs_a_token_that_cannot_be_guessed(
    settings: pytest.MonkeyPatch, token: str, words: str
) -> None:
    settings.setenv("CARTOGRAPH_MODE", "local")
    settings.setenv("CARTOGRAPH_TOKEN", token)
    with pytest.raises(UserError, match=words):
        create_server()


def test_a_database_that_was_not_upgraded_is_not_served(
    settings: pytest.MonkeyPatch, tmp_path: pytest.TempPathFactory
) -> None:
    settings.setenv("CARTOGRAPH_DATABASE", f"sqlite:///{tmp_path}/none.db")
    with pytest.raises(DatabaseError):
        create_server()


@pytest.mark.parametrize(
    ("arguments", "code"),
    [(("--host", "10.0.0.1"), 2), (("--database", "sqlite:////none/there.db"), 3)],
)
def test_python_app_ends_like_the_command(arguments: tuple[str, ...], code: int) -> None:
    done = subprocess.run(
        [sys.executable, "app.py", *arguments],
        capture_output=True,
        text=True,
        cwd=CHECKOUT,
        timeout=120,
        check=False,
    )
    assert done.returncode == code
    assert done.stderr.startswith("error: ")
    assert len(done.stderr.splitlines()) == 1
