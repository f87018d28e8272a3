"""What one track is drawn with: collected strokes, and the hue of a meaning."""

from typing import Any

from figures.day_scale import DayScale
from figures.theme import Theme
from figures.tracks.labels import WIDE_PX


class Pen:
    """Collects traces, shapes and annotations of one track; `figure_of` makes the figure.

    Adding them to a figure one by one copies and checks the whole figure each time, ten times
    slower than checking it once.
    """

    def __init__(
        self,
        scale: DayScale,
        theme: Theme,
        number: int = 1,
        *,
        reach_px: float = 0,
        width_px: float = WIDE_PX,
    ) -> None:
        self.scale = scale
        self.theme = theme
        self.width_px = width_px
        """Nominal width of the plot, by which words are placed."""
        self.reach_px = reach_px
        """How far day lines reach beyond the value axis, above and below."""
        suffix = "" if number == 1 else str(number)
        self.x, self.y = f"x{suffix}", f"y{suffix}"
        self.y_name, self.x_name = f"yaxis{suffix}", f"xaxis{suffix}"
        self.data: list[dict[str, Any]] = []
        self.shapes: list[dict[str, Any]] = []
        self.annotations: list[dict[str, Any]] = []
        self.axis: dict[str, Any] = {}

    def color(self, meaning: str) -> str:
        """The hue of a meaning in this theme."""
        return color_of(meaning, self.theme)

    def trace(self, **properties: Any) -> None:
        """One scatter trace on this track; markers at the edge are not cut."""
        self.data.append({"type": "scatter", "xaxis": self.x, "yaxis": self.y, "showlegend": False,
                          "cliponaxis": False, **properties})  # fmt: skip

    def shape(self, **properties: Any) -> None:
        """One shape of this track, under the data unless said otherwise."""
        self.shapes.append({"xref": self.x, "yref": self.y, "layer": "below", **properties})

    def text(self, **properties: Any) -> None:
        """One annotation without an arrow."""
        self.annotations.append({"xref": self.x, "yref": self.y, "showarrow": False, **properties})


def color_of(meaning: str, theme: Theme) -> str:
    """`blood`, `ink`, `response:CR`, `crs:2` ... as `#rrggbb`."""
    kind, _, detail = meaning.partition(":")
    if kind == "response":
        return theme.response.get(detail, theme.secondary)
    if kind in ("crs", "icans"):
        return (theme.crs if kind == "crs" else theme.icans)[int(detail) - 1]
    if kind in theme.signal:
        return theme.signal[kind]
    return str(getattr(theme, kind))
