"""The process that parses untrusted files: `python -m etl.guard_child FOLDER`.

It limits its own memory before it imports a parser, reads the files named in FOLDER/request.json
one after the other and answers each on its standard output. What kills it kills nothing else.
"""

import json
import sys
from pathlib import Path
from typing import Any


def main(folder: Path) -> None:
    """Prints "ready", then the number of each file as it is done."""
    request = json.loads((folder / "request.json").read_text(encoding="utf-8"))
    _limit(request["memory_byte"], request["cpu_seconds"])
    from etl.readers import read_source  # after the limit: parsers allocate under it
    from etl.sheets.sheet_file import write_json, write_sheets

    _say("ready")
    for item in request["items"]:
        stem = str(item["number"])
        try:
            reader, sheets = read_source(_source(item))
            write_sheets(folder, stem, reader, sheets)
        except BaseException as error:
            answer = {"refusal": reason_for(item["name"], error), "foreign": is_foreign(error)}
            write_json(folder / f"{stem}.json", answer)
        _say(stem)


def _source(item: dict[str, Any]) -> Any:
    from etl.source import Source

    return Source(item["name"], item["sha256"], item["size_byte"], path=Path(item["path"]))


def _limit(memory_byte: int, cpu_seconds: int) -> None:
    """Address space, processor time and no core file; Windows has no such limits."""
    try:
        import resource
    except ImportError:
        return
    resource.setrlimit(resource.RLIMIT_AS, (memory_byte, memory_byte))
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_seconds, cpu_seconds + 5))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def reason_for(name: str, error: BaseException) -> str:
    """One line for whatever a parser raised; a panic of polars is no Exception."""
    from analysis.errors import UserError

    if isinstance(error, UserError):
        return str(error)
    if isinstance(error, MemoryError):
        return f"{name}: needs more memory than is allowed for one file; split it"
    return f"{name}: the file breaks its parser ({type(error).__name__}); open it, save it again"


def is_foreign(error: BaseException) -> bool:
    """Whether no reader knows the format, as against a file that its reader cannot read."""
    from etl.readers import UnknownFormatError

    return isinstance(error, UnknownFormatError)


def _say(word: str) -> None:
    sys.stdout.write(word + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
