"""Small drawings for table cells as SVG text: light enough for hundreds on a page.

They hold no words (an SVG used as an image cannot load the house font); numbers stand beside them.
"""

from urllib.parse import quote


def svg_document(width: float, height: float, body: str) -> str:
    """A complete SVG of the given size in pixels."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:g}" height="{height:g}" '
        f'viewBox="0 0 {width:g} {height:g}">{body}</svg>'
    )


def data_uri(svg: str) -> str:
    """The drawing as the `src` of an image; needs no request."""
    return "data:image/svg+xml," + quote(svg, safe="/:=' ,;()-.<>")


def number(value: float) -> str:
    """A coordinate with one decimal: enough for a pixel, short in the page."""
    return f"{value:.1f}".rstrip("0").rstrip(".")
