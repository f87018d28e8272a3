"""Serve the dashboard: refuse unsafe addresses, start the web server and the job dispatcher."""

import ipaddress
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol
from urllib.error import HTTPError
from urllib.request import ProxyHandler, Request, build_opener

from analysis.errors import UserError
from models.engine import check_revision, create_engine_for

START_LIMIT_S = 180
LEAST_TOKEN_CHARACTERS = 22
"""128 random bits in the letters of a link."""
MISDIRECTED, SERVER_FAILED = 421, 500
DISPATCHER = [sys.executable, "-m", "jobs.dispatcher"]


class ServerSettings(Protocol):
    """The settings that serving needs; see settings.py for their meaning."""

    database: str
    host: str
    port: int
    web_workers: int
    web_threads: int
    mode: str
    token: Any
    cache_dir: Path | None
    job_poll_s: float
    scheduler: str


def serve(settings: ServerSettings) -> None:
    """Serve until interrupted; the printed link opens the dashboard.

    Raises:
        UserError: the address is not loopback, or the port is taken.
        DatabaseError: the database is not reachable or not at this program's revision.
    """
    refuse_other_than_loopback(settings.host)
    refuse_taken_port(settings.host, settings.port)
    check_revision(create_engine_for(settings.database))
    token = "" if settings.mode == "demo" else token_of(settings)
    environment = server_environment(settings, token)
    for ending in (signal.SIGTERM, getattr(signal, "SIGHUP", signal.SIGTERM)):
        signal.signal(ending, lambda *_: sys.exit(0))
    children: list[subprocess.Popen[bytes]] = []
    try:
        children.append(web := start(web_command(settings), environment))
        children.append(start(DISPATCHER, environment))
        wait_until_ready(settings, web)
        print(f"Cartograph is at {link(settings, token)}  (Ctrl+C ends it)", flush=True)
        while web.poll() is None:
            if children[-1].poll() is not None:
                children[-1] = start(DISPATCHER, environment)
            time.sleep(1)
        raise UserError(f"the web server ended by itself (exit {web.returncode}); see its words.")
    except KeyboardInterrupt:
        pass
    finally:
        stop(children)


def start(command: list[str], environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
    """Start a child process of the server in the program's folder."""
    return subprocess.Popen(command, env=environment, cwd=program_folder())  # noqa: S603 - our own


def token_of(settings: ServerSettings) -> str:
    """The given token, else 32 random bytes: who holds the link is the one user.

    Raises UserError for a given token that could be guessed.
    """
    if settings.token is None:
        return secrets.token_urlsafe(32)
    return checked_token(str(settings.token.get_secret_value()))


def checked_token(token: str) -> str:
    """`token` itself. Raises UserError for one that could be guessed."""
    if len(token) < LEAST_TOKEN_CHARACTERS:
        raise UserError(
            f"CARTOGRAPH_TOKEN has {len(token)} characters; give {LEAST_TOKEN_CHARACTERS} or more "
            "random ones, or unset it to get a new one at each start."
        )
    return token


def is_loopback(host: str) -> bool:
    """Whether the host names this machine only."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def refuse_other_than_loopback(host: str) -> None:
    """Raises UserError unless the host names this machine only."""
    if not is_loopback(host):
        raise UserError(
            f"--host {host}: serving to other machines needs accounts and roles, which this "
            "version does not have; use 127.0.0.1 and a tunnel (ssh -L) instead."
        )


def name_in_address(host: str) -> str:
    """The host as it stands in an address: an IPv6 address has brackets there."""
    return f"[{host}]" if ":" in host else host


def refuse_taken_port(host: str, port: int) -> None:
    """Raises UserError when something already listens there."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise UserError(
                f"port {port} of {host} is taken ({error.strerror}); choose another: --port N."
            ) from error


def program_folder() -> Path:
    """Where app.py is: the web server imports its factory from there."""
    return Path(__file__).resolve().parent.parent


def absolute_database(url: str) -> str:
    """The same database when the working folder is another one."""
    prefix = "sqlite:///"
    if url.startswith(prefix) and not url.startswith("sqlite:////"):
        return f"{prefix}{Path(url.removeprefix(prefix)).resolve()}"
    return url


def absolute_cache(folder: Path | None) -> Mapping[str, str]:
    """The same folder of parquet copies when the working folder is another one."""
    return {} if folder is None else {"CARTOGRAPH_CACHE_DIR": str(folder.resolve())}


def server_environment(settings: ServerSettings, token: str) -> Mapping[str, str]:
    """What the child processes read; the token travels here and never in an argument list."""
    return {
        **os.environ,
        "CARTOGRAPH_DATABASE": absolute_database(settings.database),
        "CARTOGRAPH_HOST": settings.host,
        "CARTOGRAPH_PORT": str(settings.port),
        "CARTOGRAPH_MODE": settings.mode,
        "CARTOGRAPH_TOKEN": token,
        "CARTOGRAPH_JOB_POLL_S": str(settings.job_poll_s),
        "CARTOGRAPH_SCHEDULER": settings.scheduler,
        **absolute_cache(settings.cache_dir),
    }


def web_command(settings: ServerSettings) -> list[str]:
    """gunicorn with threads; never --preload (polars does not survive a fork)."""
    host = name_in_address(settings.host)
    if sys.platform == "win32":
        return [
            sys.executable, "-m", "waitress", f"--listen={host}:{settings.port}",
            f"--threads={settings.web_threads}", "--call", "app:create_server",
        ]  # fmt: skip
    return [
        sys.executable, "-m", "gunicorn", "app:create_server()",
        "--bind", f"{host}:{settings.port}", "--worker-class", "gthread",
        "--workers", str(settings.web_workers), "--threads", str(settings.web_threads),
        "--timeout", "60", "--graceful-timeout", "5", "--no-control-socket",
        "--log-level", "warning",
    ]  # fmt: skip


def link(settings: ServerSettings, token: str) -> str:
    host = name_in_address(settings.host)
    return f"http://{host}:{settings.port}/" + (f"?token={token}" if token else "")


def wait_until_ready(settings: ServerSettings, web: subprocess.Popen[bytes]) -> None:
    """Wait until the server answers to its own name.

    401 is ready: the probe has no token. 421 (not the name it answers to) and 5xx are not.
    Raises UserError when the server ends, or does not get ready in time.
    """
    opener = build_opener(ProxyHandler({}))
    request = Request(link(settings, ""), method="HEAD")  # noqa: S310 - http on loopback
    limit = time.monotonic() + START_LIMIT_S
    last = "no answer"
    while time.monotonic() < limit:
        if web.poll() is not None:
            raise UserError(
                f"the web server ended at its start (exit {web.returncode}); see its words above."
            )
        try:
            opener.open(request, timeout=5).close()
            return
        except HTTPError as error:
            if error.code != MISDIRECTED and error.code < SERVER_FAILED:
                return
            last = f"answer {error.code}"
        except OSError:
            pass
        time.sleep(0.1)
    raise UserError(
        f"the web server was not ready within {START_LIMIT_S} s ({last}); look above for why."
    )


def stop(processes: list[subprocess.Popen[bytes]]) -> None:
    """End the children: ask first, then insist."""
    for process in processes:
        process.terminate()
    for process in processes:
        try:
            process.wait(timeout=8)
        except subprocess.TimeoutExpired:
            process.kill()
