"""From an address to a page: the one callback that draws the program.

The address is the whole state. A filter change is a new address, and a new address is one call
here, which answers the navigation, the filter bar and the page together.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from dash import Dash, Input, Output
from dash.dependencies import ClientsideFunction
from dash.development.base_component import Component

from analysis.errors import UserError
from dashboard.access.errors import log_failure
from dashboard.address import Match, Page, Request, match_page, read_request
from dashboard.filter_bar import filter_bar, filter_sections
from dashboard.filters import page_filters
from dashboard.notices import broken, no_data, not_found, unreachable, unreadable
from dashboard.selecting import EmptyDatabaseError, build_view
from dashboard.shell import ShellIds, navigation
from dashboard.view import Services, View
from models.errors import DatabaseError


class Drawn(NamedTuple):
    """What the router fills: the parts of the frame and the page, in the order of the outputs."""

    nav: Any
    nav_drawer: Any
    filters: Any
    filter_drawer: Any
    page: Any
    title: str


def register_router(app: Dash, services: Services, pages: Sequence[Page]) -> None:
    """The callback that draws, and the browser's part that feeds it."""
    app.clientside_callback(
        ClientsideFunction("cartograph", "request"),
        Output(ShellIds.REQUEST, "data"),
        Input(ShellIds.URL, "pathname"),
        Input(ShellIds.URL, "search"),
        Input(ShellIds.SCHEME, "data"),
    )
    app.clientside_callback(
        ClientsideFunction("cartograph", "setTitle"), Input(ShellIds.TITLE, "data")
    )

    @app.callback(
        Output(ShellIds.NAV, "children"),
        Output(ShellIds.NAV_DRAWER_BODY, "children"),
        Output(ShellIds.FILTERS, "children"),
        Output(ShellIds.FILTER_DRAWER_BODY, "children"),
        Output(ShellIds.PAGE, "children"),
        Output(ShellIds.TITLE, "data"),
        Input(ShellIds.REQUEST, "data"),
        prevent_initial_call=True,
    )
    def _draw(data: Any) -> Drawn:
        return draw(read_request(data), services, pages)


def draw(asked: Request, services: Services, pages: Sequence[Page]) -> Drawn:
    """The frame and the page of one address. Every failure ends in a page that says what to do."""
    match = match_page(asked.path, pages)
    try:
        return draw_match(match, asked, services, pages)
    except EmptyDatabaseError:
        return _bare(match, pages, no_data(services.mode), query="")
    except UserError as error:
        return _bare(match, pages, unreadable(str(error)), query="")
    except DatabaseError as error:
        return _bare(match, pages, unreachable(str(error)), query="")
    except Exception as error:
        return _bare(match, pages, broken("/", log_failure(error, "frame")), query="")


def draw_match(
    match: Match | None, asked: Request, services: Services, pages: Sequence[Page]
) -> Drawn:
    """The frame and the page of an address, of a page or of none.

    Raises EmptyDatabaseError, UserError, DatabaseError.
    """
    if match is None:
        view = build_view(asked, "", services)
        return _framed(view, None, pages, not_found(view))
    view = build_view(asked, match.rest, services, match.page)
    return _framed(view, match, pages, draw_page(match, view))


def draw_page(match: Match, view: View) -> Component:
    """The page's own layout. A failure of one page is logged with a code, and the frame stays."""
    try:
        return match.page.layout(view)
    except DatabaseError as error:
        return unreachable(str(error))
    except Exception as error:
        return broken(view.href("/"), log_failure(error, f"page {match.page.NAME}"))


def _framed(view: View, match: Match | None, pages: Sequence[Page], page: Component) -> Drawn:
    filters = page_filters(view, getattr(match.page, "FILTERS", None) if match else None)
    links = navigation(pages, match.page if match else None, view.selection.to_query())
    return Drawn(
        nav=links,
        nav_drawer=links,
        filters=filter_bar(filters, view.attrition),
        filter_drawer=filter_sections(filters, view.attrition),
        page=page,
        title=_title(match),
    )


def _bare(match: Match | None, pages: Sequence[Page], page: Component, query: str) -> Drawn:
    links = navigation(pages, match.page if match else None, query)
    return Drawn(links, links, None, None, page, _title(match))


def _title(match: Match | None) -> str:
    if match is None:
        return "Not found · Cartograph"
    rest = f" {match.rest}" if match.rest else ""
    return f"{match.page.NAME}{rest} · Cartograph"
