"""A real server in its own process, and a browser that drives it.

`CARTOGRAPH_E2E_URL` names a server that runs already (another database, another machine's
build); without it the synthetic trial is built and served as `cartograph demo` does.
"""

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.browser_setup import HINT, browser_path

CHECKOUT = Path(__file__).resolve().parents[2]
START_SECONDS = 240
ANSWER_MS = 30_000
"""How long a page may take on a machine that does other work as well."""
T = TypeVar("T")
SIZES = {"desk": (1440, 900), "phone": (390, 844)}


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's Chromium; skipped with the way to get it where there is none."""
    path = browser_path()
    if path is None:
        pytest.skip(f"no browser: {HINT}")
    expect.set_options(timeout=ANSWER_MS)
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield launched
        launched.close()


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a running server over the synthetic trial."""
    named = os.environ.get("CARTOGRAPH_E2E_URL")
    if named:
        yield named.rstrip("/")
        return
    port = free_port()
    database = tmp_path_factory.mktemp("demo") / "demo.db"
    command = [
        sys.executable, str(CHECKOUT / "cli.py"), "demo",
        "--database", f"sqlite:///{database}", "--port", str(port),
    ]  # fmt: skip
    log = database.with_suffix(".log")
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=CHECKOUT, stdout=output, stderr=output)
    url = f"http://127.0.0.1:{port}"
    try:
        wait_until_open(url, process, log)
        yield url
    finally:
        end_server(process)


@pytest.fixture(scope="session")
def fresh() -> None:
    """The server's database was made by this run: nothing of an earlier run stands in it."""
    if os.environ.get("CARTOGRAPH_E2E_URL"):
        pytest.skip("needs a database of its own, not that of CARTOGRAPH_E2E_URL")


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until_open(url: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    """Wait for the first answer; fail with the server's own words when it ends before."""

    def answered() -> bool:
        try:
            urllib.request.urlopen(url, timeout=5).close()
        except urllib.error.HTTPError:
            return True
        except OSError:
            return False
        return True

    wait_until(answered, process, log)


def wait_until(found: Callable[[], T], process: "subprocess.Popen[bytes]", log: Path) -> T:
    """Ask until there is an answer; fail with the server's own words when it ends before."""
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and process.poll() is None:
        answer = found()
        if answer:
            return answer
        time.sleep(0.3)
    tail = log.read_text(errors="replace")[-2000:]
    pytest.fail(f"the server did not open within {START_SECONDS} s:\n{tail}")


def end_server(process: "subprocess.Popen[bytes]") -> None:
    """Ask the server to end; it ends its web workers and its dispatcher."""
    process.terminate()
    process.wait(timeout=60)


class Watched:
    """One page that keeps what should not happen: console errors, policy violations, requests
    to another server."""

    def __init__(self, page: Page, base: str) -> None:
        self.page = page
        self.base = base
        self.problems: list[str] = []
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.problems.append(f"error: {error}"))
        page.on("request", self._request)
        page.on("response", self._response)

    def open(self, path: str) -> Page:
        """Go to a path of the server and wait until the page is drawn."""
        self.page.goto(self.base + path)
        self.settle()
        return self.page

    def settle(self) -> None:
        """Wait until the router has answered and nothing is loading."""
        self.page.wait_for_function(
            "() => document.querySelector('.cg-page h1') &&"
            " !document.querySelector('.cg-page[data-dash-is-loading]')"
        )
        self.page.wait_for_load_state("networkidle")

    def _console(self, message: object) -> None:
        if getattr(message, "type", "") in {"error", "warning"}:
            self.problems.append(f"console: {getattr(message, 'text', '')[:300]}")

    def _request(self, request: object) -> None:
        url = getattr(request, "url", "")
        if not url.startswith((self.base + "/", "data:", "blob:")):
            self.problems.append(f"external request: {url}")

    def _response(self, response: object) -> None:
        if getattr(response, "status", 200) >= 400:
            self.problems.append(f"answer {getattr(response, 'status', 0)}: {response.url}")  # type: ignore[attr-defined]


@pytest.fixture
def watched(request: pytest.FixtureRequest, browser: Browser, server: str) -> Iterator[Watched]:
    """A fresh page on a screen of 1440 x 900, light; mark `size` and `scheme` change that."""
    scheme, size = getattr(request, "param", ("light", "desk"))
    context = open_context(browser, scheme, size)
    yield Watched(context.new_page(), server)
    context.close()


def open_context(browser: Browser, scheme: str, size: str) -> BrowserContext:
    """A browser profile of its own with a color scheme and a screen size."""
    width, height = SIZES[size]
    return browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme=scheme,  # type: ignore[arg-type]
        reduced_motion="reduce",
    )
