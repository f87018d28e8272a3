"""docs/benchmarks.md: one section per benchmark; a run replaces the sections it measured."""

import os
import platform
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from benchmarks.row import Row, with_unit

PAGE = Path(__file__).resolve().parent.parent / "docs" / "benchmarks.md"
OPENING = """\
# Benchmarks

<!-- Written by `make bench`, which measures. Do not edit. -->

Measured side by side in one run on one machine. A time is what a clock on the wall shows unless it
says CPU. A ratio is how many times better than the peer; a peer that is not installed is named as
missing. The load average says how much else the machine was doing: above the number
of cores, times on the wall are longer than the program needs.
"""
HEAD = (
    "| what | measured | target | | peer | peer measured | ratio |\n|---|---|---|---|---|---|---|"
)
LIBRARIES = ("polars", "sqlalchemy", "psycopg", "dash", "plotly", "statsmodels", "pandas")


def write_page(name: str, about: str, rows: Sequence[Row], load_before: float) -> None:
    """Put the section of one benchmark into the page, in place of its earlier one."""
    text = PAGE.read_text(encoding="utf-8") if PAGE.is_file() else ""
    sections = {
        part.partition("\n")[0]: part.partition("\n")[2].strip()
        for part in re.split(r"^## ", text, flags=re.MULTILINE)[1:]
    }
    sections[name] = "\n\n".join([about, where_and_when(load_before), table(rows)])
    order = sorted(sections, key=_position)
    body = "\n".join(f"## {title}\n\n{sections[title]}\n" for title in order)
    PAGE.write_text(f"{OPENING}\n{body}", encoding="utf-8")


def _position(title: str) -> tuple[int, str]:
    from benchmarks import BENCHMARKS

    names = list(BENCHMARKS)
    return (names.index(title) if title in names else len(names), title)


def table(rows: Sequence[Row]) -> str:
    return "\n".join([HEAD, *(line(row) for row in rows)])


def line(row: Row) -> str:
    peer_value = with_unit(row.peer_value, row.unit) if row.peer_value else ""
    if row.peer and row.peer_value is None:
        peer_value = "missing here"
    ratio = "" if row.ratio is None else f"{row.ratio:.2g}"
    cells = (row.what, row.shown(), row.shown_target(), row.verdict(), row.peer, peer_value, ratio)
    return "| " + " | ".join(cells) + " |"


def load_average() -> float:
    """Processes that wanted to run in the last minute; not a number where it is not known."""
    return os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")


def where_and_when(load_before: float) -> str:
    """Date, machine, load before and after, versions."""
    day = datetime.now(UTC).date().isoformat()
    versions = ", ".join(f"{name} {version(name)}" for name in LIBRARIES if installed(name))
    return (
        f"Measured {day} on {processor()}, {os.cpu_count()} cores, {memory_gib():.0f} GiB, "
        f"load average {load_before:.1f} before and {load_average():.1f} after, "
        f"Python {platform.python_version()}, {versions}."
    )


def installed(name: str) -> bool:
    try:
        return bool(version(name))
    except ModuleNotFoundError:
        return False


def processor() -> str:
    """The processor's own name where the system tells it."""
    facts = Path("/proc/cpuinfo")
    text = facts.read_text() if facts.is_file() else ""
    found = re.search(r"^model name\s*: (.+)$", text, re.MULTILINE)
    return found[1].strip() if found else platform.machine()


def memory_gib() -> float:
    return float(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30)
