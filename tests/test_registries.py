"""What is written is registered: each "one place to add" of ARCHITECTURE.md has its test here."""

import ast
from collections import Counter
from importlib import import_module
from pathlib import Path

from tests.project_files import modules_below, parsed, project_files, python_files


def test_every_reader_is_registered() -> None:
    from etl.readers import READERS

    assert {reader.__name__ for reader in READERS} == {
        f"etl.readers.{name}" for name in modules_below("etl/readers")
    }
    assert len({reader.NAME for reader in READERS}) == len(READERS)
    for reader in READERS:
        assert callable(reader.sniff)
        assert callable(reader.read)


def test_every_incoming_table_is_registered_under_its_name() -> None:
    from etl.contracts import CONTRACTS

    written = {
        module.CONTRACT.name
        for name in modules_below("etl/contracts")
        if hasattr(module := import_module(f"etl.contracts.{name}"), "CONTRACT")
    }
    assert set(CONTRACTS) == written
    assert all(name == contract.name for name, contract in CONTRACTS.items())


def test_every_incoming_table_fills_a_table() -> None:
    from etl.contracts import CONTRACTS
    from models.tables import RECORD_TABLES

    assert set(CONTRACTS) == set(RECORD_TABLES)


def test_every_shipped_profile_is_registered_and_reads() -> None:
    from etl.profiles import SHIPPED, load_profile

    written = {
        n.stem for n in project_files() if str(n.parent) == "etl/profiles" and n.suffix == ".yaml"
    }
    assert set(SHIPPED) == written
    for name in SHIPPED:
        assert load_profile(name).hash


def test_every_page_is_registered_and_complete() -> None:
    from dashboard.pages import PAGES

    assert {page.__name__ for page in PAGES} == {
        f"dashboard.pages.{name}" for name in modules_below("dashboard/pages")
    }
    assert [key for key, n in Counter(page.PATH for page in PAGES).items() if n > 1] == []
    for page in PAGES:
        assert callable(page.layout), page.__name__
        assert callable(page.register), page.__name__


def test_ids_are_unique_and_begin_with_the_name_of_their_page() -> None:
    from dashboard.pages import PAGES

    ids = [
        (page.__name__.rpartition(".")[2].replace("_", "-"), str(member))
        for page in PAGES
        if hasattr(page, "Ids")
        for member in page.Ids
    ]
    assert [name for name, n in Counter(name for _, name in ids).items() if n > 1] == []
    assert [(page, name) for page, name in ids if not name.startswith(f"{page}-")] == []


def test_every_writer_is_registered() -> None:
    from export.writers import WRITERS

    assert set(WRITERS) == modules_below("export/writers")
    assert all(writer.__name__ == f"write_{name}" for name, writer in WRITERS.items())


def test_every_check_is_registered() -> None:
    from analysis.checks import CHECKS, SPECIFICATION_CHECKS

    written = {
        node.name
        for name in python_files("analysis")
        if str(name.parent) == "analysis/checks"
        for node in parsed(name).body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("check_")
    }
    registered = [check.__name__ for check in (*CHECKS, *SPECIFICATION_CHECKS)]
    assert set(registered) == written
    assert len(registered) == len(written)


def test_every_fit_can_be_called_for() -> None:
    from analysis.fits import FITS

    for name, place in FITS.items():
        module, _, function = place.partition(":")
        assert callable(getattr(import_module(module), function)), name


def test_every_table_is_registered() -> None:
    from models.base import Base
    from models.tables import METADATA, MODELS

    mapped = {mapper.class_.__tablename__ for mapper in Base.registry.mappers}
    assert mapped == {model.__tablename__ for model in MODELS} == set(METADATA.tables)


def test_figures_are_drawn_in_two_steps() -> None:
    """`prepare_x` (numbers) stands beside `draw_x` (figure) in figures/x.py."""
    missing = []
    for name in python_files("figures"):
        functions = {n.name for n in parsed(name).body if isinstance(n, ast.FunctionDef)}
        if name.parent == Path("figures") and f"draw_{name.stem}" in functions:
            missing += [str(name)] if f"prepare_{name.stem}" not in functions else []
    assert missing == []
