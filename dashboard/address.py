"""Addresses: which page a path means, and what a browser may ask for."""

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol
from urllib.parse import unquote

from dash import Dash
from dash.development.base_component import Component
from werkzeug.exceptions import BadRequest

from dashboard.view import Services, View
from figures.theme import THEMES, Theme

MAX_ADDRESS = 4000
"""Longest path and query that is read, in characters."""


class Page(Protocol):
    """What a module of `dashboard/pages/` offers.

    A PATH that ends in `<name>` takes the rest of the address (`view.path_rest`) and has no place
    of its own in the navigation. `register` adds the page's own callbacks; most have none.

    A page may also offer `DOWNLOADS` (name -> table of a view), and, when it cannot apply every
    filter, `FILTERS` (names of those that stand above it) and
    `applied_filters(trial, selection, params)` (the selection as it applies it).
    """

    PATH: str
    NAME: str

    @property
    def layout(self) -> "Layout": ...

    @property
    def register(self) -> "Register": ...


class Layout(Protocol):
    def __call__(self, view: View) -> Component: ...


class Register(Protocol):
    def __call__(self, app: Dash, services: Services) -> None: ...


class Match(NamedTuple):
    """The page of a path, and what the path adds to it (`/patients/X-1` -> `X-1`)."""

    page: Page
    rest: str


def match_page(path: str, pages: Sequence[Page]) -> Match | None:
    """The page whose PATH is `path`, or whose PATH ends in `<name>` and begins like it."""
    clean = "/" + path.strip("/")
    for page in pages:
        if clean == page.PATH:
            return Match(page, "")
    for page in pages:
        prefix, variable, _ = page.PATH.partition("<")
        if variable and clean.startswith(prefix) and len(clean) > len(prefix):
            return Match(page, unquote(clean.removeprefix(prefix)))
    return None


def navigation_pages(pages: Sequence[Page]) -> tuple[Page, ...]:
    """The pages that stand in the navigation: those with an address of their own."""
    return tuple(page for page in pages if "<" not in page.PATH)


class Request(NamedTuple):
    """What the browser asks for: an address, a color scheme, and whether the screen is narrow."""

    path: str
    query: str
    theme: Theme
    narrow: bool


def read_request(data: Any) -> Request:
    """The request that the browser sent.

    Raises BadRequest for anything that no browser of ours sends.
    """
    if not isinstance(data, dict):
        raise BadRequest("expected an address")
    path, search, scheme = data.get("path"), data.get("search"), data.get("scheme")
    if not (isinstance(path, str) and isinstance(search, str) and isinstance(scheme, str)):
        raise BadRequest("expected a path, a query and a color scheme")
    if scheme not in THEMES:
        raise BadRequest("no such color scheme")
    if len(path) > MAX_ADDRESS or len(search) > MAX_ADDRESS:
        raise BadRequest("the address is too long")
    return Request(path, search.removeprefix("?"), THEMES[scheme], data.get("narrow") is True)
