"""The samples under the brush, as a table."""

from typing import Any

from dash.development.base_component import Component

from analysis.number_words import count
from dashboard.components.card import card
from dashboard.components.plain_table import Column, plain_table
from figures.curves import PointFacts

MAX_BRUSHED = 200


def brushed(selected: dict[str, Any] | None) -> Component | None:
    """The points under the brush as a table, in time order; nothing without a brush.

    The browser sends back the facts that the figure gave it, so no data are read here.
    """
    points = (selected or {}).get("points")
    facts = [point.get("customdata") for point in points or [] if isinstance(point, dict)]
    rows = [
        [str(cell) for cell in row]
        for row in facts
        if isinstance(row, list) and len(row) == len(PointFacts._fields)
    ]
    if not rows:
        return None
    patients = len({row[0] for row in rows})
    columns = [
        Column("Patient"),
        Column("Group"),
        Column("Day", align="right"),
        Column("Value", align="right"),
        Column("Source"),
    ]
    return card(
        f"{count(len(rows), 'sample')} of {count(patients, 'patient')} under the brush",
        plain_table(columns, rows[:MAX_BRUSHED], caption="Brushed samples", dense=True),
        note="Double-click the figure to clear"
        + (f"; first {MAX_BRUSHED} shown" if len(rows) > MAX_BRUSHED else ""),
    )
