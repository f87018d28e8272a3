"""Twelve invented patients; R survival 3.5-3 gave the numbers that tests hold against them."""

import polars as pl

TRIAL = pl.DataFrame(
    {
        "t": [4.0, 7, 7, 9, 12, 12, 15, 18, 21, 21, 24, 30],
        "e": [1, 1, 0, 1, 1, 1, 0, 1, 1, 0, 1, 0],
        "x": [1.2, 0.4, -0.3, 0.9, 0.1, 1.5, -1.1, 0.2, -0.7, 0.3, -0.2, -1.4],
        "g": [1, 0, 0, 1, 0, 1, 0, 1, 0, 0, 1, 0],
        "id": [1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6],
        "start": [0.0, 0, 1, 2, 0, 3, 5, 0, 6, 7, 2, 0],
    }
)
