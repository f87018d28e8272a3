"""Measurements against targets and named peers: `make bench` or `cartograph bench NAME ...`.

Never part of the tests: a time depends on the machine. The page says which machine it was.
"""

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module

from analysis.errors import UserError
from benchmarks.page import load_average, write_page
from benchmarks.row import Row

BENCHMARKS: Mapping[str, str] = {
    "load": "benchmarks.loading:rows",
    "demo": "benchmarks.demo:rows",
    "filters": "benchmarks.filters:rows",
    "engine": "benchmarks.engine:rows",
    "inference": "benchmarks.inference:rows",
    "curve tests": "benchmarks.curve_tests:rows",
    "censored": "benchmarks.censored:rows",
    "censored nulls": "benchmarks.censored_nulls:rows",
    "censored lesions": "benchmarks.censored_lesions:rows",
    "joint": "benchmarks.joint:rows",
    "kinetics": "benchmarks.kinetics:rows",
    "planning": "benchmarks.planning:rows",
    "survival": "benchmarks.survival:rows",
    "structured": "benchmarks.structured:rows",
    "synthetic": "benchmarks.synthetic:rows",
}
"""Name -> "module:function"; the function measures and returns its rows."""


def run_benchmarks(only: Sequence[str], *, say: Callable[[str], None] = print) -> list[Row]:
    """Measure `only` these (all when empty), and write their sections of docs/benchmarks.md.

    Raises:
        UserError: there is no benchmark of that name.
    """
    for name in only:
        if name not in BENCHMARKS:
            raise UserError(f"there is no benchmark {name!r}; there is: {', '.join(BENCHMARKS)}")
    measured = []
    for name in only or BENCHMARKS:
        say(f"{name} ...")
        module = import_module(BENCHMARKS[name].partition(":")[0])
        load_before = load_average()
        rows = getattr(module, BENCHMARKS[name].partition(":")[2])()
        write_page(name, (module.__doc__ or "").strip(), rows, load_before)
        for row in rows:
            say(f"  {row.what}: {row.shown()}{row.verdict(' -> ')}")
        measured += rows
    return measured
