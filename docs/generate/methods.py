"""Statistical methods and their checks, from FITS and CHECKS."""

import inspect
from collections.abc import Callable, Iterable
from importlib import import_module
from typing import Any

from analysis.checks import CHECKS, SPECIFICATION_CHECKS
from analysis.fits import FITS
from docs.generate.markdown import code, page, summary, table

OPENING = """\
Each result is a frozen `Fit`: numbers, checks, one plain sentence and a status, which is `ok`,
`warning` or `not_estimable`. A number that cannot be had is not shown; the reason is.

A function is imported from its module, nearly all of them from `analysis` too; its docstring says
what the arguments mean."""


def methods_page() -> str:
    return page(
        "Statistical methods and checks",
        OPENING,
        "## Methods",
        table(("method", "call", "module", "what"), (fit_row(*item) for item in FITS.items())),
        "## Checks of every mixed model",
        check_table(CHECKS),
        "## Checks of the answer to a question (`ModelSpec`)",
        check_table(SPECIFICATION_CHECKS),
    )


def fit_row(name: str, place: str) -> tuple[str, str, str, str]:
    module, _, function = place.partition(":")
    method = getattr(import_module(module), function)
    return name, code(call(function, method)), code(module), summary(method)


def call(name: str, function: Callable[..., Any]) -> str:
    """The call with its arguments and their defaults; after `*` they go by name only."""
    empty = inspect.Parameter.empty
    found = inspect.signature(function)
    plain = [one.replace(annotation=empty) for one in found.parameters.values()]
    return f"{name}{found.replace(parameters=plain, return_annotation=empty)}"


def check_table(checks: Iterable[Callable[..., Any]]) -> str:
    rows = ((code(one.__name__), summary(one)) for one in checks)
    return table(("check", "what it looks at"), rows)
