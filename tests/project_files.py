"""The files of the project, for tests that read all of them."""

import ast
import subprocess
from fnmatch import fnmatch
from functools import cache
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
BINARY = {".png", ".woff2", ".ico", ".xpt", ".xlsx", ".zip", ".gz", ".parquet", ".pdf"}


@cache
def project_files() -> tuple[Path, ...]:
    """Every file that is or would be committed, relative to the checkout, sorted."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    try:
        listed = subprocess.run(command, cwd=CHECKOUT, capture_output=True, check=True)
        names = [Path(name) for name in listed.stdout.decode().split("\0") if name]
    except (OSError, subprocess.CalledProcessError):
        names = [path.relative_to(CHECKOUT) for path in CHECKOUT.rglob("*") if path.is_file()]
        names = [name for name in names if not is_ignored(name)]
    return tuple(sorted(name for name in set(names) if (CHECKOUT / name).is_file()))


def is_ignored(name: Path) -> bool:
    """Whether .gitignore leaves the file out: enough of its language for this checkout."""
    lines = (CHECKOUT / ".gitignore").read_text().split()
    anchored = {line.strip("/") for line in lines if line.startswith("/")}
    patterns = {line.strip("/") for line in lines if not line.startswith("/")} | {".git"}
    anywhere = any(fnmatch(part, pattern) for part in name.parts for pattern in patterns)
    return anywhere or name.parts[0] in anchored


def python_files(*folders: str) -> tuple[Path, ...]:
    """The Python files below the folders; all when none is named."""
    found = [name for name in project_files() if name.suffix == ".py"]
    return tuple(name for name in found if not folders or name.parts[0] in folders)


def text_files() -> tuple[Path, ...]:
    """The files that hold text."""
    return tuple(name for name in project_files() if name.suffix not in BINARY)


def text_of(name: Path) -> str:
    return (CHECKOUT / name).read_text(encoding="utf-8")


@cache
def parsed(name: Path) -> ast.Module:
    """The syntax tree of a Python file."""
    return ast.parse(text_of(name), filename=str(name))


def modules_below(folder: str) -> set[str]:
    """Names of the modules that lie directly in a folder, without its `__init__`."""
    files = (name for name in python_files() if str(name.parent) == folder)
    return {name.stem for name in files if name.stem != "__init__"}
