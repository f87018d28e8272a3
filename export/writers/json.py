"""JSON: the whole document in one object; numbers with all digits, null for missing."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import orjson

from export.document import Document, Table


def write_json(document: Document, folder: Path) -> list[Path]:
    """Write `summary.json`; returns its path in a list."""
    content = {
        "title": document.title,
        "provenance": asdict(document.provenance),
        "tables": [table_object(table) for table in document.tables],
    }
    path = folder / "summary.json"
    path.write_bytes(orjson.dumps(content, option=orjson.OPT_INDENT_2))
    return [path]


def table_object(table: Table) -> dict[str, Any]:
    """One table: its words, its columns and its rows as objects."""
    return {
        "name": table.name,
        "title": table.title,
        "grain": table.grain,
        "notes": list(table.notes),
        "columns": [asdict(column) for column in table.columns],
        "rows": table.rows().to_dicts(),
    }
