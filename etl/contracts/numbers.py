"""Text to numbers and flags without guessing: a text that is not exactly a number is null."""

import re

import polars as pl

_WORDS = ("na", "n/a", "nan", "null", "none", "#n/a")
ABSENT = ("", ".", *(form(word) for word in _WORDS for form in (str.lower, str.upper, str.title)),
          "NaN")  # fmt: skip
"""Words that mean "no value" in every number, date, code and flag; a text field keeps "NA"."""

TRUE_WORDS = ("y", "yes", "true", "t", "1", "1.0")
FALSE_WORDS = ("n", "no", "false", "f", "0", "0.0")


def without_absent(text: pl.Expr) -> pl.Expr:
    """The trimmed text; null when it is one of the words that mean "no value"."""
    plain = text.str.strip_chars()
    return pl.when(~plain.is_in(ABSENT)).then(plain)


def plain_number(text: pl.Expr, decimal: str, thousands: str) -> pl.Expr:
    """The text with a decimal point and no thousands separator; null when it does not fit.

    Separators count only in the places where they belong: 1.234,5 fits decimal comma with
    thousands ".", 1.23,45 does not.
    """
    if decimal == "point" and not thousands:
        return text
    mark = "," if decimal == "comma" else "."
    space = re.escape(thousands)
    if thousands == " ":
        text, space = text.str.replace_all("[\u00a0\u202f\u2009]", " "), " "
    grouped = rf"\d{{1,3}}(?:{space}\d{{3}})+|\d+" if thousands else r"\d+"
    number = (
        rf"^[+-]?(?:(?:{grouped})(?:{re.escape(mark)}\d*)?|{re.escape(mark)}\d+)(?:[eE][+-]?\d+)?$"
    )
    clean = text
    if thousands:
        clean = clean.str.replace_all(thousands, "", literal=True)
    if mark == ",":
        clean = clean.str.replace(",", ".", literal=True)
    return pl.when(text.str.contains(number)).then(clean)


def as_number(text: pl.Expr, decimal: str = "point", thousands: str = "") -> pl.Expr:
    """The text as a finite float; null when it is not exactly a number."""
    number = plain_number(text, decimal, thousands).cast(pl.Float64, strict=False)
    return pl.when(number.is_finite()).then(number)


def as_flag(text: pl.Expr) -> pl.Expr:
    """Y, yes, true, 1 and N, no, false, 0; anything else is null."""
    word = text.str.to_lowercase()
    return pl.when(word.is_in(TRUE_WORDS)).then(True).when(word.is_in(FALSE_WORDS)).then(False)
