"""Icons: small SVG files of our own, painted in the text color by a CSS mask."""

from dash import html
from dash.development.base_component import Component


def icon(name: str, size: int = 16) -> Component:
    """The icon `assets/icons/<name>.svg`. Decorative: the control around it carries the words."""
    return html.Span(
        className=f"cg-icon cg-icon-{name}",
        style={"width": size, "height": size},
        **{"aria-hidden": "true"},
    )
