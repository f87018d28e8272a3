"""What `serve` refuses and what it hands to its children."""

import socket
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from pydantic import SecretStr

from analysis.errors import UserError
from jobs import server


@dataclass(frozen=True)
class Knobs:
    database: str = "sqlite:///trial.db"
    host: str = "127.0.0.1"
    port: int = 8050
    web_workers: int = 2
    web_threads: int = 4
    mode: str = "local"
    token: SecretStr | None = None
    job_poll_s: float = 0.5
    scheduler: str = ""
    cache_dir: Path | None = None


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "localhost", "::1"])
def test_loopback_is_served(host: str) -> None:
    assert server.is_loopback(host)


@pytest.mark.parametrize("host", ["0.0.0.0", "10.0.0.1", "::", "", "loopback.example"])
def test_any_other_address_is_refused_with_the_reason(host: str) -> None:
    with pytest.raises(UserError, match="accounts and roles"):
        server.refuse_other_than_loopback(host)


def test_a_taken_port_is_one_clear_line() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(UserError, match="choose another: --port"):
            server.refuse_taken_port("127.0.0.1", taken.getsockname()[1])


def test_tokens_are_random_and_long() -> None:
    tokens = {server.token_of(Knobs()) for _ in range(20)}
    assert len(tokens) == 20
    assert all(len(token) >= 40 for token in tokens)
    given = "a-token-of-twenty-two-or-more"
    assert server.token_of(Knobs(token=SecretStr(given))) == given
    with pytest.raises(UserError, match="22 or more"):
        server.token_of(Knobs(token=SecretStr("guess")))


@pytest.mark.parametrize(
    ("status", "ready"), [(200, True), (401, True), (421, False), (500, False), (503, False)]
)
def test_only_a_server_that_answers_to_its_name_is_ready(
    monkeypatch: pytest.MonkeyPatch, status: int, ready: bool
) -> None:
    class Answer(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    monkeypatch.setattr(server, "START_LIMIT_S", 0.4)
    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as web:
        Thread(target=web.serve_forever, daemon=True).start()
        knobs = Knobs(port=web.server_address[1])
        if ready:
            server.wait_until_ready(knobs, Alive())  # type: ignore[arg-type]
        else:
            with pytest.raises(UserError, match=f"answer {status}"):
                server.wait_until_ready(knobs, Alive())  # type: ignore[arg-type]
        web.shutdown()


class Alive:
    """A process that runs."""

    returncode = None

    def poll(self) -> None:
        return None


def test_the_token_travels_in_the_environment_and_never_in_an_argument() -> None:
    environment = server.server_environment(Knobs(), "secret-token")
    assert environment["CARTOGRAPH_TOKEN"] == "secret-token"
    assert not any("secret-token" in part for part in server.web_command(Knobs()))


def test_a_relative_database_is_the_same_from_the_program_s_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    assert server.absolute_database("sqlite:///trial.db") == f"sqlite:///{tmp_path / 'trial.db'}"
    assert server.absolute_database("sqlite:////abs/trial.db") == "sqlite:////abs/trial.db"
    assert server.absolute_database("postgresql://h/d") == "postgresql://h/d"


def test_the_web_server_never_preloads() -> None:
    command = server.web_command(Knobs())
    assert "--preload" not in command
    assert "--no-control-socket" in command


def test_the_children_find_the_same_files_from_the_program_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    told = server.server_environment(Knobs(cache_dir=Path("cuts")), "")
    assert told["CARTOGRAPH_DATABASE"] == f"sqlite:///{tmp_path / 'trial.db'}"
    assert told["CARTOGRAPH_CACHE_DIR"] == str(tmp_path / "cuts")
    assert "CARTOGRAPH_CACHE_DIR" not in server.server_environment(Knobs(), "")
