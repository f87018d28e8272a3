"""`cartograph serve` as a person starts it: their own small file, the printed link, the key."""

import re
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.e2e.conftest import (
    CHECKOUT,
    START_SECONDS,
    Watched,
    end_server,
    free_port,
    open_context,
    wait_until,
)

pytestmark = [
    pytest.mark.browser, pytest.mark.slow, pytest.mark.xdist_group("browser"),
    pytest.mark.timeout(600),
]  # fmt: skip

SUBJECTS = "usubjid,sex,age_year,dose_level,infused\n"
KINETICS = "usubjid,analyte,assay,matrix,rel_day,value,unit,lloq\n"
PATIENTS = ("HOUSE-001", "HOUSE-002", "HOUSE-003")


def cartograph(*arguments: str, codes: tuple[int, ...] = (0,)) -> str:
    """Run one command of the program to its end; its stdout."""
    done = subprocess.run(
        [sys.executable, str(CHECKOUT / "cli.py"), *arguments],
        cwd=CHECKOUT, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode in codes, done.stderr[-2000:]
    return done.stdout


def write_house_files(folder: Path) -> list[str]:
    """Three patients and their blood samples, one of them below the limit, one not readable."""
    subjects = [f"{patient},F,{40 + n},DL1,Y" for n, patient in enumerate(PATIENTS)]
    samples = [
        f"{patient},CARTG,qPCR,BLOOD,{day},{value},copies/ug,50"
        for n, patient in enumerate(PATIENTS)
        for day, value in ((0, "BLQ"), (7, 1200 * (n + 1)), (14, 52000 + n), (28, 900))
    ]
    samples.append(f"{PATIENTS[0]},CARTG,qPCR,BLOOD,60,hemolyzed,copies/ug,50")
    files = {"subject.csv": SUBJECTS + "\n".join(subjects) + "\n",
             "kinetics_sample.csv": KINETICS + "\n".join(samples) + "\n"}  # fmt: skip
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    return [str(folder / name) for name in files]


@contextmanager
def serving(database: str, log: Path) -> Iterator[str]:
    """A server in local mode over a database; the link that it prints."""
    port = free_port()
    command = [
        sys.executable, str(CHECKOUT / "cli.py"), "serve",
        "--database", database, "--port", str(port),
    ]  # fmt: skip
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=CHECKOUT, stdout=output, stderr=output)

    def printed() -> str | None:
        found = re.search(r"Cartograph is at (\S+)", log.read_text(errors="replace"))
        return found[1] if found else None

    try:
        yield wait_until(printed, process, log)
    finally:
        end_server(process)


@pytest.fixture(scope="module")
def link(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The printed link of a server over the house files."""
    folder = tmp_path_factory.mktemp("house")
    database = f"sqlite:///{folder / 'house.db'}"
    cartograph("db", "upgrade", "--database", database)
    files = write_house_files(folder)
    said = cartograph("load", *files, "--study", "HOUSE", "--database", database, codes=(1,))
    assert "refused" in said
    with serving(database, folder / "serve.log") as printed:
        yield printed


@pytest.fixture
def opened(browser: Browser, link: str) -> Iterator[Watched]:
    """A fresh browser that followed the printed link."""
    base = link.partition("/?")[0]
    context = open_context(browser, "light", "desk")
    watched = Watched(context.new_page(), base)
    watched.open(link.removeprefix(base))
    yield watched
    context.close()


def status_of(address: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(address, timeout=START_SECONDS) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def test_without_the_key_nothing_opens(link):
    base = link.partition("/?")[0]
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/\?token=[\w-]{40,}", link)
    for path in (
        "/", "/patients", "/_dash-layout", "/_dash-dependencies", "/assets/cartograph.js",
        "/download/data/refused.csv", "/?token=wrong", f"/{link.rpartition('=')[2]}",
    ):  # fmt: skip
        status, text = status_of(base + path)
        assert status == 401, path
        assert "HOUSE" not in text


def test_the_link_opens_and_its_key_leaves_the_address(opened):
    page = opened.page
    expect(page).to_have_url(f"{opened.base}/")
    expect(page.get_by_role("heading", level=1)).to_contain_text("HOUSE")
    assert "token" not in page.evaluate("() => JSON.stringify([location.href, document.cookie])")
    (cookie,) = page.context.cookies()
    assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Strict")
    page.reload()
    expect(page.get_by_role("heading", level=1)).to_contain_text("HOUSE")
    assert opened.problems == []


def test_a_link_to_a_page_keeps_its_page(browser, link):
    base, _, key = link.partition("/?")
    context = open_context(browser, "light", "desk")
    watched = Watched(context.new_page(), base)
    page = watched.open(f"/patients?scale=linear&{key}")
    assert page.url == f"{base}/patients?scale=linear"
    assert watched.problems == []
    context.close()


def test_the_own_file_is_on_every_page(opened):
    page = opened.open("/patients")
    codes = page.locator(".cg-roster-link").all_inner_texts()
    assert sorted(codes) == sorted(PATIENTS)
    page.locator(".cg-roster-link").first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(codes[0])
    opened.settle()
    opened.open("/data")
    row = page.get_by_role("region", name="Refused rows with rule and place")
    expect(row.locator(".ag-center-cols-container")).to_contain_text("hemolyzed")
    opened.open("/cohort")
    expect(page.locator(".cg-sentence").first).to_contain_text("3 of 3 patients")
    opened.open("/model")
    expect(page.get_by_role("heading", level=1)).to_contain_text("model")
    expect(page.get_by_text("Demo, synthetic data")).to_have_count(0)
    assert page.locator(".cg-broken").count() == 0
    assert opened.problems == []
