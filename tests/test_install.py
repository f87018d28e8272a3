"""What `make setup` installs is what the requirements say: pinned, hashed, within the bounds."""

import re
import shutil
import subprocess
import tomllib
from importlib.metadata import entry_points
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.project_files import CHECKOUT, project_files, text_of

PIN = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==([^\s;\\]+)(.*)$", re.MULTILINE)
LOCKS = ("requirements.lock", "requirements-dev.lock", "requirements-uv.lock")


def pins(name: str) -> dict[str, str]:
    """Package -> version of a lock."""
    return {canonicalize_name(found[1]): found[2] for found in PIN.finditer(text_of(Path(name)))}


def requirements(name: str) -> list[Requirement]:
    """The requirements of a file, with those of the files it includes."""
    found = []
    for line in text_of(Path(name)).splitlines():
        text = line.partition(" #")[0].strip()
        if text.startswith("-r "):
            found += requirements(text.removeprefix("-r ").strip())
        elif text and not text.startswith("#"):
            found.append(Requirement(text))
    return found


@pytest.mark.parametrize(
    ("lock", "wanted"),
    [
        ("requirements.lock", ("requirements.txt", "requirements-build.txt")),
        ("requirements-dev.lock", ("requirements-dev.txt",)),
    ],
)
def test_the_lock_holds_every_requirement_within_its_bounds(
    lock: str, wanted: tuple[str, ...]
) -> None:
    pinned = pins(lock)
    drifted = [
        str(requirement)
        for name in wanted
        for requirement in requirements(name)
        if not requirement.specifier.contains(
            pinned.get(canonicalize_name(requirement.name), "0"), prereleases=True
        )
        or canonicalize_name(requirement.name) not in pinned
    ]
    assert drifted == [], f"{lock} does not hold these: run `make lock`"


def test_the_locks_agree() -> None:
    development = pins("requirements-dev.lock")
    for name in ("requirements.lock", "requirements-uv.lock"):
        differing = {n: v for n, v in pins(name).items() if development.get(n) != v}
        assert differing == {}, f"{name} and requirements-dev.lock differ: run `make lock`"


@pytest.mark.parametrize("lock", LOCKS)
def test_every_pin_has_a_hash_and_no_address(lock: str) -> None:
    text = text_of(Path(lock))
    blocks = [block for block in re.split(r"\n(?=\S)", text.strip()) if not block.startswith("#")]
    assert [block.split("\n")[0] for block in blocks if "--hash=sha256:" not in block] == []
    assert re.findall(r"--(?:extra-)?index-url|--find-links|\w+://", text) == []


def test_the_build_tool_is_in_the_lock() -> None:
    """The editable install downloads nothing of its own (`--no-build-isolation`)."""
    build = tomllib.loads(text_of(Path("pyproject.toml")))["build-system"]["requires"]
    assert {canonicalize_name(Requirement(line).name) for line in build} <= set(
        pins("requirements.lock")
    )


def test_every_data_file_of_the_packages_is_packed() -> None:
    project = tomllib.loads(text_of(Path("pyproject.toml")))["tool"]["setuptools"]
    packages = {pattern.rstrip("*") for pattern in project["packages"]["find"]["include"]}
    packed = {pattern.removeprefix("*") for pattern in project["package-data"]["*"]}
    left_out = [
        str(name)
        for name in project_files()
        if name.parts[0] in packages and name.suffix != ".py" and name.suffix not in packed
    ]
    assert left_out == []


def test_the_command_is_the_one_of_the_entry_points() -> None:
    scripts = tomllib.loads(text_of(Path("pyproject.toml")))["project"]["scripts"]
    assert scripts == {"cartograph": "cli:main"}
    installed = [one.value for one in entry_points(group="console_scripts", name="cartograph")]
    assert set(installed) <= {"cli:main"}


@pytest.mark.skipif(shutil.which("make") is None, reason="needs make")
@pytest.mark.parametrize(
    ("argument", "said"),
    [
        ("FOUND_PYTHON=", "Cartograph needs Python 3.11; found: none."),
        ("FOUND_PYTHON={old}", "Cartograph needs Python 3.11; found: Python 3.10.1."),
    ],
)
def test_make_names_the_python_it_needs(argument: str, said: str, tmp_path: Path) -> None:
    old = tmp_path / "python"
    old.write_text('#!/bin/sh\n[ "$1" = --version ] && echo "Python 3.10.1" && exit 0\nexit 1\n')
    old.chmod(0o755)
    done = subprocess.run(
        ["make", "setup", f"VENV={tmp_path / 'venv'}", argument.format(old=old)],
        cwd=CHECKOUT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert said in done.stdout
    assert not (tmp_path / "venv").exists()


def test_ci_runs_make_test_and_nothing_hidden() -> None:
    lines = [line for line in text_of(Path(".ci/run")).splitlines() if line and line[0] != "#"]
    assert lines[-1] == "exec make test"
    assert len(lines) == 3
