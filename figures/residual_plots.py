"""Two looks at the residuals of a fit: against the fitted value, and against normal scores."""

import math
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from figures.theme import Theme, rgba, template

HEIGHT_PX = 300


class ResidualNumbers(NamedTuple):
    """One entry per observation, on the scale of the fit; the line of the normal plot."""

    usubjid: tuple[str, ...]
    fitted: tuple[float, ...]
    residual: tuple[float, ...]
    quantile: tuple[float, ...]
    line: tuple[float, float]
    """Intercept and slope through the quartiles: where normal residuals would lie."""


def prepare_residual_plots(
    points: Iterable[tuple[str, float, float, float]],
) -> ResidualNumbers:
    """`points` are (patient, fitted, residual, normal score); those not finite are left out."""
    kept = [point for point in points if all(math.isfinite(value) for value in point[1:])]
    residual = tuple(point[2] for point in kept)
    quantile = tuple(point[3] for point in kept)
    return ResidualNumbers(
        usubjid=tuple(point[0] for point in kept),
        fitted=tuple(point[1] for point in kept),
        residual=residual,
        quantile=quantile,
        line=quartile_line(residual, quantile),
    )


def quartile_line(residual: Iterable[float], quantile: Iterable[float]) -> tuple[float, float]:
    """The line through the first and third quartile, as in R's qqline."""
    y, x = np.array(list(residual)), np.array(list(quantile))
    if y.size < 4:
        return 0.0, 0.0
    y_low, y_high = np.quantile(y, [0.25, 0.75])
    x_low, x_high = np.quantile(x, [0.25, 0.75])
    slope = float((y_high - y_low) / (x_high - x_low)) if x_high > x_low else 0.0
    return float(y_low - slope * x_low), slope


def draw_residual_plots(
    numbers: ResidualNumbers, theme: Theme, *, scale: str, narrow: bool = False
) -> go.Figure:
    """Side by side, one above the other on a phone. scale: of the fit, in words."""
    shape = {"rows": 2, "cols": 1} if narrow else {"rows": 1, "cols": 2}
    figure = make_subplots(**shape, horizontal_spacing=0.1, vertical_spacing=0.18)
    second = {"row": 2, "col": 1} if narrow else {"row": 1, "col": 2}
    for x, where in ((numbers.fitted, {"row": 1, "col": 1}), (numbers.quantile, second)):
        figure.add_scatter(
            x=x, y=numbers.residual, mode="markers", customdata=numbers.usubjid,
            marker={"size": 6, "color": rgba(theme.secondary, 0.55)},
            hovertemplate="Patient %{customdata}<br>residual %{y:.2f}<extra></extra>", **where,
        )  # fmt: skip
    figure.add_hline(y=0, line={"color": theme.muted, "width": 1}, row=1, col=1)
    if numbers.quantile:
        ends = [min(numbers.quantile), max(numbers.quantile)]
        intercept, slope = numbers.line
        figure.add_scatter(
            x=ends, y=[intercept + slope * end for end in ends], mode="lines", hoverinfo="skip",
            line={"color": theme.muted, "width": 1}, **second,
        )  # fmt: skip
    figure.update_layout(
        template=template(theme),
        height=HEIGHT_PX * (2 if narrow else 1),
        margin={"l": 52, "r": 12, "t": 10, "b": 44},
    )
    figure.update_xaxes(fixedrange=True, title_standoff=8)
    figure.update_yaxes(fixedrange=True, nticks=6)
    figure.update_xaxes(title_text=f"Fitted value, {scale}", row=1, col=1)
    figure.update_xaxes(title_text="Normal score", **second)
    figure.update_yaxes(title_text=f"Residual, {scale}", title_standoff=4, row=1, col=1)
    return figure
