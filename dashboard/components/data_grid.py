"""A sortable, filterable table of a frame: AG Grid in the house's type and both schemes."""

from collections.abc import Sequence
from typing import Any

import dash_ag_grid as dag
import polars as pl
from dash import html
from dash.development.base_component import Component

# The dark mode of AG Grid follows `data-ag-theme-mode`, which assets/cartograph.js keeps equal to
# Mantine's scheme; the colors are the CSS tokens of dashboard.theme.
_THEME = {
    "function": (
        "themeQuartz.withParams({"
        "backgroundColor:'var(--cg-card)',foregroundColor:'var(--cg-ink)',"
        "borderColor:'var(--cg-hairline)',accentColor:'var(--cg-accent)',"
        "headerBackgroundColor:'var(--cg-card)',headerTextColor:'var(--cg-muted)',"
        "rowHoverColor:'var(--cg-accent-soft)',selectedRowBackgroundColor:'var(--cg-accent-tint)',"
        "fontFamily:'inherit',fontSize:13,headerFontSize:12,headerFontWeight:450,"
        "wrapperBorder:false,wrapperBorderRadius:0,columnBorder:false,headerColumnBorder:false,"
        "headerColumnResizeHandleColor:'transparent',"
        "spacing:6,rowHeight:34,headerHeight:38})"
    )
}


def data_grid(
    frame: pl.DataFrame,
    columns: Sequence[dict[str, Any]],
    id: str,
    *,
    label: str,
    height: int | None = None,
    options: dict[str, Any] | None = None,
    **properties: Any,
) -> Component:
    """`columns` are AG Grid column definitions (`field`, `headerName` with its unit, `type`);
    number columns say `"type": "numericColumn"`. `label` names the grid for a screen reader.

    Up to ~12 rows the grid is as high as its rows; longer ones scroll inside `height` px.
    """
    grid_options = {
        "theme": _THEME,
        "animateRows": False,
        "suppressCellFocus": False,
        "ensureDomOrder": True,
        "enableCellTextSelection": True,
        "suppressMovableColumns": True,
        "tooltipShowDelay": 300,
        **(options or {}),
    }
    short = height is None and frame.height <= 12
    if short:
        grid_options["domLayout"] = "autoHeight"
    grid = dag.AgGrid(
        id=id,
        rowData=frame.to_dicts(),
        columnDefs=list(columns),
        defaultColDef={
            "sortable": True,
            "filter": True,
            "resizable": True,
            "minWidth": 80,
            "suppressHeaderMenuButton": False,
        },
        dashGridOptions=grid_options,
        style={"height": None if short else (height or 440), "width": "100%"},
        className="cg-grid",
        **properties,
    )
    return html.Div(grid, role="region", className="cg-grid-frame", **{"aria-label": label})
