"""Pages that stand for a page that cannot be drawn: each says why and what to do."""

from dash import html
from dash.development.base_component import Component

from dashboard.components.card import card
from dashboard.components.empty_state import command, empty_state
from dashboard.components.page_header import page_header
from dashboard.components.text import sentence_case
from dashboard.view import Mode, View


def no_data(mode: Mode) -> Component:
    """The database is there and holds no study that may be shown."""
    if mode == "demo":
        why = "Demo mode shows synthetic studies only, and this database holds none."
        steps = [command("cartograph demo")]
    else:
        why = "Load the export of a trial, or make the synthetic one to look around."
        steps = [command("cartograph load export.zip --study STUDY-ID"), command("cartograph demo")]
    return _notice("No study yet", "The database holds no study.", why, steps)


def not_found(view: View) -> Component:
    """No page has this address."""
    link = html.A("Go to the overview", href=view.href("/"))
    return _notice("Not found", "There is no page at this address.", "Check the link.", [link])


def unreadable(reason: str) -> Component:
    """The address asks for something that is not there (a study, a cut, a filter's value)."""
    link = html.A("Start from the overview", href="/")
    return _notice(
        "This link cannot be shown",
        reason,
        "It may be mistyped, or come from another database or version.",
        [link],
    )


def unreachable(reason: str) -> Component:
    """The database does not answer; `reason` says what it is and what to do."""
    return _notice(
        "The data cannot be read now", f"{sentence_case(reason)}.",
        "Nothing was changed. Reload this page when the database is there again.", [],
    )  # fmt: skip


def broken(home: str, code: str) -> Component:
    """A page failed; `home` is the address of the overview. The log has the place under `code`; no
    stack and no value are shown."""
    link = html.A("Go to the overview", href=home)
    page = _notice(
        "This page could not be drawn",
        "The program met an error of its own; the data are untouched.",
        f"Please report code {code}: the log holds the place under it.",
        [link],
    )
    page.className = "cg-broken"
    return page


def _notice(title: str, what: str, why: str, actions: list[Component]) -> Component:
    body = empty_state(what, why, html.Div(actions, className="cg-notice-actions"))
    return html.Div([page_header(title), card(None, body)], className="cg-notice")
