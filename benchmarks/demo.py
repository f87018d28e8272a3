"""`make demo` as a person sees it, after the install: the synthetic trial is written, loaded and
fitted, the server answers, and the first page is drawn. Page times are those of a whole page (the
document, its two descriptions and the router's answer) over HTTP; the last rows are Chromium's."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import ProxyHandler, Request, build_opener

from benchmarks.filters import router_body_of
from benchmarks.row import Row

CHECKOUT = Path(__file__).resolve().parent.parent
WARM_ROUNDS = 5


def rows() -> list[Row]:
    """Seconds from nothing to a page, then of pages once the server is warm."""
    with tempfile.TemporaryDirectory(prefix="cartograph-bench-") as folder:
        start = time.perf_counter()
        run("demo", "--no-serve", "--database", f"sqlite:///{Path(folder) / 'built.db'}")
        built = time.perf_counter() - start
        start = time.perf_counter()
        with served(f"sqlite:///{Path(folder) / 'served.db'}") as address:
            ready = time.perf_counter() - start
            first = page_time(address)
            warm = [page_time(address) for _ in range(WARM_ROUNDS)]
            drawn = drawn_in_browser(address)
    return [
        Row("demo built (written, loaded, fitted), not served", built, "s"),
        Row("from nothing until the server answers", ready, "s"),
        Row("from nothing to the first page", ready + first, "s", 60.0),
        Row("first page of a fresh server", first, "s"),
        Row("first page, warm server: slowest of 5", max(warm), "s", 2.0),
        *drawn,
    ]


def run(*arguments: str) -> None:
    """One `cartograph` command in a process of its own."""
    command = [sys.executable, "-m", "cli", *arguments]
    subprocess.run(command, cwd=CHECKOUT, check=True, capture_output=True)


@contextmanager
def served(url: str) -> Iterator[str]:
    """`cartograph demo` over the database; its address once it answers."""
    port = free_port()
    command = [sys.executable, "-m", "cli", "demo", "--database", url, "--port", str(port)]
    process = subprocess.Popen(
        command, cwd=CHECKOUT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        text=True, env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )  # fmt: skip
    try:
        assert process.stdout is not None
        for line in process.stdout:
            if "Cartograph is at" in line:
                break
        else:
            raise RuntimeError(f"`cartograph demo` ended before it served (exit {process.wait()})")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=30)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def page_time(address: str) -> float:
    """Seconds of everything that a browser asks the server for before a page stands there."""
    start = time.perf_counter()
    fetch(f"{address}/")
    fetch(f"{address}/_dash-layout")
    callbacks = json.loads(fetch(f"{address}/_dash-dependencies"))
    output = next(one["output"] for one in callbacks if "shell-page.children" in one["output"])
    answer = fetch(f"{address}/_dash-update-component", router_body_of(output, "/", ""))
    if b'"cg-broken"' in answer:
        raise RuntimeError("the first page was not drawn")
    return time.perf_counter() - start


def fetch(address: str, body: dict[str, Any] | None = None) -> bytes:
    """The bytes of an answer; a body is posted as the page itself would."""
    origin = "/".join(address.split("/")[:3])
    headers = {"Content-Type": "application/json", "Origin": origin}
    data = None if body is None else json.dumps(body).encode()
    opener = build_opener(ProxyHandler({}))
    with opener.open(Request(address, data, headers), timeout=60) as answer:
        return bytes(answer.read())


def drawn_in_browser(address: str) -> list[Row]:
    """Seconds until the first figure stands in Chromium; no row without playwright or Chromium."""
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    try:
        from playwright.sync_api import sync_playwright
    except ModuleNotFoundError:
        return []
    if program is None:
        return []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        page = browser.new_page()
        times = []
        for _ in range(2):
            start = time.perf_counter()
            page.goto(address)
            page.wait_for_selector("#overview-accrual .main-svg", timeout=60_000)
            times.append(time.perf_counter() - start)
        browser.close()
    return [
        Row("first page drawn in Chromium, empty cache", times[0], "s"),
        Row("first page drawn in Chromium, again", times[1], "s", 2.0),
    ]
