"""Where a figure is drawn: marks are collected as plain dicts, and the figure is made once.

Adding marks to a Plotly figure one by one copies and checks the whole figure each time, which
takes longer than all of a page's numbers. Tests build each figure with Plotly's checks on
(`checked=True`), so that a wrong property still fails there.
"""

from typing import Any, Self

import plotly.graph_objects as go

from figures.unchecked import unchecked_figure


class Canvas:
    """Marks of one figure, placed on one pair of axes; `panel` is the same canvas elsewhere."""

    def __init__(self) -> None:
        self._traces: list[dict[str, Any]] = []
        self._shapes: list[dict[str, Any]] = []
        self._annotations: list[dict[str, Any]] = []
        self.x, self.y = "x", "y"

    def panel(self, number: int) -> Self:
        """The same canvas with the axes of panel `number` (1, 2, ...) as its own."""
        other = type(self)()
        other.__dict__.update(self.__dict__)
        suffix = "" if number == 1 else str(number)
        other.x, other.y = f"x{suffix}", f"y{suffix}"
        return other

    def scatter(self, **properties: Any) -> None:
        """A scatter trace. SVG, never WebGL: that needs an evaluating script policy."""
        place = {"type": "scatter", "xaxis": self.x, "yaxis": self.y}
        self._traces.append({**place, **properties})

    def annotate(self, text: str, **properties: Any) -> None:
        """A text without an arrow."""
        place = {"xref": self.x, "yref": self.y, "showarrow": False, "text": text}
        self._annotations.append({**place, **properties})

    def vline(self, x: float, line: dict[str, Any]) -> None:
        """A vertical line over the height of the panel, at a value of the axis."""
        place = {"xref": self.x, "yref": f"{self.y} domain"}
        self._shapes.append(
            {"type": "line", **place, "x0": x, "x1": x, "y0": 0, "y1": 1, "line": line}
        )

    def hline(self, y: float, line: dict[str, Any]) -> None:
        """A horizontal line over the width of the panel, at a value of the axis."""
        place = {"xref": f"{self.x} domain", "yref": self.y}
        self._shapes.append(
            {"type": "line", **place, "x0": 0, "x1": 1, "y0": y, "y1": y, "line": line}
        )

    def hband(self, low: float, high: float, color: str) -> None:
        """A band over the width of the panel, under the data."""
        place = {"xref": f"{self.x} domain", "yref": self.y, "layer": "below", "line": {"width": 0}}
        self._shapes.append(
            {"type": "rect", **place, "x0": 0, "x1": 1, "y0": low, "y1": high, "fillcolor": color}
        )

    def figure(self, layout: dict[str, Any], *, checked: bool = False) -> go.Figure:
        """The figure of all marks with this layout."""
        whole = {**layout, "shapes": self._shapes, "annotations": self._annotations}
        return go.Figure(self._traces, whole) if checked else unchecked_figure(self._traces, whole)
