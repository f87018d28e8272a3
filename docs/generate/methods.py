"""Statistical methods and their checks, from FITS and CHECKS."""

from collections.abc import Callable, Iterable
from importlib import import_module
from typing import Any

from analysis.checks import CHECKS, SPECIFICATION_CHECKS
from analysis.fits import FITS
from docs.generate.markdown import code, page, summary, table

OPENING = """\
Each result is a frozen `Fit`: numbers, checks, one plain sentence and a status, which is `ok`,
`warning` or `not_estimable`. A number that cannot be had is not shown; the reason is."""


def methods_page() -> str:
    return page(
        "Statistical methods and checks",
        OPENING,
        "## Methods",
        table(("method", "function", "what"), (fit_row(*item) for item in FITS.items())),
        "## Checks of every mixed model",
        check_table(CHECKS),
        "## Checks of the answer to a question (`ModelSpec`)",
        check_table(SPECIFICATION_CHECKS),
    )


def fit_row(name: str, place: str) -> tuple[str, str, str]:
    module, _, function = place.partition(":")
    return name, code(place.replace(":", ".")), summary(getattr(import_module(module), function))


def check_table(checks: Iterable[Callable[..., Any]]) -> str:
    rows = ((code(one.__name__), summary(one)) for one in checks)
    return table(("check", "what it looks at"), rows)
