"""What a verb of the command line says to a person while it works, on stderr."""

import sys
from collections.abc import Callable

import typer


def say(text: str, *, quiet: bool = False) -> None:
    """Progress for a person: on stderr, so that stdout stays data."""
    if not quiet:
        typer.echo(text, err=True)


def progress_line(quiet: bool) -> Callable[[float, str], None]:
    """A progress callable (fraction 0 to 1, text) that keeps one line up to date on a terminal."""
    if quiet or not sys.stderr.isatty():
        return lambda fraction, text: None
    return lambda fraction, text: print(
        f"\r\033[K{fraction:4.0%}  {text}", end="" if fraction < 1 else "\r\033[K", file=sys.stderr
    )
