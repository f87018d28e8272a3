"""Copies of a cut: read again when whole, made anew when damaged."""

from pathlib import Path

import polars as pl
import pytest

from models.snapshot import Store
from models.trial import Cut

FRAME = pl.DataFrame({"usubjid": ["P1", "P2"]})


def panic() -> None:
    raise pl.exceptions.PanicException("assertion failed: offset + length <= total")


def store(folder: Path) -> Store:
    return Store(folder, "S1", Cut(1, "2026-06-30", 1, None))


def test_a_whole_copy_is_read_instead_of_the_database(tmp_path: Path) -> None:
    assert store(tmp_path).read("subject", lambda: FRAME).equals(FRAME)
    assert store(tmp_path).read("subject", pl.DataFrame).equals(FRAME)


DAMAGE = {"empty": b"", "no parquet": b"PAR1" + b"\0" * 64, "cut short": None}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_copy_is_made_anew(damage: str, tmp_path: Path) -> None:
    copies = store(tmp_path)
    copies.read("subject", lambda: FRAME)
    path = copies.path("subject")
    path.write_bytes(path.read_bytes()[:40] if DAMAGE[damage] is None else DAMAGE[damage])
    assert copies.read("subject", lambda: FRAME).equals(FRAME)
    assert pl.read_parquet(path).equals(FRAME)


def test_a_copy_that_makes_the_parser_panic_is_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copies = store(tmp_path)
    copies.read("subject", lambda: FRAME)
    with monkeypatch.context() as patched:
        patched.setattr(pl, "read_parquet", lambda path: panic())
        assert copies.read("subject", FRAME.reverse).equals(FRAME.reverse())
    assert pl.read_parquet(copies.path("subject")).equals(FRAME.reverse())
