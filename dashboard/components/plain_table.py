"""A small table of finished text: tabular numerals, units in the header, row hover."""

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

from dash import html
from dash.development.base_component import Component


class Column(NamedTuple):
    """One column: its head, an optional unit on the second line, and how cells align."""

    head: Any
    unit: str | None = None
    align: Literal["left", "right", "center"] = "left"


def plain_table(
    columns: Sequence[Column],
    rows: Sequence[Sequence[Any]],
    *,
    caption: str,
    row_heads: bool = True,
    dense: bool = False,
    narrow: bool = False,
) -> Component:
    """Rows hold finished text or components, one per column. `caption` names the table for a
    screen reader; with `row_heads` the first cell of a row is its head. `dense` saves height,
    `narrow` width where there are many columns."""
    head = html.Thead(html.Tr([_head(column) for column in columns]))
    body = html.Tbody([html.Tr(_cells(columns, row, row_heads)) for row in rows])
    return html.Div(
        html.Table(
            [html.Caption(caption, className="cg-visually-hidden"), head, body],
            className=f"cg-table{' cg-table-dense' * dense}{' cg-table-narrow' * narrow}",
        ),
        className="cg-table-scroll",
        tabIndex=0,
        role="region",
        **{"aria-label": caption},
    )


def _head(column: Column) -> Component:
    unit = html.Span(column.unit, className="cg-unit") if column.unit else None
    return html.Th([column.head, unit], scope="col", className=f"cg-{column.align}")


def _cells(columns: Sequence[Column], row: Sequence[Any], row_heads: bool) -> list[Component]:
    cells = []
    for place, (column, value) in enumerate(zip(columns, row, strict=True)):
        if place == 0 and row_heads:
            cells.append(html.Th(value, scope="row", className=f"cg-{column.align}"))
        else:
            cells.append(html.Td(value, className=f"cg-{column.align}"))
    return cells
