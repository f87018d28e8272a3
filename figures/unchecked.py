"""A figure from finished traces and layout, without Plotly's checks of every property.

The checks cost about 40 ms a figure, more than the page may take for all of its tracks. The tests
of each figure build it once with the checks on, so that a wrong property still fails.
"""

from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go


def unchecked_figure(data: Sequence[dict[str, Any]], layout: dict[str, Any]) -> go.Figure:
    """`data` and `layout` as they are; the caller gives JSON-ready values only."""
    return go.Figure(data=list(data), layout=layout, _validate=False)
