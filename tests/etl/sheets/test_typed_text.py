import datetime as dt

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from etl.sheets.typed_text import elapsed_text, instant_text, number_text


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (1.0, "1"),
        (-3.0, "-3"),
        (0.1, "0.1"),
        (0.1 + 0.2, "0.30000000000000004"),
        (1e-12, "1e-12"),
        (2.0**53 - 1, "9007199254740991"),
        (1e22, "1e+22"),
        (None, None),
    ],
)
def test_numbers(number: float | None, text: str | None) -> None:
    frame = pl.DataFrame({"n": [number]}, {"n": pl.Float64})
    assert frame.select(number_text(pl.col("n"))).item() == text


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_the_text_of_a_number_gives_the_number_again(number: float) -> None:
    text = pl.DataFrame({"n": [number]}).select(number_text(pl.col("n"))).item()
    assert float(text) == number


def test_times() -> None:
    ms = pl.DataFrame({"ms": [0, 129_600_000, 29_130_250, 999]})
    assert ms.select(elapsed_text(pl.col("ms")))["ms"].to_list() == [
        *("00:00:00", "36:00:00", "08:05:30.250", "00:00:00.999")
    ]
    instants = pl.DataFrame({"t": [dt.datetime(2024, 2, 29, 23, 59, 1), None]})
    assert instants.select(instant_text(pl.col("t")))["t"].to_list() == [
        "2024-02-29T23:59:01",
        None,
    ]
