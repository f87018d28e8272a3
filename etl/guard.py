"""Reads untrusted files in a limited child process: no file kills, hangs or exhausts the program.

Small files share a child, because starting one costs more than reading them. A file that kills
its child or takes too long is refused; the files behind it go on in a new child.
"""

import json
import os
import queue
import subprocess
import sys
import tempfile
import threading
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from etl.guard_child import is_foreign, reason_for
from etl.readers import read_source
from etl.sheets.sheet import Sheet
from etl.sheets.sheet_file import read_sheets
from etl.source import Source

START_SECONDS = 60.0
BATCH_FILES = 64
BATCH_BYTE = 32 * 1024**2
ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True, slots=True)
class Limits:
    """What one untrusted file may cost."""

    file_byte: int = 256 * 1024**2
    trusted_byte: int = 32 * 1024**2
    """Files named on the command line above this size are read in this process."""
    memory_byte: int = 1536 * 1024**2
    seconds: float = 20.0
    trusted_seconds: float = 300.0
    """Time for one file named on the command line."""


@dataclass(frozen=True, slots=True, eq=False)
class ReadResult:
    """Either sheets or a refusal ("refused: reason", one line) for one source."""

    source: Source
    reader: str | None
    sheets: tuple[Sheet, ...]
    refusal: str | None = None
    foreign: bool = False
    """Refused because no reader knows its format."""


class ReadingProcessError(RuntimeError):
    """The limited child did not start: the installation is at fault, not a file. The message is
    the child's own and from before it read anything."""

    exit_code = 70


@dataclass(slots=True)
class _Item:
    number: int
    source: Source


def read_guarded(
    sources: Iterable[Source], limits: Limits | None = None, *, trusted: bool = False
) -> tuple[ReadResult, ...]:
    """One result per source, in order; never raises for a bad file.

    Raises ReadingProcessError when the child itself cannot start.

    `trusted` (files named on the command line): those above `limits.trusted_byte` are read in
    this process, without limits, and the others get `limits.trusted_seconds`.
    """
    limits = limits or Limits()
    results: dict[int, ReadResult] = {}
    guarded: list[_Item] = []
    for number, source in enumerate(sources):
        item = _Item(number, source)
        if source.refusal is not None:
            results[number] = _refused(source, source.refusal)
        elif trusted and source.size_byte > limits.trusted_byte:
            results[number] = _read_here(source)
        elif source.size_byte > limits.file_byte:
            reason = f"{source.size_byte} bytes, more than {limits.file_byte}; split the file"
            results[number] = _refused(source, f"{source.name}: {reason}")
        else:
            guarded.append(item)
    seconds = limits.trusted_seconds if trusted else limits.seconds
    pending = deque(_batches(guarded))
    while pending:
        batch = pending.popleft()
        done, failure = _run_child(batch, limits.memory_byte, seconds)
        results.update(done)
        rest = batch[len(done) :]
        if failure is None or not rest:
            continue
        culprit, *others = rest
        if others:
            pending.appendleft(others)
        if done and failure.may_be_shared:
            pending.appendleft([culprit])  # earlier files of the batch may have used the memory
        else:
            reason = f"{culprit.source.name}: {failure.reason}"
            results[culprit.number] = _refused(culprit.source, reason)
    return tuple(results[number] for number in sorted(results))


def _refused(source: Source, reason: str, foreign: bool = False) -> ReadResult:
    return ReadResult(source, None, (), f"refused: {reason}", foreign)


def _read_here(source: Source) -> ReadResult:
    try:
        reader, sheets = read_source(source)
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:
        return _refused(source, reason_for(source.name, error), is_foreign(error))
    return ReadResult(source, reader, sheets)


def _batches(items: list[_Item]) -> list[list[_Item]]:
    batches: list[list[_Item]] = []
    size = 0
    for item in items:
        size += item.source.size_byte
        if not batches or len(batches[-1]) >= BATCH_FILES or size > BATCH_BYTE:
            batches.append([])
            size = item.source.size_byte
        batches[-1].append(item)
    return batches


@dataclass(frozen=True, slots=True)
class _Failure:
    reason: str
    may_be_shared: bool


def _run_child(
    batch: list[_Item], memory_byte: int, seconds: float
) -> tuple[dict[int, ReadResult], _Failure | None]:
    """Results of the files that were finished, in order, and why the next one was not."""
    with tempfile.TemporaryDirectory(prefix="cartograph-read-") as name:
        folder = Path(name)
        _write_request(folder, batch, memory_byte, seconds)
        with (folder / "stderr").open("wb") as errors:
            child = subprocess.Popen(  # noqa: S603 - own module, own interpreter
                [sys.executable, "-P", "-m", "etl.guard_child", str(folder)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
                env=_environment(),
            )
            try:
                done, failure = _follow(child, folder, batch, seconds)
            finally:
                child.kill()
                child.wait()
        if failure is not None and failure.may_be_shared:
            failure = _Failure(_cause_of_death(child.returncode, folder / "stderr"), True)
        return done, failure


def _write_request(folder: Path, batch: list[_Item], memory_byte: int, seconds: float) -> None:
    items = []
    for item in batch:
        source = item.source
        path = source.path
        if path is None:
            path = folder / f"{item.number}.content"
            path.write_bytes(source.content or b"")
        items.append(
            {
                "number": item.number,
                "name": source.name,
                "sha256": source.sha256,
                "size_byte": source.size_byte,
                "path": str(path.resolve()),
            }
        )
    request = {
        "items": items,
        "memory_byte": memory_byte,
        "cpu_seconds": int(START_SECONDS + seconds * len(batch)),
    }
    (folder / "request.json").write_text(json.dumps(request), encoding="utf-8")


PASSED_ON = frozenset((
    "PATH", "HOME", "LANG", "LANGUAGE", "TZ", "TMPDIR", "TEMP", "TMP",
    "SYSTEMROOT", "WINDIR", "USERPROFILE", "VIRTUAL_ENV", "LD_LIBRARY_PATH",
))  # fmt: skip
PASSED_ON_PREFIXES = ("LC_", "PYTHON", "POLARS_")
"""What of this program's environment a parser of untrusted files may see. The rest holds secrets:
the token of the link, the passwords of databases."""


def _environment() -> dict[str, str]:
    """One thread: each thread's stack and arena counts against the address-space limit."""
    paths = [str(ROOT), os.environ.get("PYTHONPATH", "")]
    kept = {
        name: value
        for name, value in os.environ.items()
        if name.upper() in PASSED_ON or name.upper().startswith(PASSED_ON_PREFIXES)
    }
    return {
        **kept,
        "PYTHONPATH": os.pathsep.join(path for path in paths if path),
        "POLARS_MAX_THREADS": "1",
        "RAYON_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "RUST_BACKTRACE": "0",
    }


def _follow(
    child: "subprocess.Popen[bytes]", folder: Path, batch: list[_Item], seconds: float
) -> tuple[dict[int, ReadResult], _Failure | None]:
    words: queue.Queue[str] = queue.Queue()
    assert child.stdout is not None
    threading.Thread(target=_listen, args=(child.stdout, words), daemon=True).start()
    done: dict[int, ReadResult] = {}
    try:
        if words.get(timeout=START_SECONDS) != "ready":
            raise ReadingProcessError(_tail(folder / "stderr"))
    except queue.Empty:
        reason = f"the reading process did not start within {START_SECONDS:g} s"
        raise ReadingProcessError(reason) from None
    try:
        for item in batch:
            if words.get(timeout=seconds) != str(item.number):
                return done, _Failure("", may_be_shared=True)
            done[item.number] = _collect(folder, item)
    except queue.Empty:
        reason = f"takes longer than {seconds:g} s to read; split it or export it as CSV"
        return done, _Failure(reason, may_be_shared=False)
    return done, None


def _listen(stream: IO[bytes], words: "queue.Queue[str]") -> None:
    """Each line of the child, then "" when it has ended."""
    with stream:
        for line in stream:
            words.put(line.decode("ascii", "replace").strip())
    words.put("")


def _collect(folder: Path, item: _Item) -> ReadResult:
    stem = str(item.number)
    answer = json.loads((folder / f"{stem}.json").read_text(encoding="utf-8"))
    if "refusal" in answer:
        return _refused(item.source, answer["refusal"], answer["foreign"])
    reader, sheets = read_sheets(folder, stem)
    return ReadResult(item.source, reader, sheets)


def _cause_of_death(code: int | None, errors: Path) -> str:
    tail = _tail(errors).lower()
    if "memory" in tail or "alloc" in tail:
        return "needs more memory than is allowed for one file; is it a table? split it"
    ending = f"signal {-code}" if code is not None and code < 0 else f"exit code {code}"
    return f"the file stops its parser ({ending}); open it, save it again and load that"


def _tail(errors: Path) -> str:
    """The last lines that the child wrote about its end."""
    with errors.open("rb") as stream:
        stream.seek(max(0, errors.stat().st_size - 16_384))
        return stream.read().decode("utf-8", "replace")
