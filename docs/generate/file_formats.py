"""Formats in and out, from READERS, the shipped profiles and WRITERS."""

import sys

from docs.generate.markdown import code, page, summary, table
from etl.profiles import SHIPPED, load_profile
from etl.readers import READERS
from export.writers import WRITERS


def formats_page() -> str:
    return page(
        "Formats",
        "## Read",
        "A file, a folder or a zip. A file is known by its content, in this order, never by its "
        "name alone; a file that no reader knows is refused whole.",
        table(("reader", "what"), ((code(one.NAME), summary(one)) for one in READERS)),
        "## Layouts",
        "A layout is mapped by a [profile](../profiles.md). The house layout (files named like "
        "[incoming tables](contracts.md)) and SDTM need none. Shipped profiles:",
        table(("profile", "delivery", "incoming tables"), map(profile_row, SHIPPED)),
        "## Written",
        "`cartograph export DIR --study ID --format csv,xlsx,json` writes the same document, with "
        "the same numbers and its provenance, in every format.",
        table(("format", "what"), ((code(name), writer_text(w)) for name, w in WRITERS.items())),
    )


def profile_row(name: str) -> tuple[str, str, str]:
    profile = load_profile(name).profile
    tables = dict.fromkeys(one.contract for one in profile.tables)
    return code(name), profile.delivery, ", ".join(code(table) for table in tables)


def writer_text(writer: object) -> str:
    """The first paragraph of the writer's module."""
    return summary(sys.modules[getattr(writer, "__module__", "")])
