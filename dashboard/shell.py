"""The frame around every page: brand, navigation, theme switch, filter bar, drawers."""

from collections.abc import Sequence
from enum import StrEnum

import dash_mantine_components as dmc
from dash import dcc, html
from dash.development.base_component import Component

from dashboard.address import Page, navigation_pages
from dashboard.components.icon import icon
from dashboard.theme import css_tokens, mantine_theme
from dashboard.view import Mode


class ShellIds(StrEnum):
    """Ids of the frame around every page."""

    URL = "shell-url"
    SCHEME = "shell-scheme"
    REQUEST = "shell-request"
    TITLE = "shell-title"
    NAV = "shell-nav"
    FILTERS = "shell-filters"
    PAGE = "shell-page"
    NAV_DRAWER = "shell-nav-drawer"
    NAV_DRAWER_BODY = "shell-nav-drawer-body"
    FILTER_DRAWER = "shell-filter-drawer"
    FILTER_DRAWER_BODY = "shell-filter-drawer-body"


PRE_RENDER_SCRIPT = (
    "(function(){var d=document.documentElement,c;"
    "try{c=localStorage.getItem('mantine-color-scheme-value')}catch(e){}"
    "var k=c==='dark'||(c!=='light'&&matchMedia('(prefers-color-scheme: dark)').matches);"
    "d.setAttribute('data-mantine-color-scheme',k?'dark':'light');"
    "d.setAttribute('data-ag-theme-mode',k?'dark':'light');"
    "d.setAttribute('data-scheme-choice',c==='dark'||c==='light'?c:'auto')})()"
)
"""Runs before anything is painted, so that a dark screen never flashes white."""

_SKELETON = (
    '<div id="react-entry-point"><div class="cg-skeleton" aria-busy="true">'
    '<div class="cg-skeleton-bar"></div><div class="cg-skeleton-chips"></div>'
    '<div class="cg-skeleton-title"></div><div class="cg-skeleton-line"></div>'
    '<div class="cg-skeleton-card"></div><p class="cg-visually-hidden">Loading Cartograph</p>'
    "</div></div>"
)


def index_string() -> str:
    """The page that carries the program: language, theme before paint, tokens, skeleton.

    Dash asks that its entry point stands in the page; ours holds a skeleton until it is drawn.
    """
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
{{%metas%}}
<meta name="theme-color" content="#F6F8F9">
<title>{{%title%}}</title>
<link rel="icon" type="image/svg+xml" href="/assets/mark.svg">
<script>{PRE_RENDER_SCRIPT}</script>
{{%css%}}
<style>{css_tokens()}</style>
</head>
<body>
<noscript><p>Cartograph draws in the browser: please allow JavaScript here.</p></noscript>
{{%app_entry%}}
<footer>{{%config%}}{{%scripts%}}{{%renderer%}}</footer>
</body>
</html>"""


def skeleton_entry(entry: str) -> str:
    """Dash's entry point with our skeleton inside instead of its word `Loading...`."""
    return _SKELETON if "react-entry-point" in entry else entry


def shell_layout(mode: Mode) -> Component:
    """What never changes: regions for the router to fill, and the state that lives in the
    browser (address, scheme)."""
    return dmc.MantineProvider(
        [
            dcc.Location(id=ShellIds.URL, refresh=False),
            dcc.Store(id=ShellIds.SCHEME),
            dcc.Store(id=ShellIds.REQUEST),
            dcc.Store(id=ShellIds.TITLE),
            html.A("Skip to content", href="#content", className="cg-skip"),
            html.Header(
                [_top_bar(mode), html.Div(id=ShellIds.FILTERS, className="cg-filter-bar")],
                className="cg-header",
            ),
            html.Main(
                html.Div(id=ShellIds.PAGE, className="cg-page"),
                id="content",
                tabIndex=-1,
                className="cg-main",
            ),
            _drawer(ShellIds.NAV_DRAWER, ShellIds.NAV_DRAWER_BODY, "Pages", "left"),
            _drawer(ShellIds.FILTER_DRAWER, ShellIds.FILTER_DRAWER_BODY, "All filters", "right"),
        ],
        theme=mantine_theme(),
        defaultColorScheme="auto",
    )


def _top_bar(mode: Mode) -> Component:
    return html.Div(
        [
            html.Button(
                icon("menu", 20),
                type="button",
                className="cg-icon-button cg-narrow-only",
                **{"aria-label": "Pages", "data-open": ShellIds.NAV_DRAWER},
            ),
            html.A(
                [html.Span(className="cg-mark", **{"aria-hidden": "true"}), "Cartograph"],
                href="/",
                className="cg-brand",
            ),
            html.Nav(id=ShellIds.NAV, className="cg-nav", **{"aria-label": "Pages"}),
            html.Span("Demo, synthetic data", className="cg-mode") if mode == "demo" else None,
            html.Button(
                icon("filters", 20),
                type="button",
                className="cg-icon-button cg-phone-only",
                **{"aria-label": "Filters", "data-open": ShellIds.FILTER_DRAWER},
            ),
            _theme_switch(),
        ],
        className="cg-top",
    )


def _theme_switch() -> Component:
    """Light, dark, or as the computer is set; remembered in the browser."""
    choices = (("light", "sun", "Light"), ("dark", "moon", "Dark"), ("auto", "auto", "Automatic"))
    return html.Div(
        [
            html.Button(
                icon(picture, 16),
                type="button",
                className="cg-theme-choice",
                title=f"{words} theme",
                **{
                    "data-scheme-to": value,
                    "aria-label": f"{words} theme",
                    "aria-pressed": "false",
                },
            )
            for value, picture, words in choices
        ],
        className="cg-theme",
        role="group",
        **{"aria-label": "Theme"},
    )


def _drawer(drawer_id: str, body_id: str, title: str, side: str) -> Component:
    return dmc.Drawer(
        html.Div(id=body_id),
        id=drawer_id,
        title=title,
        position=side,
        size="min(360px, 88vw)",
        padding="md",
        closeButtonProps={"aria-label": "Close"},
        zIndex=400,
    )


def navigation(pages: Sequence[Page], current: Page | None, query: str) -> list[Component]:
    """A link for each page that exists. The filters travel along; a detail page (a patient)
    marks the page that it belongs to."""
    links = []
    for page in navigation_pages(pages):
        here = current is page
        inside = (
            current is not None and page.PATH != "/" and current.PATH.startswith(f"{page.PATH}/")
        )
        mark = {"aria-current": "page"} if here else {}
        links.append(
            html.A(
                page.NAME,
                href=f"{page.PATH}?{query}" if query else page.PATH,
                className="cg-nav-link cg-nav-here" if here or inside else "cg-nav-link",
                **mark,
            )
        )
    return links
