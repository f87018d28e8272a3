"""`python -m tests.e2e.screenshots FOLDER [--url URL] [--study ID ...]`: every page to look at.

Light and dark, 1440 x 900 and 390 x 844, whole pages, one file each. Without `--url` the synthetic
trial is built and served. Says what it saw in the console, and pages wider than their screen.
"""

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from dashboard.pages import PAGES
from tests.browser_setup import HINT, browser_path
from tests.e2e.conftest import CHECKOUT, SIZES, Watched, free_port, open_context, wait_until_open


def main() -> None:
    """Draw and write every page; exit 1 when one had a problem."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--url", help="a server that runs already, as its link is printed")
    parser.add_argument("--study", action="append", default=[], help="studies to draw; default all")
    asked = parser.parse_args()
    path = browser_path()
    if path is None:
        sys.exit(f"no browser: {HINT}")
    with running(asked.url) as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        problems = [
            problem
            for study in asked.study or [""]
            for scheme in ("light", "dark")
            for size in SIZES
            for problem in draw_pages(browser, url, asked.folder, study, scheme, size)
        ]
        browser.close()
    print("\n".join(problems) or f"all pages drawn into {asked.folder}")
    sys.exit(bool(problems))


def draw_pages(
    browser: Browser, url: str, folder: Path, study: str, scheme: str, size: str
) -> Iterator[str]:
    """Write one picture a page; yield what was wrong with it."""
    context = open_context(browser, scheme, size)
    watched = Watched(context.new_page(), url.partition("/?")[0])
    watched.open(url.removeprefix(watched.base) or "/")  # a printed link carries the key
    query = f"?study={study}" if study else ""
    folder.mkdir(parents=True, exist_ok=True)
    watched.open(f"/patients{query}")
    patients = watched.page.locator(".cg-page a[href^='/patients/']")
    paths = [f"{page.PATH}{query}" for page in PAGES if "<" not in page.PATH]
    if patients.count():
        paths.append(str(patients.first.get_attribute("href")))
    for path in paths:
        page = watched.open(path)
        page.wait_for_timeout(400)
        name = path.partition("?")[0].strip("/").split("/")
        stem = "patient" if len(name) > 1 else name[0] or "overview"
        file = "-".join(part for part in (study, stem, scheme, size) if part)
        page.screenshot(path=folder / f"{file}.png", full_page=True)
        wide = page.evaluate("() => document.documentElement.scrollWidth")
        if wide > SIZES[size][0]:
            yield f"{file}: {wide} px wide"
        if page.locator(".cg-broken").count():
            yield f"{file}: the page failed"
        yield from (f"{file}: {problem}" for problem in watched.problems)
        watched.problems.clear()
    context.close()


@contextmanager
def running(url: str | None) -> Iterator[str]:
    """The server asked for, or a demo that lives as long as the pictures are taken."""
    if url:
        yield url.rstrip("/")
        return
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        database, log = Path(folder) / "demo.db", Path(folder) / "demo.log"
        command = [
            sys.executable, str(CHECKOUT / "cli.py"), "demo",
            "--database", f"sqlite:///{database}", "--port", str(port),
        ]  # fmt: skip
        with log.open("wb") as output:
            process = subprocess.Popen(command, cwd=CHECKOUT, stdout=output, stderr=output)
        try:
            wait_until_open(f"http://127.0.0.1:{port}", process, log)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(timeout=20)


if __name__ == "__main__":
    main()
