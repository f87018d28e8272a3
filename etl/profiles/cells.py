"""Polars expressions on text cells: blanks, dictionaries, missing words and filters."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from etl.profiles.headers import squash
from etl.profiles.schema import Filter


def clean(cell: pl.Expr) -> pl.Expr:
    """The cell in NFKC without spaces at the ends; a cell without text is null."""
    text = cell.str.normalize("NFKC").str.strip_chars()
    return pl.when(text.str.len_bytes() > 0).then(text)


def trimmed(cell: pl.Expr) -> pl.Expr:
    """The cell without spaces at the ends, otherwise as delivered; null when there is no text."""
    text = cell.str.strip_chars()
    return pl.when(text.str.len_bytes() > 0).then(text)


def folded(cell: pl.Expr) -> pl.Expr:
    """The cell as dictionaries compare it: NFKC, single spaces, lower case."""
    return clean(cell).str.replace_all(r"\s+", " ").str.to_lowercase()


def fold(text: str) -> str:
    """One word as dictionaries compare it."""
    return squash(text).lower()


def glob_regex(glob: str) -> str:
    """A glob (`*` any text) as a regular expression for the whole folded cell."""
    return "(?s)^" + ".*".join(re.escape(part) for part in fold(glob).split("*")) + "$"


def fits(cell: pl.Expr, words: Sequence[str]) -> pl.Expr:
    """Whether the cell is one of the words or fits one of the globs; null cells do not."""
    text = folded(cell)
    plain = [fold(word) for word in words if "*" not in word]
    test = text.is_in(plain) if plain else pl.lit(False)
    for word in words:
        if "*" in word:
            test = test | text.str.contains(glob_regex(word))
    return test.fill_null(False)


def translated(cell: pl.Expr, words: Mapping[str, str], otherwise: str | None = None) -> pl.Expr:
    """The cell by the dictionary: exact words first, then globs in order, else as it is."""
    if not words:
        return cell
    text = folded(cell)
    exact = {fold(word): target for word, target in words.items() if "*" not in word}
    result: Any = pl.when(text.is_null()).then(None)
    if exact:
        hit = text.replace_strict(
            list(exact), list(exact.values()), default=None, return_dtype=pl.String
        )
        result = result.when(text.is_in(list(exact))).then(hit)
    for word, target in words.items():
        if "*" in word:
            result = result.when(text.str.contains(glob_regex(word))).then(pl.lit(target))
    rest = cell if otherwise is None else pl.lit(otherwise)
    chosen: pl.Expr = result.otherwise(rest)
    return pl.when(chosen.str.len_bytes() > 0).then(chosen)


def keeps(column: pl.Expr, rule: Filter) -> pl.Expr:
    """Whether a row passes one filter, judged by the cell of its column."""
    test = pl.lit(True)
    if rule.equals:
        test = test & fits(column, [word.replace("*", "") for word in rule.equals])
    if rule.like:
        test = test & fits(column, rule.like)
    if rule.unlike:
        test = test & ~fits(column, rule.unlike)
    if rule.present is not None:
        test = test & (clean(column).is_not_null() == pl.lit(rule.present))
    return test
