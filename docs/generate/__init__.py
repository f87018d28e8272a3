"""The pages of docs/reference, written from the code: `make docs`.

A page is a function that returns Markdown; tests/test_docs.py compares each with its file.
"""

from collections.abc import Callable, Mapping
from pathlib import Path

from docs.generate.commands import commands_page
from docs.generate.data_dictionary import data_dictionary_page
from docs.generate.file_formats import formats_page
from docs.generate.incoming_tables import contracts_page
from docs.generate.methods import methods_page
from docs.generate.setting_list import settings_page
from docs.generate.specification import specification_page
from docs.generate.tracer_list import tracers_page
from docs.generate.unit_list import units_page

FOLDER = Path(__file__).resolve().parent.parent / "reference"

GENERATED: Mapping[str, Callable[[], str]] = {
    "cli.md": commands_page,
    "settings.md": settings_page,
    "contracts.md": contracts_page,
    "data-dictionary.md": data_dictionary_page,
    "tracers.md": tracers_page,
    "units.md": units_page,
    "formats.md": formats_page,
    "methods.md": methods_page,
    "specifications.md": specification_page,
}


def write_pages() -> list[Path]:
    """Write every page; returns those whose text changed."""
    FOLDER.mkdir(exist_ok=True)
    changed = []
    for name, page in GENERATED.items():
        path, text = FOLDER / name, page()
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
            changed.append(path)
    return changed
