"""Which planned examinations were done: visits down, patients across, best responders first."""

from collections.abc import Mapping
from typing import NamedTuple

import plotly.graph_objects as go
import polars as pl

from figures.number_text import day_text
from figures.theme import RESPONSE_SYMBOLS, Theme, rgba, template

ROW_PX = 24
_ORDER = ("CR", "PR", "SD", "PD", "NE", None)
_MARGIN = {"l": 12, "r": 64, "t": 30, "b": 12}
_LABELLED = 30
"""Up to this many patients each column is labelled; above it the hover has the name."""


class CompletenessNumbers(NamedTuple):
    """`states[visit][patient]` is evaluable, not_evaluable, missing or not_due."""

    patients: tuple[str, ...]
    responses: tuple[str | None, ...]
    visits: tuple[tuple[str, float], ...]
    series_names: Mapping[str, str]
    series_colors: Mapping[str, str]
    states: tuple[tuple[str, ...], ...]
    reasons: tuple[tuple[str | None, ...], ...]
    days: tuple[tuple[float | None, ...], ...]
    n_evaluable: tuple[int, ...]
    n_due: tuple[int, ...]


def prepare_scan_completeness(
    states: pl.DataFrame,
    best: pl.DataFrame,
    series_names: Mapping[str, str],
    series_colors: Mapping[str, str],
) -> CompletenessNumbers:
    """states: of `analysis.derive.completeness`; best: usubjid, best_category. `series_names` gives
    the words and the order of the series, `series_colors` their meaning in the theme.

    Patients stand by best response, then by how many evaluable examinations they have.
    """
    done = states.group_by("usubjid").agg((pl.col("state") == "evaluable").sum().alias("n_done"))
    rank = {response: place for place, response in enumerate(_ORDER) if response is not None}
    ordered = (
        done.join(best.select("usubjid", "best_category"), on="usubjid", how="left")
        .with_columns(
            pl.col("best_category")
            .replace_strict(rank, default=len(rank), return_dtype=pl.Int64)
            .alias("rank")
        )
        .sort("rank", "n_done", "usubjid", descending=[False, True, False])
    )
    patients = tuple(ordered["usubjid"].to_list())
    place = {series: number for number, series in enumerate(series_names)}
    visits = sorted(
        {(row[0], row[1]) for row in states.select("series", "nominal_day").iter_rows()},
        key=lambda visit: (place.get(visit[0], len(place)), visit[1]),
    )
    cells = {
        (row["series"], row["nominal_day"], row["usubjid"]): row
        for row in states.iter_rows(named=True)
    }

    def across(field: str) -> tuple[tuple, ...]:  # type: ignore[type-arg]
        return tuple(
            tuple(cells[(*visit, patient)][field] for patient in patients) for visit in visits
        )

    state_rows = across("state")
    return CompletenessNumbers(
        patients=patients,
        responses=tuple(ordered["best_category"].to_list()),
        visits=tuple(visits),
        series_names=dict(series_names),
        series_colors=dict(series_colors),
        states=state_rows,
        reasons=across("reason"),
        days=across("rel_day"),
        n_evaluable=tuple(row.count("evaluable") for row in state_rows),
        n_due=tuple(len(row) - row.count("not_due") for row in state_rows),
    )


def draw_scan_completeness(
    numbers: CompletenessNumbers, theme: Theme, links: Mapping[str, str] | None = None
) -> go.Figure:
    """A filled cell is an evaluable examination, a cross one that cannot be evaluated, a ring a
    missing one; where nothing was due there is nothing. `links` gives each patient an address."""
    figure = go.Figure()
    heads = _series_heads(numbers)
    rows = _row_positions(numbers, heads)
    labels = [patient.rsplit("-", 1)[-1] for patient in numbers.patients]
    for series in dict.fromkeys(series for series, _ in numbers.visits):
        color = theme.signal.get(numbers.series_colors.get(series, ""), theme.secondary)
        _add_cells(figure, numbers, rows, series, color, theme, links or {})
    height = _MARGIN["t"] + _MARGIN["b"] + ROW_PX * (max(rows) + 1.6)
    if len(labels) <= _LABELLED:
        height += 30
    figure.update_layout(
        template=template(theme), height=round(height), margin=_MARGIN, hovermode="closest"
    )
    figure.update_xaxes(
        range=[-0.6, len(labels) - 0.4],
        tickvals=list(range(len(labels))) if len(labels) <= _LABELLED else [],
        ticktext=labels,
        tickangle=-90,
        tickfont={"size": 11},
        fixedrange=True,
    )
    figure.update_yaxes(
        range=[max(rows) + 0.7, -1.1],
        tickvals=rows,
        ticktext=[f"day {day_text(day)}" for _, day in numbers.visits],
        showgrid=False,
        fixedrange=True,
        ticklabelstandoff=6,
    )
    _add_heads(figure, numbers, heads, theme)
    _add_totals(figure, numbers, rows, theme)
    _add_groups(figure, numbers, theme)
    return figure


def _series_heads(numbers: CompletenessNumbers) -> dict[str, int]:
    """First row of each series among the visits."""
    heads: dict[str, int] = {}
    for row, (series, _) in enumerate(numbers.visits):
        heads.setdefault(series, row)
    return heads


def _row_positions(numbers: CompletenessNumbers, heads: Mapping[str, int]) -> list[float]:
    """Visits from the top, with a row of room above each series for its name."""
    order = list(heads)
    return [row + 1.0 * (order.index(series) + 1) - 0.3 for row, (series, _) in enumerate(numbers.visits)]


def _add_cells(
    figure: go.Figure,
    numbers: CompletenessNumbers,
    rows: list[float],
    series: str,
    color: str,
    theme: Theme,
    links: Mapping[str, str],
) -> None:
    small = len(numbers.patients) > _LABELLED
    marks = {
        "evaluable": {"symbol": "square", "color": color, "size": 9 if small else 13},
        "not_evaluable": {
            "symbol": "x-thin",
            "size": 6 if small else 8,
            "line": {"width": 1.6, "color": theme.response["PD"]},
        },
        "missing": {
            "symbol": "circle-open",
            "size": 5 if small else 7,
            "color": theme.muted,
            "line": {"width": 1.2},
        },
    }
    for state, marker in marks.items():
        points = [
            (column, row)
            for row, visit in enumerate(numbers.visits)
            if visit[0] == series
            for column, found in enumerate(numbers.states[row])
            if found == state
        ]
        figure.add_scatter(
            x=[column for column, _ in points],
            y=[rows[row] for _, row in points],
            mode="markers",
            marker=marker,
            text=[_cell_text(numbers, row, column) for column, row in points],
            customdata=[links.get(numbers.patients[column]) for column, _ in points],
            hovertemplate="%{text}<extra></extra>",
            name=state,
        )


def _cell_text(numbers: CompletenessNumbers, row: int, column: int) -> str:
    series, day = numbers.visits[row]
    state = numbers.states[row][column].replace("_", " ")
    at = numbers.days[row][column]
    done = f" (done on day {at:.1f})" if at is not None and abs(at - day) >= 0.5 else ""
    reason = numbers.reasons[row][column]
    name = numbers.series_names.get(series, series)
    return (
        f"<b>Patient {numbers.patients[column]}</b><br>{name}, day {day_text(day)}{done}<br>"
        f"{state}{f': {reason}' if reason else ''}"
    )


def _add_heads(
    figure: go.Figure, numbers: CompletenessNumbers, heads: Mapping[str, int], theme: Theme
) -> None:
    rows = _row_positions(numbers, heads)
    for series, first in heads.items():
        figure.add_annotation(
            x=0, xref="x domain", y=rows[first] - 0.82, yref="y", showarrow=False, xanchor="left",
            text=f"<b>{numbers.series_names.get(series, series)}</b>",
            font={"size": 12, "color": theme.secondary},
        )  # fmt: skip


def _add_totals(
    figure: go.Figure, numbers: CompletenessNumbers, rows: list[float], theme: Theme
) -> None:
    for row, done, due in zip(rows, numbers.n_evaluable, numbers.n_due, strict=True):
        figure.add_annotation(
            x=1, xref="x domain", y=row, yref="y", xanchor="left", xshift=10, showarrow=False,
            text=f"{done}/{due}", font={"size": 12, "color": theme.secondary},
        )  # fmt: skip


def _add_groups(figure: go.Figure, numbers: CompletenessNumbers, theme: Theme) -> None:
    """The response of each run of patients, above the columns with its symbol and n."""
    start = 0
    for end in range(1, len(numbers.patients) + 1):
        same = end < len(numbers.patients) and numbers.responses[end] == numbers.responses[start]
        if same:
            continue
        _add_group(figure, numbers.responses[start], start, end, theme)
        start = end


def _add_group(figure: go.Figure, response: str | None, start: int, end: int, theme: Theme) -> None:
    color = theme.response.get(response or "", theme.muted)
    if response in RESPONSE_SYMBOLS:
        figure.add_scatter(
            x=[start], y=[-0.75], mode="markers", hoverinfo="skip",
            marker={"symbol": RESPONSE_SYMBOLS[response], "size": 9, "color": color,
                    "line": {"width": 2 if response == "NE" else 0, "color": color}},
        )  # fmt: skip
    wide = end - start > 1
    figure.add_annotation(
        x=start, y=-0.75, xref="x", yref="y", xanchor="left", xshift=8 if response else -6,
        showarrow=False,
        text=f"<b>{response or '–'}</b>{f' {end - start}' if wide else ''}",
        font={"size": 12, "color": theme.ink},
    )  # fmt: skip
    if start:
        figure.add_vline(x=start - 0.5, line={"width": 1, "color": rgba(theme.muted, 0.35)})
