"""The rules of ARCHITECTURE.md, checked: layers, layout, names, sizes, quiet imports."""

import ast
import json
import os
import re
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

from tests.project_files import CHECKOUT, parsed, project_files, python_files, text_files, text_of

PACKAGES = ("analysis", "dashboard", "etl", "export", "figures", "jobs", "models")
ENTRY_POINTS = ("app.py", "cli.py", "settings.py")

BANNED_FILE = re.compile(
    r"(^|_)(utils?|helpers?|managers?|handlers?|common|core|lib|misc|process|data2)(_|$)"
)
BANNED_CLASS = re.compile(r"(Util|Utils|Helper|Helpers|Manager|Handler|Processor)$")
BANNED_FUNCTION = re.compile(r"(^|_)(util|helper|manager|handler|process_data|do_it|stuff)(_|$)")

SMELL_LINES, WRONG_LINES = 300, 500
LEVELS_BELOW_TOP = 2

FROZEN = Path("migrations/versions")
"""A migration is never edited again, so its length is no matter of style."""

QUIET_IMPORT = """
import importlib, json, os, sys, threading
for name in json.loads(sys.argv[1]):
    importlib.import_module(name)
print(json.dumps({"threads": threading.active_count(), "files": os.listdir(".")}))
"""


def imported_modules(name: Path) -> set[str]:
    """Every module that the file names in an import statement, wherever it stands."""
    found: set[str] = set()
    for node in ast.walk(parsed(name)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
    return found


def files_importing(library: str, files: tuple[Path, ...]) -> list[str]:
    """The files that import the library or a part of it."""
    return [
        str(name)
        for name in files
        if any(f"{module}.".startswith(f"{library}.") for module in imported_modules(name))
    ]


def imports_from_dash(name: Path, wanted: tuple[str, ...]) -> bool:
    return any(
        isinstance(node, ast.ImportFrom)
        and node.module == "dash"
        and any(alias.name in wanted for alias in node.names)
        for node in ast.walk(parsed(name))
    )


def module_name(name: Path) -> str:
    parts = name.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def test_the_import_contracts_hold() -> None:
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command as l; l()"]
    done = subprocess.run(
        [*command, "--no-cache"], cwd=CHECKOUT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_contracts_name_every_package() -> None:
    """A new top-level package that no contract knows would be free of all of them."""
    from importlinter.api import read_configuration

    roots = set(
        read_configuration(str(CHECKOUT / "pyproject.toml"))["session_options"]["root_packages"]
    )
    held = {name.parts[0] for name in python_files() if len(name.parts) > 1}
    assert held - {"benchmarks", "docs", "migrations", "tests"} == roots == set(PACKAGES)


def test_pandas_and_statsmodels_are_spoken_in_one_place_each() -> None:
    files = (*python_files(*PACKAGES), *map(Path, ENTRY_POINTS))
    assert files_importing("pandas", files) == ["analysis/fits/formulas.py"]
    assert files_importing("formulaic", files) == ["analysis/fits/formulas.py"]
    assert files_importing("statsmodels", files) == ["analysis/fits/statsmodels_bridge.py"]


@pytest.mark.parametrize(
    ("package", "libraries"),
    [
        ("analysis", ("sqlalchemy", "dash", "plotly", "flask", "settings")),
        ("figures", ("dash", "dash_mantine_components", "sqlalchemy", "statsmodels", "settings")),
        ("dashboard", ("sqlalchemy", "etl", "jobs", "statsmodels", "settings")),
        ("migrations", ("models",)),
    ],
)
def test_packages_do_not_import(package: str, libraries: tuple[str, ...]) -> None:
    """Also inside functions, where import-linter's exceptions for indirect imports do not look."""
    files = tuple(
        name for name in python_files(package) if name != Path("migrations/env.py")
    )  # env.py compares the schema with the models
    assert {library: files_importing(library, files) for library in libraries} == {
        library: [] for library in libraries
    }


def test_figures_are_svg_never_webgl() -> None:
    """`scattergl` needs a WebGL context per graph: browsers keep sixteen, then draw blanks."""
    here = Path("tests/test_architecture.py")
    assert [
        str(name) for name in text_files() if "scattergl" in text_of(name) and name != here
    ] == []


def test_no_callback_is_attached_at_import() -> None:
    """`@callback` of dash registers globally; callbacks belong to an app (`@app.callback`)."""
    names = ("callback", "clientside_callback")
    imported = [str(name) for name in python_files("dashboard") if imports_from_dash(name, names)]
    assert imported == []


def test_the_top_level_is_what_the_architecture_page_says() -> None:
    table = re.findall(
        r"^\| ((?:`[\w./]+`(?:, )?)+) \|", text_of(Path("ARCHITECTURE.md")), re.MULTILINE
    )
    places = [place.rstrip("/") for cell in table for place in re.findall(r"`([\w./]+)`", cell)]
    described = {place for place in places if "/" not in place}
    held = {
        name.parts[0]
        for name in project_files()
        if name.suffix == ".py" or len(name.parts) > 1
        if not name.parts[0].startswith(".")
    }
    assert described == held


def test_no_python_file_lies_deeper_than_two_levels_below_the_top() -> None:
    deep = [str(n) for n in python_files() if len(n.parts) - 2 > LEVELS_BELOW_TOP]
    assert deep == []


def test_no_name_says_nothing() -> None:
    files = [
        str(name)
        for name in project_files()
        if any(BANNED_FILE.search(part.split(".")[0]) for part in name.parts)
    ]
    assert files == []


def test_no_class_or_function_says_nothing() -> None:
    said = {ast.ClassDef: BANNED_CLASS, ast.FunctionDef: BANNED_FUNCTION}
    offenders = [
        f"{name}:{node.lineno} {node.name}"
        for name in python_files()
        for node in ast.walk(parsed(name))
        if isinstance(node, ast.ClassDef | ast.FunctionDef) and said[type(node)].search(node.name)
    ]
    assert offenders == []


def test_spelling_is_american_in_identifiers() -> None:
    british = re.compile(r"tumour|colour|haemat|leukaem|normalise|centre\b", re.IGNORECASE)
    offenders = [
        f"{name}:{node.lineno} {node.id}"
        for name in python_files(*PACKAGES)
        for node in ast.walk(parsed(name))
        if isinstance(node, ast.Name) and british.search(node.id)
    ]
    assert offenders == []


def test_no_file_is_over_500_lines() -> None:
    sizes = {
        name: text_of(name).count("\n")
        for name in python_files()
        if not name.is_relative_to(FROZEN)
    }
    smells = {name: size for name, size in sizes.items() if SMELL_LINES < size <= WRONG_LINES}
    if smells:
        listed = ", ".join(f"{name} {size}" for name, size in sorted(smells.items()))
        warnings.warn(f"{len(smells)} files over {SMELL_LINES} lines: {listed}", stacklevel=1)
    assert {str(name): size for name, size in sizes.items() if size > WRONG_LINES} == {}


def test_a_page_registers_in_under_60_lines() -> None:
    long = [
        f"{name} {node.end_lineno - node.lineno + 1}"
        for name in python_files("dashboard")
        for node in ast.walk(parsed(name))
        if isinstance(node, ast.FunctionDef) and node.name == "register"
        if node.end_lineno and node.end_lineno - node.lineno >= 60
    ]
    assert long == []


def test_importing_every_module_does_nothing(tmp_path: Path) -> None:
    """In an empty folder with settings that do not fit: nothing is read, written or started."""
    modules = sorted(
        module_name(name) for name in (*python_files(*PACKAGES), *map(Path, ENTRY_POINTS))
    )
    environment = {
        **os.environ, "PYTHONPATH": str(CHECKOUT), "PYTHONDONTWRITEBYTECODE": "1",
        "CARTOGRAPH_PORT": "not a port", "CARTOGRAPH_DATABASE": "nowhere://",
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-W", "error::ResourceWarning", "-c", QUIET_IMPORT, json.dumps(modules)],
        cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {"threads": 1, "files": []}  # and not a word printed


def test_help_loads_no_numerical_library() -> None:
    """`cartograph --help` answers at once: heavy imports stand inside the verbs."""
    code = "import sys, cli; print([m for m in sys.argv[1:] if m in sys.modules])"
    heavy = ["polars", "dash", "plotly", "sqlalchemy", "numpy", "pandas", "scipy"]
    done = subprocess.run(
        [sys.executable, "-c", code, *heavy],
        cwd=CHECKOUT, capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    assert done.stdout.strip() == "[]"
