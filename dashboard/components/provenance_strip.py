"""Under every figure and table: the cut, the filters, the method, the version, the downloads."""

from collections.abc import Sequence
from typing import NamedTuple

from dash import html
from dash.development.base_component import Component

from dashboard.view import View


class Download(NamedTuple):
    """One download link: its label (PNG, SVG, CSV), and either the graph drawn on the screen
    (PNG, SVG: the browser writes the file) or an address of this server (CSV)."""

    label: str
    graph_id: str | None = None
    href: str | None = None


def figure_downloads(
    view: View, graph_id: str, csv_name: str | None = None
) -> tuple[Download, ...]:
    """PNG and SVG of a graph on the screen, and the numbers behind it when the page's
    `DOWNLOADS` holds `csv_name`."""
    images = (Download("PNG", graph_id=graph_id), Download("SVG", graph_id=graph_id))
    if csv_name is None:
        return images
    return (*images, Download("CSV", href=view.download_href(csv_name)))


def provenance_strip(view: View, *parts: str, downloads: Sequence[Download] = ()) -> Component:
    """`Cut 2026-06-30 · n = 18 of 24 · method ... · v0.1.0` and PNG / SVG / CSV."""
    texts = [f"Cut {view.trial.cut.name}", *parts, f"v{view.version}"]
    return html.Div(
        [
            html.Div([html.Span(text) for text in texts if text], className="cg-provenance"),
            html.Div([_link(item) for item in downloads], className="cg-downloads")
            if downloads
            else None,
        ],
        className="cg-strip",
    )


def _link(item: Download) -> Component:
    if item.href is not None:
        return html.A(item.label, href=item.href, download="", className="cg-download")
    return html.Button(
        item.label,
        type="button",
        className="cg-download",
        **{"data-download": item.label.lower(), "data-graph": item.graph_id},
    )
